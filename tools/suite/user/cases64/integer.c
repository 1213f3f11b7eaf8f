/* SPDX-License-Identifier: Apache-2.0 */
/* SDM 1 chapter 7: integer instructions and what they do to flags. */
#define THEME "user-integer"
#include "user.h"

CASE(u_add_sub_flags, "ADD and SUB at the borders of 8, 32 and 64 bits: all six flags",
     "mov $0x7fffffff, %eax; add $1, %eax; pushf; mov $0xff, %ecx; add $1, %cl; pushf;mov "
     "$0x8000000000000000, %rdx; sub $1, %rdx; pushf; xor %ebx, %ebx; sub $0x10, %bl; pushf");

CASE(u_adc_sbb, "ADC and SBB take CF in and give it on",
     "stc; mov $-1, %rax; adc $0, %rax; pushf; adc $0x7f, %cl; pushf; xor %edx, %edx; sbb %rdx, "
     "%rdx; pushf;stc; sbb $0x7fffffff, %eax; pushf");

CASE(u_inc_dec, "INC and DEC leave CF",
     "stc; mov $0x7fff, %eax; inc %ax; pushf; clc; mov $0x80, %cl; dec %cl; pushf; stc; xor %edx, "
     "%edx; dec %rdx; pushf");

CASE(u_neg_cmp, "NEG sets CF unless its operand is 0; CMP keeps it",
     "mov $1, %eax; neg %eax; pushf; xor %ecx, %ecx; neg %rcx; pushf; mov $0x80, %dl; neg %dl; "
     "pushf; cmp $0x80, %dl; pushf; not %rax");

CASE(u_logic, "AND, OR, XOR and TEST clear CF and OF",
     "stc; mov $0xf0f0f0f0, %eax; and $0x0ff0, %ax;" STORE_FLAGS(0) "or $0x80, %al;" STORE_FLAGS(
	     8) "xor %rcx, %rcx;" STORE_FLAGS(16) "test $-1, %rdx;" STORE_FLAGS(24) DEFINE_FLAGS);

CASE(u_shift_counts, "SHL, SHR and SAR: the count is taken modulo 32 or 64, and 0 leaves the flags",
     "mov $0x80000001, %eax; mov $33, %cl; shl %cl, %eax;" STORE_FLAGS(
	     0) "mov $65, %cl; shr %cl, %rdx;" STORE_FLAGS(8) "sar $1, %bx;" STORE_FLAGS(16) "stc; "
											     "mov "
											     "$64, "
											     "%cl; "
											     "sar "
											     "%cl, "
											     "%rdx;"
											     " setc"
											     " memo"
											     "ry + "
											     "24; "
											     "mov "
											     "$32, "
											     "%cl; "
											     "shl "
											     "%cl, "
											     "%eax;"
											     " setc"
											     " memo"
											     "ry + "
											     "25; "
											     "mov "
											     "$0x81"
											     ", "
											     "%al; "
											     "shl "
											     "$1, "
											     "%al"
											     ";" STORE_FLAGS(
												     32)
												     DEFINE_FLAGS);

CASE(u_rotates, "ROL, ROR, RCL and RCR of each width, by more than the width",
     "mov $9, %cl; rol %cl, %al; setc memory; ror $17, %bx; setc memory + 1; stc; mov $10, %cl; "
     "rcl %cl, %dl;setc memory + 2; rcr $33, %rsi; setc memory + 3; stc; rcr $1, %edi; setc memory "
     "+ 4; seto memory + 5; rcl $17, %bp; setc memory + 6;" DEFINE_FLAGS);

CASE(u_double_shifts, "SHLD and SHRD of 16, 32 and 64 bits",
     "shld $4, %bx, %ax; setc memory; shrd $31, %edx, %ebx; setc memory + 1; mov $63, %cl; shld "
     "%cl, %rsi, %rdi;setc memory + 2; mov $8, %cl; shrd %cl, %rsi, memory + 8; setc memory + "
     "3;" DEFINE_FLAGS);

