/* SPDX-License-Identifier: Apache-2.0 */
/* The interpreter's side: 64-bit paging, user pages at the host's addresses, an IDT whose
 * handlers halt. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/cpu/flags.h"
#include "sim/cpu/model.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/trace_cache.h"
#include "sim/cpu/xstate.h"
#include "tests/native/native.h"

/* Guest-physical layout of the kernel's part. */
enum {
	KERNEL_BYTES = 0x10000,
	TABLE_4 = 0x1000,
	TABLE_3 = 0x2000,
	TABLE_2 = 0x3000,
	TABLE_KERNEL = 0x4000,
	TABLE_CODE = 0x5000,
	TABLE_DATA = 0x6000,
	GDT = 0x7000,
	IDT = 0x8000,
	TSS = 0x9000,
	HANDLERS = 0xa000, /* 16 bytes each */
	STACK_TOP = 0xc000,
};

#define USER_CS 0x33
#define USER_SS 0x2b

struct guest {
	struct cpu cpu;
	struct slots slots;
	struct kvm_cpuid2 *cpuid;
	struct kvm_xsave *xsave;
	u8 *kernel, *code, *data;
};

static void no_work(struct cpu *cpu, u64 gpa)
{
	(void)cpu;
	(void)gpa;
}

static bool no_mmio(struct cpu *cpu, u64 gpa, void *data, unsigned int size, bool write)
{
	(void)cpu;
	(void)gpa;
	(void)data;
	(void)size;
	(void)write;
	return false;
}

static int no_vector(struct cpu *cpu)
{
	(void)cpu;
	return -1;
}

static bool no_interrupt(struct cpu *cpu)
{
	(void)cpu;
	return false;
}

static void no_deadline(struct cpu *cpu)
{
	(void)cpu;
}

static const struct cpu_platform platform = {
	.mmio = no_mmio,
	.pic_acknowledge = no_vector,
	.pic_pending = no_interrupt,
	.code_page_made = no_work,
	.code_page_written = no_work,
	.shootdown = no_deadline,
	.reschedule = no_deadline,
};

static u8 *add_slot(struct guest *guest, u32 id, u64 gpa, u64 size)
{
	struct kvm_userspace_memory_region region = {
		.slot = id, .guest_phys_addr = gpa, .memory_size = size};

	region.userspace_addr =
		(u64)mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (slots_set(&guest->slots, &region))
		abort();
	return (u8 *)region.userspace_addr;
}

static void store64(struct guest *guest, u64 address, u64 value)
{
	memcpy(guest->kernel + address, &value, sizeof(value));
}

#define PRESENT_USER 7u /* present, writable, user */
#define PRESENT      3u

static void make_tables(struct guest *guest)
{
	unsigned int n;

	store64(guest, TABLE_4, TABLE_3 | PRESENT_USER);
	store64(guest, TABLE_3, TABLE_2 | PRESENT_USER);
	store64(guest, TABLE_2, TABLE_KERNEL | PRESENT);
	store64(guest, TABLE_2 + (NATIVE_CODE >> 21) * 8, TABLE_CODE | PRESENT_USER);
	store64(guest, TABLE_2 + (NATIVE_DATA >> 21) * 8, TABLE_DATA | PRESENT_USER);
	for (n = 0; n < KERNEL_BYTES / NATIVE_PAGE; n++)
		store64(guest, TABLE_KERNEL + n * 8, n * NATIVE_PAGE | PRESENT);
	store64(guest, TABLE_CODE + (NATIVE_CODE >> 12 & 511) * 8, NATIVE_CODE | PRESENT_USER);
	store64(guest, TABLE_DATA + (NATIVE_DATA >> 12 & 511) * 8, NATIVE_DATA | PRESENT_USER);
	store64(guest, GDT + 8, UINT64_C(0x00af9b000000ffff));
	for (n = 0; n < 32; n++) { /* interrupt gates to selector 8 */
		store64(guest, IDT + n * 16, (HANDLERS + n * 16) | UINT64_C(0x8e0000080000));
		guest->kernel[HANDLERS + n * 16] = 0xf4; /* HLT */
	}
	store64(guest, TSS + 4, STACK_TOP);
}

static void set_system(struct cpu *cpu)
{
	cpu->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG;
	cpu->cr3 = TABLE_4;
	cpu->cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE;
	cpu->efer = EFER_LME | EFER_LMA | EFER_NXE;
	cpu->xcr0 = XSTATE_X87 | XSTATE_SSE | XSTATE_AVX;
	cpu->gdtr = (struct descriptor_table){.base = GDT, .limit = 0xff};
	cpu->idtr = (struct descriptor_table){.base = IDT, .limit = 0x1ff};
	cpu->seg[SEG_TR] = (struct segment){.selector = 0x40, .limit = 0x67, .rights = 0x8b};
	SEG_BASE(cpu, SEG_TR) = TSS;
	cpu->seg[SEG_LDTR] = (struct segment){.rights = SEG_UNUSABLE};
	cpu_update_mode(cpu);
	cpu_flush_tlb(cpu);
}

struct guest *guest_open(void)
{
	struct guest *guest = aligned_alloc(64, (sizeof(*guest) + 63) & ~(size_t)63);
	struct ls_error err = {0};

