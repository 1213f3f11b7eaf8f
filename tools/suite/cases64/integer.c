/* SPDX-License-Identifier: Apache-2.0 */
/* Integer instructions and their flags: SDM 1 chapter 7. */
#define THEME "integer"
#include "suite.h"

#define OPERANDS(op)                                                                               \
	TRY("mov $0x7fffffff, %eax; mov $1, %edx; stc;" op " %edx, %eax");                         \
	TRY("mov $0x80000000, %eax; mov $0x80000000, %edx; clc;" op " %edx, %eax");                \
	TRY("mov $0xff, %eax; mov $1, %edx; stc;" op " %dl, %al");                                 \
	TRY("mov $-1, %rax; mov $1, %edx; clc;" op " %rdx, %rax")

CASE(add_flags, "ADD: all six flags at the edges")
{
	OPERANDS("add");
}

CASE(adc_flags, "ADC takes CF")
{
	OPERANDS("adc");
}

CASE(sub_flags, "SUB: all six flags at the edges")
{
	OPERANDS("sub");
}

CASE(sbb_flags, "SBB takes CF")
{
	OPERANDS("sbb");
}

CASE(cmp_flags, "CMP changes flags only")
{
	OPERANDS("cmp");
}

CASE(inc_dec, "INC and DEC leave CF")
{
	TRY("mov $0x7fffffff, %eax; stc; inc %eax");
	TRY("mov $0x80000000, %eax; clc; dec %eax");
	TRY("mov $0xff, %eax; stc; inc %al");
}

CASE(neg_not, "NEG sets CF unless its operand was 0; NOT sets nothing")
{
	TRY("mov $0x80000000, %eax; neg %eax");
	TRY("xor %eax, %eax; neg %eax");
	TRY("mov $5, %eax; cmp %eax, %eax; not %eax");
}

CASE(writes_32, "a write of 32 bits clears the high half, of 16 and 8 it does not")
{
	TRY("mov $-1, %rax; mov $0, %eax; mov $-1, %rdx; mov $0, %dx");
	TRY("mov $-1, %rax; mov $0, %al; mov $-1, %rdx; mov $0, %dh");
}

CASE(mul_results, "MUL and IMUL: both halves, CF and OF")
{
	TRY("mov $0xffffffff, %eax; mov %eax, %ecx; mul %ecx; setc %cl; seto %ch; cmp %ecx, %ecx");
	TRY("mov $-5, %rax; mov $7, %ecx; imul %rcx; setc %cl; cmp %ecx, %ecx");
	TRY("mov $0x40000000, %eax; imul $4, %eax, %edx; setc %al; cmp %ecx, %ecx");
}

CASE(div_results, "DIV and IDIV: quotient and remainder of each width")
{
	TRY("mov $1000, %eax; xor %edx, %edx; mov $7, %ecx; div %ecx; cmp %ecx, %ecx");
	TRY("mov $-1000, %eax; cdq; mov $7, %ecx; idiv %ecx; cmp %ecx, %ecx");
	TRY("mov $1000, %eax; mov $7, %ecx; div %cl; cmp %ecx, %ecx");
	TRY("mov $1, %edx; xor %eax, %eax; mov $3, %ecx; div %rcx; cmp %ecx, %ecx");
}

CASE(shifts, "shifts by 0, 1 and more; the count is masked")
{
	TRY("mov $0x80000001, %eax; stc; shl $1, %eax; setc %dl; seto %dh; cmp %ecx, %ecx");
	TRY("mov $0x80000001, %eax; mov $33, %ecx; shr %cl, %eax; setc %dl; cmp %ecx, %ecx");
	TRY("mov $0x80000001, %eax; stc; mov $32, %ecx; sar %cl, %eax");
	TRY("mov $0x80000001, %eax; sar $1, %eax; setc %dl; cmp %ecx, %ecx");
}

CASE(rotates, "rotates through and past CF")
{
	TRY("mov $0x80000001, %eax; clc; rcl $1, %eax");
	TRY("mov $0x80000001, %eax; stc; rcr $1, %eax");
	TRY("mov $0x81, %eax; rol $1, %al");
	TRY("mov $0x81, %eax; ror $1, %al");
	TRY("mov $0x8001, %eax; stc; mov $17, %ecx; rcl %cl, %ax; setc %dl; cmp %ecx, %ecx");
}

CASE(double_shifts, "SHLD and SHRD")
{
	TRY("mov $0x12345678, %eax; mov $0x9abcdef0, %edx; shld $8, %edx, %eax; cmp %ecx, %ecx");
	TRY("mov $0x12345678, %eax; mov $0x9abcdef0, %edx; shrd $12, %edx, %eax; cmp %ecx, %ecx");
}

CASE(bit_tests, "BT, BTS, BTR and BTC of registers and of memory beyond the operand")
{
	TRY("mov $0x10, %eax; bt $4, %eax; setc %dl; cmp %ecx, %ecx");
	TRY("mov $100, %eax; bts %eax, scratch; setc %dl; mov scratch + 12, %eax; cmp %ecx, %ecx");
	TRY("mov $-3, %rax; btc %rax, scratch + 64; mov scratch + 56, %rdx; cmp %ecx, %ecx");
}

CASE(bit_scans, "BSF and BSR of zero set ZF and leave the destination")
{
	TRY("mov $0x1000, %ecx; bsf %ecx, %eax; bsr %ecx, %edx; cmp %ecx, %ecx");
	TRY("mov $77, %eax; xor %ecx, %ecx; bsf %ecx, %eax; setz %dl; cmp %ecx, %ecx");
}

