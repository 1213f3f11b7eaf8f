/* SPDX-License-Identifier: Apache-2.0 */
/* String instructions: SDM 1 7.3.9. */
#define THEME "strings"
#include "suite.h"

#define FILL                                                                                       \
	for (int n = 0; n < 64; n++)                                                               \
	scratch[0][n] = (u8)(n * 7 + 1)

CASE(movs, "MOVS of each width, both directions")
{
	FILL;
	TRY("mov $scratch, %esi; mov $scratch + 256, %edi; mov $8, %ecx; cld; rep movsb; mov %rsi, "
	    "%rax; mov %rdi, %rdx");
	TRY("mov $scratch, %esi; mov $scratch + 320, %edi; mov $8, %ecx; rep movsq; mov %rsi, "
	    "%rax; mov %rdi, %rdx");
	TRY("mov $scratch + 60, %esi; mov $scratch + 508, %edi; mov $8, %ecx; std; rep movsl; mov "
	    "%rsi, %rax; cld");
	TRY("mov $scratch + 62, %esi; mov $scratch + 600, %edi; mov $8, %ecx; std; rep movsw; mov "
	    "%rdi, %rdx; cld");
}

CASE(movs_overlap, "MOVS onto itself repeats what it has written")
{
	FILL;
	TRY("mov $scratch, %esi; mov $scratch + 1, %edi; mov $32, %ecx; cld; rep movsb");
	FILL;
	TRY("mov $scratch, %esi; mov $scratch + 4, %edi; mov $8, %ecx; cld; rep movsq");
}

CASE(movs_zero, "with a count of zero nothing happens, not even a fault")
{
	TRY("mov $0x40000000, %esi; mov $0x40000000, %edi; xor %ecx, %ecx; rep movsb; mov %rsi, "
	    "%rax; mov %rdi, %rdx");
}

CASE(movs_address_32, "with 32-bit addresses the registers wrap and their high halves are cleared")
{
	FILL;
	TRY("mov $scratch, %esi; mov $scratch + 256, %edi; mov $4, %ecx; bts $40, %rsi; addr32 rep "
	    "movsb;"
	    "mov %rsi, %rax; mov %rdi, %rdx");
}

CASE(stos, "STOS of each width")
{
	TRY("mov $0x1122334455667788, %rax; mov $scratch, %edi; mov $5, %ecx; cld; rep stosb; rep "
	    "stosw");
	TRY("mov $0x1122334455667788, %rax; mov $scratch + 64, %edi; mov $5, %ecx; rep stosw; mov "
	    "%rdi, %rdx");
	TRY("mov $0x1122334455667788, %rax; mov $scratch + 128, %edi; mov $5, %ecx; rep stosl; mov "
	    "%rcx, %rdx");
	TRY("mov $0x1122334455667788, %rax; mov $scratch + 192, %edi; mov $5, %ecx; rep stosq");
}

CASE(lods, "LODS of each width")
{
	FILL;
	TRY("mov $-1, %rax; mov $scratch, %esi; cld; lodsb; mov %rsi, %rdx");
	TRY("mov $-1, %rax; mov $scratch, %esi; lodsw; mov %rsi, %rdx");
	TRY("mov $-1, %rax; mov $scratch, %esi; lodsl; mov %rsi, %rdx");
	TRY("mov $-1, %rax; mov $scratch, %esi; mov $3, %ecx; rep lodsq; mov %rsi, %rdx");
}

CASE(cmps, "REPE CMPS stops at the first difference, with its flags")
{
	FILL;
	for (int n = 0; n < 64; n++)
		scratch[1][n] = scratch[0][n];
	scratch[1][20] = 0;
	TRY("mov $scratch, %esi; mov $scratch + 4096, %edi; mov $64, %ecx; cld; repe cmpsb; mov "
	    "%rcx, %rax; mov %rsi, %rdx");
	TRY("mov $scratch, %esi; mov $scratch + 4096, %edi; mov $8, %ecx; repe cmpsq; mov %rcx, "
	    "%rax; mov %rsi, %rdx");
	TRY("mov $scratch, %esi; mov $scratch + 4096, %edi; mov $8, %ecx; repne cmpsl; mov %rcx, "
	    "%rax; mov %rsi, %rdx");
}

CASE(scas, "REPNE SCAS finds, REPE SCAS skips")
{
	FILL;
	TRY("mov $scratch, %edi; mov $64, %ecx; mov $50, %eax; cld; repne scasb; mov %rcx, %rax; "
	    "mov %rdi, %rdx");
	TRY("mov $scratch, %edi; mov $64, %ecx; mov $1, %eax; repe scasb; mov %rcx, %rax; mov "
	    "%rdi, %rdx");
	TRY("mov $scratch, %edi; mov $8, %ecx; mov $-1, %eax; repne scasl; mov %rcx, %rax; mov "
	    "%rdi, %rdx");
}

CASE(scas_zero, "with a count of zero the flags stay")
{
	TRY("xor %ecx, %ecx; mov $scratch, %edi; stc; repne scasb");
	TRY("xor %ecx, %ecx; mov $scratch, %edi; cmp %eax, %eax; repne scasb");
}

CASE(xlat, "XLAT reads DS:RBX plus AL")
{
	FILL;
	TRY("mov $scratch, %ebx; mov $0xffffff05, %eax; xlat");
}

CASE(string_fs, "FS changes the source's segment only")
{
	FILL;
	wrmsr(0xc0000100, 16);
	TRY("mov $scratch, %esi; mov $scratch + 256, %edi; mov $8, %ecx; cld; rep movsb "
	    "%fs:(%rsi), (%rdi)");
}

CASE(outs, "OUTS writes each element to the port")
{
	FILL;
	TRY("mov $scratch, %esi; mov $0x5a0, %edx; cld; outsb; outsl; mov %rsi, %rax");
}

CASE(ins_unclaimed, "INS from a port where nothing is stores all ones")
{
	TRY("mov $scratch, %edi; mov $0x5a8, %edx; cld; insb; insl; mov %rdi, %rax");
}

CASE(loop_instructions, "LOOP, LOOPE, LOOPNE and JRCXZ count without flags")
{
	TRY("xor %eax, %eax; mov $5, %ecx; 1: inc %eax; loop 1b");
	TRY("xor %eax, %eax; mov $5, %ecx; 1: inc %eax; cmp $3, %eax; loopne 1b; mov %rcx, %rdx");
	TRY("xor %eax, %eax; mov $5, %ecx; 1: inc %eax; cmp $1, %eax; loope 1b; mov %rcx, %rdx");
	TRY("xor %ecx, %ecx; mov $1, %eax; jrcxz 1f; mov $2, %eax; 1:");
}