	memset(guest, 0, sizeof(*guest));
	guest->cpuid = calloc(1, sizeof(*guest->cpuid) + 128 * sizeof(guest->cpuid->entries[0]));
	guest->xsave = calloc(1, sizeof(*guest->xsave));
	guest->cpuid->nent = 128;
	if (cpu_model_build(host_is_amd() ? "max,vendor=amd,-pku" : "max,vendor=intel,-pku", 0, 1,
			    1000000, guest->cpuid, &err))
		abort();
	guest->kernel = add_slot(guest, 0, 0, KERNEL_BYTES);
	guest->code = add_slot(guest, 1, NATIVE_CODE, NATIVE_PAGE);
	guest->data = add_slot(guest, 2, NATIVE_DATA, NATIVE_PAGE);
	guest->cpu.slots = &guest->slots;
	guest->cpu.cpuid = guest->cpuid;
	guest->cpu.platform = &platform;
	trace_cache_open(&guest->cpu);
	tlb_flush_all(&guest->cpu.tlb);
	cpuid_adopt(&guest->cpu);
	cpu_reset(&guest->cpu, false);
	make_tables(guest);
	set_system(&guest->cpu);
	return guest;
}

const u32 *guest_features(const struct guest *guest)
{
	return guest->cpu.feature;
}

void guest_load(struct guest *guest, const struct encoding *encoding)
{
	memset(guest->code, 0xcc, NATIVE_PAGE);
	memcpy(guest->code + (NATIVE_START - NATIVE_CODE), encoding->bytes, encoding->length);
	trace_cache_flush(&guest->cpu);
}

/* As the host's: flat, or in 16-bit code 64 KiB at NATIVE_CODE and NATIVE_SEGMENT. */
static void set_user_segments(struct cpu *cpu, unsigned int bits)
{
	u32 limit = bits == 16 ? 0xffff : UINT32_MAX;
	u32 size = (bits == 16 ? 0 : SEG_G) | (bits == 64 ? SEG_L : bits == 32 ? SEG_DB : 0);
	unsigned int n;

	for (n = SEG_ES; n <= SEG_GS; n++) {
		cpu->seg[n] = (struct segment){.selector = USER_SS,
					       .limit = limit,
					       .rights = 0xf3 | (bits == 16 ? 0 : SEG_DB | SEG_G)};
		SEG_BASE(cpu, n) = bits == 16 ? NATIVE_SEGMENT : 0;
	}
	cpu->seg[SEG_CS] =
		(struct segment){.selector = USER_CS, .limit = limit, .rights = 0xfb | size};
	SEG_BASE(cpu, SEG_CS) = bits == 16 ? NATIVE_CODE : 0;
	cpu->cpl = 3;
}

/* The frame that the handler found (SDM 3A:6.14.2). */
static void take_fault(struct guest *guest, struct native_state *out)
{
	static const u32 with_error = 1u << VECTOR_DF | 1u << VECTOR_TS | 1u << VECTOR_NP |
				      1u << VECTOR_SS | 1u << VECTOR_GP | 1u << VECTOR_PF |
				      1u << VECTOR_AC;
	u64 frame[6], *at = frame;

	out->vector = (u32)((guest->cpu.reg[REG_RIP] - HANDLERS) / 16);
	memcpy(frame, guest->kernel + guest->cpu.reg[REG_RSP], sizeof(frame));
	if (with_error >> (out->vector & 31) & 1)
		out->error = (u32)*at++;
	out->rip = at[0];
	out->rflags = at[2];
	out->gpr[4] = at[3];
	guest->cpu.activity = ACTIVITY_RUNNING;
}

/* One instruction; a repeated string instruction may take several rounds. */
static enum cpu_exit step(struct guest *guest, const struct encoding *encoding)
{
	struct cpu *cpu = &guest->cpu;
	enum cpu_exit exit = CPU_EXIT_BUDGET;
	unsigned int rounds;

	for (rounds = 0; rounds < 1000; rounds++) {
		cpu_set_budget(cpu, 1);
		exit = cpu_run(cpu);
		if (exit != CPU_EXIT_BUDGET)
			return exit;
		if (cpu->cpl &&
		    !(encoding->repeat && cpu->reg[REG_RIP] == native_start(encoding->bits)))
			return exit;
	}
	return exit;
}

void guest_run(struct guest *guest, const struct encoding *encoding, const struct native_state *in,
	       struct native_state *out)
{
	struct cpu *cpu = &guest->cpu;

	memcpy(guest->data, in->memory, NATIVE_PAGE);
	memcpy(cpu->reg, in->gpr, sizeof(in->gpr));
	cpu->reg[REG_RIP] = native_start(encoding->bits);
	memcpy(guest->xsave->region, in->xsave, XSAVE_BYTES);
	if (xstate_restore_kvm(cpu, guest->xsave))
		abort();
	cpu_set_rflags(cpu, in->rflags);
	set_user_segments(cpu, encoding->bits);
	cpu_update_mode(cpu);
	out->vector = NO_FAULT;
	out->error = 0;
	if (step(guest, encoding) == CPU_EXIT_HALT && !cpu->cpl) {
		memcpy(out->gpr, cpu->reg, sizeof(out->gpr));
		take_fault(guest, out);
	} else {
		memcpy(out->gpr, cpu->reg, sizeof(out->gpr));
		out->rip = cpu->reg[REG_RIP];
		out->rflags = cpu_rflags(cpu);
	}
	xstate_save_kvm(cpu, guest->xsave);
	memcpy(out->xsave, guest->xsave->region, XSAVE_BYTES);
	memcpy(out->memory, guest->data, NATIVE_PAGE);
}

void guest_close(struct guest *guest)
{
	trace_cache_close(&guest->cpu);
	slots_free(&guest->slots);
	munmap(guest->kernel, KERNEL_BYTES);
	munmap(guest->code, NATIVE_PAGE);
	munmap(guest->data, NATIVE_PAGE);
	free(guest->xsave);
	free(guest->cpuid);
	free(guest);
}
