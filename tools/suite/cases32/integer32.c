/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions in 32-bit code: SDM 1 chapter 7. */
#define THEME "integer32"
#include "suite.h"

CASE(p32_add_adc, "64-bit sums by ADD and ADC")
{
	TRY("mov $0xffffffff, %eax; mov $1, %edx; add $1, %eax; adc $2, %edx");
}

CASE(p32_sub_sbb, "64-bit differences by SUB and SBB")
{
	TRY("xor %eax, %eax; mov $5, %edx; sub $1, %eax; sbb $2, %edx");
}

CASE(p32_mul_div, "MUL to EDX:EAX and DIV back")
{
	TRY("mov $0x12345678, %eax; mov $0x9abcdef0, %ecx; mul %ecx; div %ecx; cmp %ecx, %ecx");
}

CASE(p32_strings, "REP MOVSD, SCASB and CMPSW")
{
	for (int n = 0; n < 64; n++)
		scratch[0][n] = (u8)(n ^ 0x15);
	TRY("mov $scratch, %esi; mov $scratch + 128, %edi; mov $8, %ecx; cld; rep movsl; mov %esi, "
	    "%eax; mov %edi, %edx");
	TRY("mov $scratch, %edi; mov $64, %ecx; mov $0x20, %eax; repne scasb; mov %ecx, %edx");
	TRY("mov $scratch, %esi; mov $scratch + 128, %edi; mov $20, %ecx; repe cmpsw; mov %ecx, "
	    "%edx");
}

CASE(p32_flags, "PUSHF, POPF, LAHF and SAHF")
{
	TRY("push $0xcd5; popf; pushf; pop %edx; lahf; cld");
	TRY("mov $0xff00, %eax; sahf");
}

CASE(p32_eflags_bits, "which bits of EFLAGS POPF can change at level 0: AC, ID, NT, IOPL")
{
	TRY("pushf; xorl $0x247000, (%esp); popf; pushf; pop %eax; pushl $2; popf");
}

CASE(p32_popf_user, "and at level 3: neither IOPL nor IF")
{
	TRY_USER("pushf; orl $0x3200, (%esp); popf; pushf; pop %eax");
}

CASE(p32_rotate_memory, "shifts and rotates of memory")
{
	TRY("movl $0x80000001, scratch; roll $1, scratch; shrl $1, scratch; mov scratch, %eax; cmp "
	    "%ecx, %ecx");
}

CASE(p32_bit_string, "BTS of a bit string in memory, before and behind the operand")
{
	TRY("mov $-1, %eax; bts %eax, scratch + 32; mov scratch + 28, %edx; cmp %ecx, %ecx");
	TRY("mov $40, %eax; bts %eax, scratch + 32; mov scratch + 36, %edx; cmp %ecx, %ecx");
}

CASE(p32_enter_leave, "ENTER with nesting levels and LEAVE")
{
	TRY("mov %esp, %ebx; mov $user_stack + 2048, %ebp; enter $4, $2; mov %esp, %eax; leave; "
	    "mov %esp, %edx; mov %ebx, %esp");
}

CASE(p32_cmpxchg8b, "CMPXCHG8B with equal and unequal values")
{
	TRY("movl $1, scratch; movl $2, scratch + 4; mov $1, %eax; mov $2, %edx; mov $3, %ebx; mov "
	    "$4, %ecx;"
	    "lock cmpxchg8b scratch; mov scratch, %eax; cmp %ecx, %ecx");
	TRY("mov $1, %eax; mov $2, %edx; cmpxchg8b scratch; cmp %ecx, %ecx");
}

CASE(p32_cpuid_id, "CPUID from 32-bit code")
{
	TRY("xor %eax, %eax; cpuid");
}
