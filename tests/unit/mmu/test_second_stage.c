/* SPDX-License-Identifier: Apache-2.0 */
/* EPT and nested paging. Each row names the rule of SDM 3C:29.3, 28.2.1 or APM 2:15.25 that it
 * checks. */
#include <stdlib.h>
#include <string.h>

#include "mmu/control_registers.h"
#include "mmu/second_stage.h"
#include "tests/unit/check.h"

#define MEMORY                (1u << 20)
#define TABLE(n)              (UINT64_C(0x1000) * (n))       /* of the second stage, level n */
#define GUEST(n)              (UINT64_C(0x10000) + TABLE(n)) /* of the guest, as physical addresses */
#define GPA                   UINT64_C(0x187654321abc)
#define LINEAR                UINT64_C(0x2345678abc)
#define FRAME                 UINT64_C(0x8000)
#define INDEX(address, level) ((address) >> (12 + 9 * ((level)-1)) & 0x1ff)

enum { R = 1, W = 2, X = 4, RWX = 7, TYPE_WB = 6 << 3, PAGE = 128, A = 256, D = 512, XU = 1024 };
enum { READ = WALK_READ, WRITE = WALK_WRITE, EXEC = WALK_EXEC };
#define TABLE_ACCESS SECOND_STAGE_TABLE
#define USER_PAGE    SECOND_STAGE_USER_PAGE
#define SHADOW_STACK WALK_SHADOW_STACK
#define SSS          BIT(60) /* of an EPT entry: supervisor shadow stack */
/* Table 28-7: what was tried, and what the entries allow. */
enum { Q_READ = 1, Q_WRITE = 2, Q_FETCH = 4, Q_R = 8, Q_W = 16, Q_X = 32, Q_XU = 64 };
enum { Q_SHADOW_STACK = 1 << 13, Q_SSS = 1 << 14 };

struct rig {
	u8 *memory;
	struct slots slots;
	struct second_stage stage;
	struct walk_updates updates;
	struct second_stage_result result;
};

static void rig_open(struct rig *rig)
{
	struct kvm_userspace_memory_region region = {.memory_size = MEMORY};

	memset(rig, 0, sizeof(*rig));
	rig->memory = aligned_alloc(4096, MEMORY);
	memset(rig->memory, 0, MEMORY);
	region.userspace_addr = (u64)rig->memory;
	CU_ASSERT_EQUAL(slots_set(&rig->slots, &region), 0);
	rig->stage = (struct second_stage){.kind = SECOND_STAGE_EPT,
					   .root = TABLE(4),
					   .levels = 4,
					   .physical_bits = 40,
					   .execute_only = true,
					   .gbyte_pages = true};
	second_stage_flush(&rig->stage);
}

static void rig_close(struct rig *rig)
{
	slots_free(&rig->slots);
	free(rig->memory);
}

static u64 *entry_at(struct rig *rig, u64 table, u64 address, unsigned int level)
{
	return (u64 *)(rig->memory + table) + INDEX(address, level);
}

/* --- EPT --- */

enum { OK, VIOLATION, MISCONFIGURATION };

struct row {
	const char *rule;
	u8 leaf;      /* its level; 0: 1 */
	u8 odd_level; /* the level whose entry has these bits changed */
	u64 set, clear;
	bool no_execute_only, mode_based, accessed_dirty, no_gbyte, shadow_control;
	unsigned int access;
	u8 outcome;
	u32 error;
};

/* Identity-shaped tables for GPA down to the leaf: every entry RWX (and XU), one changed. */
static void ept_build(struct rig *rig, const struct row *row)
{
	unsigned int leaf = row->leaf ? row->leaf : 1;

	rig->stage.execute_only = !row->no_execute_only;
	rig->stage.mode_based = row->mode_based;
	rig->stage.accessed_dirty = row->accessed_dirty;
	rig->stage.gbyte_pages = !row->no_gbyte;
	rig->stage.supervisor_shadow_stack = row->shadow_control;
	for (unsigned int level = 4; level >= leaf; level--) {
		u64 entry = RWX | XU;

		if (level > leaf)
			entry |= TABLE(level - 1);
		else
			entry |= TYPE_WB | (leaf == 1 ? FRAME : PAGE);
		if (level == row->odd_level)
			entry = (entry & ~row->clear) | row->set;
		*entry_at(rig, TABLE(level), GPA, level) = entry;
	}
}

