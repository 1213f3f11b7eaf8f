/* SPDX-License-Identifier: Apache-2.0 */
/* Page walks. Each row names the rule of SDM volume 3A that it checks (APM 2 where marked). */
#include <stdlib.h>
#include <string.h>

#include "mmu/control_registers.h"
#include "mmu/walk.h"
#include "tests/unit/check.h"

#define MEMORY   (1u << 20)
#define TABLE(n) (0x1000u * (n)) /* gpa of the table of level n: 1 is the page table */
#define LINEAR   UINT64_C(0x00ab7f1234567abc)
#define FRAME    UINT64_C(0x5000) /* where leaves point, modulo their size */

/* Entry bits (tables 4-5 to 4-20). */
enum { P = 1, W = 2, U = 4, PWT = 8, PCD = 16, A = 32, D = 64, PS = 128, G = 256 };
#define XD     BIT(63)
#define KEY(n) ((u64)(n) << 59)
/* Error code bits (4.7). */
enum { E_P = 1, E_W = 2, E_U = 4, E_RSVD = 8, E_I = 16, E_PK = 32, E_SS = 64, OK = -1 };

enum { M32, MPAE, M4, M5 };

struct rig {
	u8 *memory;
	struct slots slots;
	struct walk_registers regs;
	struct walk_result result;
};

struct row {
	const char *rule;
	u8 mode, leaf; /* leaf: level of the last entry, 1 for 4-KiB pages */
	u8 odd_level;  /* level whose entry differs from the others: bits to set and clear */
	u64 set, clear;
	u64 cr0, cr4, efer; /* on top of the mode's own */
	u32 pkru, pkrs;
	bool ac, amd, no_gbyte;
	u8 physical; /* 0: 46 */
	unsigned int access;
	int error; /* OK or the error code */
};

static const struct {
	u8 top;
	u64 cr4, efer;
} modes[] = {
	[M32] = {2, 0, 0},
	[MPAE] = {2, CR4_PAE, 0},
	[M4] = {4, CR4_PAE, EFER_LME | EFER_LMA},
	[M5] = {5, CR4_PAE | CR4_LA57, EFER_LME | EFER_LMA},
};

/* Index bits of the table of @level, and how far LINEAR is shifted for it. */
static unsigned int entry_index(unsigned int mode, unsigned int level)
{
	if (mode == M32)
		return LINEAR >> (2 + 10 * level) & 0x3ff;
	return LINEAR >> (3 + 9 * level) & 0x1ff;
}

static void *entry_host(struct rig *rig, unsigned int mode, unsigned int level)
{
	return rig->memory + TABLE(level) + entry_index(mode, level) * (mode == M32 ? 4 : 8);
}

static void entry_put(struct rig *rig, unsigned int mode, unsigned int level, u64 entry)
{
	memcpy(entry_host(rig, mode, level), &entry, mode == M32 ? 4 : 8);
}

static u64 entry_get(struct rig *rig, unsigned int mode, unsigned int level)
{
	u64 entry = 0;

	memcpy(&entry, entry_host(rig, mode, level), mode == M32 ? 4 : 8);
	return entry;
}

static void rig_open(struct rig *rig, u32 flags)
{
	struct kvm_userspace_memory_region region = {.memory_size = MEMORY, .flags = flags};

	memset(rig, 0, sizeof(*rig));
	rig->memory = aligned_alloc(4096, MEMORY);
	memset(rig->memory, 0, MEMORY);
	region.userspace_addr = (uintptr_t)rig->memory;
	CHECK_EQUAL(slots_set(&rig->slots, &region), 0);
}

static void rig_close(struct rig *rig)
{
	slots_free(&rig->slots);
	free(rig->memory);
}

/* Tables for LINEAR: every entry present, writable, user; the odd one changed. */
static void rig_build(struct rig *rig, const struct row *row)
{
	unsigned int top = modes[row->mode].top;

	rig->regs = (struct walk_registers){
		.cr0 = CR0_PE | CR0_PG | row->cr0,
		.cr3 = TABLE(top),
		.cr4 = modes[row->mode].cr4 | row->cr4,
		.efer = modes[row->mode].efer | row->efer,
		.pkru = row->pkru,
		.pkrs = row->pkrs,
		.rflags_ac = row->ac,
		.amd = row->amd,
		.physical_bits = row->physical ? row->physical : 46,
		.gbyte_pages = !row->no_gbyte,
	};
	rig->regs.pdpte[LINEAR >> 30 & 3] = TABLE(2) | P;
	for (unsigned int level = top; level >= row->leaf; level--) {
		u64 entry = P | W | U;

		if (level > row->leaf)
			entry |= TABLE(level - 1);
		else if (level == 1)
			entry |= FRAME;
		else
			entry |= PS;
		if (level == row->odd_level)
			entry = (entry | row->set) & ~row->clear;
		entry_put(rig, row->mode, level, entry);
	}
}

