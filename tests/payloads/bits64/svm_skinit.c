/* SPDX-License-Identifier: Apache-2.0 */
/* SKINIT and what it leaves, on this processor and on one that waits for its startup IPI (APM
 * 2:15.27); INIT redirection (15.28); breakpoints without GIF (15.17); the locks (15.31, 15.32).
 * Two processors. */
#include "apic.h"
#include "svm.h"

#define MSR_EFER       0xc0000080
#define MSR_HWCR       0xc0010015
#define MSR_VM_CR      0xc0010114
#define MSR_SVM_KEY    0xc0010118
#define MSR_SMM_KEY    0xc0010119
#define EFER_SVME      (1u << 12)
#define DPD_R_INIT_A20 7u
#define LOCK           8u
#define SVMDIS         0x10u
#define VECTOR_SX      30
#define INIT_SELF      0x44500
#define INIT           0x500
#define SIPI_9000      0x609
#define KEY            0x123456789abcdefull
#define BLOCK_SIZE     0x10000u
#define ENTRY          0x120u

static u8 block[BLOCK_SIZE] __attribute__((aligned(BLOCK_SIZE)));

/* What the loader finds: the general registers, from EDI on, and others. */
u32 found[8], found_cr0, found_cr4, found_cs, found_ss, found_flags, found_efer, found_ds_base;
u64 kept_rsp;

/* Fills the registers, begins the loader with EAX = @address, and comes back in 64-bit mode. */
void skinit(u32 address);
extern const char loader[];
__asm__(".text; .code64\n"
	"skinit: push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"mov %rsp, kept_rsp; mov %rdi, %rax\n"
	"mov $-1, %rbx; mov %rbx, %rcx; mov %rbx, %rdx; mov %rbx, %rbp; mov %rbx, %rsi\n"
	"mov %rbx, %rdi; stc; std; .byte 0x0f, 0x01, 0xde\n"
	".code32\n"
	"loader: mov %edi, %ss:found; mov %esi, %ss:found + 4; mov %ebp, %ss:found + 8\n"
	"mov %esp, %ss:found + 12; mov %ebx, %ss:found + 16; mov %edx, %ss:found + 20\n"
	"mov %ecx, %ss:found + 24; mov %eax, %ss:found + 28\n"
	"pushf; pop %eax; mov %eax, %ss:found_flags; mov %cr0, %eax; mov %eax, %ss:found_cr0\n"
	"mov %cr4, %eax; mov %eax, %ss:found_cr4; mov %cs, %eax; mov %eax, %ss:found_cs\n"
	"mov %ss, %eax; mov %eax, %ss:found_ss; mov $0xc0000080, %ecx; rdmsr\n"
	"mov %eax, %ss:found_efer\n"
	"mov $0x620, %eax; mov %eax, %cr4; mov $pml4, %eax; mov %eax, %cr3\n"
	"rdmsr; or $0x101, %eax; wrmsr\n"
	"mov %cr0, %eax; or $0x80000022, %eax; mov %eax, %cr0\n"
	"lgdt %ss:gdt_pointer; ljmp $8, $1f; .code64\n"
	"1: mov $0x10, %eax; mov %eax, %ds; mov %eax, %es; mov %eax, %fs; mov %eax, %gs; mov %eax, "
	"%ss\n"
	"mov kept_rsp, %rsp; sub $8, %rsp; call payload_setup; add $8, %rsp\n"
	"pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; ret\n");

static void prepare(void)
{
	u16 *header = (u16 *)block;
	u32 jump = (u32)(u64)loader - ((u32)(u64)block + ENTRY + 5);

	header[0] = ENTRY;
	header[1] = ENTRY + 5;
	block[ENTRY] = 0xe9; /* JMP */
	__builtin_memcpy(&block[ENTRY + 1], &jump, 4);
}

static void check_registers(void)
{
	u32 signature[4];

	cpuid(1, 0, signature);
	section("EAX points to the block, ESP behind it, EDX has the signature; others are 0");
	CHECK_EQUAL(found[7], (u64)block);
	CHECK_EQUAL(found[3], (u64)block + BLOCK_SIZE);
	CHECK_EQUAL(found[5], signature[0]);
	CHECK_EQUAL(found[0] | found[1] | found[2] | found[4] | found[6], 0);
	section("flat 32-bit protected mode without paging: CS = 8, SS = 10H, EFER = 0");
	CHECK_EQUAL(found_cs, 8);
	CHECK_EQUAL(found_ss, 0x10);
	CHECK_EQUAL(found_cr0 & 0x9fffffff, 0x11); /* PE, ET; CD and NW stay */
	CHECK_EQUAL(found_cr4, 0);
	CHECK_EQUAL(found_efer, 0);
	CHECK_EQUAL(found_flags, 2);
}

