/* SPDX-License-Identifier: Apache-2.0 */
#include "vmx.h"

#define MSR_FEATURE_CONTROL 0x3a
#define MSR_VMX_BASIC       0x480
#define MSR_TRUE_PIN        0x48d
#define MSR_TRUE_PRIMARY    0x48e
#define MSR_TRUE_EXIT       0x48f
#define MSR_TRUE_ENTRY      0x490
#define MSR_SECONDARY       0x48b
#define MSR_TERTIARY        0x492

extern u64 page_directories[];
u64 vmx_guest_registers[16];
u8 vmxon_region[4096] __attribute__((aligned(4096)));
u8 vmcs_region[4096] __attribute__((aligned(4096)));

void vmx_map_small_pages(void)
{
	static u64 table[512] __attribute__((aligned(4096)));

	for (u64 n = 0; n < 512; n++)
		table[n] = n << 12 | 7;
	page_directories[0] = (u64)table | 7;
	WRITE_REGISTER("cr3", READ_REGISTER("cr3"));
}

void vmx_begin(void)
{
	if (!(rdmsr(MSR_FEATURE_CONTROL) & 1))
		wrmsr(MSR_FEATURE_CONTROL, 5);
	WRITE_REGISTER("cr0", READ_REGISTER("cr0") | 0x20);
	WRITE_REGISTER("cr4", READ_REGISTER("cr4") | 0x2000);
	*(u32 *)vmxon_region = *(u32 *)vmcs_region = (u32)rdmsr(MSR_VMX_BASIC);
	CHECK_EQUAL(vmxon((u64)vmxon_region), SUCCEED);
	CHECK_EQUAL(vmclear((u64)vmcs_region), SUCCEED);
	CHECK_EQUAL(vmptrld((u64)vmcs_region), SUCCEED);
}

/* With the bits that must be 1, and without those that may not. */
static u32 allowed(u32 msr, u32 bits)
{
	u64 capability = rdmsr(msr);

	return (bits | (u32)capability) & (u32)(capability >> 32);
}

void vmx_set_pin(u32 bits)
{
	vmwrite(PIN, allowed(MSR_TRUE_PIN, bits));
}

void vmx_set_pin_halted(u32 bits)
{
	vmx_set_pin(bits | 1u << 6);
	vmwrite(PREEMPTION_TIMER, 1000000);
}

void vmx_set_primary(u32 bits)
{
	vmwrite(PRIMARY, allowed(MSR_TRUE_PRIMARY, bits));
}

bool vmx_set_secondary(u32 bits)
{
	u32 set = allowed(MSR_SECONDARY, bits);

	vmwrite(SECONDARY, set);
	return set == bits;
}

bool vmx_set_tertiary(u64 bits)
{
	u64 set = rdmsr(MSR_TRUE_PRIMARY) >> 32 & PRIMARY_TERTIARY ? bits & rdmsr(MSR_TERTIARY) : 0;

	vmwrite(TERTIARY, set);
	return set == bits;
}

static void prepare_segments(void)
{
	for (u32 n = 0; n < 6; n++) {
		vmwrite(GUEST_ES + 2 * n, n == 1 ? SEL_CODE0 : SEL_DATA0);
		vmwrite(GUEST_ES_LIMIT + 2 * n, 0xffffffff);
		vmwrite(GUEST_ES_RIGHTS + 2 * n, n == 1 ? 0xa09b : 0xc093);
		vmwrite(GUEST_ES_BASE + 2 * n, 0);
		vmwrite(HOST_ES + 2 * n, n == 1 ? SEL_CODE0 : SEL_DATA0);
	}
	vmwrite(GUEST_LDTR, 0);
	vmwrite(GUEST_LDTR_RIGHTS, 0x10000);
	vmwrite(GUEST_TR, SEL_TSS);
	vmwrite(GUEST_TR_RIGHTS, 0x8b);
	vmwrite(GUEST_TR_BASE, (u64)&tss);
	vmwrite(GUEST_ES_LIMIT + 14, sizeof(tss) - 1);
	vmwrite(HOST_TR, SEL_TSS);
	vmwrite(HOST_TR_BASE, (u64)&tss);
	vmwrite(GUEST_GDTR_BASE, (u64)gdt);
	vmwrite(GUEST_GDTR_LIMIT, sizeof(gdt) - 1);
	vmwrite(GUEST_IDTR_BASE, (u64)idt);
	vmwrite(GUEST_IDTR_LIMIT, sizeof(idt) - 1);
	vmwrite(HOST_GDTR_BASE, (u64)gdt);
	vmwrite(HOST_IDTR_BASE, (u64)idt);
}

