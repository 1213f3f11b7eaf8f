/* SPDX-License-Identifier: Apache-2.0 */
/* AVIC's interprocessor interrupts and its doorbell (APM
 * 2:15.29.5, 15.29.6.1, 15.29.8.2, 15.29.9.1). */
#include "avic.h"

#define NMI      0x400u
#define LOWEST   0x100u
#define LEVEL    0x8000u
#define STATUS   0x1000u
#define ICRH(id) ((u64)(id) << 56)

GUEST(write4, "mov %ecx, (%rsi)");
GUEST(write_msr, "wrmsr");

/* Pages of virtual processors that do not run here. */
static u8 others[3][4096] __attribute__((aligned(4096)));

static bool requested(u32 other, u8 vector)
{
	return *(volatile u32 *)(others[other] + IRR + vector / 32 * 16) >> vector % 32 & 1;
}

/* IDs 1 to 3 are of @others, and run nowhere; 0 is the guest itself. A write of the ICR. */
static void prepare(u32 low, u32 destination)
{
	avic_prepare(write4);
	__builtin_memset(others, 0, sizeof(others));
	for (u32 n = 0; n < 3; n++)
		physical_table[n + 1] = VALID | (u64)others[n];
	for (u32 n = 0; n < 8; n++)
		logical_table[n] = (n < 4 ? 1u << 31 : 0) | n;
	A(0x310) = destination << 24;
	svm_guest_registers[RSI] = (u64)(guest_apic + 0x300);
	svm_guest_registers[RCX] = low;
}

/* What was written, where it stands, and the exit that tells why; the guest is behind its write. */
static void expect_incomplete(u32 failure, u32 index)
{
	u64 command = ((u64)A(0x310) << 32) | svm_guest_registers[RCX];

	expect_exit(EXIT_INCOMPLETE, write4_behind);
	CHECK_EQUAL(A(0x300), svm_guest_registers[RCX]);
	CHECK_EQUAL(vmcb.exit_info1, command);
	CHECK_EQUAL(vmcb.exit_info2 >> 32, failure);
	if (failure >= NOT_RUNNING && failure <= INVALID_BACKING_PAGE)
		CHECK_EQUAL(vmcb.exit_info2 & 0xfff, index);
	CHECK_EQUAL(vmcb.n_rip, 0);
}

static void expect_none_requested(void)
{
	CHECK(!has_vector(IRR, VECTOR));
	for (u32 n = 0; n < 3; n++)
		CHECK(!requested(n, VECTOR));
}

static void to_itself(void)
{
	section("the shorthand \"self\" needs no table (15.29.6.1, step 1)");
	prepare(SELF | VECTOR, 0);
	physical_table[0] = 0;
	expect_interrupt(VECTOR, write4_behind);
	CHECK_EQUAL(A(0x300), SELF | VECTOR);
	section("a physical ID is looked up; who runs is told by a doorbell, here itself");
	prepare(VECTOR, 0);
	expect_interrupt(VECTOR, write4_behind);
	section("the backing page's address decides who that is, not the APIC ID");
	prepare(VECTOR, 2);
	physical_table[2] = physical_table[0];
	expect_interrupt(VECTOR, write4_behind);
	section("it waits if the guest is not open to it");
	prepare(SELF | VECTOR, 0);
	vmcb.rflags = 2;
	expect_exit(EXIT_VMMCALL, write4_behind);
	CHECK(has_vector(IRR, VECTOR));
	section("delivery status is not written: it reads as idle (16.5)");
	prepare(SELF | STATUS | VECTOR, 0);
	vmcb.rflags = 2;
	expect_exit(EXIT_VMMCALL, write4_behind);
	CHECK_EQUAL(A(0x300), SELF | VECTOR);
}

static void to_others(void)
{
	section("one that does not run: the request is made, and the exit tells its index");
	prepare(VECTOR, 2);
	expect_incomplete(NOT_RUNNING, 2);
	CHECK(requested(1, VECTOR));
	CHECK(!requested(0, VECTOR));
	section("one that runs on a processor which is not there: nothing more");
	prepare(VECTOR, 2);
	physical_table[2] |= RUNNING | 0x123;
	expect_exit(EXIT_VMMCALL, write4_behind);
	CHECK(requested(1, VECTOR));
	section("an ID without a valid entry");
	prepare(VECTOR, 3);
	physical_table[3] &= ~VALID;
	expect_incomplete(INVALID_TARGET, 3);
	expect_none_requested();
	section("one beyond AVIC_PHYSICAL_MAX_INDEX");
	prepare(VECTOR, 3);
	vmcb.avic_physical = (u64)physical_table | 2;
	expect_incomplete(INVALID_TARGET, 3);
	expect_none_requested();
	section("one whose page has no physical address");
	prepare(VECTOR, 1);
	physical_table[1] = VALID | RUNNING | 1ull << 51;
	expect_incomplete(INVALID_BACKING_PAGE, 1);
}

