/* SPDX-License-Identifier: Apache-2.0 */
/* What VMRUN refuses, and what is left behind a refusal (APM 2:15.5.1, 15.6, 15.20, 15.25.4). */
#include "apic.h"
#include "svm.h"

#define VECTOR       0x70

static u32 seen;

static bool note(struct trap_frame *frame)
{
	if (frame->vector != VECTOR)
		return false;
	seen++;
	APIC(0xb0) = 0;
	return true;
}

static void interrupt_self(void)
{
	APIC(0x300) = 0x40000 | VECTOR;
	while (APIC(0x300) & 0x1000)
		;
}

static void guest(void)
{
	for (;;)
		__asm__ volatile("vmmcall");
}

static void expect_refused(void)
{
	u64 rax = vmcb.rax, rip = vmcb.rip;

	CHECK_EQUAL(svm_run(), EXIT_INVALID);
	CHECK_EQUAL(vmcb.rip, rip); /* the guest has not run */
	CHECK_EQUAL(vmcb.rax, rax);
}

/* Where it is injected, the handler exits by VMMCALL. */
static void refuse_injection(u64 event)
{
	svm_prepare(guest);
	vmcb.event_inj = SVM_INJECT | event;
	gate_set((u8)event, (word)guest, GATE_INTERRUPT);
	expect_refused();
	gate_reset((u8)event);
}

static void injection(void)
{
	section("EVENTINJ with a reserved type: VMEXIT_INVALID (15.20)");
	refuse_injection(SVM_TYPE(1) | 0x20);
	refuse_injection(SVM_TYPE(5) | 0x20);
	refuse_injection(SVM_TYPE(7));
	section("an exception with vector 2, a reserved vector or one above 31 (15.20)");
	refuse_injection(SVM_TYPE(3) | 2);
	refuse_injection(SVM_TYPE(3) | 22);
	refuse_injection(SVM_TYPE(3) | 31);
	refuse_injection(SVM_TYPE(3) | 32);
	section("#BR into 64-bit mode (15.20)");
	refuse_injection(SVM_TYPE(3) | 5);
}

static void reserved_bits(void)
{
	static const u64 cr3[] = {1ull << 52, 1ull << 63};
	static const u64 cr4[] = {1ull << 15, 1ull << 24, 1ull << 32};

	section("MBZ bits of CR3: VMEXIT_INVALID (15.5.1)");
	for (u32 i = 0; i < 2; i++) {
		svm_prepare(guest);
		vmcb.cr3 |= cr3[i];
		expect_refused();
	}
	section("MBZ bits of CR4");
	for (u32 i = 0; i < 3; i++) {
		svm_prepare(guest);
		vmcb.cr4 |= cr4[i];
		expect_refused();
	}
	section("bits 63:32 of CR0, DR6, DR7; EFER.SVME clear; ASID 0; no VMRUN intercept");
	svm_prepare(guest);
	vmcb.cr0 |= 1ull << 32;
	expect_refused();
	svm_prepare(guest);
	vmcb.dr6 |= 1ull << 32;
	expect_refused();
	svm_prepare(guest);
	vmcb.dr7 |= 1ull << 63;
	expect_refused();
	svm_prepare(guest);
	vmcb.efer &= ~0x1000ull;
	expect_refused();
	svm_prepare(guest);
	vmcb.asid = 0;
	expect_refused();
	svm_prepare(guest);
	vmcb.intercepts4 &= ~SVM_VMRUN;
	expect_refused();
	section("nested paging: a bad memory type in G_PAT (15.25.4)");
	svm_prepare_nested(guest);
	vmcb.g_pat = 2;
	expect_refused();
	section("without nested paging G_PAT is not looked at (15.25.8)");
	vmcb.np_control = 0;
	CHECK_EQUAL(svm_run(), EXIT_VMMCALL);
}

static void prepare_pae(u64 *pdptes)
{
	svm_prepare(guest);
	vmcb.efer &= ~0x500ull;
	vmcb.cs.attributes = 0xc9b;
	vmcb.cr3 = (u64)pdptes;
}

/* The PDPTEs of a legacy PAE guest are read by VMRUN (15.5.1). */
static void pdptes(void)
{
	static u64 table[4] __attribute__((aligned(32)));

	section("a reserved bit in a PDPTE, without nested paging: VMEXIT_INVALID (15.5.1)");
	table[0] = (READ_REGISTER("cr3") & ~0xfffull) | 0x23;
	prepare_pae(table);
	expect_refused();
	section("one that is not present may have any bit");
	table[0] = (*(u64 *)(READ_REGISTER("cr3") & ~0xfffull) & ~0xfffull);
	table[0] = (*(u64 *)table[0] & ~0xfffull) | 1;
	table[3] = 0x1e6;
	prepare_pae(table);
	CHECK_EQUAL(svm_run(), EXIT_VMMCALL);
}

/* No interrupt comes until STGI. */
static void expect_gif_clear(void)
{
	seen = 0;
	interrupt_self();
	__asm__ volatile("sti; nop; nop" : : : "memory");
	CHECK_EQUAL(seen, 0);
	svm_stgi();
	__asm__ volatile("nop; cli" : : : "memory");
	CHECK_EQUAL(seen, 1);
}

static void gif(void)
{
	section("VMEXIT_INVALID clears GIF, too (15.6)");
	svm_prepare(guest);
	vmcb.asid = 0;
	svm_stgi();
	CHECK_EQUAL(svm_enter(), EXIT_INVALID);
	expect_gif_clear();
	section("and so does any other #VMEXIT");
	svm_prepare(guest);
	svm_stgi();
	CHECK_EQUAL(svm_enter(), EXIT_VMMCALL);
	expect_gif_clear();
}

/* Bases have 32 bits; attributes that the processor does not look at it makes up. */
static void bases(void)
{
	section("only 32 bits of CS, DS, ES and SS bases are there (appendix B, table B-2)");
	svm_prepare(guest);
	vmcb.ds.base = 0x123456789abcdef0;
	CHECK_EQUAL(svm_run(), EXIT_VMMCALL);
	CHECK_EQUAL(vmcb.ds.base, 0x9abcdef0);
}

#define MSR_EFER  0xc0000080
#define MSR_VM_CR 0xc0010114
#define SVME      0x1000u
#define SVMDIS    0x10
#define LOCK      8

static void enable(void)
{
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | SVME);
}

static void disable(void)
{
	wrmsr(MSR_VM_CR, SVMDIS);
}

/* Last: the lock holds until RESET. */
static void svm_disabled(void)
{
	section("SVMDIS cannot be set under EFER.SVME: #GP(0), locked or not (15.30.1)");
	EXPECT_TRAP(disable, 13, 0);
	section("under SVMDIS EFER.SVME must be 0");
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~(u64)SVME);
	wrmsr(MSR_VM_CR, SVMDIS);
	EXPECT_TRAP(enable, 13, 0);
	section("LOCK: writes to both bits are ignored");
	wrmsr(MSR_VM_CR, LOCK);
	wrmsr(MSR_VM_CR, SVMDIS);
	CHECK_EQUAL(rdmsr(MSR_VM_CR), LOCK);
	enable();
	EXPECT_TRAP(disable, 13, 0);
}

void payload(void)
{
	APIC(0xf0) = 0x1ff;
	trap_hook = note;
	svm_begin();
	section("a VMCB that breaks no rule enters");
	svm_prepare(guest);
	CHECK_EQUAL(svm_run(), EXIT_VMMCALL);
	injection();
	reserved_bits();
	pdptes();
	gif();
	bases();
	svm_disabled();
}