static u64 linear_of(unsigned int mode)
{
	return mode == M32 || mode == MPAE ? (u32)LINEAR : LINEAR;
}

static void run_row(const struct row *row)
{
	struct rig rig;
	bool ok;

	rig_open(&rig, 0);
	rig_build(&rig, row);
	ok = walk_linear(&rig.slots, &rig.regs, linear_of(row->mode), row->access, &rig.result);
	CHECK_ROW(ok ? row->error == OK : rig.result.error_code == (u32)row->error,
		  "%s (mode %u): %s, error %#x, expected %#x", row->rule, row->mode,
		  ok ? "translated" : "faulted", rig.result.error_code, row->error);
	rig_close(&rig);
}

/* What a walk says that has to succeed. */
static struct walk_result result_of(const struct row *row)
{
	struct rig rig;

	rig_open(&rig, 0);
	rig_build(&rig, row);
	CU_ASSERT_TRUE(
		walk_linear(&rig.slots, &rig.regs, linear_of(row->mode), row->access, &rig.result));
	rig_close(&rig);
	return rig.result;
}

#define RUN(rows)                                                                                  \
	for (size_t run_i = 0; run_i < ARRAY_SIZE(rows); run_i++)                                  \
	run_row(&rows[run_i])

#define READ  WALK_READ
#define WRITE WALK_WRITE
#define EXEC  WALK_EXEC
#define USER  WALK_USER
#define SHSTK WALK_SHADOW_STACK

/* 4.6.1: R/W, U/S and XD. */
static void test_rights(void)
{
	static const struct row rows[] = {
		{"4.6.1 user read, user page", M4, 1, .access = READ | USER, .error = OK},
		{"4.6.1 user write, user page", M4, 1, .access = WRITE | USER, .error = OK},
		{"4.6.1 user fetch, user page", M4, 1, .access = EXEC | USER, .error = OK},
		{"4.6.1 U/S = 0 in the leaf", M4, 1, 1, .clear = U, .access = READ | USER,
		 .error = E_P | E_U},
		{"4.6.1 U/S = 0 above", M4, 1, 4, .clear = U, .access = READ | USER,
		 .error = E_P | E_U},
		{"4.6.1 U/S = 0 above, 32-bit", M32, 1, 2, .clear = U, .access = WRITE | USER,
		 .error = E_P | E_U | E_W},
		{"4.6.1 supervisor read, supervisor page", M4, 1, 2, .clear = U, .access = READ,
		 .error = OK},
		{"4.6.1 R/W = 0, user write", M4, 1, 1, .clear = W, .access = WRITE | USER,
		 .error = E_P | E_W | E_U},
		{"4.6.1 R/W = 0 above, user write", M5, 1, 5, .clear = W, .access = WRITE | USER,
		 .error = E_P | E_W | E_U},
		{"4.6.1 R/W = 0, user read", M4, 1, 1, .clear = W, .access = READ | USER,
		 .error = OK},
		{"4.6.1 R/W = 0, WP = 0", M4, 1, 1, .clear = W, .access = WRITE, .error = OK},
		{"4.6.1 R/W = 0, WP = 1", M4, 1, 1, .clear = W, .cr0 = CR0_WP, .access = WRITE,
		 .error = E_P | E_W},
		{"4.6.1 R/W = 0 above, WP = 1, PAE", MPAE, 1, 2, .clear = W, .cr0 = CR0_WP,
		 .access = WRITE, .error = E_P | E_W},
		{"4.6.1 XD = 1, supervisor fetch", M4, 1, 1, .set = XD, .efer = EFER_NXE,
		 .access = EXEC, .error = E_P | E_I},
		{"4.6.1 XD = 1 above, user fetch", M4, 1, 3, .set = XD, .efer = EFER_NXE,
		 .access = EXEC | USER, .error = E_P | E_I | E_U},
		{"4.6.1 XD = 1, read", M4, 1, 1, .set = XD, .efer = EFER_NXE, .access = READ,
		 .error = OK},
		{"4.6.1 XD = 1, PAE", MPAE, 2, 2, .set = XD, .efer = EFER_NXE, .access = EXEC,
		 .error = E_P | E_I},
	};
	RUN(rows);
}

