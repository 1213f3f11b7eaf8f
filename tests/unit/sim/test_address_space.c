/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the TLB must not keep (SDM 3A:4.10.4): after writes to CR0, CR3 and CR4, with and without
 * PCIDs. Rounds go beyond the TLB's address-space numbers, so that these are used again.
 */
#include "sim/cpu/address_space.h"
#include "sim/cpu/control.h"
#include "sim/cpu/memory.h"
#include "tests/unit/sim/system_rig.h"

#define ROUNDS       3000
#define PML4_A       0x10000
#define PML4_B       0x20000
#define PAGE_A       0x41000
#define PAGE_B       0x42000
#define LOW          0x1000
#define HIGH         (UINT64_C(0xffff800000000000) | LOW)
#define NO_FLUSH     BIT(63)
#define ENTRY        0x63 /* present, writable, accessed, dirty; a supervisor's */
#define ENTRY_GLOBAL BIT(8)
#define PAGE_FAULT   UINT64_MAX

static const u64 halves[] = {LOW, HIGH};

static void put(struct cpu_rig *rig, u64 table, unsigned int index, u64 entry)
{
	memcpy(rig->memory + table + 8 * index, &entry, 8);
}

static u64 leaf_of(u64 pml4)
{
	return pml4 + 0x3000;
}

/* Four tables behind each other; LOW and HIGH are the same page. */
static void map(struct cpu_rig *rig, u64 pml4, u64 leaf)
{
	put(rig, pml4, 0, (pml4 + 0x1000) | ENTRY);
	put(rig, pml4, 256, (pml4 + 0x1000) | ENTRY);
	put(rig, pml4 + 0x1000, 0, (pml4 + 0x2000) | ENTRY);
	put(rig, pml4 + 0x2000, 0, leaf_of(pml4) | ENTRY);
	put(rig, leaf_of(pml4), 1, leaf);
}

static void open_long(struct cpu_rig *rig)
{
	rig_open(rig, "intel");
	rig_mode(rig, MODE_64, 0);
	map(rig, PML4_A, PAGE_A | ENTRY);
	map(rig, PML4_B, PAGE_B | ENTRY);
	rig->cpu->cr0 |= CR0_PG | CR0_WP;
	rig->cpu->cr3 = PML4_A;
	cpu_update_mode(rig->cpu);
}

/* The guest-physical page, or PAGE_FAULT. */
static u64 reach(struct cpu_rig *rig, u64 linear, unsigned int access)
{
	if (setjmp(rig->cpu->unwind)) {
		CHECK_EQUAL(rig->cpu->exception.vector, VECTOR_PF);
		return PAGE_FAULT;
	}
	return mem_translate(rig->cpu, linear, access);
}

/* SDM 3A:4.10.4.1, 4.6.1: CR0.WP counts from the next access. */
static void test_permissions(void)
{
	struct cpu_rig rig;
	u64 cr0;

	for (size_t n = 0; n < 2 * ARRAY_SIZE(halves); n++) {
		u64 linear = halves[n / 2], global = n & 1 ? ENTRY_GLOBAL : 0;
		unsigned int wrong = 0;

		open_long(&rig);
		put(&rig, leaf_of(PML4_A), 1, PAGE_A | (ENTRY & ~2) | global);
		control_write_cr4(rig.cpu, rig.cpu->cr4 | CR4_PGE);
		cr0 = rig.cpu->cr0;
		for (unsigned int i = 0; i < ROUNDS; i++) {
			control_write_cr0(rig.cpu, cr0 & ~CR0_WP);
			wrong += reach(&rig, linear, WALK_WRITE) != PAGE_A;
			control_write_cr0(rig.cpu, cr0);
			wrong += reach(&rig, linear, WALK_WRITE) != PAGE_FAULT;
		}
		CHECK_EQUAL(wrong, 0);
		rig_close(&rig);
	}
}

