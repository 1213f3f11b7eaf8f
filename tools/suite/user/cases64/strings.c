/* SPDX-License-Identifier: Apache-2.0 */
/* SDM 1:7.3.9: string instructions. */
#define THEME "user-strings"
#include "user.h"

CASE(u_movs, "MOVSB to MOVSQ, forwards",
     "mov $bytes, %esi; mov $memory, %edi; movsb; movsw; movsl; movsq; mov $5, "
     "%ecx; rep movsb; mov $2, %ecx; rep movsq");

CASE(u_movs_backwards, "MOVS with DF, overlapping",
     "mov $0x0807060504030201, %rax; mov %rax, memory; mov $memory + 7, %esi; mov $memory + 9, "
     "%edi; mov $8, %ecx; "
     "std; rep movsb; cld");

CASE(u_movs_overlap, "REP MOVSB onto itself, a byte further, repeats the first",
     "movl $0x44332211, memory; mov $memory, %esi; mov $memory + 1, %edi; mov $7, %ecx; rep movsb");

CASE(u_stos_lods, "STOS and LODS of each width",
     "mov $memory, %edi; stosb; stosw; stosl; stosq; mov $3, %ecx; rep stosl; mov $bytes, %esi; "
     "lodsb; lodsw; lodsl; "
     "lodsq; mov $3, %ecx; rep lodsb");

CASE(u_scas, "REPNE SCASB ends behind what it finds, REPE SCASB behind what differs",
     "movl $0x44332211, memory; mov $memory, %edi; mov $4, %ecx; mov $0x33, %al; repne scasb; "
     "pushf; mov $memory, "
     "%edi; mov $4, %ecx; mov $0x11, %al; repe scasb; pushf; mov $memory + 8, %edi; xor %eax, "
     "%eax; scasl; pushf");

CASE(u_cmps, "REPE CMPSB and CMPSQ",
     "mov $bytes, %esi; mov $memory, %edi; mov $16, %ecx; rep movsb; movb $0x77, memory + 9; mov "
     "$bytes, %esi; mov "
     "$memory, %edi; mov $16, %ecx; repe cmpsb; pushf; cmpsq; pushf");

CASE(u_repeat_none, "a repeat of 0 does nothing, also where nothing is mapped",
     "xor %ecx, %ecx; xor %esi, %esi; xor %edi, %edi; rep movsb; rep stosq; repe cmpsb; repne "
     "scasb; pushf");

CASE(u_repeat_fault,
     "REP MOVSB into a page that is not there: #PF with the registers of the round before",
     "mov $bytes, %esi; mov $memory + 8192 - 5, %edi; mov $9, %ecx; rep movsb");

CASE(u_repeat_fault_source,
     "REP LODSQ out of a page that is not there: #PF in the middle of an element",
     "mov $memory + 8192 - 20, %esi; mov $9, %ecx; rep lodsq");

CASE(u_repeat_32, "REP STOSB with 32-bit addresses: ECX and EDI alone, upper halves cleared",
     "movabs $0x100000000 + memory, %rdi; mov $0x100000003, %rcx; addr32 rep stosb");
