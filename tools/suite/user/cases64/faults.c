/* SPDX-License-Identifier: Apache-2.0 */
/* SDM 3A:6.15: the exceptions that level 3 can raise, each with error code, CR2 and the frame that
 * is pushed. */
#define THEME "user-faults"
#include "user.h"

CASE(u_read_absent, "a read where nothing is: #PF, error code U", "mov memory + 8192, %eax");
CASE(u_write_absent, "a write where nothing is: #PF, error code W and U", "movl $1, memory - 4");
CASE(u_write_readonly, "a write to a page that may be read: #PF, error code P, W and U",
     "movb $1, readonly");
CASE(u_modify_readonly, "a read-modify-write faults as a write", "lock addl $0, readonly");
CASE(u_read_supervisor, "a read of level 0's page: #PF, error code P and U",
     "mov supervisor, %eax");
CASE(u_write_supervisor, "a write to level 0's page: #PF, error code P, W and U",
     "movl $1, supervisor");
CASE(u_execute_data, "a jump to a page that may not be executed: #PF, error code P, U and I",
     "mov $memory, %eax; jmp *%rax");
CASE(u_execute_absent, "a jump to where nothing is: #PF, error code U and I",
     "mov $memory - 16, %eax; jmp *%rax");
CASE(u_execute_supervisor, "a jump to level 0's page: #PF, error code P, U and I",
     "mov $supervisor, %eax; jmp *%rax");
CASE(u_execute_over_edge, "the instruction behind a page's end: #PF at the next page",
     "jmp text_edge");
CASE(u_read_across, "a read across the edge: CR2 is the next page's first byte",
     "mov memory + 8192 - 3, %rax");
CASE(u_write_across, "a write across the edge stores nothing before it faults",
     "mov %rax, memory + 8192 - 3");
CASE(u_pop_absent, "a POP from above the stack's page: #PF, RSP unchanged",
     "lea 0x100(%rsp), %rsp; pop %rax");
CASE(u_push_absent, "a PUSH below the stack's page: #PF, RSP unchanged",
     "and $-4096, %rsp; push %rax");
CASE(u_call_absent, "a CALL without room for the return address does not jump",
     "and $-4096, %rsp; call 1f; 1:");
CASE(u_non_canonical, "a non-canonical address: #GP(0)",
     "mov $0x8000000000000000, %rax; mov (%rax), %ecx");
CASE(u_non_canonical_push, "PUSH to a non-canonical address: #SS(0)",
     "mov $0x0000800000000000, %rsp; push %rax");
CASE(u_upper_half, "the canonical upper half, where nothing is: #PF, error code U",
     "mov $0xffff900000000000, %rax; mov (%rax), %ecx");
CASE(u_hlt, "HLT at level 3: #GP(0)", "hlt");
CASE(u_cli, "CLI at level 3: #GP(0)", "cli");
CASE(u_in, "IN without a permission map: #GP(0)", "in $0x60, %al");
CASE(u_outs, "OUTS: #GP(0), before the operand is read", "mov $0x80, %edx; xor %esi, %esi; outsb");
CASE(u_read_cr0, "a read of CR0 at level 3: #GP(0)", "mov %cr0, %rax");
CASE(u_rdmsr, "RDMSR at level 3: #GP(0)", "mov $0x10, %ecx; rdmsr");
CASE(u_invlpg, "INVLPG at level 3: #GP(0)", "invlpg memory");
CASE(u_lgdt, "LGDT at level 3: #GP(0)", "lgdt memory");
CASE(u_syscall, "SYSCALL without EFER.SCE: #UD", "syscall");
CASE(u_sysenter, "SYSENTER: #GP(0) by IA32_SYSENTER_CS, or #UD", "sysenter");
CASE(u_int3, "INT3: #BP, RIP behind it and RF clear", "int3");
CASE(u_int_3, "INT 3 of two bytes: #BP", ".byte 0xcd, 3");
CASE(u_int_4, "INT 4: #OF, by a gate for level 3", "int $4");
CASE(u_int_beyond, "INT n beyond the table's limit: #GP with the gate in the error code",
     "int $0x21");
CASE(u_trap_flag, "TF: #DB behind the next instruction, DR6.BS", "pushq $0x302; popf; nop; nop");
CASE(u_trap_flag_fault, "TF and an instruction that faults: the fault, and no #DB",
     "pushq $0x302; popf; ud2");
CASE(u_align_read, "AC and a read that is not aligned: #AC(0)",
     "pushq $0x40202; popf; mov memory + 1, %eax");
CASE(u_align_write, "AC and a write of 8 bytes at 4: #AC(0)",
     "pushq $0x40202; popf; mov %rax, memory + 4");
CASE(u_align_push, "AC and a PUSH at an odd address: #AC(0)",
     "pushq $0x40202; popf; dec %rsp; push %rax");
CASE(u_align_fine, "AC and accesses that are aligned, or of bytes",
     "pushq $0x40202; popf; mov memory + 4, %eax; movb $1, memory + 5; mov memory + 2, %cx; movups "
     "memory, %xmm0; pushq $0x202; popf; mov memory + 1, %rdx");
CASE(u_ud0, "UD0: #UD", ".byte 0x0f, 0xff, 0xc0");
CASE(u_ud1, "UD1: #UD, its operand is not read", "ud1 0, %eax");
CASE(u_undefined, "an opcode that 64-bit mode has not: #UD", ".byte 0x06");
CASE(u_too_long, "an instruction of 16 bytes: #GP(0)",
     ".byte 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, "
     "0x66; nop");
CASE(u_lock_nop, "LOCK before an instruction that takes none: #UD", ".byte 0xf0; nop");
CASE(u_far_jump_null, "a far jump to a null selector: #GP(0)", "movq $0, memory; ljmp *memory");
CASE(u_load_ss_null, "a null selector into SS at level 3: #GP(0)", "xor %eax, %eax; mov %eax, %ss");
CASE(u_load_beyond, "a selector beyond the table's limit: #GP with it",
     "mov $0xfff8, %eax; mov %eax, %ds");
CASE(u_iret, "IRETQ from level 3 to itself takes the flags that POPF takes",
     "mov %rsp, %rax; push $0x2b; push %rax; push $0x240cd7; push $0x33; push $1f; iretq; 1: "
     "pushf; push $2; popf");
CASE(u_iret_nested, "IRETQ with NT set: #GP(0) in long mode", "pushq $0x4202; popf; pushf; iretq");