static bool ept_ask(struct rig *rig, unsigned int access)
{
	rig->updates.count = 0;
	return second_stage_translate(&rig->slots, &rig->stage, GPA, access, &rig->updates,
				      &rig->result);
}

static void ept_run(const struct row *row)
{
	struct rig rig;
	unsigned int outcome = OK;

	rig_open(&rig);
	ept_build(&rig, row);
	if (!ept_ask(&rig, row->access))
		outcome = rig.result.misconfigured ? MISCONFIGURATION : VIOLATION;
	CHECK_ROW(outcome == row->outcome, "%s: outcome %u, expected %u", row->rule, outcome,
		  row->outcome);
	if (outcome == VIOLATION)
		CHECK_ROW(rig.result.error == row->error, "%s: qualification %#x, expected %#x",
			  row->rule, rig.result.error, row->error);
	rig_close(&rig);
}

#define EPT_RUN(rows)                                                                              \
	for (size_t run_i = 0; run_i < ARRAY_SIZE(rows); run_i++)                                  \
	ept_run(&rows[run_i])

/* 29.3.3.2 and table 28-7. */
static void test_ept_violations(void)
{
	static const struct row rows[] = {
		{"read", .access = READ, .outcome = OK},
		{"write", .access = WRITE, .outcome = OK},
		{"fetch", .access = EXEC, .outcome = OK},
		{"not present: bits 2:0 are 0", .odd_level = 3, .clear = RWX, .access = READ,
		 .outcome = VIOLATION, .error = Q_READ},
		{"not present: nothing else counts", .odd_level = 1, .set = 5 << 3, .clear = RWX,
		 .access = WRITE, .outcome = VIOLATION, .error = Q_WRITE},
		{"write without W", .odd_level = 1, .clear = W, .access = WRITE,
		 .outcome = VIOLATION, .error = Q_WRITE | Q_R | Q_X},
		{"rights are those of all levels", .odd_level = 4, .clear = W, .access = WRITE,
		 .outcome = VIOLATION, .error = Q_WRITE | Q_R | Q_X},
		{"read without W", .odd_level = 2, .clear = W, .access = READ, .outcome = OK},
		{"fetch without X", .odd_level = 2, .clear = X, .access = EXEC,
		 .outcome = VIOLATION, .error = Q_FETCH | Q_R | Q_W},
		{"execute-only: fetch", .odd_level = 1, .clear = R | W, .access = EXEC,
		 .outcome = OK},
		{"execute-only: read", .odd_level = 1, .clear = R | W, .access = READ,
		 .outcome = VIOLATION, .error = Q_READ | Q_X},
		{"without MBEC bit 10 is ignored", .odd_level = 1, .clear = XU,
		 .access = EXEC | USER_PAGE, .outcome = OK},
		{"MBEC: user-mode address wants bit 10", .odd_level = 1, .clear = XU,
		 .mode_based = true, .access = EXEC | USER_PAGE, .outcome = VIOLATION,
		 .error = Q_FETCH | Q_R | Q_W | Q_X},
		{"MBEC: supervisor-mode address does not", .odd_level = 1, .clear = XU,
		 .mode_based = true, .access = EXEC, .outcome = OK},
		{"MBEC: supervisor-mode address wants bit 2", .odd_level = 1, .clear = X,
		 .mode_based = true, .access = EXEC, .outcome = VIOLATION,
		 .error = Q_FETCH | Q_R | Q_W | Q_XU},
		{"MBEC: user-mode address does not", .odd_level = 1, .clear = X, .mode_based = true,
		 .access = EXEC | USER_PAGE, .outcome = OK},
		{"MBEC: bit 10 alone makes an entry present", .odd_level = 1, .clear = RWX,
		 .mode_based = true, .access = READ, .outcome = VIOLATION, .error = Q_READ | Q_XU},
		{"guest's table: a read", .odd_level = 1, .clear = R | W | X,
		 .access = READ | TABLE_ACCESS, .outcome = VIOLATION, .error = Q_READ},
		{"guest's table, no A/D flags: W not wanted", .odd_level = 1, .clear = W,
		 .access = READ | TABLE_ACCESS, .outcome = OK},
		{"guest's table with A/D flags: reads count as writes, too", .odd_level = 1,
		 .clear = W, .accessed_dirty = true, .access = READ | TABLE_ACCESS,
		 .outcome = VIOLATION, .error = Q_READ | Q_WRITE | Q_R | Q_X},
	};

	EPT_RUN(rows);
}