/* 4.6.1: SMEP and SMAP. 4.7: which fetches show the I bit. */
static void test_smep_smap(void)
{
	static const struct row rows[] = {
		{"4.6.1 SMEP, user page", M4, 1, .cr4 = CR4_SMEP, .access = EXEC,
		 .error = E_P | E_I},
		{"4.6.1 SMEP, supervisor page", M4, 1, 1, .clear = U, .cr4 = CR4_SMEP,
		 .access = EXEC, .error = OK},
		{"4.6.1 SMEP, user fetch", M4, 1, .cr4 = CR4_SMEP, .access = EXEC | USER,
		 .error = OK},
		{"4.6.1 SMEP, 32-bit paging", M32, 1, .cr4 = CR4_SMEP, .access = EXEC,
		 .error = E_P | E_I},
		{"4.7 I: SMEP = 0, NXE = 0", M4, 1, 1, .clear = P, .access = EXEC, .error = 0},
		{"4.7 I: SMEP = 1", M4, 1, 1, .clear = P, .cr4 = CR4_SMEP, .access = EXEC,
		 .error = E_I},
		{"4.7 I: NXE = 1", M4, 1, 1, .clear = P, .efer = EFER_NXE, .access = EXEC,
		 .error = E_I},
		{"4.7 I: NXE = 1 without PAE", M32, 1, 1, .clear = P, .efer = EFER_NXE,
		 .access = EXEC, .error = 0},
		{"4.6.1 SMAP, AC = 0, read", M4, 1, .cr4 = CR4_SMAP, .access = READ, .error = E_P},
		{"4.6.1 SMAP, AC = 0, write", M4, 1, .cr4 = CR4_SMAP, .access = WRITE,
		 .error = E_P | E_W},
		{"4.6.1 SMAP, AC = 1", M4, 1, .cr4 = CR4_SMAP, .ac = true, .access = WRITE,
		 .error = OK},
		{"4.6.1 SMAP, AC = 1, implicit", M4, 1, .cr4 = CR4_SMAP, .ac = true,
		 .access = READ | WALK_IMPLICIT, .error = E_P},
		{"4.6.1 SMAP, supervisor page", M4, 1, 1, .clear = U, .cr4 = CR4_SMAP,
		 .access = WRITE, .error = OK},
		{"4.6.1 SMAP, user access", M4, 1, .cr4 = CR4_SMAP, .access = WRITE | USER,
		 .error = OK},
		{"4.6.1 SMAP does not bind fetches", M4, 1, .cr4 = CR4_SMAP, .access = EXEC,
		 .error = OK},
	};
	RUN(rows);
}