/* SDM 3A:4.10.4.1: a write to CR3 leaves no page of before that is not global. */
static void test_cr3(void)
{
	struct cpu_rig rig;
	unsigned int wrong = 0;

	open_long(&rig);
	for (unsigned int i = 0; i < ROUNDS; i++)
		for (size_t n = 0; n < ARRAY_SIZE(halves); n++) {
			control_write_cr3(rig.cpu, PML4_B);
			wrong += reach(&rig, halves[n], WALK_READ) != PAGE_B;
			control_write_cr3(rig.cpu, PML4_A);
			wrong += reach(&rig, halves[n], WALK_READ) != PAGE_A;
		}
	CHECK_EQUAL(wrong, 0);
	rig_close(&rig);
}

/* The same for pages that were not touched for long: each of 512 is looked at once, a round apart.
 */
static void test_old_pages(void)
{
	struct cpu_rig rig;
	unsigned int wrong = 0;

	open_long(&rig);
	for (unsigned int i = 0; i < 512; i++) {
		put(&rig, leaf_of(PML4_A), i, PAGE_A | ENTRY);
		put(&rig, leaf_of(PML4_B), i, PAGE_B | ENTRY);
	}
	for (unsigned int start = 0; start < ROUNDS; start += 512) {
		control_write_cr3(rig.cpu, PML4_A);
		for (u64 page = 0; page < 512; page++)
			wrong += reach(&rig, page << 12, WALK_READ) != PAGE_A;
		for (unsigned int i = 0; i < start; i++)
			control_write_cr3(rig.cpu, PML4_B);
		for (u64 page = 0; page < 512; page++) {
			control_write_cr3(rig.cpu, PML4_B);
			wrong += reach(&rig, page << 12, WALK_READ) != PAGE_B;
		}
	}
	CHECK_EQUAL(wrong, 0);
	rig_close(&rig);
}

/* SDM 3A:4.10.4.1: a change of CR4.PGE leaves nothing, of no PCID, global or not. */
static void test_pge(void)
{
	struct cpu_rig rig;

	for (size_t n = 0; n < ARRAY_SIZE(halves); n++) {
		open_long(&rig);
		put(&rig, leaf_of(PML4_A), 1, PAGE_A | ENTRY | ENTRY_GLOBAL);
		control_write_cr4(rig.cpu, rig.cpu->cr4 | CR4_PCIDE | CR4_PGE);
		control_write_cr3(rig.cpu, PML4_A | 5);
		CHECK_EQUAL(reach(&rig, halves[n], WALK_READ), PAGE_A);
		control_write_cr3(rig.cpu, PML4_B | 6);
		put(&rig, leaf_of(PML4_A), 1, PAGE_B | ENTRY);
		control_write_cr4(rig.cpu, rig.cpu->cr4 & ~CR4_PGE);
		control_write_cr3(rig.cpu, PML4_A | 5 | NO_FLUSH);
		CHECK_EQUAL(reach(&rig, halves[n], WALK_READ), PAGE_B);
		rig_close(&rig);
	}
}

/* SDM 3A:4.10.1: what is cached for a PCID is used with that PCID only, however many flushes of
 * another one lie between. */
static void test_pcids(void)
{
	struct cpu_rig rig;
	unsigned int wrong = 0;

	open_long(&rig);
	control_write_cr4(rig.cpu, rig.cpu->cr4 | CR4_PCIDE);
	control_write_cr3(rig.cpu, PML4_A | 5);
	CHECK_EQUAL(reach(&rig, LOW, WALK_READ), PAGE_A);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		control_write_cr3(rig.cpu, PML4_B | 6);
		wrong += reach(&rig, LOW, WALK_READ) != PAGE_B;
		control_write_cr3(rig.cpu, PML4_A | 5 | NO_FLUSH);
		wrong += reach(&rig, LOW, WALK_READ) != PAGE_A;
	}
	for (unsigned int i = 0; i < ROUNDS; i++)
		control_write_cr3(rig.cpu, PML4_B | 6), reach(&rig, LOW, WALK_READ);
	control_write_cr3(rig.cpu, PML4_A | 5 | NO_FLUSH);
	wrong += reach(&rig, LOW, WALK_READ) != PAGE_A;
	CHECK_EQUAL(wrong, 0);
	rig_close(&rig);
}

