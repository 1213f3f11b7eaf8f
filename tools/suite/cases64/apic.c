/* SPDX-License-Identifier: Apache-2.0 */
/* The local APIC and interrupts: SDM 3A chapter 11. */
#define THEME "apic"
#include "suite.h"

#define APIC 0xfee00000ul

static u32 apic_read(u32 offset)
{
	return *(volatile u32 *)(APIC + offset);
}

static void apic_write(u32 offset, u32 value)
{
	*(volatile u32 *)(APIC + offset) = value;
}

static void apic_on(void)
{
	apic_write(0xf0, 0x1ff);
}

static u32 taken[8], taken_count;

static bool take(struct trap_frame *frame)
{
	if (frame->vector < 32)
		return false;
	if (taken_count < 8)
		taken[taken_count++] = (u32)frame->vector;
	apic_write(0xb0, 0);
	/* What is left of it is what was noted. */
	__builtin_memset(&trap, 0, sizeof(trap));
	trap_stack = trap_handler_flags = 0;
	trap_ss = trap_count = 0;
	return true;
}

static void show_taken(void)
{
	show(taken_count);
	for (u32 n = 0; n < taken_count; n++)
		show(taken[n]);
}

CASE(apic_version, "ID and what the register page holds after reset")
{
	show(apic_read(0x20));
	show(apic_read(0x80));
	show(apic_read(0xd0));
	show(apic_read(0xe0));
	show(apic_read(0xf0));
	show(apic_read(0x280));
}

CASE(apic_lvt_reset, "the local vector table is masked after reset")
{
	for (u32 offset = 0x320; offset <= 0x370; offset += 0x10)
		show(apic_read(offset));
}

CASE(apic_lvt_software_disable, "a software-disabled APIC keeps its LVT masked")
{
	apic_write(0xf0, 0xff);
	apic_write(0x320, 0x40);
	show(apic_read(0x320));
	apic_on();
	apic_write(0x320, 0x40);
	show(apic_read(0x320));
}

CASE(apic_task_priority, "TPR and CR8 are one register; PPR follows")
{
	apic_on();
	apic_write(0x80, 0x50);
	show(READ_REGISTER("cr8"));
	show(apic_read(0xa0));
	WRITE_REGISTER("cr8", 3);
	show(apic_read(0x80));
	WRITE_REGISTER("cr8", 0);
}

CASE(self_ipi, "an IPI to itself waits in the IRR and is taken after STI")
{
	apic_on();
	apic_write(0x300, 0x40000 | 0x51);
	show(apic_read(0x220));
	trap_hook = take;
	TRY("sti; nop; nop; cli");
	show_taken();
	show(apic_read(0x220));
	show(apic_read(0x120));
}

CASE(priority_order, "of two that wait the higher vector comes first")
{
	apic_on();
	apic_write(0x300, 0x40000 | 0x41);
	apic_write(0x300, 0x40000 | 0x71);
	trap_hook = take;
	TRY("sti; nop; nop; nop; cli");
	show_taken();
}

CASE(task_priority_holds, "TPR holds back vectors of its class and below")
{
	apic_on();
	apic_write(0x80, 0x50);
	apic_write(0x300, 0x40000 | 0x51);
	apic_write(0x300, 0x40000 | 0x61);
	trap_hook = take;
	TRY("sti; nop; nop; cli");
	show_taken();
	apic_write(0x80, 0);
	TRY("sti; nop; nop; cli");
	show_taken();
}

CASE(sti_shadow, "no interrupt is taken between STI and the next instruction")
{
	apic_on();
	apic_write(0x300, 0x40000 | 0x51);
	trap_hook = take;
	TRY("xor %eax, %eax; sti; cli; nop; nop");
	show_taken();
	TRY("sti; nop; cli");
	show_taken();
}

CASE(hlt_wakes, "HLT with an interrupt pending goes on behind it")
{
	apic_on();
	apic_write(0x300, 0x40000 | 0x52);
	trap_hook = take;
	TRY("sti; hlt; cli; mov $1, %eax");
	show_taken();
}