/* 4.6.2 and PK in 4.7. Rights of key 5: AD is bit 10, WD bit 11. */
static void test_keys(void)
{
	enum { AD = 1 << 10, WD = 1 << 11 };
	static const struct row rows[] = {
		{"4.6.2 AD, user read", M4, 1, 1, .set = KEY(5), .cr4 = CR4_PKE, .pkru = AD,
		 .access = READ | USER, .error = E_P | E_U | E_PK},
		{"4.6.2 AD, supervisor read of a user page", M5, 1, 1, .set = KEY(5),
		 .cr4 = CR4_PKE, .pkru = AD, .access = READ, .error = E_P | E_PK},
		{"4.6.2 AD of another key", M4, 1, 1, .set = KEY(4), .cr4 = CR4_PKE, .pkru = AD,
		 .access = READ | USER, .error = OK},
		{"4.6.2 AD does not bind fetches", M4, 1, 1, .set = KEY(5), .cr4 = CR4_PKE,
		 .pkru = AD, .access = EXEC | USER, .error = OK},
		{"4.6.2 PKE = 0", M4, 1, 1, .set = KEY(5), .pkru = AD, .access = READ | USER,
		 .error = OK},
		{"4.6.2 WD, user write", M4, 1, 1, .set = KEY(5), .cr4 = CR4_PKE, .pkru = WD,
		 .access = WRITE | USER, .error = E_P | E_W | E_U | E_PK},
		{"4.6.2 WD, user read", M4, 1, 1, .set = KEY(5), .cr4 = CR4_PKE, .pkru = WD,
		 .access = READ | USER, .error = OK},
		{"4.6.2 WD, supervisor write, WP = 0", M4, 1, 1, .set = KEY(5), .cr4 = CR4_PKE,
		 .pkru = WD, .access = WRITE, .error = OK},
		{"4.6.2 WD, supervisor write, WP = 1", M4, 1, 1, .set = KEY(5), .cr4 = CR4_PKE,
		 .cr0 = CR0_WP, .pkru = WD, .access = WRITE, .error = E_P | E_W | E_PK},
		{"4.6.2 key of a 2-MiB page", M4, 2, 2, .set = KEY(5), .cr4 = CR4_PKE, .pkru = AD,
		 .access = READ | USER, .error = E_P | E_U | E_PK},
		{"4.6.2 only the leaf's key counts", M4, 1, 2, .set = KEY(5), .cr4 = CR4_PKE,
		 .pkru = AD, .access = READ | USER, .error = OK},
		{"4.7 PK beside another cause", M4, 1, 1, .set = KEY(5), .clear = W, .cr4 = CR4_PKE,
		 .pkru = AD, .access = WRITE | USER, .error = E_P | E_W | E_U | E_PK},
		{"4.6.2 PKRU, supervisor page", M4, 1, 1, .set = KEY(5), .clear = U, .cr4 = CR4_PKE,
		 .pkru = AD, .access = READ, .error = OK},
		{"4.6.2 PKRS, supervisor page", M4, 1, 1, .set = KEY(5), .clear = U, .cr4 = CR4_PKS,
		 .pkrs = AD, .access = READ, .error = E_P | E_PK},
		{"4.6.2 PKRS WD, WP = 1", M4, 1, 1, .set = KEY(5), .clear = U, .cr4 = CR4_PKS,
		 .cr0 = CR0_WP, .pkrs = WD, .access = WRITE, .error = E_P | E_W | E_PK},
		{"4.6.2 PKRS WD, WP = 0", M4, 1, 1, .set = KEY(5), .clear = U, .cr4 = CR4_PKS,
		 .pkrs = WD, .access = WRITE, .error = OK},
		{"4.6.2 PKRS, user page", M4, 1, 1, .set = KEY(5), .cr4 = CR4_PKS, .pkrs = AD,
		 .access = READ, .error = OK},
		{"4.6.2 no keys in 32-bit paging", M32, 1, .cr4 = CR4_PKE, .pkru = 3,
		 .access = READ | USER, .error = OK},
		{"4.6.2 no keys in PAE paging", MPAE, 1, .cr4 = CR4_PKE, .pkru = 3,
		 .access = READ | USER, .error = OK},
	};
	RUN(rows);
}

/* 4.6.1, shadow-stack accesses; SS in 4.7. */
static void test_shadow_stack(void)
{
	static const struct row rows[] = {
		{"4.6.1 user, user shadow stack", M4, 1, 1, .set = D, .clear = W,
		 .access = READ | USER | SHSTK, .error = OK},
		{"4.6.1 user write", M4, 1, 1, .set = D, .clear = W, .access = WRITE | USER | SHSTK,
		 .cr0 = CR0_WP, .error = OK},
		{"4.6.1 ordinary page", M4, 1, 1, .set = D, .access = READ | USER | SHSTK,
		 .error = E_P | E_U | E_SS},
		{"4.6.1 not dirty", M4, 1, 1, .clear = W | D, .access = WRITE | USER | SHSTK,
		 .error = E_P | E_W | E_U | E_SS},
		{"4.6.1 user, supervisor page", M4, 1, 1, .set = D, .clear = W | U,
		 .access = READ | USER | SHSTK, .error = E_P | E_U | E_SS},
		{"4.6.1 supervisor, supervisor shadow stack", M4, 1, 1, .set = D, .clear = W | U,
		 .cr0 = CR0_WP, .access = WRITE | SHSTK, .error = OK},
		{"4.6.1 supervisor, user shadow stack", M4, 1, 1, .set = D, .clear = W,
		 .cr0 = CR0_WP, .access = READ | SHSTK, .error = E_P | E_SS},
		{"4.6.1 shadow-stack page, ordinary write", M4, 1, 1, .set = D, .clear = W,
		 .access = WRITE | USER, .error = E_P | E_W | E_U},
		{"4.6.1 shadow-stack page, ordinary read", M4, 1, 1, .set = D, .clear = W,
		 .access = READ | USER, .error = OK},
		{"4.7 SS, not present", M4, 1, 2, .clear = P, .access = WRITE | USER | SHSTK,
		 .error = E_W | E_U | E_SS},
		{"4.6.1 2-MiB shadow stack", M4, 2, 2, .set = D, .clear = W,
		 .access = WRITE | USER | SHSTK, .cr0 = CR0_WP, .error = OK},
	};
	struct rig rig;

	RUN(rows);
	/* R/W must be 1 in every entry above the leaf. */
	rig_open(&rig, 0);
	rig_build(&rig, &rows[0]);
	entry_put(&rig, M4, 3, TABLE(2) | P | U);
	CU_ASSERT_FALSE(
		walk_linear(&rig.slots, &rig.regs, LINEAR, READ | USER | SHSTK, &rig.result));
	CHECK_EQUAL(rig.result.error_code, E_P | E_U | E_SS);
	rig_close(&rig);
}

