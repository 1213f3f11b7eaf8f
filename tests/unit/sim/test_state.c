/* SPDX-License-Identifier: Apache-2.0 */
/* The list of architectural fields (state.def): nothing is missing from KVM's structs, no field is
 * lost on the way through them, and the hash sees each of them. */
#include <lockstep/hash.h>

#include "sim/cpu/flags.h"
#include "sim/cpu/state_table.h"
#include "sim/state.h"
#include "tests/unit/sim/cpu_rig.h"

static u8 *bytes_of(struct cpu *cpu, const struct state_field *field, unsigned int n)
{
	return (u8 *)cpu + field->offset + n * field->stride;
}

/* --- the table itself --- */

static void test_names_are_unique(void)
{
	for (unsigned int i = 0; i < state_field_count; i++) {
		CU_ASSERT_TRUE(state_fields[i].bits <= 8 * state_fields[i].size);
		/* What is kept in a snapshot is found by its name alone. */
		for (unsigned int k = 0; k < i; k++)
			if (state_fields[i].group == state_fields[k].group ||
			    (!state_fields[i].get && !state_fields[k].get))
				CU_ASSERT_STRING_NOT_EQUAL(state_fields[i].name,
							   state_fields[k].name);
	}
}

/* Every byte of the struct up to @end that is not padding belongs to a row. */
static unsigned int count_covered(enum state_struct in, u8 *covered)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < state_field_count; i++) {
		const struct state_field *field = &state_fields[i];

		for (unsigned int k = 0; field->in == in && !field->rights && k < field->kvm_size;
		     k++)
			count += !covered[field->kvm_offset + k]++;
	}
	return count;
}

/* api.rst, KVM_GET_REGS: 16 general registers, rip, rflags. */
static void test_regs_are_complete(void)
{
	u8 covered[sizeof(struct kvm_regs)] = {0};

	CHECK_EQUAL(count_covered(STATE_IN_REGS, covered), 18 * 8);
	CHECK_EQUAL(sizeof(struct kvm_regs), 18 * 8);
}

/* api.rst, KVM_GET_SREGS: 8 segments (base 8, limit 4, selector 2, beside the attributes), 2 tables
 * (base 8, limit 2), cr0, cr2, cr3, cr4, cr8, efer, apic_base. */
static void test_sregs_are_complete(void)
{
	u8 covered[sizeof(struct kvm_sregs)] = {0};

	CHECK_EQUAL(count_covered(STATE_IN_SREGS, covered), 8 * 14 + 2 * 10 + 7 * 8);
}

/* api.rst, KVM_GET_DEBUGREGS: db[4], dr6, dr7. */
static void test_debugregs_are_complete(void)
{
	u8 covered[sizeof(struct kvm_debugregs)] = {0};

	CHECK_EQUAL(count_covered(STATE_IN_DEBUGREGS, covered), 6 * 8);
}

/* --- copies --- */

/* A value that tells the row and fits its width. */
static u64 pattern(const struct state_field *field, unsigned int row)
{
	u64 value = UINT64_C(0x0123456789abcdef) * (2 * row + 1);

	if (field->rights)
		return value & (SEG_TYPE | SEG_S | SEG_DPL | SEG_AVL | SEG_L | SEG_DB | SEG_G)
			       ? (value & 0xf07f) | SEG_P
			       : SEG_P;
	return field->bits < 64 ? value & (BIT(field->bits) - 1) : value;
}

static void check_round_trip(enum state_struct in, void *between)
{
	struct cpu_rig from, to;

	rig_open(&from, "intel");
	rig_open(&to, "intel");
	for (unsigned int i = 0; i < state_field_count; i++) {
		u64 value = pattern(&state_fields[i], i);

		if (state_fields[i].in == in && !state_fields[i].get)
			memcpy(bytes_of(from.cpu, &state_fields[i], 0), &value,
			       state_fields[i].size);
	}
	state_store_kvm(from.cpu, in, between);
	state_load_kvm(to.cpu, in, between);
	for (unsigned int i = 0; i < state_field_count; i++)
		if (state_fields[i].in == in && !state_fields[i].get)
			CHECK_EQUAL(state_value(to.cpu, &state_fields[i], 0),
				    pattern(&state_fields[i], i));
	rig_close(&from);
	rig_close(&to);
}

static void test_round_trips(void)
{
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_debugregs debugregs;

	check_round_trip(STATE_IN_REGS, &regs);
	check_round_trip(STATE_IN_SREGS, &sregs);
	check_round_trip(STATE_IN_DEBUGREGS, &debugregs);
}

/* A place is the member that bears the name: a few by hand. */
static void test_places(void)
{
	struct cpu_rig rig;
	struct kvm_regs regs;
	struct kvm_sregs sregs;

	rig_open(&rig, "intel");
	rig.cpu->reg[REG_RBX] = 0x1111;
	rig.cpu->reg[REG_R12] = 0x2222;
	rig.cpu->seg[SEG_SS].rights = SEG_P | SEG_S | SEG_DB | SEG_G | 3 << SEG_DPL_SHIFT | 3;
	SEG_BASE(rig.cpu, SEG_LDTR) = 0x3333;
	state_get_regs(rig.cpu, &regs);
	state_get_sregs(rig.cpu, &sregs);
	CHECK_EQUAL(regs.rbx, 0x1111);
	CHECK_EQUAL(regs.r12, 0x2222);
	CHECK_EQUAL(sregs.ss.type, 3);
	CHECK_EQUAL(sregs.ss.dpl, 3);
	CHECK_EQUAL(sregs.ss.db, 1);
	CHECK_EQUAL(sregs.ss.g, 1);
	CHECK_EQUAL(sregs.ss.l, 0);
	CHECK_EQUAL(sregs.ldt.base, 0x3333);
	rig_close(&rig);
}