/* 29.3.3.2: with EPTP bit 7, supervisor shadow stacks are in pages whose last entry has bit 60,
 * with R everywhere and W above. Table 28-7: bits 13 and 14. */
static void test_ept_shadow_stacks(void)
{
	static const struct row rows[] = {
		{"control off: as a read", .odd_level = 1, .clear = W,
		 .access = READ | SHADOW_STACK, .outcome = OK},
		{"control off: as a write", .odd_level = 1, .set = SSS, .clear = W,
		 .access = WRITE | SHADOW_STACK, .outcome = VIOLATION,
		 .error = Q_WRITE | Q_R | Q_X | Q_SHADOW_STACK},
		{"bit 60", .odd_level = 1, .set = SSS, .clear = W, .shadow_control = true,
		 .access = WRITE | SHADOW_STACK, .outcome = OK},
		{"bit 60 in a larger page", .leaf = 2, .odd_level = 2, .set = SSS,
		 .shadow_control = true, .access = READ | SHADOW_STACK, .outcome = OK},
		{"no bit 60: read", .shadow_control = true, .access = READ | SHADOW_STACK,
		 .outcome = VIOLATION, .error = Q_READ | Q_R | Q_W | Q_X | Q_SHADOW_STACK},
		{"no bit 60: write", .shadow_control = true, .access = WRITE | SHADOW_STACK,
		 .outcome = VIOLATION, .error = Q_WRITE | Q_R | Q_W | Q_X | Q_SHADOW_STACK},
		{"bit 60 only above", .odd_level = 2, .set = SSS, .shadow_control = true,
		 .access = READ | SHADOW_STACK, .outcome = VIOLATION,
		 .error = Q_READ | Q_R | Q_W | Q_X | Q_SHADOW_STACK},
		{"user shadow stacks don't want it", .shadow_control = true,
		 .access = WRITE | SHADOW_STACK | USER_PAGE, .outcome = OK},
		{"... and are not given W by it", .odd_level = 1, .set = SSS, .clear = W,
		 .shadow_control = true, .access = WRITE | SHADOW_STACK | USER_PAGE,
		 .outcome = VIOLATION, .error = Q_WRITE | Q_R | Q_X | Q_SHADOW_STACK | Q_SSS},
		{"nor are other writes", .odd_level = 1, .set = SSS, .clear = W,
		 .shadow_control = true, .access = WRITE, .outcome = VIOLATION,
		 .error = Q_WRITE | Q_R | Q_X | Q_SSS},
	};

	EPT_RUN(rows);
}

/* The marked page without W above, which no single odd entry makes. */
static void test_ept_shadow_stack_above(void)
{
	static const struct row row = {"above", .odd_level = 1, .set = SSS, .shadow_control = true};
	struct rig rig;

	rig_open(&rig);
	ept_build(&rig, &row);
	*entry_at(&rig, TABLE(2), GPA, 2) &= ~(u64)W;
	CU_ASSERT_FALSE(ept_ask(&rig, READ | SHADOW_STACK));
	CHECK_EQUAL(rig.result.error, Q_READ | Q_R | Q_X | Q_SHADOW_STACK | Q_SSS);
	rig_close(&rig);
}

