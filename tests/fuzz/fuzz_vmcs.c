/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any VMCS: entered, left and entered again it never crashes the interpreter and never makes it run
 * on past its bound; and any file that is said to be a dump of one is explained or refused. The
 * input is changes to a VMCS that enters, then the guest's code.
 */
#include <stdlib.h>

#include <lockstep/engine.h>

#include "sim/cpu/flags.h"
#include "sim/cpu/model.h"
#include "sim/cpu/msr.h"
#include "sim/cpu/trace_cache.h"
#include "sim/explain.h"
#include "sim/vmx-model/vmx.h"
#include "tests/unit/vmx-model/checks_base.h"

#define MEMORY (256u << 10)
#define LEAVES 128
#define RUNS   8
#define BUDGET 200

/* Where things lie; everything else of the memory is zero. */
#define HOST_CODE  0x8000u
#define HOST_STACK 0xa000u
#define GUEST_CODE 0xb000u
#define PML4       0x10000u /* and two tables behind it */
#define EPT        0x14000u /* and two tables behind it */
#define GDT        0x18000u
#define IDT        0x19000u
#define TSS        0x1a000u
#define REGION     0x1c000u
#define POINTER    0x1d000u
#define MSR_AREA   0x1e000u

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input as a stream of choices: zeros when it is used up. */
struct input {
	const uint8_t *data;
	size_t left;
};

static u64 take(struct input *input, size_t bytes)
{
	u64 value = 0;
	size_t n = bytes < input->left ? bytes : input->left;

	memcpy(&value, input->data, n);
	input->data += n;
	input->left -= n;
	return value;
}

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* --- the processor and what is around it --- */

static struct cpu *cpu;
static struct vmx vmx;
static struct slots slots;
static u8 *memory;

static bool answer(struct cpu *unused, u64 address, void *data, unsigned int size, bool write)
{
	(void)unused;
	(void)address;
	if (!write)
		memset(data, 0xa5, size);
	return true;
}

static bool answer_port(struct cpu *unused, u16 port, void *data, unsigned int size, bool write)
{
	return answer(unused, port, data, size, write);
}

static int acknowledge(struct cpu *unused)
{
	(void)unused;
	return 0x20;
}

static bool pending(struct cpu *unused)
{
	(void)unused;
	return true;
}

static void nothing(struct cpu *unused)
{
	(void)unused;
}

static void no_timer(struct cpu *unused, u64 until)
{
	(void)unused;
	(void)until;
}

static void no_page(struct cpu *unused, u64 gpa)
{
	(void)unused;
	(void)gpa;
}

static const struct cpu_platform platform = {
	.mmio = answer,
	.port = answer_port,
	.pic_acknowledge = acknowledge,
	.pic_pending = pending,
	.code_page_made = no_page,
	.code_page_written = no_page,
	.shootdown = nothing,
	.reschedule = nothing,
	.vendor_timer = no_timer,
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct kvm_userspace_memory_region region = {.memory_size = MEMORY};
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + LEAVES * sizeof(cpuid->entries[0]));

	(void)argc;
	(void)argv;
	memory = aligned_alloc(PAGE_SIZE_4K, MEMORY);
	region.userspace_addr = (uintptr_t)memory;
	require(slots_set(&slots, &region) == 0);
	cpuid->nent = LEAVES;
	require(cpu_model_build("max", 0, 1, 1000000, cpuid, NULL) == 0);
	cpu = aligned_alloc(64, (sizeof(*cpu) + 63) & ~(size_t)63);
	memset(cpu, 0, sizeof(*cpu));
	cpu->slots = &slots;
	cpu->cpuid = cpuid;
	cpu->platform = &platform;
	cpu->vendor = &vmx_ops;
	cpu->virtualization = &vmx;
	require(trace_cache_open(cpu));
	return 0;
}

/* --- the host: enters, and on each exit enters again --- */

static void put(u64 at, u64 value)
{
	memcpy(memory + at, &value, sizeof(value));
}

