/* SPDX-License-Identifier: Apache-2.0 */
/* Gates, IRET and fast system calls: SDM 3A 6.14, 5.8. */
#define THEME "gates"
#include "suite.h"

CASE(interrupt_gate, "an interrupt gate clears IF, a trap gate leaves it")
{
	TRY("sti; int $0x60");
	show(trap_handler_flags);
	idt[0x60].type = GATE_TRAP;
	TRY("sti; int $0x60");
	show(trap_handler_flags);
	TRY("cli");
}

CASE(gates_refused, "gates that are absent, of another type, beyond the limit, of too low a DPL: "
		    "the vector in the error code")
{
	idt[0x60].type = 0x0e;
	TRY("int $0x60");
	for (u8 type = 0; type < 14; type++) {
		idt[0x60].type = 0x80 | type;
		TRY("int $0x60");
	}
	idt_load(0x60 * 16 + 14);
	TRY("int $0x60");
	idt_load(0x60 * 16 + 15);
	TRY("int $0x60");
	TRY_USER("int $0x60");
	TRY_USER("int3");
	TRY_USER("ud2");
	idt[0x60].type |= GATE_USER;
	TRY_USER("int $0x60");
	gate_set(0x60, 0x800000000000, GATE_INTERRUPT);
	TRY("int $0x60");
}

CASE(gate_selector, "the gate's code segment: null, data, absent, beyond the table")
{
	gdt[SEL_FREE / 8] = descriptor(0, 0xfffff, 0x1a, 0xa);
	idt[0x60].selector = 0;
	TRY("int $0x60");
	idt[0x60].selector = SEL_DATA0;
	TRY("int $0x60");
	idt[0x60].selector = SEL_FREE;
	TRY("int $0x60");
	idt[0x60].selector = 0x200;
	TRY("int $0x60");
}

CASE(stack_switch, "from level 3 the stack comes from RSP0, and SS becomes null")
{
	TRY_USER("ud2");
	show(trap_ss);
	show(trap_stack);
}

CASE(ist, "a gate's IST entry gives the stack at every level")
{
	tss.ist[2] = STACK_TOP(other_stack);
	idt[6].ist = 3;
	TRY("ud2");
	show(trap_stack);
	TRY_USER("ud2");
	show(trap_stack);
	gate_reset(6);
}

CASE(stack_alignment, "the new frame is aligned to 16 bytes")
{
	TRY("sub $5, %rsp; ud2");
	show(trap_stack);
}

CASE(iret_same_level, "IRETQ loads RIP, CS, RFLAGS, RSP and SS")
{
	TRY("mov %rsp, %rcx; push $0x10; push %rcx; push $0x246; push $0x08; push $1f; iretq; 1: "
	    "pushf; pop %rax; cli");
}

CASE(iret_32, "IRETL pops 32-bit words")
{
	TRY("mov %esp, %ecx; sub $20, %rsp; movl $1f, (%rsp); movl $8, 4(%rsp); movl $0x46, "
	    "8(%rsp);"
	    "mov %ecx, 12(%rsp); movl $0x10, 16(%rsp); iretl; 1: mov $7, %eax");
}

CASE(iret_null_ss, "IRETQ to level 0 takes a null SS in 64-bit mode")
{
	TRY("mov %rsp, %rcx; push $0; push %rcx; push $0x46; push $0x08; push $1f; iretq; 1: mov "
	    "%ss, %eax;"
	    "mov $0x10, %edx; mov %edx, %ss");
}

CASE(iret_vm, "IRETQ does not load VM in IA-32e mode")
{
	TRY("mov %rsp, %rcx; push $0x10; push %rcx; push $0x20046; push $0x08; push $1f; iretq; 1: "
	    "pushf; pop %rax");
}

CASE(iret_nested, "IRETQ with NT set is #GP(0)")
{
	TRY("mov %rsp, %rcx; push $0x10; push %rcx; push $0x46; push $0x08; push $1f; pushf;"
	    "orl $0x4000, (%rsp); popf; iretq; 1:");
	TRY("pushf; andl $~0x4000, (%rsp); popf");
}