/* 29.3.3.1. */
static void test_ept_misconfigurations(void)
{
	static const struct row rows[] = {
		{"010b", .odd_level = 1, .clear = R | X, .outcome = MISCONFIGURATION},
		{"110b", .odd_level = 3, .clear = R, .outcome = MISCONFIGURATION},
		{"100b without execute-only", .odd_level = 2, .clear = R | W,
		 .no_execute_only = true, .outcome = MISCONFIGURATION},
		{"bit at MAXPHYADDR", .odd_level = 1, .set = BIT(40), .outcome = MISCONFIGURATION},
		{"bit 51", .odd_level = 4, .set = BIT(51), .outcome = MISCONFIGURATION},
		{"bits 62:52 are ignored", .odd_level = 1, .set = BIT(52) | BIT(56), .outcome = OK},
		{"memory type 2", .odd_level = 1, .set = 2 << 3, .clear = 7 << 3,
		 .outcome = MISCONFIGURATION},
		{"memory type 3", .odd_level = 1, .set = 3 << 3, .clear = 7 << 3,
		 .outcome = MISCONFIGURATION},
		{"memory type 7", .odd_level = 1, .set = 7 << 3, .outcome = MISCONFIGURATION},
		{"memory type 0", .odd_level = 1, .clear = 7 << 3, .outcome = OK},
		{"PML4E bit 7", .odd_level = 4, .set = PAGE, .outcome = MISCONFIGURATION},
		{"PML4E bit 3", .odd_level = 4, .set = 8, .outcome = MISCONFIGURATION},
		{"PDPTE bit 6", .odd_level = 3, .set = 64, .outcome = MISCONFIGURATION},
		{"PDE bit 3", .odd_level = 2, .set = 8, .outcome = MISCONFIGURATION},
		{"1-GiB page", .leaf = 3, .outcome = OK},
		{"1-GiB page, bit 12", .leaf = 3, .odd_level = 3, .set = BIT(12),
		 .outcome = MISCONFIGURATION},
		{"1-GiB page, bit 29", .leaf = 3, .odd_level = 3, .set = BIT(29),
		 .outcome = MISCONFIGURATION},
		{"1-GiB page where there are none", .leaf = 3, .no_gbyte = true,
		 .outcome = MISCONFIGURATION},
		{"2-MiB page", .leaf = 2, .outcome = OK},
		{"2-MiB page, bit 20", .leaf = 2, .odd_level = 2, .set = BIT(20),
		 .outcome = MISCONFIGURATION},
		{"bit 7 of a last entry is ignored", .odd_level = 1, .set = PAGE, .outcome = OK},
		{"before rights: 010b on a fetch", .odd_level = 1, .clear = R | X, .access = EXEC,
		 .outcome = MISCONFIGURATION},
		{"not before absence above", .odd_level = 2, .set = BIT(50), .clear = RWX,
		 .outcome = VIOLATION, .error = Q_READ},
	};

	EPT_RUN(rows);
}

static void test_ept_addresses(void)
{
	static const struct row small = {.rule = "4 KiB"}, big = {"2 MiB", .leaf = 2};
	struct rig rig;

	rig_open(&rig);
	ept_build(&rig, &small);
	CU_ASSERT_TRUE(ept_ask(&rig, READ));
	CHECK_EQUAL(rig.result.physical, FRAME | (GPA & 0xfff));
	ept_build(&rig, &big);
	second_stage_flush(&rig.stage);
	CU_ASSERT_TRUE(ept_ask(&rig, READ));
	CHECK_EQUAL(rig.result.physical, GPA & 0x1fffff);
	/* bits above what the tables reach */
	rig.updates.count = 0;
	CU_ASSERT_FALSE(second_stage_translate(&rig.slots, &rig.stage, GPA | BIT(48), READ,
					       &rig.updates, &rig.result));
	CU_ASSERT_FALSE(rig.result.misconfigured);
	CHECK_EQUAL(rig.result.error, Q_READ);
	rig_close(&rig);
}

/* 29.3.5: accessed in all entries, dirty in the leaf, and only where EPTP bit 6 says so. */
static void test_ept_accessed_dirty(void)
{
	static const struct row without = {.rule = "without"},
				with = {"with", .accessed_dirty = true};
	struct rig rig;

	rig_open(&rig);
	ept_build(&rig, &without);
	CU_ASSERT_TRUE(ept_ask(&rig, WRITE));
	CHECK_EQUAL(*entry_at(&rig, TABLE(1), GPA, 1) & (A | D), 0);
	CHECK_EQUAL(rig.updates.count, 0);

	ept_build(&rig, &with);
	second_stage_flush(&rig.stage);
	CU_ASSERT_TRUE(ept_ask(&rig, READ));
	for (unsigned int level = 1; level <= 4; level++)
		CHECK_EQUAL(*entry_at(&rig, TABLE(level), GPA, level) & (A | D), A);
	CHECK_EQUAL(rig.updates.count, 4);
	CHECK_EQUAL(rig.result.allowed & WALK_WRITE, 0); /* the dirty flag is not set yet */
	CU_ASSERT_TRUE(ept_ask(&rig, WRITE));
	CHECK_EQUAL(*entry_at(&rig, TABLE(1), GPA, 1) & (A | D), A | D);
	CHECK_EQUAL(*entry_at(&rig, TABLE(2), GPA, 2) & (A | D), A);
	CHECK_EQUAL(rig.updates.count, 1);
	CHECK_EQUAL(rig.result.allowed & WALK_WRITE, WALK_WRITE);
	rig_close(&rig);
}

