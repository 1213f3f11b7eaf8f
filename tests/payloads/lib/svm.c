/* SPDX-License-Identifier: Apache-2.0 */
#include "svm.h"

#define MSR_EFER        0xc0000080
#define MSR_PAT         0x277
#define MSR_VM_HSAVE_PA 0xc0010117
#define EFER_SVME       (1u << 12)

struct svm_vmcb vmcb __attribute__((aligned(4096)));
u64 svm_guest_registers[16];
u8 svm_iopm[3 * 4096] __attribute__((aligned(4096)));
u8 svm_msrpm[2 * 4096] __attribute__((aligned(4096)));
u64 svm_nested_pml4[512] __attribute__((aligned(4096)));
u64 svm_nested_pdpt[512] __attribute__((aligned(4096)));
u64 svm_nested_directory[512] __attribute__((aligned(4096)));
u8 svm_host_save[4096] __attribute__((aligned(4096)));

bool svm_offered(void)
{
	u32 out[4];

	cpuid(0x80000001, 0, out);
	return out[2] & 4;
}

u32 svm_features(void)
{
	u32 out[4];

	cpuid(0x8000000a, 0, out);
	return out[3];
}

void svm_begin(void)
{
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	wrmsr(MSR_VM_HSAVE_PA, (u64)svm_host_save);
}

static void prepare_segment(struct svm_segment *segment, u16 selector, u16 attributes)
{
	segment->selector = selector;
	segment->attributes = attributes;
	segment->limit = 0xffffffff;
	segment->base = 0;
}

static void prepare_state(void (*code)(void))
{
	prepare_segment(&vmcb.es, SEL_DATA0, 0xc93);
	prepare_segment(&vmcb.cs, SEL_CODE0, 0xa9b);
	prepare_segment(&vmcb.ss, SEL_DATA0, 0xc93);
	prepare_segment(&vmcb.ds, SEL_DATA0, 0xc93);
	vmcb.gdtr.base = (u64)gdt;
	vmcb.gdtr.limit = sizeof(gdt) - 1;
	vmcb.idtr.base = (u64)idt;
	vmcb.idtr.limit = sizeof(idt) - 1;
	vmcb.efer = rdmsr(MSR_EFER);
	vmcb.cr0 = READ_REGISTER("cr0");
	vmcb.cr3 = READ_REGISTER("cr3");
	vmcb.cr4 = READ_REGISTER("cr4");
	vmcb.dr6 = 0xffff0ff0;
	vmcb.dr7 = 0x400;
	vmcb.rflags = 2;
	vmcb.rip = (u64)code;
	vmcb.rsp = STACK_TOP(other_stack);
	vmcb.g_pat = rdmsr(MSR_PAT);
}

void svm_prepare(void (*code)(void))
{
	__builtin_memset(&vmcb, 0, sizeof(vmcb));
	__builtin_memset(svm_guest_registers, 0, sizeof(svm_guest_registers));
	vmcb.intercepts4 = SVM_VMRUN | SVM_VMMCALL;
	vmcb.asid = 1;
	vmcb.tlb_control = 1;
	vmcb.iopm = (u64)svm_iopm;
	vmcb.msrpm = (u64)svm_msrpm;
	prepare_state(code);
}

void svm_prepare_nested(void (*code)(void))
{
	svm_prepare(code);
	svm_nested_pml4[0] = (u64)svm_nested_pdpt | 7;
	svm_nested_pdpt[0] = (u64)svm_nested_directory | 7;
	for (u32 i = 0; i < 512; i++)
		svm_nested_directory[i] = (u64)i << 21 | 0x87;
	vmcb.np_control = 1;
	vmcb.n_cr3 = (u64)svm_nested_pml4;
}

void svm_enter_asm(void);
__asm__(".text\n"
	"svm_enter_asm:\n\t"
	"push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n\t"
	"lea svm_guest_registers(%rip), %rax\n\t"
	"mov 8(%rax), %rcx; mov 16(%rax), %rdx; mov 24(%rax), %rbx\n\t"
	"mov 40(%rax), %rbp; mov 48(%rax), %rsi; mov 56(%rax), %rdi\n\t"
	"mov 64(%rax), %r8; mov 72(%rax), %r9; mov 80(%rax), %r10; mov 88(%rax), %r11\n\t"
	"mov 96(%rax), %r12; mov 104(%rax), %r13; mov 112(%rax), %r14; mov 120(%rax), %r15\n\t"
	"lea vmcb(%rip), %rax\n\t"
	"vmrun %rax\n\t"
	"lea svm_guest_registers(%rip), %rax\n\t"
	"mov %rcx, 8(%rax); mov %rdx, 16(%rax); mov %rbx, 24(%rax)\n\t"
	"mov %rbp, 40(%rax); mov %rsi, 48(%rax); mov %rdi, 56(%rax)\n\t"
	"mov %r8, 64(%rax); mov %r9, 72(%rax); mov %r10, 80(%rax); mov %r11, 88(%rax)\n\t"
	"mov %r12, 96(%rax); mov %r13, 104(%rax); mov %r14, 112(%rax); mov %r15, 120(%rax)\n\t"
	"pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n\t"
	"ret\n");

u64 svm_enter(void)
{
	svm_enter_asm();
	return vmcb.exit_code;
}

u64 svm_run(void)
{
	u64 code = svm_enter();

	svm_stgi();
	return code;
}
