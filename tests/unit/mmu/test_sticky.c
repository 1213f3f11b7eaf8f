/* SPDX-License-Identifier: Apache-2.0 */
/* What each invalidation drops of a TLB that forgets nothing by itself, and what it keeps
 * (SDM 3A:4.10.4.1, 3C:29.4.3.1; APM 2:15.16). */
#include "mmu/sticky.h"
#include "tests/unit/check.h"

#define LINEAR UINT64_C(0x7f0012345000)
#define OTHER  UINT64_C(0x7f0056789000)
#define GUEST  BIT(63)

struct rig {
	struct sticky *sticky;
	struct sticky_space *host, *guest;
};

static void keep(struct rig *rig, struct sticky_space *space, u16 pcid, enum sticky_kind kind,
		 u64 address, u8 shift)
{
	struct sticky_entry entry = {
		.space = space, .pcid = pcid, .kind = kind, .shift = shift, .entry = address};

	sticky_keep(rig->sticky, address, &entry);
}

static bool has(const struct rig *rig, struct sticky_space *space, u16 pcid, enum sticky_kind kind,
		u64 address, u8 shift)
{
	return sticky_find(rig->sticky, space, pcid, kind, address, shift);
}

/* Of both spaces: a page of PCIDs 0 and 5, a global one of 2 MiB, a table of each PCID. */
static void rig_open(struct rig *rig)
{
	rig->sticky = sticky_create();
	rig->host = sticky_space(rig->sticky, 0);
	rig->guest = sticky_space(rig->sticky, GUEST | 3);
	for (int n = 0; n < 2; n++) {
		struct sticky_space *space = n ? rig->guest : rig->host;

		for (u16 pcid = 0; pcid <= 5; pcid += 5) {
			keep(rig, space, pcid, STICKY_LEAF, LINEAR, 12);
			keep(rig, space, pcid, STICKY_LEAF, OTHER, 12);
			keep(rig, space, pcid, STICKY_TABLE, LINEAR, 21);
			keep(rig, space, pcid, STICKY_TABLE, OTHER, 21);
		}
		keep(rig, space, 0, STICKY_GLOBAL, LINEAR, 21);
	}
}

/* Bits for what a space holds, in the order above; the global one last. */
static unsigned int held(const struct rig *rig, struct sticky_space *space)
{
	unsigned int bits = 0, bit = 1;

	for (u16 pcid = 0; pcid <= 5; pcid += 5) {
		bits |= has(rig, space, pcid, STICKY_LEAF, LINEAR + 5, 12) ? bit : 0;
		bits |= has(rig, space, pcid, STICKY_LEAF, OTHER, 12) ? bit << 1 : 0;
		bits |= has(rig, space, pcid, STICKY_TABLE, LINEAR, 21) ? bit << 2 : 0;
		bits |= has(rig, space, pcid, STICKY_TABLE, OTHER, 21) ? bit << 3 : 0;
		bit <<= 4;
	}
	return bits | (has(rig, space, 3, STICKY_GLOBAL, LINEAR, 21) ? bit : 0);
}

#define ALL         0x1ffu
#define PCID0       0x00fu
#define PCID5       0x0f0u
#define GLOBAL_PAGE 0x100u
#define TABLES      0x0ccu

static void expect(struct rig *rig, unsigned int host, unsigned int guest)
{
	CHECK_EQUAL(held(rig, rig->host), host);
	CHECK_EQUAL(held(rig, rig->guest), guest);
	sticky_destroy(rig->sticky);
}

static void test_by_pcid(void)
{
	struct rig rig;

	rig_open(&rig);
	expect(&rig, ALL, ALL);
	rig_open(&rig); /* MOV to CR3, INVPCID 1: one PCID, not its globals */
	sticky_forget_pcid(rig.sticky, rig.host, 5);
	expect(&rig, ALL & ~PCID5, ALL);
	rig_open(&rig); /* INVPCID 3: all PCIDs, but globals */
	sticky_forget_space(rig.sticky, rig.host, false);
	expect(&rig, GLOBAL_PAGE, ALL);
	rig_open(&rig); /* INVPCID 2, CR4.PGE */
	sticky_forget_space(rig.sticky, rig.host, true);
	expect(&rig, 0, ALL);
	rig_open(&rig); /* INVLPG's paging-structure caches, on Intel and AMD */
	sticky_forget_pcid_tables(rig.sticky, rig.host, 0);
	expect(&rig, ALL & ~(TABLES & PCID0), ALL);
	rig_open(&rig);
	sticky_forget_tables(rig.sticky, rig.host);
	expect(&rig, ALL & ~TABLES, ALL);
}

static void test_by_address(void)
{
	struct rig rig;

	rig_open(&rig); /* INVLPG: the current PCID's, and global ones, of any size */
	sticky_forget_address(rig.sticky, rig.host, 0, LINEAR, true, false);
	expect(&rig, ALL & ~(0x001u | GLOBAL_PAGE), ALL);
	rig_open(&rig); /* INVPCID 0: no globals */
	sticky_forget_address(rig.sticky, rig.host, 5, LINEAR, false, false);
	expect(&rig, ALL & ~0x010u, ALL);
	rig_open(&rig); /* INVVPID 0: what translates the address, for all PCIDs */
	sticky_forget_address_in(rig.sticky, GUEST | 0xff, GUEST | 3, LINEAR);
	expect(&rig, ALL, ALL & ~(0x055u | GLOBAL_PAGE));
}

static void test_by_space(void)
{
	struct rig rig;

	rig_open(&rig); /* INVVPID 1 and INVEPT 1: by parts of the name */
	sticky_forget_spaces(rig.sticky, 0xff, 4, true);
	expect(&rig, ALL, ALL);
	rig_open(&rig);
	sticky_forget_spaces(rig.sticky, 0xff, 3, true);
	expect(&rig, ALL, 0);
	rig_open(&rig); /* a mask of nothing means every guest, not the host */
	sticky_forget_spaces(rig.sticky, 0, 0, true);
	expect(&rig, ALL, 0);
	rig_open(&rig); /* TLB_CONTROL 1 */
	sticky_forget_all(rig.sticky);
	expect(&rig, 0, 0);
}

/* Nothing goes for want of room, and what is dead does not come back when it is made. */
static void test_unbounded(void)
{
	struct rig rig;
	u64 n;

	rig_open(&rig);
	sticky_forget_address(rig.sticky, rig.host, 0, LINEAR, false, false);
	sticky_forget_pcid(rig.sticky, rig.guest, 5);
	for (n = 0; n < 200000; n++)
		keep(&rig, rig.host, 0, STICKY_LEAF, n << 12, 12);
	for (n = 0; n < 200000; n++)
		if (!has(&rig, rig.host, 0, STICKY_LEAF, n << 12, 12))
			break;
	CHECK_EQUAL(n, 200000);
	expect(&rig, ALL & ~0x001u, ALL & ~PCID5);
}

static CU_TestInfo tests[] = {
	{"by PCID", test_by_pcid},   {"by address", test_by_address},
	{"by space", test_by_space}, {"unbounded", test_unbounded},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("mmu.sticky", tests)