/* 29.4.1: mappings may be kept until they are invalidated; rights that were not granted are not. */
static void test_kept(void)
{
	static const struct row read_only = {"R", .odd_level = 1, .clear = W};
	static const struct row all = {.rule = "RWX"};
	struct rig rig;

	rig_open(&rig);
	ept_build(&rig, &read_only);
	CU_ASSERT_TRUE(ept_ask(&rig, READ));
	ept_build(&rig, &all);
	CU_ASSERT_TRUE(ept_ask(&rig, WRITE));
	*entry_at(&rig, TABLE(1), GPA, 1) = 0;
	second_stage_flush(&rig.stage);
	CU_ASSERT_FALSE(ept_ask(&rig, READ));
	rig_close(&rig);
}

/* --- under the guest's walk --- */

enum { P = 1, PW = 2, PU = 4, PA = 32, PD = 64 };

/* The guest's 4 levels at GUEST(1..4), mapping LINEAR to GPA; the second stage maps GUEST(n) onto
 * itself in one page each, and GPA to FRAME. */
static void guest_build(struct rig *rig, struct walk_registers *regs)
{
	static const struct row row = {.rule = "guest"};

	ept_build(rig, &row);
	for (unsigned int n = 1; n <= 4; n++) {
		*entry_at(rig, GUEST(n), LINEAR, n) =
			P | PW | PU | (n > 1 ? GUEST(n - 1) : GPA & ~UINT64_C(0xfff));
		*entry_at(rig, TABLE(5), GUEST(n), 1) = RWX | TYPE_WB | GUEST(n);
	}
	*entry_at(rig, TABLE(4), 0, 4) = RWX | TABLE(7);
	*entry_at(rig, TABLE(7), 0, 3) = RWX | TABLE(6);
	*entry_at(rig, TABLE(6), 0, 2) = RWX | TABLE(5);
	*regs = (struct walk_registers){.cr0 = CR0_PE | CR0_PG,
					.cr3 = GUEST(4),
					.cr4 = CR4_PAE,
					.efer = EFER_LME | EFER_LMA,
					.physical_bits = 46,
					.second = &rig->stage};
}

static void test_guest_walk(void)
{
	struct walk_registers regs;
	struct walk_result walk;
	struct rig rig;

	rig_open(&rig);
	guest_build(&rig, &regs);
	CU_ASSERT_TRUE(walk_linear(&rig.slots, &regs, LINEAR, WRITE, &walk));
	CHECK_EQUAL(walk.gpa, FRAME | (GPA & 0xfff));
	CHECK_EQUAL(*entry_at(&rig, GUEST(1), LINEAR, 1) & (PA | PD), PA | PD);

	/* the address itself is refused: no table of the guest is touched */
	guest_build(&rig, &regs);
	*entry_at(&rig, TABLE(1), GPA, 1) &= ~(u64)W;
	second_stage_flush(&rig.stage);
	CU_ASSERT_FALSE(walk_linear(&rig.slots, &regs, LINEAR, WRITE, &walk));
	CU_ASSERT_TRUE(walk.second.refused && walk.second.final);
	CHECK_EQUAL(walk.second.gpa, (GPA & ~UINT64_C(0xfff)) | (LINEAR & 0xfff));
	CHECK_EQUAL(walk.second.error, Q_WRITE | Q_R | Q_X);
	CHECK_EQUAL(*entry_at(&rig, GUEST(1), LINEAR, 1) & (PA | PD), 0);
	/* ... and a read is not, but the page can't be written without another walk */
	CU_ASSERT_TRUE(walk_linear(&rig.slots, &regs, LINEAR, READ, &walk));
	CHECK_EQUAL(walk.allowed & WALK_WRITE, 0);

	/* a table of the guest can't be read */
	guest_build(&rig, &regs);
	*entry_at(&rig, TABLE(5), GUEST(2), 1) = 0;
	second_stage_flush(&rig.stage);
	CU_ASSERT_FALSE(walk_linear(&rig.slots, &regs, LINEAR, WRITE, &walk));
	CU_ASSERT_TRUE(walk.second.refused && !walk.second.final);
	CHECK_EQUAL(walk.second.gpa, GUEST(2) + INDEX(LINEAR, 2) * 8);
	CHECK_EQUAL(walk.second.error, Q_READ);

	/* its accessed bit can't be written: the processor reads and writes it at once (28.2.1) */
	guest_build(&rig, &regs);
	*entry_at(&rig, TABLE(5), GUEST(3), 1) &= ~(u64)W;
	second_stage_flush(&rig.stage);
	CU_ASSERT_FALSE(walk_linear(&rig.slots, &regs, LINEAR, READ, &walk));
	CU_ASSERT_TRUE(walk.second.refused && !walk.second.final);
	CHECK_EQUAL(walk.second.error, Q_READ | Q_WRITE | Q_R | Q_X);

	/* the guest's own fault comes first */
	guest_build(&rig, &regs);
	*entry_at(&rig, GUEST(1), LINEAR, 1) = 0;
	second_stage_flush(&rig.stage);
	CU_ASSERT_FALSE(walk_linear(&rig.slots, &regs, LINEAR, WRITE, &walk));
	CU_ASSERT_FALSE(walk.second.refused);
	CHECK_EQUAL(walk.error_code, 2);
	rig_close(&rig);
}

