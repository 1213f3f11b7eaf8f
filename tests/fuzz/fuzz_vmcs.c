/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any VMCS: entered, left and entered again it never crashes the interpreter and never makes it run
 * on past its bound; and any file that is said to be a dump of one is explained or refused. The
 * input is changes to a VMCS that enters, then the guest's code.
 */
#include "sim/vmx-model/vmx.h"
#include "tests/fuzz/nested_rig.h"
#include "tests/unit/vmx-model/checks_base.h"

#define EPT      0x14000u /* and two tables behind it */
#define REGION   0x1c000u
#define POINTER  0x1d000u
#define MSR_AREA 0x1e000u

static struct vmx vmx;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	rig_open("max", &vmx_ops, &vmx);
	return 0;
}

/* --- the host: enters, and on each exit enters again --- */

static void make_host_memory(void)
{
	static const u8 start[] = {0x0f, 0xc7, 0x34, 0x25, 0x00, 0xd0, 0x01, 0x00, /* vmptrld */
				   0x0f, 0x01, 0xc2,                               /* vmlaunch */
				   0xeb, 0xfb};                                    /* jmp to it */
	static const u8 again[] = {0x0f, 0x01, 0xc3, 0x0f, 0x01, 0xc2, 0xeb, 0xf8};

	rig_make_memory();
	memcpy(memory + HOST_CODE, start, sizeof(start));
	memcpy(memory + HOST_CODE + 0x100, again, sizeof(again));
	put(POINTER, REGION);
	put(EPT, (EPT + 0x1000) | 7);
	put(EPT + 0x1000, (EPT + 0x2000) | 7);
	put(EPT + 0x2000, 0xb7); /* 2 MiB, write-back */
}

static void set_host(void)
{
	rig_set_host(CR4_VMXE, 0);
	memset(&vmx, 0, sizeof(vmx));
	vmx.on = true;
	vmx.region = 0x1f000;
	vmx.current = VMCS_NONE;
	cpu->arbitrates = true;
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

static void make_vmcs(struct input *input)
{
	static u64 value[VMX_INPUT_COUNT];

	base_inputs(value);
	set_places(value);
	set_controls(value, input);
	for (unsigned int n = take(input, 1) & 15; n; n--)
		rig_change(value, VMCS_FIELD_COUNT, input);
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
	rig_run(input, events);
}