CASE(u_bit_tests, "BT, BTS, BTR and BTC: of memory by a register they go beyond the operand",
     "bt $5, %eax; setc memory; bts $63, %rdx; setc memory + 1; mov $100, %ecx; btsl %ecx, memory "
     "+ 16; mov $-9, %rsi; btcq %rsi, memory + 48; btrw $17, memory + 20; setc memory + "
     "2;" DEFINE_FLAGS);

CASE(u_bit_scans, "BSF and BSR, of 0 with ZF; TZCNT and LZCNT of 0 with CF",
     NEEDS_BMI1 "mov $0x00ff0100, %edx; bsf %edx, %eax; bsr %edx, %ecx; xor %ebx, %ebx; tzcnt "
		"%ebx, %esi; setc memory; lzcnt %rbx, %rdi; setc memory + 1; tzcnt %dx, %bp; lzcnt "
		"%edx, %r8d; setz memory + 2;" DEFINE_FLAGS);

CASE(u_multiply, "MUL and IMUL of each width: both halves, CF and OF",
     "mov $0xff, %al; mov $2, %cl; mul %cl; mov %ax, memory; setc memory + 2; mov $-5, %rax; mov "
     "$7, %ecx; imul %rcx; mov %rax, memory + 8; mov %rdx, memory + 16; seto memory + 3; imul "
     "$0x10000, %r8d, %ebx; setc memory + 4; imul %r9, %r10; imul $-3, %bx, %si; seto memory + 5; "
     "mul %r11;" DEFINE_FLAGS);

CASE(u_divide, "DIV and IDIV of each width: quotient and remainder",
     "mov $1000, %eax; mov $7, %cl; div %cl; mov %ax, memory; mov $-1000, %eax; cltd; mov $7, "
     "%ecx; idiv %ecx; mov %eax, memory + 4; mov %edx, memory + 8; mov $3, %edx; mov $-2, %rcx; "
     "div %rcx; mov %rax, memory + 16; mov %rdx, memory + 24; mov $-1000, %ax; cwtd; mov $7, %cx; "
     "idiv %cx;" DEFINE_FLAGS);

CASE(u_divide_by_zero, "DIV by 0 is #DE, with nothing changed",
     DEFINE_FLAGS "xor %ecx, %ecx; div %rcx");

CASE(u_divide_overflow, "a quotient that does not fit is #DE",
     DEFINE_FLAGS "mov $2, %edx; mov $2, %ecx; div %ecx");

CASE(u_divide_minimum, "IDIV of the least number by -1 is #DE",
     DEFINE_FLAGS "mov $0x8000000000000000, %rax; cqto; mov $-1, %rcx; idiv %rcx");

CASE(u_extensions, "CBW to CQO, MOVSX, MOVZX and MOVSXD",
     "mov $0x80, %al; cbtw; cwtl; cltq; cwtd; cltd; cqto; mov $0x8081, %ecx; movsbl %cl, %ebx; "
     "movswq %cx, %rsi; movzbl %ch, %edi; movslq %eax, %rbp; movzwl %cx, %r8d");

CASE(u_write_widths, "a write of 32 bits clears the upper half, one of 16 or 8 keeps it",
     "mov $1, %eax; mov $2, %cx; mov $3, %dl; mov $4, %dh; xor %ebx, %ebx; mov $5, %sil; movb $6, "
     "memory + 3; movw $7, memory + 9; movl $8, memory + 17; movq $-9, memory + 25");

CASE(u_exchanges, "XCHG and XADD of registers and memory",
     "xchg %rax, %rcx; xchg %dl, %dh; movq $5, memory; xchg %rbx, memory; xadd %esi, %edi; pushf; "
     "lock xadd %rbp, memory; pushf; xadd %al, memory + 8");

CASE(u_cmpxchg, "CMPXCHG: equal stores, unequal loads; of 32 bits the accumulator's upper half",
     "movq $5, memory; mov $5, %eax; lock cmpxchg %rdx, memory; pushf; lock cmpxchg %ecx, memory; "
     "pushf; cmpxchg %bl, %al; pushf; mov $0x77, %al; cmpxchg %cl, %dl; pushf");

CASE(u_cmpxchg8b, "CMPXCHG8B equal and unequal",
     "movq $7, memory; mov $7, %eax; xor %edx, %edx; lock cmpxchg8b memory; setz memory + 8; "
     "cmpxchg8b memory; setz memory + 9;" DEFINE_FLAGS);