CASE(eoi_order, "EOI ends the highest interrupt in service")
{
	apic_on();
	apic_write(0x300, 0x40000 | 0x51);
	TRY("sti; nop; nop; cli");
	show(apic_read(0x120));
	apic_write(0x300, 0x40000 | 0x61);
	TRY("sti; nop; nop; cli");
	show(apic_read(0x130));
	apic_write(0xb0, 0);
	show(apic_read(0x130));
	show(apic_read(0x120));
	apic_write(0xb0, 0);
	show(apic_read(0x120));
	TRY("cli");
}

CASE(same_class_waits, "a vector of the class in service waits for EOI")
{
	apic_on();
	apic_write(0x300, 0x40000 | 0x55);
	TRY("sti; nop; nop; cli");
	apic_write(0x300, 0x40000 | 0x5a);
	TRY("sti; nop; nop; cli");
	show(apic_read(0x220));
	apic_write(0xb0, 0);
	TRY("sti; nop; nop; cli");
	apic_write(0xb0, 0);
	TRY("cli");
}

CASE(self_nmi, "an NMI to itself comes at once, with IF clear")
{
	apic_on();
	TRY("mov $0xfee00300, %eax; movl $0x40400, (%rax); nop; nop; nop; out %al, $0x80");
}

CASE(timer_one_shot, "a one-shot timer of zero does not run; the count register reads 0")
{
	apic_on();
	apic_write(0x3e0, 0xb);
	apic_write(0x320, 0x10050);
	apic_write(0x380, 0);
	show(apic_read(0x390));
}

CASE(timer_fires, "the timer's vector comes when the count is done, once")
{
	apic_on();
	apic_write(0x3e0, 0xb);
	apic_write(0x320, 0x58);
	apic_write(0x380, 20000);
	trap_hook = take;
	TRY("sti; hlt; cli");
	show_taken();
	show(apic_read(0x390));
}

CASE(timer_masked, "a masked timer counts down and interrupts nobody")
{
	apic_on();
	apic_write(0x3e0, 0xb);
	apic_write(0x320, 0x10058);
	apic_write(0x380, 2000);
	while (apic_read(0x390))
		;
	show(apic_read(0x220));
}

CASE(logical_destination, "LDR keeps its high byte, DFR its high nibble")
{
	apic_on();
	apic_write(0xd0, 0xffffffff);
	show(apic_read(0xd0));
	apic_write(0xe0, 0x0fffffff);
	show(apic_read(0xe0));
	apic_write(0xe0, 0xffffffff);
}

CASE(logical_ipi, "an IPI in logical mode reaches those whose LDR has the bit")
{
	apic_on();
	apic_write(0xd0, 0x02000000);
	apic_write(0x310, 0x02000000);
	apic_write(0x300, 0x851);
	show(apic_read(0x220));
	apic_write(0x310, 0x04000000);
	apic_write(0x300, 0x861);
	show(apic_read(0x230));
}

CASE(apic_base, "APIC_BASE: enable bit, bootstrap bit, reserved bits are #GP(0)")
{
	show(rdmsr(0x1b));
	TRY("mov $0x1b, %ecx; rdmsr; or $1, %eax; wrmsr");
}

CASE(x2apic, "x2APIC mode: registers by MSR, the page is gone")
{
	u32 out[4];

	cpuid(1, 0, out);
	show(out[2] & 1u << 21);
	if (!(out[2] & 1u << 21))
		return;
	wrmsr(0x1b, rdmsr(0x1b) | 0xc00);
	show(rdmsr(0x802));
	show(rdmsr(0x808));
	show(rdmsr(0x80d));
	TRY("mov $0x80e, %ecx; rdmsr");
	TRY("mov $0x83f, %ecx; xor %edx, %edx; mov $0x51, %eax; wrmsr");
	show(rdmsr(0x822));
}
