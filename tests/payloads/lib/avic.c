/* SPDX-License-Identifier: Apache-2.0 */
#include "avic.h"

u8 guest_apic[4096] __attribute__((aligned(4096)));
u8 backing_page[4096] __attribute__((aligned(4096)));
u64 physical_table[512] __attribute__((aligned(4096)));
u32 logical_table[1024] __attribute__((aligned(4096)));
static u64 table[512] __attribute__((aligned(4096)));

GUEST(nothing, "");
__asm__(".globl nothing\n");
extern char took_vector[], took_lower[], took_quiet[];
__asm__(".text\n"
	"took_vector: mov $0x75, %ebp; vmmcall\n"
	"took_lower: mov $0x41, %ebp; vmmcall\n"
	"took_quiet: mov %ecx, (%rsi); iretq\n");

u64 *nested_entry(const void *page)
{
	return &table[(u64)page >> 12 & 511];
}

/* Entries of 4 KiB for the payload's own pages. */
static void split(void)
{
	u64 start = (u64)guest_apic & ~0x1fffffull;

	for (u32 i = 0; i < 512; i++)
		table[i] = (start + 4096ull * i) | 7;
	svm_nested_directory[start >> 21] = (u64)table | 7;
}

static void read_doorbell(void)
{
	rdmsr(DOORBELL);
}

bool avic_begin(u32 feature)
{
	section("the doorbell cannot be read, with AVIC or without (15.29.8.2)");
	EXPECT_TRAP(read_doorbell, 13, 0);
	if (!(svm_features() & feature))
		return false;
	svm_begin();
	gate_set(VECTOR, (word)took_vector, GATE_INTERRUPT);
	gate_set(LOWER, (word)took_lower, GATE_INTERRUPT);
	gate_set(QUIET, (word)took_quiet, GATE_INTERRUPT);
	return true;
}

void avic_prepare(char *code)
{
	svm_prepare_nested((void (*)(void))code);
	split();
	__builtin_memset(backing_page, 0, sizeof(backing_page));
	__builtin_memset(physical_table, 0, sizeof(physical_table));
	__builtin_memset(logical_table, 0, sizeof(logical_table));
	A(0xe0) = 0xffffffff;
	physical_table[0] = VALID | RUNNING | (u64)backing_page;
	vmcb.v_intr = AVIC;
	vmcb.avic_bar = (u64)guest_apic;
	vmcb.avic_backing = (u64)backing_page;
	vmcb.avic_logical = (u64)logical_table;
	vmcb.avic_physical = (u64)physical_table | 3;
	vmcb.rflags = 0x202;
}

void expect_exit(u64 code, char *rip)
{
	CHECK_EQUAL(svm_run(), code);
	CHECK_EQUAL(vmcb.rip, (u64)rip);
}

void expect_noaccel(u64 info, char *rip)
{
	expect_exit(EXIT_NOACCEL, rip);
	CHECK_EQUAL(vmcb.exit_info1, info);
}

void expect_interrupt(u8 vector, char *interrupted)
{
	CHECK_EQUAL(svm_run(), EXIT_VMMCALL);
	CHECK_EQUAL(svm_guest_registers[RBP], vector);
	CHECK_EQUAL(*(u64 *)vmcb.rsp, (u64)interrupted);
}