static void broadcasts(void)
{
	static const u32 all[] = {ALL | VECTOR, VECTOR, LOGICAL | VECTOR};

	section("to all, by shorthand and FFH: entries that are not valid are passed over");
	for (u32 n = 0; n < ELEMENTS(all); n++) {
		prepare(all[n], n ? 0xff : 0);
		physical_table[2] = 0;
		physical_table[1] |= RUNNING | 0x123;
		vmcb.rflags = 2;
		expect_incomplete(NOT_RUNNING, 3);
		CHECK(has_vector(IRR, VECTOR));
		CHECK(requested(0, VECTOR));
		CHECK(!requested(1, VECTOR));
		CHECK(requested(2, VECTOR));
	}
	section("to all others");
	prepare(OTHERS | VECTOR, 0);
	vmcb.rflags = 2;
	expect_incomplete(NOT_RUNNING, 1);
	CHECK(!has_vector(IRR, VECTOR));
	CHECK(requested(0, VECTOR));
	CHECK(requested(2, VECTOR));
	section("but no further than the table's last");
	prepare(OTHERS | VECTOR, 0);
	vmcb.avic_physical = (u64)physical_table | 1;
	expect_incomplete(NOT_RUNNING, 1);
	CHECK(!requested(1, VECTOR));
	section("index 255 is reserved (figure 15-18)");
	prepare(ALL | VECTOR, 0);
	__builtin_memset(physical_table, 0, sizeof(physical_table));
	physical_table[255] = VALID | (u64)others[0];
	vmcb.avic_physical = (u64)physical_table | 255;
	expect_exit(EXIT_VMMCALL, write4_behind);
	CHECK(!requested(0, VECTOR));
	section("an address that is none stops it before anybody is asked");
	prepare(ALL | VECTOR, 0);
	physical_table[3] = VALID | 1ull << 51;
	vmcb.rflags = 2;
	expect_incomplete(INVALID_BACKING_PAGE, 3);
	expect_none_requested();
}

static void logical_flat(void)
{
	section("flat: a bit for each of eight entries (15.29.5.3)");
	prepare(LOGICAL | VECTOR, 0x04);
	logical_table[2] = 1u << 31 | 3;
	expect_incomplete(NOT_RUNNING, 2);
	CHECK(requested(2, VECTOR));
	section("several at once; the exit tells one that does not run");
	prepare(LOGICAL | VECTOR, 0x07);
	physical_table[1] |= RUNNING | 0x123;
	vmcb.rflags = 2;
	expect_incomplete(NOT_RUNNING, 2);
	CHECK(has_vector(IRR, VECTOR));
	CHECK(requested(0, VECTOR));
	CHECK(requested(1, VECTOR));
	section("an entry that is not valid: none is sent");
	prepare(LOGICAL | VECTOR, 0x12);
	expect_incomplete(INVALID_TARGET, 4);
	expect_none_requested();
	section("one that names an ID without an entry tells the logical one's index");
	prepare(LOGICAL | VECTOR, 0x02);
	logical_table[1] = 1u << 31 | 9;
	expect_incomplete(INVALID_TARGET, 1);
	prepare(LOGICAL | VECTOR, 0x02);
	logical_table[1] = 1u << 31 | 3;
	physical_table[3] = VALID | 1ull << 51;
	expect_incomplete(INVALID_BACKING_PAGE, 1);
	section("to nobody");
	prepare(LOGICAL | VECTOR, 0);
	expect_exit(EXIT_VMMCALL, write4_behind);
	expect_none_requested();
}

static void logical_clusters(void)
{
	section("clusters: four entries each");
	prepare(LOGICAL | VECTOR, 0x32);
	A(0xe0) = 0x0fffffff;
	logical_table[13] = 1u << 31 | 3;
	expect_incomplete(NOT_RUNNING, 13);
	CHECK(requested(2, VECTOR));
	section("cluster 15 is reserved");
	prepare(LOGICAL | VECTOR, 0xf2);
	A(0xe0) = 0x0fffffff;
	logical_table[61] = 1u << 31 | 3;
	expect_incomplete(INVALID_TARGET, 61);
	section("a format that is neither has no destinations");
	prepare(LOGICAL | VECTOR, 0x02);
	A(0xe0) = 0x5fffffff;
	expect_incomplete(INVALID_TYPE, 0);
}

static void not_sent(void)
{
	static const u32 types[] = {
		LEVEL | VECTOR, LOWEST | VECTOR,      NMI, 0x500, 0x608, 0x4500, SELF | NMI,
		0x8500,         ALL | LEVEL | VECTOR,
	};

	section("other types than fixed, or level-triggered: the hypervisor's");
	for (u32 n = 0; n < ELEMENTS(types); n++) {
		prepare(types[n], 1);
		expect_incomplete(INVALID_TYPE, 0);
		expect_none_requested();
	}
	section("vectors below 16");
	prepare(15, 1);
	expect_incomplete(INVALID_VECTOR, 0);
	CHECK(!requested(0, 15));
	prepare(SELF | 15, 1);
	expect_incomplete(INVALID_VECTOR, 0);
	prepare(SELF | 16, 1);
	vmcb.rflags = 2;
	expect_exit(EXIT_VMMCALL, write4_behind);
}

/* --- the doorbell --- */

static void write_reserved(void)
{
	wrmsr(DOORBELL, 1ull << 32);
}

static void doorbell(void)
{
	section("reserved bits of the doorbell (15.29.8.2)");
	EXPECT_TRAP(write_reserved, 13, 0);
	wrmsr(DOORBELL, 0);
	section("a guest that the MSR map lets it rings as well: its page is looked at");
	avic_prepare(write_msr);
	svm_guest_registers[RCX] = DOORBELL;
	vmcb.rax = 0;
	set_vector(IRR, VECTOR);
	vmcb.v_intr |= 0xf;
	expect_exit(EXIT_VMMCALL, write_msr_behind);
}

void payload(void)
{
	if (!avic_begin(SVM_FEATURE_AVIC))
		return;
	to_itself();
	to_others();
	broadcasts();
	logical_flat();
	logical_clusters();
	not_sent();
	doorbell();
}