CASE(u_cmpxchg16b, "CMPXCHG16B equal and unequal",
     "movq $7, memory; movq $9, memory + 8; mov $7, %eax; mov $9, %edx; lock cmpxchg16b memory; "
     "setz memory + 16; cmpxchg16b memory; setz memory + 17");

CASE(u_cmpxchg16b_unaligned, "CMPXCHG16B of an address that is no multiple of 16 is #GP(0)",
     DEFINE_FLAGS "cmpxchg16b memory + 8");

CASE(u_lock_forms, "LOCK with each kind of read-modify-write",
     "lock addl $5, memory; lock incq memory; lock notb memory + 1; lock btsq $40, memory; lock "
     "xorw $0xff, memory + 3; lock negl memory + 8; lock subq $-1, memory; lock decb memory + 16; "
     "lock sbbl %eax, memory; pushf");

CASE(u_lock_register, "LOCK before an operand in a register is #UD",
     DEFINE_FLAGS ".byte 0xf0; add %eax, %ecx");

CASE(u_conditions,
     "SETcc and CMOVcc: of 32 bits the upper half is cleared also if nothing is moved",
     "mov $3, %eax; cmp $5, %eax; seto %cl; setb %ch; sete %dl; setbe %dh; sets %bl; setp %bh; "
     "setl %al; setle %ah;cmovo %esi, %edi; cmovl %rsi, %rbp; cmova %r8w, %r9w; cmovnp %r10d, "
     "%r11d; cmovge memory, %r12");

CASE(u_byte_order, "BSWAP of 32 and 64 bits, MOVBE of each width",
     NEEDS_MOVBE "mov $0x1122334455667788, %rax; mov %rax, %rdx; bswap %rax; bswap %edx; movbe "
		 "%rax, memory; movbe memory, %cx; movbe memory, %ebx; movbe %si, memory + 16");

CASE(u_popcnt_crc, "POPCNT clears all flags but ZF; CRC32 of each width",
     NEEDS_SSE4_2
     "stc; popcnt %rbx, %rax; pushf; xor %ecx, %ecx; popcnt %ecx, %edx; pushf; mov $1, %esi; "
     "crc32b %bl, %esi; crc32w %bx, %esi; crc32l %ebx, %esi; crc32q %rbx, %rsi");

CASE(u_addresses, "LEA: scale, displacement, RIP, 32-bit addresses and 16-bit results",
     "lea -5(%rax, %rcx, 8), %rdx; lea 0x7fffffff(%ebx, %esi, 2), %rdi; lea memory(%rip), %rbp; "
     "lea (%rax, %rax), %r8w; lea 1(, %r9, 4), %r10d; lea (%r12), %r13; lea (%rsp), %r14; lea "
     "-16(%rip), %ecx");

CASE(u_flag_transfers, "LAHF, SAHF, CMC, STC, CLC, STD, CLD",
     "mov $0xd5ff, %eax; sahf; pushf; lahf; stc; cmc; pushf; mov $0, %ah; sahf; std; pushf; cld; "
     "clc; pushf");

CASE(u_popf, "POPF at level 3 keeps IF and IOPL, and sets ID, AC and the rest",
     "pushq $0x243cd7; popf; pushf; pushq $0x242; popf; pushf; pushw $0x8d5; popfw; pushfw; pushq "
     "$2; popf");

CASE(u_push_pop, "PUSH and POP of 16 and 64 bits, immediates, memory, RSP",
     "push $-1; pushw $5; push $0x12345678; movq $0x55aa, memory; pushq memory; popq memory + 8; "
     "pop %rax; popw %cx; push %rsp; pop %rdx; mov %rsp, %rbx; push %rbx; pop %rsp; pushw memory + "
     "8; popw memory + 16");

CASE(u_enter_leave, "ENTER with levels 0, 1 and 3; LEAVE",
     "mov %rsp, %rbp; enter $16, $0; enter $8, $1; lea -64(%rsp), %rbp; enter $24, $3; mov %rsp, "
     "%rax; leave");

