/* SPDX-License-Identifier: Apache-2.0 */
/* AVIC: the guest's local APIC as memory, its interrupts and what of it exits (APM 2:15.29). */
#include "avic.h"

#define EXIT_CR8_WRITE 0x18
#define EXIT_IDLE_HLT  0xa6
#define IDLE_HLT       (1u << 6)

GUEST(read4, "mov (%rsi), %ebx");
GUEST(read1, "mov (%rsi), %bl");
GUEST(write4, "mov %ecx, (%rsi)");
GUEST(modify4, "orl %ecx, (%rsi)");
GUEST(stores, "rep stosl");
GUEST(write_cr8, "mov %rcx, %cr8");
GUEST(read_cr8, "mov %cr8, %rbx");
GUEST(open, "sti; nop");
GUEST(open_shadow, "sti; .globl in_shadow; in_shadow: nop");
GUEST(end_open, "sti; nop; mov %ecx, (%rsi); nop; nop");
GUEST(halt, "hlt");
GUEST(stgi, "stgi; nop");
GUEST(jump, "jmp *%rsi");
extern char in_shadow[];

static void prepare_access(char *code, u32 offset, u32 value)
{
	avic_prepare(code);
	svm_guest_registers[RSI] = svm_guest_registers[RDI] = (u64)(guest_apic + offset);
	svm_guest_registers[RCX] = value;
}

/* --- VMRUN --- */

static void entry(void)
{
	section("AVIC wants nested paging (15.29.4.1)");
	avic_prepare(nothing);
	vmcb.np_control = 0;
	CHECK_EQUAL(svm_run(), EXIT_INVALID);
	if (svm_features() & SVM_FEATURE_X2AVIC) {
		section("x2AVIC wants AVIC");
		avic_prepare(nothing);
		vmcb.v_intr = X2AVIC;
		CHECK_EQUAL(svm_run(), EXIT_INVALID);
	}
	section("the pointers are physical addresses (15.29.4.3)");
	avic_prepare(nothing);
	vmcb.avic_backing = 1ull << 52;
	CHECK_EQUAL(svm_run(), EXIT_INVALID);
	avic_prepare(nothing);
	vmcb.avic_logical = 1ull << 52;
	CHECK_EQUAL(svm_run(), EXIT_INVALID);
	avic_prepare(nothing);
	vmcb.avic_physical |= 1ull << 52;
	CHECK_EQUAL(svm_run(), EXIT_INVALID);
	section("xAVIC's table has 256 entries at most");
	avic_prepare(nothing);
	vmcb.avic_physical = (u64)physical_table | 255;
	CHECK_EQUAL(svm_run(), EXIT_VMMCALL);
	avic_prepare(nothing);
	vmcb.avic_physical = (u64)physical_table | 256;
	CHECK_EQUAL(svm_run(), EXIT_INVALID);
}

/* --- table 15-22 --- */

static void allowed(void)
{
	static const u32 read_too[] = {0x20,  0x30,  0x80,  0xa0,  0xb0,  0xc0,  0xd0,
				       0xe0,  0xf0,  0x100, 0x170, 0x180, 0x1f0, 0x200,
				       0x270, 0x280, 0x300, 0x310, 0x320, 0x330, 0x340,
				       0x350, 0x360, 0x370, 0x380, 0x3e0};
	static const u32 unlisted[] = {0x0, 0x40, 0x70, 0x290, 0x2f0, 0x310, 0x3a0, 0x3f0, 0x430};

	section("these are read from the backing page (table 15-22)");
	for (u32 n = 0; n < ELEMENTS(read_too); n++) {
		prepare_access(read4, read_too[n], 0);
		A(read_too[n]) = n + 1;
		vmcb.rflags = 2; /* requests stay */
		expect_exit(EXIT_VMMCALL, read4_behind);
		CHECK_EQUAL(svm_guest_registers[RBX], n + 1);
	}
	section("a byte of one");
	prepare_access(read1, 0x22, 0);
	A(0x20) = 0x12345678;
	expect_exit(EXIT_VMMCALL, read1_behind);
	CHECK_EQUAL(svm_guest_registers[RBX], 0x34);
	section("what the table does not have, and ICRH, is written there, too");
	for (u32 n = 0; n < ELEMENTS(unlisted); n++) {
		prepare_access(write4, unlisted[n], 0x5a5a5a5a);
		expect_exit(EXIT_VMMCALL, write4_behind);
		CHECK_EQUAL(A(unlisted[n]), 0x5a5a5a5a);
		CHECK_EQUAL(*(u32 *)(guest_apic + unlisted[n]), 0);
		prepare_access(read4, unlisted[n], 0);
		A(unlisted[n]) = 0x12345678;
		expect_exit(EXIT_VMMCALL, read4_behind);
		CHECK_EQUAL(svm_guest_registers[RBX], 0x12345678);
	}
}