/* api.rst, KVM_GET_SREGS2: PDPTRs are there and flagged under PAE paging; setting them then takes
 * them from the struct, and flagging them otherwise is an error. */
static void test_sregs2_pdptrs(void)
{
	struct cpu_rig rig;
	struct kvm_sregs2 sregs;

	rig_open(&rig, "intel");
	state_get_sregs2(rig.cpu, &sregs);
	CHECK_EQUAL(sregs.flags, 0);
	sregs.flags = KVM_SREGS2_FLAGS_PDPTRS_VALID;
	CHECK_EQUAL(state_set_sregs2(rig.cpu, &sregs), -EINVAL);
	sregs.cr0 = CR0_PE | CR0_PG | CR0_ET;
	sregs.cr4 = CR4_PAE;
	sregs.pdptrs[3] = 0x5001;
	CHECK_EQUAL(state_set_sregs2(rig.cpu, &sregs), 0);
	state_get_sregs2(rig.cpu, &sregs);
	CHECK_EQUAL(sregs.flags, KVM_SREGS2_FLAGS_PDPTRS_VALID);
	CHECK_EQUAL(sregs.pdptrs[3], 0x5001);
	/* Without the flag they come from memory, which holds zeros at CR3. */
	sregs.flags = 0;
	CHECK_EQUAL(state_set_sregs2(rig.cpu, &sregs), 0);
	state_get_sregs2(rig.cpu, &sregs);
	CHECK_EQUAL(sregs.pdptrs[3], 0);
	sregs.flags = 2;
	CHECK_EQUAL(state_set_sregs2(rig.cpu, &sregs), -EINVAL);
	rig_close(&rig);
}

/* --- the hash --- */

static void test_hash_sees_every_field(void)
{
	struct cpu_rig rig;
	u64 start;

	rig_open(&rig, "intel");
	start = cpu_state_hash(rig.cpu, LS_HASH_START);
	CHECK_EQUAL(cpu_state_hash(rig.cpu, LS_HASH_START), start);
	for (unsigned int i = 0; i < state_field_count; i++) {
		const struct state_field *field = &state_fields[i];

		for (unsigned int n = 0; !field->get && (n == 0 || n < field->count); n++) {
			u8 *last = bytes_of(rig.cpu, field, n) + (field->bits - 1) / 8;

			*last ^= 1;
			if (cpu_state_hash(rig.cpu, LS_HASH_START) == start)
				CU_FAIL("the hash misses a field");
			*last ^= 1;
		}
	}
	CHECK_EQUAL(cpu_state_hash(rig.cpu, LS_HASH_START), start);
	rig_close(&rig);
}

/* Lazy flags have many forms for the same RFLAGS: after 5 - 4 and after 1 | 0 all of OF, SF, ZF,
 * AF, PF and CF are 0. */
static void test_hash_takes_flags_for_what_they_read(void)
{
	struct cpu_rig rig;
	u64 hash;

	rig_open(&rig, "intel");
	rig.cpu->flag_result = 1;
	rig.cpu->flag_aux = BIT(40);
	hash = cpu_state_hash(rig.cpu, LS_HASH_START);
	flags_set_arith(rig.cpu, cpu_rflags(rig.cpu));
	CHECK_EQUAL(cpu_state_hash(rig.cpu, LS_HASH_START), hash);
	flags_replace(rig.cpu, FLAG_CF, FLAG_CF);
	CU_ASSERT_NOT_EQUAL(cpu_state_hash(rig.cpu, LS_HASH_START), hash);
	rig_close(&rig);
}

/* What the last exception left behind is no state once it has been delivered. */
static void test_hash_leaves_out_what_is_not_pending(void)
{
	struct cpu_rig rig;
	u64 hash;

	rig_open(&rig, "intel");
	hash = cpu_state_hash(rig.cpu, LS_HASH_START);
	rig.cpu->exception.vector = VECTOR_PF;
	rig.cpu->exception.has_error = true;
	rig.cpu->exception.error = 2;
	rig.cpu->exception.address = 0x1000;
	CHECK_EQUAL(cpu_state_hash(rig.cpu, LS_HASH_START), hash);
	rig.cpu->exception_due = true;
	CU_ASSERT_NOT_EQUAL(cpu_state_hash(rig.cpu, LS_HASH_START), hash);
	rig_close(&rig);
}

static CU_TestInfo tests[] = {
	{"names and widths", test_names_are_unique},
	{"struct kvm_regs", test_regs_are_complete},
	{"struct kvm_sregs", test_sregs_are_complete},
	{"struct kvm_debugregs", test_debugregs_are_complete},
	{"round trips", test_round_trips},
	{"places", test_places},
	{"KVM_SET_SREGS2", test_sregs2_pdptrs},
	{"hash: every field", test_hash_sees_every_field},
	{"hash: lazy flags", test_hash_takes_flags_for_what_they_read},
	{"hash: not pending", test_hash_leaves_out_what_is_not_pending},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.state", tests)
