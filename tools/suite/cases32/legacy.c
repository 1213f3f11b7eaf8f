/* SPDX-License-Identifier: Apache-2.0 */
/* What 64-bit mode has given up: SDM 1 chapter 7, SDM 3A chapter 5. */
#define THEME "legacy"
#include "suite.h"

CASE(bcd, "DAA, DAS, AAA, AAS, AAM, AAD")
{
	TRY("mov $0x3c, %eax; clc; add $0, %al; daa; seto %dl; cmp %ecx, %ecx");
	TRY("mov $0x9a, %eax; add $0, %al; das; cmp %ecx, %ecx");
	TRY("mov $0x0f, %eax; aaa; cmp %ecx, %ecx");
	TRY("mov $0x0f, %eax; aas; cmp %ecx, %ecx");
	TRY("mov $77, %eax; aam; cmp %ecx, %ecx");
	TRY("mov $0x0707, %eax; aad; cmp %ecx, %ecx");
}

CASE(aam_zero, "AAM with 0 is #DE")
{
	TRY("aam $0");
}

CASE(bound, "BOUND outside of its range is #BR")
{
	TRY("movl $1, scratch; movl $9, scratch + 4; mov $5, %eax; bound %eax, scratch");
	TRY("mov $10, %eax; bound %eax, scratch");
	TRY("mov $-1, %eax; bound %eax, scratch");
}

CASE(into, "INTO is #OF with OF set, nothing otherwise")
{
	TRY("xor %eax, %eax; into");
	TRY("mov $0x7fffffff, %eax; inc %eax; into");
}

CASE(pusha, "PUSHA stores ESP as it was; POPA skips it")
{
	TRY("mov %esp, %ebx; mov $1, %eax; pusha; mov 12(%esp), %edx; sub %ebx, %edx; popa; sub "
	    "%esp, %ebx; mov %ebx, %edx");
}

CASE(push_segments, "PUSH and POP of segment registers")
{
	TRY("push %ds; push %es; push %fs; pop %fs; pop %es; pop %ds; push $0x10; push %cs; pop "
	    "%eax; pop %edx");
}

CASE(les_lds, "LES, LDS, LFS, LGS and LSS load pointer and selector")
{
	TRY("movl $0x1234, scratch; movw $0x10, scratch + 4; les scratch, %eax; lgs scratch, %edx");
	TRY("movl $0x1234, scratch; movw $0x200, scratch + 4; les scratch, %eax");
}

CASE(salc, "SALC copies CF to AL")
{
	TRY("stc; .byte 0xd6");
}

CASE(arpl, "ARPL raises the RPL and says so in ZF")
{
	TRY("mov $0x10, %eax; mov $0x0b, %edx; arpl %dx, %ax");
	TRY("mov $0x13, %eax; mov $0x08, %edx; arpl %dx, %ax");
}

CASE(address_16, "16-bit addresses: BX, SI, DI and BP, wrapped at 64 KiB")
{
	TRY("mov $0x7000, %ebx; mov $0x10, %esi; movl $0x66, 0x7010; addr16 mov (%bx, %si), %eax");
	TRY("mov $0xffff, %ebx; mov $0x7011, %esi; addr16 mov (%bx, %si), %eax");
}

CASE(far_call_32, "a far call and return within level 0")
{
	TRY("lcall $0x08, $1f; jmp 2f; 1: mov $5, %eax; lret; 2:");
}

CASE(call_gate_32, "a call gate from level 3 copies parameters")
{
	extern const char legacy_entry[];

	__asm__(".pushsection .text; legacy_entry: mov 8(%esp), %eax; mov 12(%esp), %edx; int "
		"$0x61; .popsection");
	gdt[SEL_FREE / 8] = ((u32)legacy_entry & 0xffff) | (u64)SEL_CODE0 << 16 | (u64)2 << 32 |
			    (u64)0xec << 40 | (u64)((u32)legacy_entry >> 16) << 48;
	TRY_USER("push $0x1111; push $0x2222; lcall $0x53, $0");
}

CASE(interrupt_32, "an interrupt from level 3 takes SS and ESP from the TSS")
{
	TRY_USER("ud2");
	show(trap_ss);
	show(trap_stack);
}

CASE(iret_outer, "IRET to level 3 makes null what level 3 may not have in DS and ES")
{
	TRY("push $0x23; push $user_stack + 4096; push $2; push $0x2b; push $1f; iret; 1: mov %ds, "
	    "%eax; mov %es, %edx; ud2");
}

CASE(ss_wrong, "SS: null, read-only, wrong level are #GP, absent is #SS")
{
	gdt[SEL_FREE / 8] = descriptor(0, 0xfffff, 0x90, 0xc);
	gdt[SEL_FREE / 8 + 1] = descriptor(0, 0xfffff, 0x12, 0xc);
	TRY("xor %eax, %eax; mov %eax, %ss");
	TRY("mov $0x50, %eax; mov %eax, %ss");
	TRY("mov $0x20, %eax; mov %eax, %ss");
	TRY("mov $0x58, %eax; mov %eax, %ss");
}

CASE(null_data, "a null selector in DS is loaded, and #GP(0) when it is used")
{
	TRY("xor %eax, %eax; mov %eax, %fs; mov %fs:0x100000, %eax");
}

CASE(inc_dec_short, "40H to 4FH are INC and DEC here")
{
	TRY("mov $9, %eax; .byte 0x40; .byte 0x48; .byte 0x40; mov %eax, %edx");
}

CASE(segment_base, "a segment's base is added to each address")
{
	gdt[SEL_FREE / 8] = descriptor((u32)scratch, 0xfffff, 0x93, 0xc);
	scratch[0][4] = 99;
	TRY("mov $0x50, %eax; mov %eax, %fs; mov %fs:4, %al; movb $7, %fs:5; mov scratch + 5, %dl");
}

CASE(moves_16, "a 16-bit operand size leaves the high half of a register")
{
	TRY("mov $-1, %eax; movw $0x0500, scratch; mov scratch, %ax; mov %eax, %edx; inc %dx");
}

CASE(sysenter_32, "SYSENTER and SYSEXIT load flat segments from their MSRs")
{
	extern const char sysenter_entry[];

	__asm__(".pushsection .text; sysenter_entry: mov %cs, %eax; mov %ss, %edx; int $0x61; "
		".popsection");
	wrmsr(0x174, SEL_CODE0);
	wrmsr(0x175, STACK_TOP(kernel_stack));
	wrmsr(0x176, (u32)sysenter_entry);
	TRY_USER("sysenter");
}

CASE(sysenter_none, "SYSENTER with a null selector is #GP(0)")
{
	wrmsr(0x174, 0);
	TRY_USER("sysenter");
}