static void make_host_memory(void)
{
	static const u8 start[] = {0x0f, 0xc7, 0x34, 0x25, 0x00, 0xd0, 0x01, 0x00, /* vmptrld */
				   0x0f, 0x01, 0xc2,                               /* vmlaunch */
				   0xeb, 0xfb};                                    /* jmp to it */
	static const u8 again[] = {0x0f, 0x01, 0xc3, 0x0f, 0x01, 0xc2, 0xeb, 0xf8};

	memset(memory, 0, MEMORY);
	memcpy(memory + HOST_CODE, start, sizeof(start));
	memcpy(memory + HOST_CODE + 0x100, again, sizeof(again));
	put(POINTER, REGION);
	put(PML4, (PML4 + 0x1000) | 7);
	put(PML4 + 0x1000, (PML4 + 0x2000) | 7);
	put(PML4 + 0x2000, 0x87); /* 2 MiB */
	put(EPT, (EPT + 0x1000) | 7);
	put(EPT + 0x1000, (EPT + 0x2000) | 7);
	put(EPT + 0x2000, 0xb7); /* 2 MiB, write-back */
	put(GDT + 8, UINT64_C(0x00af9b000000ffff));
	put(GDT + 16, UINT64_C(0x00cf93000000ffff));
	put(GDT + 24, UINT64_C(0x00008b0000000067) | (u64)TSS << 16);
	for (unsigned int n = 0; n < 32; n++)
		put(IDT + 16 * n, UINT64_C(0x00008e0000080000) | GUEST_CODE);
}

static void set_host(void)
{
	cpuid_adopt(cpu);
	cpu_reset(cpu, false);
	memset(&vmx, 0, sizeof(vmx));
	vmx.on = true;
	vmx.region = 0x1f000;
	vmx.current = VMCS_NONE;
	cpu->guest = false;
	cpu->arbitrates = true;
	cpu->cr0 = CR0_PE | CR0_NE | CR0_ET | CR0_PG | CR0_WP;
	cpu->cr3 = PML4;
	cpu->cr4 = CR4_PAE | CR4_VMXE;
	cpu->efer = EFER_LME | EFER_LMA | EFER_NXE;
	cpu->seg[SEG_CS] = (struct segment){.selector = 8, .limit = UINT32_MAX, .rights = 0xa09b};
	SEG_BASE(cpu, SEG_CS) = 0;
	cpu->gdtr = (struct descriptor_table){.base = GDT, .limit = 0xff};
	cpu->idtr = (struct descriptor_table){.base = IDT, .limit = 0x1ff};
	cpu->reg[REG_RSP] = HOST_STACK;
	cpu->reg[REG_RIP] = HOST_CODE;
	cpu->io.completed = cpu->io.consumed = 0;
	cpu_flush_all(cpu);
	cpu_update_mode(cpu);
}

/* --- the VMCS --- */

static u64 controls(enum msr_index msr, u64 wanted)
{
	u64 capability = cpu->msr[msr];

	return (wanted | (u32)capability) & capability >> 32;
}

static void set_controls(u64 *value, struct input *input)
{
	value[VMCS_PIN_CONTROLS] = controls(MSR_VMX_TRUE_PINBASED_CTLS, take(input, 1));
	value[VMCS_PRIMARY_CONTROLS] = controls(MSR_VMX_TRUE_PROCBASED_CTLS, take(input, 4));
	value[VMCS_SECONDARY_CONTROLS] = controls(MSR_VMX_PROCBASED_CTLS2, take(input, 4));
	value[VMCS_EXIT_CONTROLS] = controls(MSR_VMX_TRUE_EXIT_CTLS, take(input, 4) | BIT(9));
	value[VMCS_ENTRY_CONTROLS] = controls(MSR_VMX_TRUE_ENTRY_CTLS, take(input, 4) | BIT(9));
	value[VMCS_EXCEPTION_BITMAP] = take(input, 4);
	value[VMCS_EPTP] = EPT | 0x1e;
	value[VMCS_VPID] = 1;
	value[VMCS_VIRTUAL_APIC_ADDRESS] = 0x20000;
	value[VMCS_APIC_ACCESS_ADDRESS] = 0x21000;
	value[VMCS_MSR_BITMAP] = value[VMCS_IO_BITMAP_A] = 0x22000;
	value[VMCS_IO_BITMAP_B] = value[VMCS_PML_ADDRESS] = 0x23000;
	value[VMCS_EXIT_MSR_LOAD_ADDRESS] = value[VMCS_ENTRY_MSR_LOAD_ADDRESS] = MSR_AREA;
	value[VMCS_EXIT_MSR_STORE_ADDRESS] = MSR_AREA + 0x800;
}