static void prepare_controls(void)
{
	vmx_set_pin(0);
	vmx_set_primary(0);
	vmwrite(SECONDARY, 0);
	vmwrite(EXIT_CONTROLS, allowed(MSR_TRUE_EXIT, 1u << 9));
	vmwrite(ENTRY_CONTROLS, allowed(MSR_TRUE_ENTRY, 1u << 9));
	vmwrite(EXCEPTION_BITMAP, 0);
	vmwrite(PAGE_FAULT_MASK, 0);
	vmwrite(PAGE_FAULT_MATCH, 0);
	vmwrite(CR3_TARGET_COUNT, 0);
	vmwrite(EXIT_MSR_STORE_COUNT, 0);
	vmwrite(EXIT_MSR_LOAD_COUNT, 0);
	vmwrite(ENTRY_MSR_LOAD_COUNT, 0);
	vmwrite(ENTRY_INFO, 0);
	vmwrite(CR0_MASK, 0);
	vmwrite(CR4_MASK, 0);
}

void vmx_prepare(void (*code)(void))
{
	prepare_segments();
	prepare_controls();
	vmwrite(GUEST_CR0, READ_REGISTER("cr0"));
	vmwrite(GUEST_CR3, READ_REGISTER("cr3"));
	vmwrite(GUEST_CR4, READ_REGISTER("cr4"));
	vmwrite(HOST_CR0, READ_REGISTER("cr0"));
	vmwrite(HOST_CR3, READ_REGISTER("cr3"));
	vmwrite(HOST_CR4, READ_REGISTER("cr4"));
	vmwrite(GUEST_DR7, 0x400);
	vmwrite(GUEST_DEBUGCTL, 0);
	vmwrite(GUEST_RSP, STACK_TOP(other_stack));
	vmwrite(GUEST_RIP, (u64)code);
	vmwrite(GUEST_RFLAGS, 2);
	vmwrite(INTERRUPTIBILITY, 0);
	vmwrite(ACTIVITY, 0);
	vmwrite(PENDING_DEBUG, 0);
	vmwrite(LINK_POINTER, ~0ull);
}

/* vmx_enter(launch): the outcome; 0 behind a VM exit. */
enum vmx_outcome vmx_enter_asm(bool launch);
__asm__(".text\n"
	"vmx_enter_asm:\n\t"
	"push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n\t"
	"mov $0x6c14, %eax\n\t" /* HOST_RSP */
	"vmwrite %rsp, %rax\n\t"
	"lea 1f(%rip), %rcx\n\t"
	"mov $0x6c16, %eax\n\t" /* HOST_RIP */
	"vmwrite %rcx, %rax\n\t"
	"test %dil, %dil\n\t"
	"lea vmx_guest_registers(%rip), %rax\n\t"
	"mov 8(%rax), %rcx; mov 16(%rax), %rdx; mov 24(%rax), %rbx\n\t"
	"mov 40(%rax), %rbp; mov 48(%rax), %rsi; mov 56(%rax), %rdi\n\t"
	"mov 64(%rax), %r8; mov 72(%rax), %r9; mov 80(%rax), %r10; mov 88(%rax), %r11\n\t"
	"mov 96(%rax), %r12; mov 104(%rax), %r13; mov 112(%rax), %r14; mov 120(%rax), %r15\n\t"
	"mov (%rax), %rax\n\t"
	"jz 2f\n\t"
	"vmlaunch\n\t"
	"jmp 3f\n"
	"2:\tvmresume\n"
	"3:\tmov $1, %eax\n\t"
	"jc 4f\n\t"
	"mov $2, %eax\n\t"
	"jmp 4f\n"
	"1:\tpush %rax\n\t"
	"lea vmx_guest_registers(%rip), %rax\n\t"
	"pop (%rax)\n\t"
	"mov %rcx, 8(%rax); mov %rdx, 16(%rax); mov %rbx, 24(%rax)\n\t"
	"mov %rbp, 40(%rax); mov %rsi, 48(%rax); mov %rdi, 56(%rax)\n\t"
	"mov %r8, 64(%rax); mov %r9, 72(%rax); mov %r10, 80(%rax); mov %r11, 88(%rax)\n\t"
	"mov %r12, 96(%rax); mov %r13, 104(%rax); mov %r14, 112(%rax); mov %r15, 120(%rax)\n\t"
	"xor %eax, %eax\n"
	"4:\tpop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n\t"
	"ret\n");

enum vmx_outcome vmx_launch(void)
{
	return vmx_enter_asm(true);
}

enum vmx_outcome vmx_resume(void)
{
	return vmx_enter_asm(false);
}

enum vmx_outcome vmx_continue(void)
{
	vmwrite(GUEST_RIP, vmread(GUEST_RIP) + vmread(EXIT_LENGTH));
	return vmx_resume();
}