/* --- worlds --- */

static void enter(struct cpu_rig *rig, u64 tag, u64 cr3)
{
	rig->cpu->cr3 = cr3;
	cpu_enter_world(rig->cpu, tag);
}

static u64 walks_for(struct cpu_rig *rig, u64 linear)
{
	u64 before = rig->cpu->stats.page_walks;

	reach(rig, linear, WALK_READ);
	return rig->cpu->stats.page_walks - before;
}

/* SDM 3C:29.4.2, APM 2:15.16: translations are used with the VPID or ASID under which they were
 * made only, global ones too; and they last. */
static void test_worlds(void)
{
	struct cpu_rig rig;
	unsigned int wrong = 0;
	u64 walks = 0;

	for (size_t n = 0; n < 2 * ARRAY_SIZE(halves); n++) {
		u64 linear = halves[n / 2], global = n & 1 ? ENTRY_GLOBAL : 0;

		open_long(&rig);
		put(&rig, leaf_of(PML4_A), 1, PAGE_A | ENTRY | global);
		put(&rig, leaf_of(PML4_B), 1, PAGE_B | ENTRY | global);
		control_write_cr4(rig.cpu, rig.cpu->cr4 | CR4_PGE);
		for (unsigned int i = 0; i < ROUNDS; i++) {
			enter(&rig, WORLD_HOST, PML4_A);
			walks += walks_for(&rig, linear);
			wrong += reach(&rig, linear, WALK_READ) != PAGE_A;
			enter(&rig, 7, PML4_B);
			walks += walks_for(&rig, linear);
			wrong += reach(&rig, linear, WALK_READ) != PAGE_B;
		}
		rig_close(&rig);
	}
	CHECK_EQUAL(wrong, 0);
	CHECK_EQUAL(walks, 2 * 2 * ARRAY_SIZE(halves)); /* the first time */
}

/* More of them than are kept, while the asids run out: none finds another's. */
static void test_many_worlds(void)
{
	struct cpu_rig rig;
	unsigned int wrong = 0;

	open_long(&rig);
	put(&rig, leaf_of(PML4_A), 1, PAGE_A | ENTRY | ENTRY_GLOBAL);
	put(&rig, leaf_of(PML4_B), 1, PAGE_B | ENTRY | ENTRY_GLOBAL);
	control_write_cr4(rig.cpu, rig.cpu->cr4 | CR4_PGE);
	for (unsigned int i = 0; i < ROUNDS; i++)
		for (u64 tag = 0; tag < 2 * WORLDS; tag++) {
			enter(&rig, tag, tag & 1 ? PML4_B : PML4_A);
			wrong += reach(&rig, HIGH, WALK_READ) != (tag & 1 ? PAGE_B : PAGE_A);
		}
	CHECK_EQUAL(wrong, 0);
	/* the one that takes another's place starts with nothing */
	for (size_t n = 0; n < ARRAY_SIZE(halves); n++) {
		enter(&rig, 100, PML4_B);
		CHECK_EQUAL(reach(&rig, halves[n], WALK_READ), PAGE_B);
		for (u64 tag = 101; tag < 100 + WORLDS; tag++) {
			enter(&rig, tag, PML4_A);
			CHECK_EQUAL(reach(&rig, halves[n] + 0x1000, WALK_READ), PAGE_FAULT);
		}
		CHECK_EQUAL(reach(&rig, halves[n], WALK_READ), PAGE_A);
	}
	rig_close(&rig);
}