void stgi(void);
extern const char stgi_next[];
__asm__(".text\nstgi: stgi; stgi_next: nop; nop; ret\n");

static void init_self(void)
{
	APIC(0x310) = APIC(0x20);
	APIC(0x300) = INIT_SELF;
	__asm__ volatile("nop; nop; nop");
}

u64 sx_error, sx_rip;
u32 sx_count;
void sx_handler(void);
__asm__(".text\nsx_handler: pop sx_error; incl sx_count; push %rax\n"
	"mov 8(%rsp), %rax; mov %rax, sx_rip; pop %rax; iretq\n");

static void init_redirected(void)
{
	section("VM_CR.DPD, R_INIT and DIS_A20M are 1");
	CHECK_EQUAL(rdmsr(MSR_VM_CR), DPD_R_INIT_A20);
	section("GIF is 0: INIT waits, and then R_INIT makes it #SX(1)");
	init_self();
	CHECK_EQUAL(rdmsr(MSR_EFER) & EFER_SVME, 0);
	gate_set(VECTOR_SX, (word)sx_handler, GATE_INTERRUPT);
	stgi();
	CHECK_EQUAL(sx_count, 1);
	CHECK_EQUAL(sx_error, 1);
	CHECK_EQUAL(sx_rip, (u64)stgi_next);
}

static void skinit_once(void)
{
	section("SKINIT does not want EFER.SVME where CPUID has its bit (15.4)");
	prepare();
	CHECK_EQUAL(rdmsr(MSR_EFER) & EFER_SVME, 0);
	skinit((u32)(u64)block + 0x1234); /* bits 15:0 are cleared */
	check_registers();
	init_redirected();
}

/* --- the other processor --- */

static volatile struct {
	u32 vm_cr, turns;
} *const mailbox = (void *)0x20000;

extern const char ap[], ap_end[];
__asm__(".code16\n"
	"ap: mov $0x2000, %bx; mov %bx, %ds; mov $0xc0010114, %ecx; rdmsr; mov %eax, 0\n"
	"1: incl 4; jmp 1b\n"
	"ap_end: .code64");

static void send(u32 command)
{
	APIC(0x310) = 1u << 24;
	APIC(0x300) = command;
}

static void wait_turns(u32 more)
{
	u32 until = mailbox->turns + more;

	for (u32 i = 0; i < 1000000 && mailbox->turns < until; i++)
		__asm__ volatile("pause");
	CHECK(mailbox->turns >= until);
}

static void other_processor(void)
{
	section("its startup IPI sets the same bits of VM_CR (15.27.8)");
	for (word n = 0; n < (word)(ap_end - ap); n++)
		((volatile u8 *)0x9000)[n] = ap[n];
	mailbox->vm_cr = mailbox->turns = 0;
	send(SIPI_9000);
	wait_turns(1);
	CHECK_EQUAL(mailbox->vm_cr, DPD_R_INIT_A20);
	section("and clears GIF: an INIT is held");
	send(INIT);
	wait_turns(100000);
}

/* --- locks --- */

static void enable_svm(void)
{
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
}

static void disable_svm(void)
{
	wrmsr(MSR_VM_CR, SVMDIS);
}