/* SDM 3C:30.4.6.1: every access to paging structures there exits, below EPT violations and behind
 * the accessed flags; the address asked for may be on that page. */
static void test_apic_access(void)
{
	struct walk_registers regs;
	struct walk_result walk;
	struct rig rig;

	rig_open(&rig);
	guest_build(&rig, &regs);
	rig.stage.apic_access_end = FRAME + 0xfff;
	CU_ASSERT_TRUE(walk_linear(&rig.slots, &regs, LINEAR, READ, &walk));
	for (unsigned int again = 0; again < 2; again++) { /* the mapping is kept */
		rig.stage.apic_access_end = GUEST(2) + 0xfff;
		CU_ASSERT_FALSE(walk_linear(&rig.slots, &regs, LINEAR, READ, &walk));
		CU_ASSERT_TRUE(walk.second.refused && walk.second.apic_access);
		CU_ASSERT_FALSE(walk.second.final);
		CHECK_EQUAL(walk.second.gpa & ~UINT64_C(0xfff), GUEST(2));
	}
	*entry_at(&rig, TABLE(5), GUEST(2), 1) = 0;
	second_stage_flush(&rig.stage);
	CU_ASSERT_FALSE(walk_linear(&rig.slots, &regs, LINEAR, READ, &walk));
	CU_ASSERT_FALSE(walk.second.apic_access);
	rig_close(&rig);
}

/* Table 28-7, bits 11:9: what the guest's own entries say of the page. */
static void test_guest_page(void)
{
	static const struct {
		unsigned int level;
		u64 set, clear;
		u8 page;
	} rows[] = {
		{1, 0, 0, WALK_PAGE_USER | WALK_PAGE_WRITABLE},
		{2, 0, PU, WALK_PAGE_WRITABLE},
		{3, 0, PW, WALK_PAGE_USER},
		{4, BIT(63), 0, WALK_PAGE_USER | WALK_PAGE_WRITABLE | WALK_PAGE_NO_EXECUTE},
	};
	struct walk_registers regs;
	struct walk_result walk;
	struct rig rig;

	rig_open(&rig);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 *entry = entry_at(&rig, GUEST(rows[i].level), LINEAR, rows[i].level);

		guest_build(&rig, &regs);
		regs.efer |= EFER_NXE;
		*entry = (*entry & ~rows[i].clear) | rows[i].set;
		*entry_at(&rig, TABLE(1), GPA, 1) &= ~(u64)R & ~(u64)W;
		second_stage_flush(&rig.stage);
		CU_ASSERT_FALSE(walk_linear(&rig.slots, &regs, LINEAR, READ, &walk));
		CU_ASSERT_TRUE(walk.second.refused && walk.second.final);
		CHECK_EQUAL(walk.second.page, rows[i].page);
	}
	rig_close(&rig);
}

/* 29.3.3.2: PDPTEs that MOV CR loads are read, whatever EPTP bit 6 says. */
static void test_guest_pdptes(void)
{
	struct walk_registers regs;
	struct walk_result walk;
	struct rig rig;
	u64 pdpte[4];

	rig_open(&rig);
	guest_build(&rig, &regs);
	rig.stage.accessed_dirty = true;
	*entry_at(&rig, TABLE(5), GUEST(9), 1) = R | TYPE_WB | GUEST(9);
	CU_ASSERT_TRUE(walk_load_pdptes(&rig.slots, &regs, GUEST(9), pdpte, &walk));
	*entry_at(&rig, TABLE(5), GUEST(9), 1) = 0;
	second_stage_flush(&rig.stage);
	CU_ASSERT_FALSE(walk_load_pdptes(&rig.slots, &regs, GUEST(9), pdpte, &walk));
	CU_ASSERT_TRUE(walk.second.refused);
	CHECK_EQUAL(walk.second.error, Q_READ);
	rig_close(&rig);
}

