/* SPDX-License-Identifier: Apache-2.0 */
/* x2AVIC: the guest's local APIC behind the x2APIC's MSRs (APM 2:15.29.10, 15.29.3.1, 15.29.5). */
#include "avic.h"

#define EXIT_GP  (EXIT_EXCP + 13)
#define EXIT_MSR 0x7c

GUEST(read_msr, "rdmsr");
GUEST(write_msr, "wrmsr");
GUEST(write4, "mov %ecx, (%rsi)");

/* Two pages of a physical table that is longer than xAVIC's. */
static u64 long_table[1024] __attribute__((aligned(4096)));
static u8 other[4096] __attribute__((aligned(4096)));

static void prepare_msr(char *code, u32 number, u64 value)
{
	avic_prepare(code);
	vmcb.v_intr |= X2AVIC;
	vmcb.avic_bar = 0;
	vmcb.avic_logical = 1ull << 52; /* not used */
	vmcb.exceptions = 1u << 13;
	svm_guest_registers[RCX] = number;
	svm_guest_registers[RDX] = value >> 32;
	vmcb.rax = (u32)value;
	__builtin_memset(other, 0, sizeof(other));
	__builtin_memset(long_table, 0, sizeof(long_table));
}

static void reads(void)
{
	static const u32 allowed[] = {0x802, 0x803, 0x808, 0x80a, 0x80d, 0x80f, 0x810,
				      0x817, 0x818, 0x820, 0x827, 0x828, 0x832, 0x833,
				      0x834, 0x835, 0x836, 0x837, 0x838, 0x83e};
	static const u32 refused[] = {0x801, 0x80b, 0x80c, 0x80e, 0x82f,
				      0x831, 0x83f, 0x840, 0x850};

	section("reads come from the backing page (table 15-22)");
	for (u32 n = 0; n < ELEMENTS(allowed); n++) {
		prepare_msr(read_msr, allowed[n], 0);
		vmcb.rflags = 2;
		A((allowed[n] & 0xff) << 4) = n + 1;
		expect_exit(EXIT_VMMCALL, read_msr_behind);
		CHECK_EQUAL(vmcb.rax, n + 1);
		CHECK_EQUAL(svm_guest_registers[RDX], 0);
	}
	section("ICR is ICRL and ICRH (15.29.10)");
	prepare_msr(read_msr, 0x830, 0);
	A(0x300) = 0x12345678;
	A(0x310) = 0xfedcba98;
	expect_exit(EXIT_VMMCALL, read_msr_behind);
	CHECK_EQUAL(vmcb.rax, 0x12345678);
	CHECK_EQUAL(svm_guest_registers[RDX], 0xfedcba98);
	section("the current count exits instead");
	prepare_msr(read_msr, 0x839, 0);
	expect_noaccel(0x390, read_msr);
	section("what the x2APIC does not have, or does not let be read, is #GP(0) first");
	for (u32 n = 0; n < ELEMENTS(refused); n++) {
		prepare_msr(read_msr, refused[n], 0);
		expect_exit(EXIT_GP, read_msr);
	}
	section("so does the intercept of the MSR");
	prepare_msr(read_msr, 0x839, 0);
	vmcb.intercepts3 = SVM_MSR;
	svm_msrpm[0x839 / 4] |= 1u << 2 * (0x839 % 4);
	expect_exit(EXIT_MSR, read_msr);
	svm_msrpm[0x839 / 4] = 0;
}

static void writes(void)
{
	static const u32 traps[] = {0x80f, 0x828, 0x832, 0x833, 0x834,
				    0x835, 0x836, 0x837, 0x838, 0x83e};
	static const u32 refused[] = {0x802, 0x803, 0x809, 0x80a, 0x80d, 0x810, 0x820, 0x839};

	section("traps: the write is done, and the exit behind it");
	for (u32 n = 0; n < ELEMENTS(traps); n++) {
		u32 value = traps[n] == 0x828 ? 0 : 3, offset = (traps[n] & 0xff) << 4;

		prepare_msr(write_msr, traps[n], value);
		A(offset) = 0x55;
		expect_noaccel(offset | WRITE, write_msr_behind);
		CHECK_EQUAL(A(offset), value);
	}
	section("registers that are only read: #GP(0), and so are reserved bits");
	for (u32 n = 0; n < ELEMENTS(refused); n++) {
		prepare_msr(write_msr, refused[n], 0);
		expect_exit(EXIT_GP, write_msr);
	}
	prepare_msr(write_msr, 0x808, 0x100);
	expect_exit(EXIT_GP, write_msr);
	prepare_msr(write_msr, 0x80b, 1);
	expect_exit(EXIT_GP, write_msr);
	prepare_msr(write_msr, 0x80f, 1ull << 32);
	expect_exit(EXIT_GP, write_msr);
	prepare_msr(write_msr, 0x830, 1u << 20);
	expect_exit(EXIT_GP, write_msr);
}