static void exits(void)
{
	static const u32 traps[] = {0x20,  0xc0,  0xd0,  0xe0,  0xf0,  0x280, 0x320,
				    0x330, 0x340, 0x350, 0x360, 0x370, 0x380, 0x3e0};
	static const u32 write_faults[] = {0x30,  0x90,  0xa0,  0x100, 0x170, 0x180, 0x1f0,
					   0x200, 0x270, 0x390, 0x400, 0x410, 0x420, 0x480,
					   0x4f0, 0x500, 0x530, 0x540, 0xff0};
	static const u32 read_faults[] = {0x90,  0x390, 0x400, 0x410, 0x420, 0x480,
					  0x4f0, 0x500, 0x530, 0x540, 0xff0};

	section("traps: the write is done, and the exit behind it (15.29.9.2)");
	for (u32 n = 0; n < ELEMENTS(traps); n++) {
		prepare_access(write4, traps[n], 0xfedcba98);
		expect_noaccel(traps[n] | WRITE, write4_behind);
		CHECK_EQUAL(A(traps[n]), 0xfedcba98);
		CHECK_EQUAL(vmcb.n_rip, 0);
	}
	section("faults: nothing is done");
	for (u32 n = 0; n < ELEMENTS(write_faults); n++) {
		prepare_access(write4, write_faults[n], 0xfedcba98);
		expect_noaccel(write_faults[n] | WRITE, write4);
		CHECK_EQUAL(A(write_faults[n]), 0);
	}
	for (u32 n = 0; n < ELEMENTS(read_faults); n++) {
		prepare_access(read4, read_faults[n], 0);
		expect_noaccel(read_faults[n], read4);
	}
	section("an instruction that reads and writes");
	prepare_access(modify4, 0xf0, 0x100);
	A(0xf0) = 0xff;
	expect_noaccel(0xf0 | WRITE, modify4_behind);
	CHECK_EQUAL(A(0xf0), 0x1ff);
	prepare_access(modify4, 0x30, 1);
	expect_noaccel(0x30 | WRITE, modify4);
	prepare_access(modify4, 0x390, 1);
	expect_noaccel(0x390, modify4);
	section("REP STOS is left behind the iteration");
	prepare_access(stores, 0xf0, 3);
	vmcb.rax = 0x30;
	expect_noaccel(0xf0 | WRITE, stores);
	CHECK_EQUAL(svm_guest_registers[RCX], 2);
	CHECK_EQUAL(A(0xf0), 0x30);
}

/* --- the page, by nested tables (15.29.3) --- */

static void translation(void)
{
	section("nested tables say who may, not where: not present");
	prepare_access(read4, 0x20, 0);
	*nested_entry(guest_apic) = 0;
	expect_exit(EXIT_NPF, read4);
	CHECK_EQUAL(vmcb.exit_info2, (u64)guest_apic + 0x20);
	section("and read-only");
	prepare_access(write4, 0x310, 7);
	*nested_entry(guest_apic) = (u64)guest_apic | 5;
	expect_exit(EXIT_NPF, write4);
	CHECK_EQUAL(A(0x310), 0);
	prepare_access(read4, 0x20, 0);
	*nested_entry(guest_apic) = (u64)guest_apic | 5;
	A(0x20) = 9;
	expect_exit(EXIT_VMMCALL, read4_behind);
	CHECK_EQUAL(svm_guest_registers[RBX], 9);
	section("the backing page by an address of its own is memory");
	prepare_access(write4, 0, 7);
	svm_guest_registers[RSI] = (u64)(backing_page + 0x30);
	expect_exit(EXIT_VMMCALL, write4_behind);
	CHECK_EQUAL(A(0x30), 7);
	section("so is the guest's page without AVIC, and with V_APIC_BAR elsewhere");
	prepare_access(write4, 0x30, 7);
	vmcb.v_intr = 0;
	expect_exit(EXIT_VMMCALL, write4_behind);
	CHECK_EQUAL(*(u32 *)(guest_apic + 0x30), 7);
	prepare_access(write4, 0x30, 8);
	vmcb.avic_bar = (u64)backing_page;
	expect_exit(EXIT_VMMCALL, write4_behind);
	CHECK_EQUAL(*(u32 *)(guest_apic + 0x30), 8);
	section("what the TLB keeps of one is not used for the other");
	for (u32 n = 0; n < 4; n++) {
		prepare_access(write4, 0x310, 7);
		vmcb.tlb_control = n ? 0 : 1;
		vmcb.v_intr = n & 1 ? 0 : AVIC;
		expect_exit(EXIT_VMMCALL, write4_behind);
		CHECK_EQUAL(A(0x310), n & 1 ? 0 : 7);
		CHECK_EQUAL(*(u32 *)(guest_apic + 0x310), n & 1 ? 7 : 0);
		*(u32 *)(guest_apic + 0x310) = 0;
	}
	section("instructions are not redirected");
	prepare_access(jump, 0x30, 0);
	__builtin_memcpy(guest_apic + 0x30, "\x0f\x01\xd9", 3); /* VMMCALL */
	expect_exit(EXIT_VMMCALL, (char *)guest_apic + 0x30);
	*(u32 *)(guest_apic + 0x30) = 0;
}