static void test_guest_without_paging(void)
{
	struct walk_registers regs = {.cr0 = CR0_PE, .physical_bits = 40};
	struct walk_result walk;
	struct rig rig;

	rig_open(&rig);
	guest_build(&rig, &(struct walk_registers){0});
	regs.second = &rig.stage;
	CU_ASSERT_TRUE(walk_linear(&rig.slots, &regs, GUEST(2) + 5, READ, &walk));
	CHECK_EQUAL(walk.gpa, GUEST(2) + 5);
	CU_ASSERT_FALSE(walk_linear(&rig.slots, &regs, GUEST(9), EXEC, &walk));
	CU_ASSERT_TRUE(walk.second.refused && walk.second.final);
	CHECK_EQUAL(walk.second.page, WALK_PAGE_USER | WALK_PAGE_WRITABLE);
	rig_close(&rig);
}

/* --- nested paging, with the host in 4-level paging --- */

static void npt_build(struct rig *rig, struct walk_registers *regs)
{
	guest_build(rig, regs);
	rig->stage.kind = SECOND_STAGE_NPT;
	rig->stage.host = (struct walk_registers){.cr0 = CR0_PE | CR0_PG | CR0_WP,
						  .cr3 = TABLE(4),
						  .cr4 = CR4_PAE,
						  .efer = EFER_LME | EFER_LMA | EFER_NXE,
						  .physical_bits = 40,
						  .amd = true,
						  .gbyte_pages = true};
	for (unsigned int n = 1; n <= 7; n++)
		for (unsigned int i = 0; i < 512; i++) {
			u64 *entry = (u64 *)(rig->memory + TABLE(n)) + i;

			if (*entry)
				*entry = (*entry & 0x000ffffffffff000) | P | PW | PU;
		}
}

static void test_npt(void)
{
	struct walk_registers regs;
	struct walk_result walk;
	struct rig rig;

	rig_open(&rig);
	npt_build(&rig, &regs);
	CU_ASSERT_TRUE(walk_linear(&rig.slots, &regs, LINEAR, READ, &walk));
	CHECK_EQUAL(walk.gpa, FRAME | (LINEAR & 0xfff));
	/* 15.25.5: the guest's tables are written as far as the nested tables go, its page only
	 * read */
	CHECK_EQUAL(*entry_at(&rig, TABLE(5), GUEST(4), 1) & (PA | PD), PA | PD);
	CHECK_EQUAL(*entry_at(&rig, TABLE(1), GPA, 1) & (PA | PD), PA);
	CHECK_EQUAL(walk.allowed & WALK_WRITE, 0);

	/* 15.25.5: every access is a user access to the nested tables */
	*entry_at(&rig, TABLE(1), GPA, 1) &= ~(u64)PU;
	second_stage_flush(&rig.stage);
	CU_ASSERT_FALSE(walk_linear(&rig.slots, &regs, LINEAR, WRITE, &walk));
	CU_ASSERT_TRUE(walk.second.refused && walk.second.final);
	CHECK_EQUAL(walk.second.error, 7); /* present, write, user: 15.25.6 */

	/* a guest's table in a read-only nested page */
	npt_build(&rig, &regs);
	*entry_at(&rig, TABLE(5), GUEST(2), 1) &= ~(u64)PW;
	second_stage_flush(&rig.stage);
	CU_ASSERT_FALSE(walk_linear(&rig.slots, &regs, LINEAR, READ, &walk));
	CU_ASSERT_TRUE(walk.second.refused && !walk.second.final);
	CHECK_EQUAL(walk.second.error, 7);
	rig_close(&rig);
}

/* The steps of one of the guest's levels: those of the second stage that find its entry at @gpa,
 * then the entry. Returns the next. */
static const struct walk_step *expect_level(const struct walk_step *step, u64 gpa, u64 entry,
					    unsigned int level)
{
	for (unsigned int n = 4; n; n--, step++) {
		CHECK_EQUAL(step->second, true);
		CHECK_EQUAL(step->translated, gpa);
		CHECK_EQUAL(step->level, n);
		CHECK_EQUAL(step->address & 0xfff, INDEX(gpa, n) * 8);
	}
	CHECK_EQUAL(step->second, false);
	CHECK_EQUAL(step->address, gpa);
	CHECK_EQUAL(step->entry, entry);
	CHECK_EQUAL(step->level, level);
	return step + 1;
}