static void set_places(u64 *value)
{
	value[VMCS_GUEST_CR3] = value[VMCS_HOST_CR3] = PML4;
	value[VMCS_GUEST_RIP] = GUEST_CODE;
	value[VMCS_GUEST_RSP] = HOST_STACK - 0x800;
	value[VMCS_GUEST_GDTR_BASE] = value[VMCS_HOST_GDTR_BASE] = GDT;
	value[VMCS_GUEST_IDTR_BASE] = value[VMCS_HOST_IDTR_BASE] = IDT;
	value[VMCS_GUEST_TR_BASE] = value[VMCS_HOST_TR_BASE] = TSS;
	value[VMCS_HOST_RIP] = HOST_CODE + 0x100;
	value[VMCS_HOST_RSP] = HOST_STACK;
}

static void change(u64 *value, struct input *input)
{
	unsigned int field = take(input, 1) % VMCS_FIELD_COUNT, how = take(input, 1);

	if (how & 0x80)
		value[field] = take(input, 8);
	else if (how & 0x40)
		value[field] = take(input, 3);
	else
		value[field] ^= BIT(how & 63);
}

static void make_vmcs(struct input *input)
{
	static u64 value[VMX_INPUT_COUNT];

	base_inputs(value);
	set_places(value);
	set_controls(value, input);
	for (unsigned int n = take(input, 1) & 15; n; n--)
		change(value, input);
	vmcs_store(value, memory + REGION);
	*(u32 *)(memory + REGION) = VMCS_REVISION | (take(input, 1) == 0xff ? VMCS_SHADOW : 0);
}

/* --- the run --- */

static void run(struct input *input)
{
	u64 events;

	make_host_memory();
	set_host();
	make_vmcs(input);
	events = take(input, 4);
	for (unsigned int n = 0; n < 0x100 && input->left > 0x100; n += 16)
		put(MSR_AREA + n, take(input, 2)), put(MSR_AREA + n + 8, take(input, 2));
	memcpy(memory + GUEST_CODE, input->data, input->left < 0x1000 ? input->left : 0x1000);
	trace_cache_flush(cpu);
	for (unsigned int n = 0; n < RUNS && cpu->activity != ACTIVITY_SHUTDOWN; n++) {
		u64 before;

		cpu->activity = ACTIVITY_RUNNING;
		cpu_set_budget(cpu, BUDGET);
		before = cpu_retired(cpu);
		if (events >> n & 1)
			event_post(cpu, 1u << (events >> (8 + 3 * n) & 7));
		if (cpu_run(cpu) == CPU_EXIT_IO && cpu->io.completed < CPU_IO_FRAGMENTS)
			cpu->io.fragment[cpu->io.completed++].data = 0x5a5a5a5a5a5a5a5a;
		require(cpu_retired(cpu) - before <= BUDGET);
		require(cpu->cpl <= 3);
	}
}

static void explain(const struct input *input)
{
	char *copy = malloc(input->left + 1);

	memcpy(copy, input->data, input->left);
	copy[input->left] = 0;
	free(sim_explain(NULL, NULL, copy, input->left, NULL));
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};

	if (take(&input, 1) & 7)
		run(&input);
	else
		explain(&input);
	return 0;
}