/* Tables 4-5 to 4-20: reserved bits. */
static void test_reserved(void)
{
	static const struct row rows[] = {
		{"4.5 bit at MAXPHYADDR, PTE", M4, 1, 1, .set = BIT(46), .error = E_P | E_RSVD},
		{"4.5 bit below MAXPHYADDR, PTE", M4, 1, 1, .set = BIT(45), .error = OK},
		{"4.5 bit 51, PML4E", M4, 1, 4, .set = BIT(51), .access = WRITE,
		 .error = E_P | E_RSVD | E_W},
		{"4.5 bit 51, MAXPHYADDR 52", M4, 1, 1, .set = BIT(51), .physical = 52,
		 .error = OK},
		{"4.5 bits 58:52 ignored", M4, 1, 1, .set = UINT64_C(0x07f0000000000000),
		 .error = OK},
		{"4.5 PS in a PML4E", M4, 1, 4, .set = PS, .error = E_P | E_RSVD},
		{"4.5 PS in a PML5E", M5, 1, 5, .set = PS, .access = USER,
		 .error = E_P | E_RSVD | E_U},
		{"4.5 XD with NXE = 0", M4, 1, 3, .set = XD, .error = E_P | E_RSVD},
		{"4.5 1-GiB page", M4, 3, .error = OK},
		{"4.5 1-GiB page without Page1GB", M4, 3, .no_gbyte = true, .error = E_P | E_RSVD},
		{"table 4-15 bit 13 of a 1-GiB page", M4, 3, 3, .set = BIT(13),
		 .error = E_P | E_RSVD},
		{"table 4-15 bit 29 of a 1-GiB page", M4, 3, 3, .set = BIT(29),
		 .error = E_P | E_RSVD},
		{"table 4-15 bit 12 is PAT", M4, 3, 3, .set = BIT(12), .error = OK},
		{"table 4-17 bit 13 of a 2-MiB page", M4, 2, 2, .set = BIT(13),
		 .error = E_P | E_RSVD},
		{"table 4-17 bit 20 of a 2-MiB page", M4, 2, 2, .set = BIT(20),
		 .error = E_P | E_RSVD},
		{"table 4-17 bit 12 is PAT", M4, 2, 2, .set = BIT(12), .error = OK},
		{"table 4-9 bit 20 of a 2-MiB page, PAE", MPAE, 2, 2, .set = BIT(20),
		 .error = E_P | E_RSVD},
		{"table 4-10 bit 52, PAE", MPAE, 1, 2, .set = BIT(52), .error = E_P | E_RSVD},
		{"table 4-11 bit 62, PAE", MPAE, 1, 1, .set = BIT(62), .error = E_P | E_RSVD},
		{"table 4-11 XD with NXE = 0, PAE", MPAE, 1, 1, .set = XD, .error = E_P | E_RSVD},
		{"table 4-4 bit 21 of a 4-MiB page", M32, 2, 2, .set = BIT(21), .cr4 = CR4_PSE,
		 .error = E_P | E_RSVD},
		{"table 4-4 bit 17, MAXPHYADDR 36", M32, 2, 2, .set = BIT(17), .cr4 = CR4_PSE,
		 .physical = 36, .error = E_P | E_RSVD},
		{"table 4-4 bit 16, MAXPHYADDR 36", M32, 2, 2, .set = BIT(16), .cr4 = CR4_PSE,
		 .physical = 36, .error = OK},
		{"table 4-4 bit 20, MAXPHYADDR 46", M32, 2, 2, .set = BIT(20), .cr4 = CR4_PSE,
		 .error = OK},
		{"4.3 no reserved bits in a 32-bit PTE", M32, 1, 1, .set = 0xf80, .error = OK},
		{"a hole above a reserved bit: P = 0 first", M4, 1, 3, .set = BIT(51), .clear = P,
		 .error = 0},
		{"APM 2:5.3.3 bit 8 of a PML4E", M4, 1, 4, .set = G, .amd = true,
		 .error = E_P | E_RSVD},
		{"APM 2:5.3.3 bit 8 of a PDPE above a table is ignored", M4, 1, 3, .set = G,
		 .amd = true, .error = OK},
		{"APM 2:5.3.3 bit 8 of a 1-GiB page is G", M4, 3, 3, .set = G, .amd = true,
		 .error = OK},
		{"4.5 bit 8 of a PML4E ignored", M4, 1, 4, .set = G, .error = OK},
	};
	RUN(rows);
}