/* A walk in two dimensions reads 4 × 4 + 4 entries for the guest's tables, and 4 for the address
 * itself (SDM 3C:29.3.2, APM 2:15.25.6). */
static void test_steps(enum second_stage_kind kind)
{
	struct walk_steps steps = {.count = 0};
	const struct walk_step *step = steps.step;
	struct walk_registers regs;
	struct walk_result walk;
	struct rig rig;

	rig_open(&rig);
	if (kind == SECOND_STAGE_EPT)
		guest_build(&rig, &regs);
	else
		npt_build(&rig, &regs);
	regs.steps = &steps;
	for (unsigned int level = 4; level; level--) /* as the walk will leave it */
		*entry_at(&rig, GUEST(level), LINEAR, level) |= PA;
	CU_ASSERT_TRUE(walk_linear(&rig.slots, &regs, LINEAR, READ, &walk));
	CHECK_EQUAL(steps.count, 24);
	for (unsigned int level = 4; level; level--) {
		u64 gpa = GUEST(level) + INDEX(LINEAR, level) * 8;

		step = expect_level(step, gpa, *entry_at(&rig, GUEST(level), LINEAR, level), level);
	}
	CHECK_EQUAL(step[0].translated, (GPA & ~UINT64_C(0xfff)) | (LINEAR & 0xfff));
	CHECK_EQUAL(step[0].address, TABLE(4) + INDEX(GPA, 4) * 8);
	CHECK_EQUAL(step[3].entry & 0xffffffffff000, FRAME);
	rig_close(&rig);
}

static void test_ept_steps(void)
{
	test_steps(SECOND_STAGE_EPT);
}

static void test_npt_steps(void)
{
	test_steps(SECOND_STAGE_NPT);
}

/* 15.25.10: under nested paging PDPTEs are read from memory at every walk. */
static void test_npt_pae(void)
{
	struct walk_registers regs;
	struct walk_result walk;
	struct rig rig;
	u32 linear = (u32)LINEAR;

	rig_open(&rig);
	npt_build(&rig, &regs);
	regs.cr3 = GUEST(3);
	regs.efer = 0;
	((u64 *)(rig.memory + GUEST(3)))[linear >> 30] = GUEST(2) | P;
	*entry_at(&rig, GUEST(2), linear, 2) = GUEST(1) | P | PW;
	*entry_at(&rig, GUEST(1), linear, 1) = (GPA & ~UINT64_C(0xfff)) | P | PW;
	CU_ASSERT_TRUE(walk_linear(&rig.slots, &regs, linear, READ, &walk));
	CHECK_EQUAL(walk.gpa, FRAME | (linear & 0xfff));
	((u64 *)(rig.memory + GUEST(3)))[linear >> 30] |= BIT(1); /* reserved */
	CU_ASSERT_FALSE(walk_linear(&rig.slots, &regs, linear, READ, &walk));
	CHECK_EQUAL(walk.error_code, 9);
	((u64 *)(rig.memory + GUEST(3)))[linear >> 30] = 0;
	CU_ASSERT_FALSE(walk_linear(&rig.slots, &regs, linear, READ, &walk));
	CHECK_EQUAL(walk.error_code, 0);
	rig_close(&rig);
}

static CU_TestInfo tests[] = {
	{"ept violations", test_ept_violations},
	{"steps of ept", test_ept_steps},
	{"steps of nested paging", test_npt_steps},
	{"ept shadow stacks", test_ept_shadow_stacks},
	{"ept shadow stacks, above", test_ept_shadow_stack_above},
	{"ept misconfigurations", test_ept_misconfigurations},
	{"ept addresses", test_ept_addresses},
	{"ept accessed, dirty", test_ept_accessed_dirty},
	{"mappings kept", test_kept},
	{"guest's walk", test_guest_walk},
	{"apic-access page", test_apic_access},
	{"guest's page", test_guest_page},
	{"guest's pdptes", test_guest_pdptes},
	{"guest without paging", test_guest_without_paging},
	{"npt", test_npt},
	{"npt, pae", test_npt_pae},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("mmu.second_stage", tests)
