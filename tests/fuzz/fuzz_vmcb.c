/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any VMCB: entered, left and entered again it never crashes the interpreter and never makes it run
 * on past its bound; and any file that is said to be a dump of one is explained or refused. The
 * input is changes to a VMCB that enters, or a whole one, then the guest's code.
 */
#include "sim/svm-model/svm.h"
#include "tests/fuzz/nested_rig.h"
#include "tests/unit/svm-model/checks_base.h"

#define VMCB  0x1c000u
#define IOPM  0x20000u /* three pages, then two of the MSRPM */
#define MSRPM 0x23000u
#define AVIC  0x25000u /* its backing page and its two tables */

static struct svm svm;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	rig_open("max,vendor=amd,+svm", &svm_ops, &svm);
	return 0;
}

/* --- the host: enters, with its interrupts on, and on each exit enters again --- */

static void make_host_memory(void)
{
	static const u8 code[] = {0x0f, 0x01, 0xda, /* vmload */
				  0x0f, 0x01, 0xd8, /* vmrun */
				  0x0f, 0x01, 0xdb, /* vmsave */
				  0x0f, 0x01, 0xdc, /* stgi */
				  0xeb, 0xf2};      /* jmp to the start */

	rig_make_memory();
	memcpy(memory + HOST_CODE, code, sizeof(code));
}

static void set_host(void)
{
	memset(&svm, 0, sizeof(svm));
	rig_set_host(0, EFER_SVME);
	svm.gif = true;
	cpu->reg[REG_RAX] = VMCB;
	cpu->arbitrates = false;
}

/* --- the VMCB --- */

static void set_controls(u64 *value, struct input *input)
{
	value[VMCB_INTERCEPTS_3] = take(input, 4);
	value[VMCB_INTERCEPTS_4] = take(input, 4) | 1;
	value[VMCB_INTERCEPTS_5] = take(input, 1);
	value[VMCB_EXCEPTION_INTERCEPTS] = take(input, 4);
	value[VMCB_CR_INTERCEPTS] = take(input, 4);
	value[VMCB_V_INTR] = take(input, 5);
	value[VMCB_VIRT_EXT] = take(input, 1);
	value[VMCB_NP_CONTROL] = take(input, 1);
	value[VMCB_TLB_CONTROL] = take(input, 1);
	value[VMCB_IOPM_BASE_PA] = IOPM;
	value[VMCB_MSRPM_BASE_PA] = MSRPM;
	value[VMCB_N_CR3] = PML4;
}

/* The guest's APIC is where its stack, descriptor tables or first page are, or nowhere near. */
static void set_avic(u64 *value, struct input *input)
{
	static const u32 bars[] = {0xfee00000, 0, HOST_STACK - 0x1000, GDT, IDT, TSS};

	value[VMCB_AVIC_APIC_BAR] = bars[take(input, 1) % ARRAY_SIZE(bars)];
	value[VMCB_AVIC_BACKING_PAGE] = AVIC;
	value[VMCB_AVIC_LOGICAL_TABLE] = AVIC + 0x1000;
	value[VMCB_AVIC_PHYSICAL_TABLE] = (AVIC + 0x2000) | take(input, 1);
	for (unsigned int n = take(input, 1) & 0x1f; n; n--)
		put(AVIC + 8 * (take(input, 2) % 0x600), take(input, 8));
}

static void set_segment(u64 *fields, u64 selector, u64 attributes)
{
	fields[VMCB_SELECTOR] = selector;
	fields[VMCB_ATTRIB] = attributes;
	fields[VMCB_LIMIT] = UINT32_MAX;
}

static void set_state(u64 *value)
{
	set_segment(&value[VMCB_ES_SELECTOR], 0x10, 0xc93);
	set_segment(&value[VMCB_CS_SELECTOR], 8, 0x29b);
	set_segment(&value[VMCB_SS_SELECTOR], 0x10, 0xc93);
	set_segment(&value[VMCB_DS_SELECTOR], 0x10, 0xc93);
	set_segment(&value[VMCB_TR_SELECTOR], 0x18, 0x8b);
	value[VMCB_TR_BASE] = TSS;
	value[VMCB_GDTR_BASE] = GDT;
	value[VMCB_GDTR_LIMIT] = 0xff;
	value[VMCB_IDTR_BASE] = IDT;
	value[VMCB_IDTR_LIMIT] = 0x1ff;
	value[VMCB_CR3] = PML4;
	value[VMCB_RIP] = GUEST_CODE;
	value[VMCB_RSP] = HOST_STACK - 0x800;
}

static void make_vmcb(struct input *input)
{
	static u64 value[SVM_INPUT_COUNT];

	base_inputs(value);
	set_controls(value, input);
	if (value[VMCB_V_INTR] & V_AVIC_ENABLE)
		set_avic(value, input);
	set_state(value);
	for (unsigned int n = take(input, 1) & 15; n; n--)
		rig_change(value, VMCB_FIELD_COUNT, input);
	for (unsigned int f = 0; f < VMCB_FIELD_COUNT; f++)
		vmcb_store_field(value, memory + VMCB, f);
}

/* --- the run --- */

static void run(struct input *input)
{
	u64 events;

	make_host_memory();
	set_host();
	make_vmcb(input);
	events = take(input, 4);
	for (unsigned int n = 0; n < 0x20 && input->left > 0x100; n++)
		put(IOPM + 8 * take(input, 2) % 0x5000, take(input, 1));
	rig_run(input, events);
}