/* --- TPR, CR8 and PPR --- */

static void priorities(void)
{
	section("a write of the TPR goes to V_TPR and PPR (15.29.3.1)");
	prepare_access(write4, 0x80, 0x57);
	expect_exit(EXIT_VMMCALL, write4_behind);
	CHECK_EQUAL(A(0x80), 0x57);
	CHECK_EQUAL(A(0xa0), 0x57);
	CHECK_EQUAL(vmcb.v_intr & 0xff, 5);
	section("PPR is that of the interrupt in service if that is higher");
	prepare_access(write4, 0x80, 0x57);
	set_vector(ISR, 0x65);
	expect_exit(EXIT_VMMCALL, write4_behind);
	CHECK_EQUAL(A(0xa0), 0x60);
	section("MOV to CR8 goes to V_TPR, the TPR, whose subclass becomes 0, and PPR");
	for (u32 masks = 0; masks < 2; masks++) {
		avic_prepare(write_cr8);
		vmcb.v_intr |= masks ? 1u << 24 : 0;
		A(0x80) = 0xff;
		svm_guest_registers[RCX] = 5;
		expect_exit(EXIT_VMMCALL, write_cr8_behind);
		CHECK_EQUAL(A(0x80), 0x50);
		CHECK_EQUAL(A(0xa0), 0x50);
		CHECK_EQUAL(vmcb.v_intr & 0xff, 5);
		CHECK_EQUAL(READ_REGISTER("cr8"), 0);
	}
	section("MOV from CR8 reads V_TPR, whatever V_INTR_MASKING (15.29.4.1)");
	avic_prepare(read_cr8);
	vmcb.v_intr |= 6;
	A(0x80) = 0x90;
	expect_exit(EXIT_VMMCALL, read_cr8_behind);
	CHECK_EQUAL(svm_guest_registers[RBX], 6);
	section("its intercept comes first");
	avic_prepare(write_cr8);
	vmcb.cr_write = 1u << 8;
	svm_guest_registers[RCX] = 5;
	expect_exit(EXIT_CR8_WRITE, write_cr8);
	CHECK_EQUAL(A(0x80), 0);
}

/* --- delivery --- */

static void delivery(void)
{
	section("VMRUN delivers the highest request of the page (15.29.8.3)");
	avic_prepare(nothing);
	set_vector(IRR, LOWER);
	set_vector(IRR, VECTOR);
	expect_interrupt(VECTOR, nothing);
	CHECK(!has_vector(IRR, VECTOR));
	CHECK(has_vector(IRR, LOWER));
	CHECK(has_vector(ISR, VECTOR));
	CHECK_EQUAL(A(0xa0), VECTOR & 0xf0);
	section("V_IRQ and its kin are ignored");
	avic_prepare(nothing);
	vmcb.v_intr |= 1u << 8 | 0xfu << 16 | 1u << 20 | (u64)LOWER << 32;
	expect_exit(EXIT_VMMCALL, nothing);
	section("not if the priority is not above V_TPR's");
	avic_prepare(nothing);
	set_vector(IRR, VECTOR);
	vmcb.v_intr |= VECTOR >> 4;
	expect_exit(EXIT_VMMCALL, nothing);
	section("nor above that of the interrupt in service");
	avic_prepare(nothing);
	set_vector(IRR, VECTOR);
	set_vector(ISR, VECTOR & 0xf0);
	expect_exit(EXIT_VMMCALL, nothing);
	section("a lower TPR lets it through");
	prepare_access(write4, 0x80, 0x40);
	set_vector(IRR, VECTOR);
	vmcb.v_intr |= 0xf;
	A(0x80) = 0xf0;
	expect_interrupt(VECTOR, write4_behind);
	CHECK_EQUAL(vmcb.v_intr & 0xff, 4);
	section("it waits for RFLAGS.IF, and for the shadow of STI");
	avic_prepare(open_shadow);
	vmcb.rflags = 2;
	set_vector(IRR, VECTOR);
	expect_interrupt(VECTOR, in_shadow + 1);
	section("for the shadow that VMRUN loads");
	avic_prepare(open);
	vmcb.interrupt_state = 1;
	set_vector(IRR, VECTOR);
	expect_interrupt(VECTOR, open + 1);
	if (svm_features() & SVM_FEATURE_VGIF) {
		section("and for the guest's GIF");
		avic_prepare(stgi);
		vmcb.v_intr |= 1u << 25;
		set_vector(IRR, VECTOR);
		expect_interrupt(VECTOR, stgi + 3);
	}
	section("the intercept of virtual interrupts leaves it pending (15.21.6, 15.7)");
	avic_prepare(nothing);
	vmcb.intercepts3 = SVM_VINTR;
	set_vector(IRR, VECTOR);
	expect_exit(EXIT_VINTR, nothing);
	CHECK(has_vector(IRR, VECTOR));
	section("HLT ends with it");
	avic_prepare(halt);
	set_vector(IRR, VECTOR);
	vmcb.interrupt_state = 1;
	expect_interrupt(VECTOR, halt_behind);
}