/* Permissions are worked out by the registers of the world in which they are asked for. */
static void test_world_permissions(void)
{
	struct cpu_rig rig;
	unsigned int wrong = 0;

	open_long(&rig);
	put(&rig, leaf_of(PML4_A), 1, PAGE_A | (ENTRY & ~2));
	for (unsigned int i = 0; i < ROUNDS; i++) {
		rig.cpu->cr0 &= ~CR0_WP;
		enter(&rig, 1, PML4_A);
		wrong += reach(&rig, LOW, WALK_WRITE) != PAGE_A;
		rig.cpu->cr0 |= CR0_WP;
		enter(&rig, WORLD_HOST, PML4_A);
		wrong += reach(&rig, LOW, WALK_WRITE) != PAGE_FAULT;
		rig.cpu->cr0 |= CR0_WP; /* the guest came back with other registers */
		enter(&rig, 1, PML4_A);
		wrong += reach(&rig, LOW, WALK_WRITE) != PAGE_FAULT;
		enter(&rig, WORLD_HOST, PML4_A);
	}
	CHECK_EQUAL(wrong, 0);
	rig_close(&rig);
}

/* INVVPID, INVEPT, a flush of an ASID: of those worlds, and in force when they are entered next. */
static void test_flush_worlds(void)
{
	struct cpu_rig rig;

	open_long(&rig);
	for (u64 tag = 1; tag <= 3; tag++) {
		enter(&rig, tag << 16 | tag, PML4_A);
		reach(&rig, LOW, WALK_READ);
	}
	cpu_flush_worlds(rig.cpu, 0xffff, 2);
	cpu_flush_worlds(rig.cpu, ~UINT64_C(0), 3 << 16 | 3); /* the one that is in */
	put(&rig, leaf_of(PML4_A), 1, PAGE_B | ENTRY);
	enter(&rig, 1 << 16 | 1, PML4_A);
	CHECK_EQUAL(reach(&rig, LOW, WALK_READ), PAGE_A); /* not asked for */
	enter(&rig, 2 << 16 | 2, PML4_A);
	CHECK_EQUAL(reach(&rig, LOW, WALK_READ), PAGE_B);
	enter(&rig, 3 << 16 | 3, PML4_A);
	CHECK_EQUAL(reach(&rig, LOW, WALK_READ), PAGE_B);
	enter(&rig, 1 << 16 | 1, PML4_A);
	cpu_flush_all(rig.cpu);
	CHECK_EQUAL(reach(&rig, LOW, WALK_READ), PAGE_B);
	rig_close(&rig);
}

/* INVLPG of one address in a large page drops all of it, in the world where the page was used. */
static void test_large_pages(void)
{
	struct cpu_rig rig;

	open_long(&rig);
	put(&rig, PML4_A + 0x2000, 0, 0 | ENTRY | BIT(7));
	enter(&rig, 1, PML4_A);
	CHECK_EQUAL(reach(&rig, 0x5000, WALK_READ), 0x5000);
	enter(&rig, WORLD_HOST, PML4_B);
	cpu_flush_tlb(rig.cpu);
	enter(&rig, 1, PML4_A);
	put(&rig, PML4_A + 0x2000, 0, 0);
	cpu_flush_linear(rig.cpu, 0x1000);
	CHECK_EQUAL(reach(&rig, 0x5000, WALK_READ), PAGE_FAULT);
	rig_close(&rig);
}

static CU_TestInfo tests[] = {
	{"permissions", test_permissions},
	{"cr3", test_cr3},
	{"old pages", test_old_pages},
	{"pge", test_pge},
	{"pcids", test_pcids},
	{"worlds", test_worlds},
	{"more worlds than are kept", test_many_worlds},
	{"permissions of worlds", test_world_permissions},
	{"flushes of worlds", test_flush_worlds},
	{"large pages in worlds", test_large_pages},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.address_space", tests)