CASE(iret_bad_selectors, "IRETQ to a null, data or absent CS, or a wrong SS")
{
	TRY("push $0x10; push %rsp; push $0x46; push $0; push $1f; iretq; 1:");
	TRY("push $0x10; push %rsp; push $0x46; push $0x10; push $1f; iretq; 1:");
	TRY("push $0x20; push %rsp; push $0x46; push $0x08; push $1f; iretq; 1:");
	TRY("push $0x10; push %rsp; push $0x46; push $0x2b; push $1f; iretq; 1:");
}

CASE(iret_user_data, "a return to level 3 makes null what level 3 may not have in DS to GS")
{
	TRY_USER("mov %ds, %eax; mov %es, %ecx; mov %fs, %edx; mov %gs, %ebx");
}

CASE(lret_outer, "a far return to level 3 takes the stack from the stack")
{
	TRY("push $0x23; mov $user_stack + 4096, %eax; push %rax; push $0x2b; push $1f; lretq; 1: "
	    "mov $3, %eax; ud2");
}

static void syscall_open(void)
{
	wrmsr(0xc0000081, (u64)SEL_CODE3_32 << 48 | (u64)SEL_CODE0 << 32);
	wrmsr(0xc0000084, 0x700);
	wrmsr(0xc0000080, rdmsr(0xc0000080) | 1);
}

extern const char syscall_entry[];
__asm__("syscall_entry: mov %rcx, %rdx; mov %r11, %rbx; int $0x61");

CASE(syscall_instruction, "SYSCALL: RIP to RCX, RFLAGS to R11, masked flags, selectors from STAR")
{
	syscall_open();
	wrmsr(0xc0000082, (u64)syscall_entry);
	TRY_USER("xor %ecx, %ecx; xor %r11d, %r11d; stc; syscall");
	show(trap.cs);
	show(trap.flags);
}

CASE(syscall_disabled, "SYSCALL with EFER.SCE clear is #UD")
{
	wrmsr(0xc0000080, rdmsr(0xc0000080) & ~1ul);
	TRY_USER("syscall");
	TRY("sysretq");
}

CASE(sysret, "SYSRET goes to level 3 with flat segments, whatever the table says")
{
	syscall_open();
	gdt[SEL_CODE3 / 8] = 0;
	TRY("mov $1f, %ecx; mov $0x202, %r11d; mov %rsp, %rbx; mov $user_stack + 4096, %esp; "
	    "sysretq;"
	    "1: mov $4, %eax; ud2");
}

CASE(sysret_non_canonical, "SYSRET in user mode is #GP(0)")
{
	syscall_open();
	TRY_USER("sysretq");
}

CASE(sysenter_null, "SYSENTER with a null code segment is #GP(0), on AMD in long mode #UD")
{
	wrmsr(0x174, 0);
	TRY_USER("sysenter");
}

CASE(call_gate_64, "a 64-bit call gate from level 3 switches stacks and copies nothing")
{
	gdt[SEL_FREE / 8] = ((u64)syscall_entry & 0xffff) | (u64)SEL_CODE0 << 16 | (u64)0xec << 40 |
			    ((u64)syscall_entry >> 16 & 0xffff) << 48;
	gdt[SEL_FREE / 8 + 1] = 0;
	TRY_USER("movl $0x53, user_stack + 8; lcall *user_stack + 4");
	show(trap.cs);
	show(trap.ss);
}

CASE(call_gate_wrong, "call gates that are absent, or of a lower DPL")
{
	gdt[SEL_FREE / 8] = (u64)SEL_CODE0 << 16 | (u64)0x6c << 40;
	gdt[SEL_FREE / 8 + 1] = 0;
	TRY_USER("movl $0x53, user_stack + 8; lcall *user_stack + 4");
	gdt[SEL_FREE / 8] = (u64)SEL_CODE0 << 16 | (u64)0x8c << 40;
	TRY_USER("movl $0x53, user_stack + 8; lcall *user_stack + 4");
}