CASE(conversions, "CBW to CQO, MOVSX, MOVZX, MOVSXD")
{
	TRY("mov $0x80, %eax; cbtw; cwtl; cltq; cqto");
	TRY("mov $0x8080, %ecx; movsbl %cl, %eax; movzwl %cx, %edx");
	TRY("mov $0x80000000, %ecx; movslq %ecx, %rax; movzbl %ch, %edx");
}

CASE(exchanges, "XCHG, XADD, CMPXCHG with equal and unequal values")
{
	TRY("mov $1, %eax; mov $2, %edx; xchg %eax, %edx");
	TRY("mov $1, %eax; mov $2, %edx; xadd %edx, %eax");
	TRY("movl $5, scratch; mov $5, %eax; mov $9, %edx; lock cmpxchg %edx, scratch; mov "
	    "scratch, %edx");
	TRY("movl $6, scratch; mov $5, %eax; mov $9, %edx; lock cmpxchg %edx, scratch; mov "
	    "scratch, %edx");
}

CASE(cmpxchg_wide, "CMPXCHG8B and CMPXCHG16B; the latter wants alignment")
{
	TRY("movq $7, scratch; mov $7, %eax; xor %edx, %edx; mov $1, %ebx; mov $2, %ecx; cmpxchg8b "
	    "scratch; mov scratch, %rax; cmp %eax, %eax");
	TRY("movq $7, scratch; movq $0, scratch + 8; mov $7, %eax; xor %edx, %edx; mov $1, %ebx; "
	    "mov $2, %ecx;"
	    "lock cmpxchg16b scratch; mov scratch, %rax; mov scratch + 8, %rdx; cmp %eax, %eax");
	TRY("cmpxchg16b scratch + 8");
}

CASE(conditions, "SETcc and CMOVcc of all sixteen conditions")
{
	TRY("mov $3, %eax; cmp $5, %eax; seto %cl; setb %ch; sete %dl; setbe %dh; sets %bl; setp "
	    "%bh; setl %al; setle %ah");
	TRY("mov $3, %ecx; mov $7, %edx; xor %eax, %eax; cmp %edx, %ecx; cmovl %rdx, %rax; cmovg "
	    "%ecx, %edx");
}

CASE(flag_transfers, "LAHF, SAHF, PUSHF, POPF, CMC, STD")
{
	TRY("mov $0xd5ff, %eax; sahf; lahf; cmc; pushf; pop %rdx");
	TRY("push $0x3ffcd7; popf; pushf; pop %rax; push $2; popf");
}

CASE(stack_forms, "PUSH and POP of 16 and 64 bits, ENTER and LEAVE")
{
	TRY("mov %rsp, %rbx; push $-1; pushw $5; sub %rsp, %rbx; mov %rbx, %rax; add $10, %rsp");
	TRY("mov %rsp, %rbx; enter $16, $0; mov %rbp, %rax; leave; sub %rbx, %rsp; mov %rsp, %rdx; "
	    "mov %rbx, %rsp");
	TRY("push $0x77; pop %rax; push %rsp; pop %rdx");
}

CASE(nested_enter, "ENTER with a nesting level copies frame pointers")
{
	TRY("mov %rsp, %rbx; mov $user_stack + 2048, %ebp; enter $8, $3; mov %rsp, %rax; mov %rbp, "
	    "%rdx; mov %rbx, %rsp");
}

CASE(addressing, "scaled index, RIP-relative and 32-bit addresses, LEA")
{
	TRY("mov $scratch, %eax; mov $3, %ecx; movl $0x55, 0x10(%rax, %rcx, 8); mov scratch + "
	    "0x28, %edx");
	TRY("lea 5(, %rax, 4), %eax; lea scratch(%rip), %rax; lea -1(%eip), %edx; xor %edx, %edx");
	TRY("mov $-16, %rax; lea 8(%eax), %rdx");
}

CASE(moves_to_memory, "stores of each width touch their bytes only")
{
	TRY("movq $-1, scratch; movb $0, scratch + 3; mov scratch, %rax; movw $0, scratch + 5; mov "
	    "scratch, %rdx");
}

CASE(bswap_movbe, "BSWAP of 32 and 64 bits")
{
	TRY("mov $0x1122334455667788, %rax; mov %rax, %rdx; bswap %rax; bswap %edx");
}

CASE(popcnt_crc, "POPCNT and CRC32")
{
	TRY("mov $0xf0f0f0f0, %ecx; popcnt %ecx, %eax; mov $1, %edx; crc32l %ecx, %edx");
}

CASE(bmi, "BMI1 and BMI2, as far as CPUID has them")
{
	u32 out[4];

	cpuid(7, 0, out);
	if ((out[1] & (1u << 3 | 1u << 8)) != (1u << 3 | 1u << 8))
		return;
	TRY("mov $0xf0, %ecx; mov $0x3c, %edx; andn %ecx, %edx, %eax; blsr %ecx, %edx; cmp %ecx, "
	    "%ecx");
	TRY("mov $0x12345678, %ecx; mov $0xff00ff, %edx; pext %edx, %ecx, %eax; pdep %edx, %ecx, "
	    "%edx");
	TRY("mov $5, %edx; mov $-1, %eax; shlx %edx, %eax, %eax; rorx $4, %eax, %edx");
}

CASE(adx, "ADCX and ADOX keep to their own flag")
{
	u32 out[4];

	cpuid(7, 0, out);
	if (!(out[1] & 1u << 19))
		return;
	TRY("mov $-1, %eax; mov $1, %edx; xor %ecx, %ecx; adcx %edx, %eax; adox %eax, %edx");
}
