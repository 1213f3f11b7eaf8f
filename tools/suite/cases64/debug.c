/* SPDX-License-Identifier: Apache-2.0 */
/* Debug registers and traps: SDM 3B chapter 18, APM 2 chapter 13. */
#define THEME "debug"
#include "steps.h"

#define STEPS "pushf; orl $0x100, (%rsp); popf;"

CASE(single_step, "TF: a trap after each instruction, DR6.BS")
{
	trap_hook = show_step;
	TRY("xor %eax, %eax;" STEPS "nop; inc %eax; mov $0x77, %al; nop");
}

CASE(single_step_rep, "TF: a trap after each iteration of a string instruction")
{
	trap_hook = show_step;
	TRY("xor %eax, %eax; mov $scratch, %edi; mov $3, %ecx; cld;" STEPS
	    "rep stosb; mov $0x77, %al; nop");
}

CASE(single_step_int, "TF: INT n clears it, the handler runs without")
{
	trap_hook = show_step;
	TRY("xor %eax, %eax;" STEPS "int $0x60");
}

CASE(dr_read_write, "debug registers keep what is written; reserved bits of DR6 and DR7 are fixed")
{
	TRY("mov $0x1234, %eax; mov %rax, %dr0; mov %dr0, %rdx");
	TRY("mov $0xffffefff, %eax; mov %rax, %dr6; mov %dr6, %rdx");
	TRY("xor %eax, %eax; mov %rax, %dr6; mov %dr6, %rdx");
	TRY("mov $0x700, %eax; mov %rax, %dr7; mov %dr7, %rdx");
	TRY("xor %eax, %eax; mov %rax, %dr7; mov %dr7, %rdx");
	TRY("mov $0xffff0ff0, %eax; mov %rax, %dr6");
}

CASE(dr_high_bits, "the high half of DR6 and DR7 must be zero: #GP(0)")
{
	TRY("mov $0x100000000, %rax; mov %rax, %dr7");
	TRY("mov $0x100000000, %rax; mov %rax, %dr6");
}

CASE(dr4_alias, "DR4 and DR5 are DR6 and DR7, with CR4.DE #UD")
{
	TRY("mov %db4, %rax; mov %db5, %rdx");
	TRY("mov %cr4, %rax; or $8, %rax; mov %rax, %cr4; mov %db4, %rax");
	TRY("mov %cr4, %rax; and $~8, %rax; mov %rax, %cr4");
}

CASE(code_breakpoint, "an instruction breakpoint is a fault before the instruction")
{
	TRY("movq $1f, %rax; mov %rax, %dr0; mov $0x402, %eax; mov %rax, %dr7; xor %eax, %eax; 1: "
	    "inc %eax");
	show(READ_REGISTER("dr6"));
	TRY("mov $0x400, %eax; mov %rax, %dr7; mov $0xffff0ff0, %eax; mov %rax, %dr6");
}

CASE(write_breakpoint, "a data breakpoint on writes is a trap after the store")
{
	TRY("mov $scratch, %eax; mov %rax, %dr1; mov $0xd0408, %eax; mov %rax, %dr7; xor %eax, "
	    "%eax;"
	    "mov scratch, %edx; movl $9, scratch; inc %eax");
	show(READ_REGISTER("dr6"));
	show(scratch[0][0]);
	TRY("mov $0x400, %eax; mov %rax, %dr7; mov $0xffff0ff0, %eax; mov %rax, %dr6");
}

CASE(access_breakpoint, "a data breakpoint on accesses traps after a load, too")
{
	TRY("mov $scratch + 8, %eax; mov %rax, %dr2; mov $0xf000420, %eax; mov %rax, %dr7; xor "
	    "%eax, %eax;"
	    "mov scratch + 8, %edx; inc %eax");
	show(READ_REGISTER("dr6"));
	TRY("mov $0x400, %eax; mov %rax, %dr7; mov $0xffff0ff0, %eax; mov %rax, %dr6");
}

CASE(disabled_breakpoint, "a breakpoint that DR7 does not enable does not trap")
{
	TRY("mov $scratch, %eax; mov %rax, %dr0; mov $0x10400, %eax; mov %rax, %dr7; movl $1, "
	    "scratch");
	TRY("mov $0x400, %eax; mov %rax, %dr7");
}

CASE(general_detect, "DR7.GD: the next access to a debug register is #DB with DR6.BD")
{
	TRY("mov $0x2400, %eax; mov %rax, %dr7; mov %dr0, %rdx");
	show(READ_REGISTER("dr6"));
	show(READ_REGISTER("dr7"));
	TRY("mov $0xffff0ff0, %eax; mov %rax, %dr6");
}

CASE(dr_in_user, "debug registers at level 3 are #GP(0)")
{
	TRY_USER("mov %dr0, %rax");
	TRY_USER("mov %rax, %dr6");
}

CASE(popf_tf, "POPF that sets TF: the trap comes after the next instruction")
{
	trap_hook = show_step;
	TRY("xor %eax, %eax; pushf; orl $0x100, (%rsp); popf; mov $0x77, %eax; nop");
}

CASE(step_mov_ss, "MOV SS holds the single-step trap off for one instruction")
{
	trap_hook = show_step;
	TRY("mov $0x10, %edx; xor %eax, %eax;" STEPS
	    "mov %edx, %ss; inc %eax; mov $0x77, %al; nop");
}

CASE(step_sti, "STI with TF set")
{
	trap_hook = show_step;
	TRY("xor %eax, %eax;" STEPS "sti; inc %eax; mov $0x77, %al; nop; cli");
	TRY("cli");
}

CASE(step_fs_pop, "POP FS holds nothing off")
{
	trap_hook = show_step;
	TRY("push $0x10; pop %rdx; xor %eax, %eax; push $0;" STEPS "pop %fs; mov $0x77, %al; nop");
}

CASE(int1, "INT1 is #DB, a trap, at level 3, too; EXT in the error code of what its delivery meets")
{
	TRY_USER("int1");
	WRITE_REGISTER("dr6", 0xffff4ff1);
	TRY("int1");
	show(READ_REGISTER("dr6"));
	WRITE_REGISTER("dr6", 0xffff0ff0);
	idt[1].type &= 0x7f;
	TRY("int1");
	gate_reset(1);
}