CASE(u_calls, "CALL and RET near, with bytes to pop, through memory and a register",
     "call 1f; jmp 3f; 1: lea 2f(%rip), %rax; push %rax; push $5; push $6; mov 16(%rsp), %rcx; "
     "call *%rax; ret $24; 2: lea 4f(%rip), %rdx; mov %rdx, memory; jmp *memory; 4: ret; 3: mov "
     "%rsp, %rbx");

CASE(u_loops, "Jcc, JRCXZ, LOOP, LOOPE and LOOPNE",
     "xor %eax, %eax; mov $5, %ecx; 1: inc %eax; loop 1b; mov $4, %ecx; 2: add $2, %eax; cmp $13, "
     "%eax; loopne 2b; mov %ecx, %edx; mov $3, %ecx; 3: cmp %esp, %esp; loope 3b; jrcxz 4f; inc "
     "%ebx; 4: mov $0x100000000, %rcx; jecxz 5f; inc %ebx; 5: dec %edx; jg 6f; js 6f; jnp 6f; inc "
     "%ebx; 6:" DEFINE_FLAGS);

CASE(u_bmi1, "ANDN, BEXTR, BLSI, BLSMSK, BLSR",
     NEEDS_BMI1 "mov $0xf0f0, %eax; mov $0x3c3c, %ecx; andn %eax, %ecx, %edx; setz memory; mov "
		"$0x0804, %ebx; bextr %ebx, %eax, %esi; blsi %rax, %rdi; blsmsk %eax, %ebp; blsr "
		"%eax, %r8d; setc memory + 2;" DEFINE_FLAGS);

CASE(u_bmi2, "BZHI, MULX, PDEP, PEXT, RORX, SARX, SHLX, SHRX",
     NEEDS_BMI2
     "mov $0x12345678, %eax; mov $0x00ff00ff, %ecx; mov $12, %edx; bzhi %edx, %eax, %ebx; setc "
     "memory; pdep %ecx, %eax, %esi; pext %rcx, %rax, %rdi; rorx $5, %rax, %rbp; sarx %edx, %eax, "
     "%r8d; shlx %rdx, %rax, %r9; shrx %edx, %eax, %r10d; mulx %rax, %r11, %r12;" DEFINE_FLAGS);

CASE(u_adx, "ADCX and ADOX keep to CF and OF",
     NEEDS_ADX "xor %eax, %eax; mov $-1, %rax; mov $1, %ecx; adcx %rcx, %rax; adox %rcx, %rdx; "
	       "adcx %rax, %rbx; adox %eax, %esi; setc memory; seto memory + 1;" DEFINE_FLAGS);

CASE(u_hints, "PAUSE, PREFETCH, NOPs of each length, ENDBR64 and fences change nothing",
     "pause; prefetcht0 memory; prefetchnta 0; nopl 0x1000(%rax); nopw (%rax, %rax); endbr64; "
     "mfence; sfence; lfence; data16 nop; .byte 0x0f, 0x18, 0x20");

CASE(u_fsgsbase, "WRFSBASE, RDFSBASE and an access by FS; GS by 32 bits",
     NEEDS_FSGSBASE "mov $memory, %eax; wrfsbase %rax; movq $0x1234, %fs:8; rdfsbase %rbx; mov "
		    "$0x80000000, %ecx; wrgsbase %ecx; rdgsbase %rdx; mov $memory + 8, %esi; "
		    "wrgsbase %rsi; mov %gs:0, %rdi; xor %eax, %eax; wrfsbase %rax; wrgsbase %rax");

CASE(u_cpuid, "CPUID of leaves 0 and 7 and of a highest extended one; OSXSAVE shows CR4's bit",
     "xor %eax, %eax; xor %ecx, %ecx; cpuid; mov %ebx, memory; mov %ecx, memory + 4; mov %edx, "
     "memory + 8; mov $7, %eax; xor %ecx, %ecx; cpuid; mov %ebx, memory + 12; mov $1, %eax; cpuid; "
     "and $0x08000000, %ecx; mov %ecx, memory + 16; xor %eax, %eax; xor %ebx, %ebx; xor %edx, "
     "%edx");