static void idle(void)
{
	if (!(svm_features() & SVM_FEATURE_IDLE))
		return;
	section("idle HLT exits with no request that could come (15.9, table 15-7)");
	avic_prepare(halt);
	vmcb.intercepts5 = IDLE_HLT;
	expect_exit(EXIT_IDLE_HLT, halt);
	avic_prepare(halt);
	vmcb.intercepts5 = IDLE_HLT;
	vmcb.v_intr |= VECTOR >> 4;
	set_vector(IRR, VECTOR);
	expect_exit(EXIT_IDLE_HLT, halt);
	section("and not with one");
	avic_prepare(halt);
	vmcb.intercepts5 = IDLE_HLT;
	vmcb.interrupt_state = 1;
	set_vector(IRR, VECTOR);
	expect_interrupt(VECTOR, halt_behind);
}

static void interrupted_delivery(void)
{
	section("what is being delivered is in service, and told in EXITINTINFO (15.7.2)");
	avic_prepare(nothing);
	set_vector(IRR, VECTOR);
	vmcb.idtr.base = (u64)guest_apic; /* reserved offsets: the gate cannot be read */
	expect_noaccel(VECTOR * 16 & 0xff0, nothing);
	CHECK_EQUAL(vmcb.exit_int_info, SVM_INJECT | VECTOR);
	CHECK(has_vector(ISR, VECTOR));
	CHECK(!has_vector(IRR, VECTOR));
}

/* --- EOI --- */

static void end_of_interrupt(void)
{
	section("EOI ends the highest in service; the next is delivered");
	prepare_access(write4, 0xb0, 0);
	set_vector(ISR, 0x81);
	set_vector(IRR, VECTOR);
	expect_interrupt(VECTOR, write4_behind);
	CHECK(!has_vector(ISR, 0x81));
	section("PPR falls with it");
	prepare_access(write4, 0xb0, 0);
	set_vector(ISR, 0x81);
	set_vector(ISR, 0x42);
	A(0xa0) = 0x80;
	expect_exit(EXIT_VMMCALL, write4_behind);
	CHECK(has_vector(ISR, 0x42));
	CHECK_EQUAL(A(0xa0), 0x40);
	section("one that is level-triggered stays: #VMEXIT behind the write, with its vector");
	prepare_access(write4, 0xb0, 0);
	set_vector(ISR, 0x81);
	set_vector(ISR, 0x42);
	set_vector(TMR, 0x81);
	expect_noaccel(0xb0 | WRITE, write4_behind);
	CHECK_EQUAL(vmcb.exit_info2 & 0xff, 0x81);
	CHECK(has_vector(ISR, 0x81));
	section("with nothing in service it does nothing");
	prepare_access(write4, 0xb0, 0);
	set_vector(TMR, 0);
	expect_exit(EXIT_VMMCALL, write4_behind);
	section("an interrupt, its EOI, and the next one, with no exit between them");
	avic_prepare(end_open);
	svm_guest_registers[RSI] = (u64)guest_apic + 0xb0;
	vmcb.rflags = 2;
	set_vector(IRR, QUIET);
	set_vector(IRR, VECTOR);
	CHECK_EQUAL(svm_run(), EXIT_VMMCALL);
	CHECK_EQUAL(svm_guest_registers[RBP], VECTOR);
	CHECK(!has_vector(ISR, QUIET));
	CHECK(has_vector(ISR, VECTOR));
}

void payload(void)
{
	if (!avic_begin(SVM_FEATURE_AVIC))
		return;
	entry();
	allowed();
	exits();
	translation();
	priorities();
	delivery();
	idle();
	interrupted_delivery();
	end_of_interrupt();
}
