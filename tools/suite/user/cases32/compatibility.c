/* SPDX-License-Identifier: Apache-2.0 */
/* Compatibility mode: what 64-bit code has not (SDM 1:7, SDM 2A appendix of opcodes). */
#define THEME "user-32"
#include "user.h"

CASE(u32_aaa_aas, "AAA and AAS, with and without AF",
     "mov $0x0a, %ax; aaa; setc memory; mov %ax, memory + 2; mov $0x0105, %ax; sub $7, %al; aas; "
     "setc memory + 1; mov %ax, memory + 4; mov $9, %al; cmp %eax, %eax; aaa;" DEFINE_FLAGS);
CASE(u32_aam_aad, "AAM and AAD, in bases 10 and 16",
     "mov $123, %al; aam;" STORE_FLAGS(
	     0) "mov %ax, memory + 8; aad; mov %ax, memory + 10; .byte 0xd4, 16; mov %ax, memory + "
		"12; .byte 0xd5, 16;" DEFINE_FLAGS);
CASE(u32_aam_zero, "AAM in base 0: #DE", DEFINE_FLAGS ".byte 0xd4, 0");
CASE(u32_daa_das, "DAA and DAS",
     "mov $0x79, %al; add $0x35, %al; daa; setc memory; mov %al, memory + 1; mov $0x35, %al; sub "
     "$0x47, %al; das; setc memory + 2; sets memory + 3; mov %al, memory + 4;" DEFINE_FLAGS);
CASE(u32_into, "INTO with OF: #OF, RIP behind it", "mov $0x7f, %al; add $1, %al; into");
CASE(u32_into_none, "INTO without OF does nothing", "cmp %eax, %eax; into; nop");
CASE(u32_bound, "BOUND beyond: #BR, RIP at it",
     "movl $5, memory; movl $9, memory + 4; mov $7, %eax; bound %eax, memory; mov $10, %eax; bound "
     "%eax, memory");
CASE(u32_push_all, "PUSHA and POPA, of 32 and 16 bits",
     "pusha; xor %eax, %eax; xor %esi, %esi; popa; pushaw; xor %ecx, %ecx; popaw; mov %esp, %ebp");
CASE(u32_short_inc, "INC and DEC of one byte leave CF",
     "stc; .byte 0x40, 0x49; pushf; clc; .byte 0x66, 0x42; pushf");
CASE(u32_salc, "SALC: AL from CF", "stc; .byte 0xd6; mov %al, %cl; clc; .byte 0xd6");
CASE(u32_arpl, "ARPL raises the requested level of a selector",
     "mov $0x10, %eax; mov $3, %ecx; arpl %cx, %ax; setz memory; arpl %cx, %ax; setz memory + "
     "1;" DEFINE_FLAGS);
CASE(u32_address16, "16-bit addresses: BX + SI, wrapped",
     "mov $0xfff0, %ebx; mov $0x10, %esi; addr16 lea (%bx, %si), %eax; addr16 lea 5(%bp), %cx; "
     "addr16 lea 0x1234, %edx");
CASE(u32_jumps, "JECXZ, JCXZ, LOOP by CX, a near jump of 32 bits",
     "mov $0x10000, %ecx; jcxz 1f; inc %eax; 1: jecxz 2f; inc %eax; 2: mov $3, %ecx; 3: inc %edx; "
     "addr16 loop 3b; mov $4f, %esi; jmp *%esi; 4:" DEFINE_FLAGS);
CASE(u32_far_pointer, "PUSH and POP of DS and ES, LES and LDS of the same selectors",
     "push %ds; pop %eax; push %es; pop %es; movl $0x12345678, memory; movw %ds, memory + 4; les "
     "memory, %ebx; lds memory, %esi");
CASE(u32_stack_forms, "PUSH and POP of 16 and 32 bits, PUSHF, ENTER",
     "push $-1; pushw $5; push %esp; pop %eax; popw %cx; pushf; pushfw; enter $8, $2; leave; push "
     "$0x202; popf");
CASE(u32_cmpxchg8b, "CMPXCHG8B with LOCK",
     "movl $7, memory; mov $7, %eax; xor %edx, %edx; lock cmpxchg8b memory; setz memory + 8; lock "
     "cmpxchg8b memory; setz memory + 9;" DEFINE_FLAGS);
CASE(u32_repeat_fault,
     "REP STOSL into a page that is not there: #PF with the registers of the round before",
     "mov $memory + 8192 - 10, %edi; mov $9, %ecx; rep stosl");
CASE(u32_wide_divide, "DIV of 64 by 32 bits, and #DE",
     "mov $1, %edx; mov $7, %eax; mov $3, %ecx; div %ecx;" DEFINE_FLAGS "mov $3, %edx; div %ecx");
CASE(u32_top_of_space, "a read at the top of 4 GiB, where nothing is: #PF", "mov 0xfffffff0, %eax");
CASE(u32_syscall, "SYSCALL in compatibility mode without EFER.SCE: #UD", "syscall");
CASE(u32_sse, "SSE of the lower registers",
     "movaps bytes, %xmm0; paddb other, %xmm0; movss singles, %xmm7; cvtss2si %xmm7, %eax; "
     "pmovmskb %xmm0, %ecx");
CASE(u32_x87, "x87 of exact values",
     "fninit; fldl doubles; faddl doubles + 8; fnstsw %ax; fistpl memory");
CASE(u32_align, "AC and a write that is not aligned: #AC(0)",
     "push $0x40202; popf; mov %eax, memory + 2");
CASE(u32_to_64, "a far jump to 64-bit code", "ljmp $0x33, $1f; 1: .code64; mov $-1, %rax; .code32");