static void locks(void)
{
	section("SVMDIS makes EFER.SVME a bit that must be 0, and LOCK keeps it (15.30.1)");
	wrmsr(MSR_VM_CR, 0);
	wrmsr(MSR_SVM_KEY, KEY);
	wrmsr(MSR_VM_CR, SVMDIS | LOCK);
	EXPECT_TRAP(enable_svm, 13, 0);
	wrmsr(MSR_VM_CR, 0);
	CHECK_EQUAL(rdmsr(MSR_VM_CR), SVMDIS | LOCK);
	section("STGI is there with EFER.SVME = 0 all the same (15.31)");
	EXPECT_NO_TRAP(stgi);
	section("the key opens the lock, nothing else does, and nobody reads it (15.31.1)");
	CHECK_EQUAL(rdmsr(MSR_SVM_KEY), 0);
	wrmsr(MSR_SVM_KEY, KEY + 1);
	CHECK_EQUAL(rdmsr(MSR_VM_CR), SVMDIS | LOCK);
	wrmsr(MSR_SVM_KEY, KEY);
	CHECK_EQUAL(rdmsr(MSR_VM_CR), SVMDIS);
	wrmsr(MSR_SVM_KEY, 0);
	wrmsr(MSR_VM_CR, LOCK);
	wrmsr(MSR_SVM_KEY, 0);
	CHECK_EQUAL(rdmsr(MSR_VM_CR), LOCK);
	section("SVMDIS cannot be set under EFER.SVME, locked or not");
	enable_svm();
	EXPECT_TRAP(disable_svm, 13, 0);
	section("HWCR.SmmLock stays until its key comes (15.32)");
	wrmsr(MSR_SMM_KEY, KEY);
	wrmsr(MSR_HWCR, rdmsr(MSR_HWCR) | 1);
	wrmsr(MSR_HWCR, rdmsr(MSR_HWCR) & ~1ull);
	CHECK_EQUAL(rdmsr(MSR_HWCR) & 1, 1);
	CHECK_EQUAL(rdmsr(MSR_SMM_KEY), 0);
	wrmsr(MSR_SMM_KEY, KEY - 1);
	CHECK_EQUAL(rdmsr(MSR_HWCR) & 1, 1);
	wrmsr(MSR_SMM_KEY, KEY);
	CHECK_EQUAL(rdmsr(MSR_HWCR) & 1, 0);
}

/* --- breakpoints --- */

extern const char watched_at[];
void watched(void);
static u32 datum;
__asm__(".text\nwatched: watched_at: nop; ret\n");

static void store(void)
{
	*(volatile u32 *)&datum = 1;
}

static void step(void)
{
	__asm__ volatile("pushf; orl $0x100, (%rsp); popf; nop; nop");
}

static void breakpoints(void)
{
	section("without GIF a breakpoint register's match is discarded (table 15-10)");
	WRITE_REGISTER("dr0", watched_at);
	WRITE_REGISTER("dr1", &datum);
	WRITE_REGISTER("dr6", 0xffff0ff0);
	WRITE_REGISTER("dr7", 0xd0040a); /* DR1: writes of 4 bytes; DR0: instructions */
	WRITE_REGISTER("dr7", 0xd0040a);
	__asm__ volatile("clgi");
	EXPECT_NO_TRAP(watched);
	EXPECT_NO_TRAP(store);
	section("and not made up for");
	stgi();
	CHECK_EQUAL(READ_REGISTER("dr6") & 0xf, 0);
	section("a trace trap is taken without GIF");
	__asm__ volatile("clgi");
	EXPECT_TRAP(step, 1, NO_ERROR);
	stgi();
	section("with GIF they match");
	EXPECT_TRAP(watched, 1, NO_ERROR);
	EXPECT_TRAP(store, 1, NO_ERROR);
	WRITE_REGISTER("dr7", 0x400);
}

/* --- the intercept --- */

void skinit_guest(void);
extern const char skinit_guest_at[], skinit_guest_end[];
__asm__(".text\nskinit_guest: skinit_guest_at: .byte 0x0f, 0x01, 0xde; skinit_guest_end: "
	"vmmcall\n");

static void intercepted(void)
{
	section("SKINIT's intercept");
	svm_begin();
	svm_prepare(skinit_guest);
	vmcb.intercepts4 |= 1u << 6;
	CHECK_EQUAL(svm_run(), 0x86);
	CHECK_EQUAL(vmcb.rip, (u64)skinit_guest_at);
	CHECK_EQUAL(vmcb.n_rip, (u64)skinit_guest_end);
	section("#GP(0) without privilege comes first");
	svm_prepare(skinit_guest);
	vmcb.intercepts4 |= 1u << 6;
	vmcb.exceptions = 1u << 13;
	vmcb.cs.attributes |= 3u << 5;
	vmcb.ss.attributes |= 3u << 5;
	vmcb.cpl = 3;
	CHECK_EQUAL(svm_run(), EXIT_EXCP + 13);
}

void payload(void)
{
	u32 out[4];

	cpuid(0x80000001, 0, out);
	if (!(out[2] & 1u << 12))
		skip("SKINIT");
	APIC(0xf0) = 0x1ff;
	skinit_once();
	other_processor();
	locks();
	breakpoints();
	intercepted();
}
