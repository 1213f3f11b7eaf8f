/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual-8086 mode and 16-bit code: SDM 3A chapter 21. */
#define THEME "modes"
#include "suite.h"

/* Goes to 0x7000 of memory, segment 0x700. */
static void v86_run(const u8 *code, size_t size, word flags)
{
	static word v86_flags;

	__builtin_memset((void *)0x7000, 0, 256);
	__builtin_memcpy((void *)0x7000, code, size);
	v86_flags = flags | FLAG_VM | 2;
	__asm__ volatile("mov %0, v86_flags_now" : : "r"(v86_flags) : "memory");
	TRY("push $0; push $0; push $0x700; push $0x700; push $0x700; push $0x1000; push "
	    "v86_flags_now;"
	    "push $0x700; push $0; iret");
	show(trap.ip);
	show(trap.cs);
	show(trap.flags);
	show(trap.v86_ds);
}
u32 v86_flags_now;

#define V86(flags, ...)                                                                            \
	do {                                                                                       \
		static const u8 v86_code[] = {__VA_ARGS__};                                        \
		v86_run(v86_code, sizeof(v86_code), flags);                                        \
	} while (0)

CASE(v86_hlt, "HLT in virtual-8086 mode is #GP(0)")
{
	V86(0, 0xf4);
}

CASE(v86_int, "INT n with IOPL below 3 is #GP(0)")
{
	V86(0, 0xcd, 0x21);
}

CASE(v86_cli, "CLI, STI, PUSHF, POPF and IRET look at IOPL")
{
	V86(0, 0xfa);
	V86(0, 0xfb);
	V86(0, 0x9c);
	V86(0, 0x9d);
	V86(0, 0xcf);
	V86(0x3000, 0x9c, 0x58, 0xf4);
}

CASE(v86_segments, "segment registers are selector times 16, limit FFFFH")
{
	V86(0, 0xb8, 0x20, 0x07, 0x8e, 0xd8, 0xa1, 0x00, 0x00, 0xf4);
}

CASE(v86_int3, "INT3 goes to the monitor's gate")
{
	idt[3].type |= GATE_USER;
	V86(0x3000, 0xcc);
	gate_reset(3);
}

CASE(v86_undefined, "instructions that protected mode alone has are #UD")
{
	V86(0, 0x0f, 0x00, 0xc0);
	V86(0, 0x0f, 0x02, 0xc0);
	V86(0, 0x63, 0xc0);
}

CASE(v86_privileged, "privileged ones are #GP(0)")
{
	V86(0, 0x0f, 0x20, 0xc0);
	V86(0, 0x0f, 0x06);
	V86(0, 0x0f, 0x30);
}

CASE(code_16, "16-bit code in protected mode: sizes are the other way round")
{
	gdt[SEL_FREE / 8] = descriptor(0, 0xfffff, 0x9b, 0x8);
	TRY("mov $0x12345678, %eax; ljmp $0x50, $1f; .code16; 1: mov $0x1111, %ax; mov "
	    "$0x22222222, %edx;"
	    "ljmpl $0x08, $2f; .code32; 2:");
}

CASE(stack_16, "a stack segment with B clear uses SP")
{
	gdt[SEL_FREE / 8] = descriptor((u32)scratch, 0xfff, 0x93, 0x0);
	TRY("mov %esp, %ecx; mov $0x50, %eax; mov %eax, %ss; mov $0x80, %esp; push %ecx; mov %esp, "
	    "%edx; pop %eax;"
	    "mov $0x10, %ebx; mov %ebx, %ss; mov %ecx, %esp");
}