static void accelerated(void)
{
	section("TPR");
	prepare_msr(write_msr, 0x808, 0x57);
	expect_exit(EXIT_VMMCALL, write_msr_behind);
	CHECK_EQUAL(A(0x80), 0x57);
	CHECK_EQUAL(A(0xa0), 0x57);
	CHECK_EQUAL(vmcb.v_intr & 0xff, 5);
	section("EOI, edge and level");
	prepare_msr(write_msr, 0x80b, 0);
	set_vector(ISR, 0x81);
	expect_exit(EXIT_VMMCALL, write_msr_behind);
	CHECK(!has_vector(ISR, 0x81));
	prepare_msr(write_msr, 0x80b, 0);
	set_vector(ISR, 0x81);
	set_vector(TMR, 0x81);
	expect_noaccel(0xb0 | WRITE, write_msr_behind);
	CHECK_EQUAL(vmcb.exit_info2 & 0xff, 0x81);
	section("SELF_IPI");
	prepare_msr(write_msr, 0x83f, VECTOR);
	expect_interrupt(VECTOR, write_msr_behind);
	prepare_msr(write_msr, 0x83f, 15);
	expect_exit(EXIT_INCOMPLETE, write_msr_behind);
	CHECK_EQUAL(vmcb.exit_info2 >> 32, INVALID_VECTOR);
	section("V_APIC_BAR is not used");
	avic_prepare(write4);
	vmcb.v_intr |= X2AVIC;
	svm_guest_registers[RSI] = (u64)(guest_apic + 0x30);
	svm_guest_registers[RCX] = 7;
	expect_exit(EXIT_VMMCALL, write4_behind);
	CHECK_EQUAL(*(u32 *)(guest_apic + 0x30), 7);
	*(u32 *)(guest_apic + 0x30) = 0;
}

/* --- the ICR --- */

/* @other has that ID, of a table whose last is @last. */
static void prepare_command(u32 low, u32 destination, u32 id, u32 last)
{
	prepare_msr(write_msr, 0x830, (u64)destination << 32 | low);
	long_table[0] = VALID | RUNNING | (u64)backing_page;
	long_table[id] = VALID | (u64)other;
	vmcb.avic_physical = (u64)long_table | last;
	vmcb.rflags = 2;
}

static void expect_incomplete(u32 failure, u32 index)
{
	u64 command = svm_guest_registers[RDX] << 32 | vmcb.rax;

	expect_exit(EXIT_INCOMPLETE, write_msr_behind);
	CHECK_EQUAL(vmcb.exit_info1, command);
	CHECK_EQUAL(A(0x300), (u32)command);
	CHECK_EQUAL(A(0x310), command >> 32);
	CHECK_EQUAL(vmcb.exit_info2 >> 32, failure);
	if (failure)
		CHECK_EQUAL(vmcb.exit_info2 & 0xfff, index);
}

static bool requested(void)
{
	return *(volatile u32 *)(other + IRR + VECTOR / 32 * 16) >> VECTOR % 32 & 1;
}

static void commands(void)
{
	section("a destination of 32 bits");
	prepare_command(VECTOR, 511, 511, 511);
	expect_incomplete(NOT_RUNNING, 511);
	CHECK(requested());
	prepare_command(VECTOR, 0x100000 + 1, 1, 511);
	expect_incomplete(INVALID_TARGET, 1);
	CHECK(!requested());
	section("255 is an ID, all ones are a broadcast");
	prepare_command(VECTOR, 255, 255, 511);
	expect_incomplete(NOT_RUNNING, 255);
	CHECK(!has_vector(IRR, VECTOR));
	prepare_command(VECTOR, 0xffffffff, 255, 511);
	expect_incomplete(NOT_RUNNING, 255);
	CHECK(has_vector(IRR, VECTOR));
	CHECK(requested());
	section("shorthands");
	prepare_command(OTHERS | VECTOR, 0, 300, 511);
	expect_incomplete(NOT_RUNNING, 300);
	CHECK(!has_vector(IRR, VECTOR));
	prepare_command(ALL | VECTOR, 0, 300, 299);
	expect_exit(EXIT_VMMCALL, write_msr_behind);
	CHECK(has_vector(IRR, VECTOR));
	CHECK(!requested());
	prepare_command(SELF | VECTOR, 0, 1, 1);
	vmcb.rflags = 0x202;
	expect_interrupt(VECTOR, write_msr_behind);
	section("a logical ID is made of the x2APIC ID: 16 of each cluster (15.29.5.3)");
	prepare_command(LOGICAL | VECTOR, 0x3 << 16 | 1u << 5, 0x35, 511);
	expect_incomplete(NOT_RUNNING, 0x35);
	CHECK(requested());
	prepare_command(LOGICAL | VECTOR, 0x3, 1, 511);
	expect_incomplete(NOT_RUNNING, 1);
	CHECK(has_vector(IRR, VECTOR));
	prepare_command(LOGICAL | VECTOR, 0x3 << 16 | 1u << 4, 0x35, 511);
	expect_incomplete(INVALID_TARGET, 0x34);
	section("other types");
	prepare_command(0x500, 1, 1, 511);
	expect_incomplete(INVALID_TYPE, 0);
}

static void long_tables(void)
{
	u32 out[4];

	cpuid(0x8000000a, 0, out);
	if (!(out[2] & 1u << 6))
		return;
	section("x2AVIC_EXT: the table goes on in further pages (15.29.5.2)");
	prepare_command(VECTOR, 1000, 1000, 1023);
	expect_incomplete(NOT_RUNNING, 1000);
	CHECK(requested());
}

void payload(void)
{
	if (!avic_begin(SVM_FEATURE_X2AVIC))
		return;
	reads();
	writes();
	accelerated();
	commands();
	long_tables();
}