/* 4.3: without CR4.PSE bit 7 of a PDE is ignored: LINEAR's PDE points to a table. */
static void test_pse_off(void)
{
	static const struct row row = {"PSE = 0", M32, 1, 2, .set = PS, .error = OK};
	struct rig rig;

	rig_open(&rig, 0);
	rig_build(&rig, &row);
	CU_ASSERT_TRUE(walk_linear(&rig.slots, &rig.regs, (u32)LINEAR, READ, &rig.result));
	CHECK_EQUAL(rig.result.gpa, FRAME | 0xabc);
	CHECK_EQUAL(rig.result.page_shift, 12);
	rig_close(&rig);
}

/* 4.2: P = 0 at any level, in every mode: the code tells only of the access. */
static void test_not_present(void)
{
	for (u8 mode = M32; mode <= M5; mode++)
		for (u8 level = 1; level <= modes[mode].top; level++) {
			struct row row = {"P = 0",
					  mode,
					  1,
					  level,
					  .clear = P,
					  .access = WRITE | USER,
					  .error = E_W | E_U};
			run_row(&row);
		}
}

/* Figures 4-2 to 4-12: the address that comes out. */
static void test_addresses(void)
{
	static const struct {
		u8 mode, leaf, shift;
		u64 set, cr4, gpa;
	} rows[] = {
		{M32, 1, 12, 0, 0, 0x5abc},
		{M32, 2, 22, 0x12400000, CR4_PSE, 0x12400000 | (LINEAR & 0x3fffff)},
		/* bits 20:13 of the entry are bits 39:32 of the address */
		{M32, 2, 22, 0x00146000, CR4_PSE, 0xa300000000 | (LINEAR & 0x3fffff)},
		{MPAE, 1, 12, UINT64_C(0x300000000000), 0, 0x300000005abc},
		{MPAE, 2, 21, UINT64_C(0x2000400000), 0, 0x2000400000 | (LINEAR & 0x1fffff)},
		{M4, 1, 12, UINT64_C(0x300000000000), 0, 0x300000005abc},
		{M4, 2, 21, UINT64_C(0x2000400000), 0, 0x2000400000 | (LINEAR & 0x1fffff)},
		{M4, 3, 30, UINT64_C(0x2040000000), 0, 0x2040000000 | (LINEAR & 0x3fffffff)},
		{M5, 1, 12, 0, 0, 0x5abc},
		{M5, 3, 30, UINT64_C(0x2040000000), 0, 0x2040000000 | (LINEAR & 0x3fffffff)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct row row = {"address",    rows[i].mode,       rows[i].leaf,
				  rows[i].leaf, .set = rows[i].set, .cr4 = rows[i].cr4};
		struct walk_result result = result_of(&row);

		CHECK_EQUAL(result.gpa, rows[i].gpa);
		CHECK_EQUAL(result.page_shift, rows[i].shift);
	}
}

/* 4.8: accessed everywhere on the path, dirty in the leaf on writes; a fault leaves none. */
static void test_accessed_dirty(void)
{
	static const struct row row = {"A and D", M4, 1, .error = OK};
	struct rig rig;

	for (u8 mode = M32; mode <= M5; mode++) {
		struct row each = row;

		each.mode = mode;
		rig_open(&rig, 0);
		rig_build(&rig, &each);
		walk_linear(&rig.slots, &rig.regs, linear_of(mode), READ | WALK_NO_AD, &rig.result);
		for (unsigned int level = 1; level <= modes[mode].top; level++)
			CHECK_EQUAL(entry_get(&rig, mode, level) & (A | D), 0);
		walk_linear(&rig.slots, &rig.regs, linear_of(mode), READ, &rig.result);
		for (unsigned int level = 1; level <= modes[mode].top; level++)
			CHECK_EQUAL(entry_get(&rig, mode, level) & (A | D), A);
		/* not dirty yet: the next write has to come and set it */
		CHECK_EQUAL(rig.result.allowed, WALK_ALLOWED_READ | EXEC);
		walk_linear(&rig.slots, &rig.regs, linear_of(mode), WRITE, &rig.result);
		CHECK_EQUAL(entry_get(&rig, mode, 1) & (A | D), A | D);
		for (unsigned int level = 2; level <= modes[mode].top; level++)
			CHECK_EQUAL(entry_get(&rig, mode, level) & (A | D), A);
		CHECK_EQUAL(rig.result.allowed, WALK_ALLOWED_READ | WRITE | EXEC);
		rig_close(&rig);
	}
	rig_open(&rig, 0);
	rig_build(&rig, &row);
	entry_put(&rig, M4, 1, FRAME | P | U);
	CU_ASSERT_FALSE(walk_linear(&rig.slots, &rig.regs, LINEAR, WRITE | USER, &rig.result));
	for (unsigned int level = 1; level <= 4; level++)
		CHECK_EQUAL(entry_get(&rig, M4, level) & (A | D), 0);
	rig_close(&rig);
}

/* Tables are memory: setting A shows in the dirty log; a read-only slot is left alone. */
static void test_slots_of_tables(void)
{
	static const struct row row = {"slots", M4, 1, .error = OK};
	u64 dirty[MEMORY / 4096 / 64];
	struct rig rig;

	rig_open(&rig, KVM_MEM_LOG_DIRTY_PAGES);
	rig_build(&rig, &row);
	walk_linear(&rig.slots, &rig.regs, LINEAR, READ, &rig.result);
	CHECK_EQUAL(slots_get_dirty(&rig.slots, 0, dirty), 0);
	CHECK_EQUAL(dirty[0], 0x1e); /* pages 1 to 4 */
	rig_close(&rig);

	rig_open(&rig, KVM_MEM_READONLY);
	rig_build(&rig, &row);
	CU_ASSERT_TRUE(walk_linear(&rig.slots, &rig.regs, LINEAR, WRITE, &rig.result));
	CHECK_EQUAL(entry_get(&rig, M4, 1) & (A | D), 0);
	CHECK_EQUAL(rig.result.allowed & WRITE, 0);
	/* a table that no slot holds reads as all ones: reserved bits */
	rig.regs.cr3 = MEMORY;
	CU_ASSERT_FALSE(walk_linear(&rig.slots, &rig.regs, LINEAR, READ, &rig.result));
	CHECK_EQUAL(rig.result.error_code, E_P | E_RSVD);
	rig_close(&rig);
}

/* What one privilege may do is told whole, so that a TLB entry serves every access. */
static void test_allowed(void)
{
	static const struct {
		u64 set, clear, cr0, cr4, efer;
		bool ac;
		u32 pkru;
		unsigned int access, allowed;
	} rows[] = {
		{.set = D, .access = USER, .allowed = WALK_ALLOWED_READ | WRITE | EXEC},
		{.set = D | XD,
		 .efer = EFER_NXE,
		 .access = USER,
		 .allowed = WALK_ALLOWED_READ | WRITE},
		{.set = D, .clear = W, .access = USER, .allowed = WALK_ALLOWED_READ | EXEC},
		{.set = D, .clear = W, .access = 0, .allowed = WALK_ALLOWED_READ | WRITE | EXEC},
		{.set = D, .clear = W, .cr0 = CR0_WP, .allowed = WALK_ALLOWED_READ | EXEC},
		{.set = D, .cr4 = CR4_SMEP, .allowed = WALK_ALLOWED_READ | WRITE},
		{.set = D, .cr4 = CR4_SMAP, .access = EXEC, .allowed = EXEC},
		{.set = D,
		 .cr4 = CR4_SMAP,
		 .ac = true,
		 .allowed = WALK_ALLOWED_READ | WRITE | EXEC},
		{.set = D,
		 .cr4 = CR4_PKE,
		 .pkru = 2,
		 .access = USER,
		 .allowed = WALK_ALLOWED_READ | EXEC},
		{.set = D, .cr4 = CR4_PKE, .pkru = 1, .access = USER | EXEC, .allowed = EXEC},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct row row = {"allowed",
				  M4,
				  1,
				  1,
				  .set = rows[i].set,
				  .clear = rows[i].clear,
				  .cr0 = rows[i].cr0,
				  .cr4 = rows[i].cr4,
				  .efer = rows[i].efer,
				  .ac = rows[i].ac,
				  .pkru = rows[i].pkru,
				  .access = rows[i].access};

		CHECK_EQUAL(result_of(&row).allowed, rows[i].allowed);
	}
}

/* 4.10.2.4: global pages need CR4.PGE. 4.9.2: the PAT index is PAT, PCD, PWT of the leaf. */
static void test_global_and_type(void)
{
	static const struct {
		u8 mode, leaf;
		u64 set, cr4;
		bool global;
		u8 type;
	} rows[] = {
		{M4, 1, G, CR4_PGE, true, 0},
		{M4, 1, G, 0, false, 0},
		{M4, 2, G, CR4_PGE, true, 0},
		{M4, 1, PWT, 0, false, 1},
		{M4, 1, PCD, 0, false, 2},
		{M4, 1, BIT(7), 0, false, 4},
		{M4, 2, BIT(12) | PWT, 0, false, 5},
		{M4, 3, BIT(12) | PCD, 0, false, 6},
		{M32, 2, BIT(12), CR4_PSE, false, 4},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct row row = {"type",       rows[i].mode,       rows[i].leaf,
				  rows[i].leaf, .set = rows[i].set, .cr4 = rows[i].cr4};
		struct walk_result result = result_of(&row);

		CHECK_EQUAL(result.global, rows[i].global);
		CHECK_EQUAL(result.memory_type_bits, rows[i].type);
	}
}

/* 4.1.1: CR0.PG = 0: linear addresses are physical, 32 bits wide, with every right. */
static void test_no_paging(void)
{
	struct walk_registers regs = {.cr0 = CR0_PE, .physical_bits = 46};
	struct walk_result result;
	struct slots slots = {0};

	CU_ASSERT_TRUE(walk_linear(&slots, &regs, 0xfffffff0, WRITE | USER, &result));
	CHECK_EQUAL(result.gpa, 0xfffffff0);
	CHECK_EQUAL(result.allowed, WALK_ALLOWED_READ | WRITE | EXEC);
	CHECK_EQUAL(result.page_shift, 12);
}

/* 4.4.1 and table 4-8: the PDPTE registers. */
static void test_pdptes(void)
{
	static const u64 reserved[] = {BIT(1), BIT(2), BIT(5), BIT(8), BIT(46), BIT(63)};
	static const struct row row = {"PDPTE", MPAE, 1, .error = OK};
	u64 *table, pdpte[4] = {7, 7, 7, 7};
	struct rig rig;

	rig_open(&rig, 0);
	rig_build(&rig, &row);
	table = (u64 *)(rig.memory + 0x6020); /* 32-byte aligned; bits 4:0 of CR3 are no address */
	for (unsigned int i = 0; i < 4; i++)
		table[i] = 0x2000 | P;
	table[1] = 0x1fe; /* not present: nothing is reserved */
	CU_ASSERT_TRUE(walk_load_pdptes(&rig.slots, &rig.regs, 0x6038, pdpte, &rig.result));
	CHECK_EQUAL(pdpte[0], 0x2001);
	CHECK_EQUAL(pdpte[1], 0x1fe);
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
		table[3] = 0x2000 | P | reserved[i];
		CU_ASSERT_FALSE(
			walk_load_pdptes(&rig.slots, &rig.regs, 0x6020, pdpte, &rig.result));
	}
	CHECK_EQUAL(pdpte[3], 0x2001); /* unchanged by the failures */
	CU_ASSERT_FALSE(walk_load_pdptes(&rig.slots, &rig.regs, MEMORY, pdpte, &rig.result));
	/* walks use the registers and not memory */
	rig.regs.pdpte[LINEAR >> 30 & 3] = 0;
	CU_ASSERT_FALSE(walk_linear(&rig.slots, &rig.regs, (u32)LINEAR, READ | USER, &rig.result));
	CHECK_EQUAL(rig.result.error_code, E_U);
	rig_close(&rig);
}

static CU_TestInfo tests[] = {
	{"rights", test_rights},
	{"smep, smap", test_smep_smap},
	{"protection keys", test_keys},
	{"shadow stacks", test_shadow_stack},
	{"reserved bits", test_reserved},
	{"pse off", test_pse_off},
	{"not present", test_not_present},
	{"addresses", test_addresses},
	{"accessed, dirty", test_accessed_dirty},
	{"slots of tables", test_slots_of_tables},
	{"allowed", test_allowed},
	{"global, memory type", test_global_and_type},
	{"no paging", test_no_paging},
	{"pdpte registers", test_pdptes},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("mmu.walk", tests)
