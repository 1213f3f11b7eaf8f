/* SPDX-License-Identifier: Apache-2.0 */
/* What instructions check of the stack: alignment, limits, nothing written when a check fails. */
#include "tests/unit/sim/system_rig.h"

#define STACK 0x7000

/* SDM 3A:6.15 #AC: at CPL 3 with CR0.AM and EFLAGS.AC every stack access has to be aligned. */
static void test_alignment(void)
{
	static const struct {
		enum system_mode mode;
		u8 bytes[2], count;
		unsigned int size;
	} rows[] = {
		{MODE_32, {0x50}, 1, 4},       {MODE_32, {0x58}, 1, 4},
		{MODE_32, {0x66, 0x50}, 2, 2}, {MODE_32, {0x60}, 1, 4},
		{MODE_32, {0x61}, 1, 4},       {MODE_32, {0x9c}, 1, 4},
		{MODE_32, {0x9d}, 1, 4},       {MODE_32, {0x1e}, 1, 2},
		{MODE_32, {0xc3}, 1, 4},       {MODE_16, {0x50}, 1, 2},
		{MODE_64, {0x50}, 1, 8},       {MODE_64, {0x9c}, 1, 8},
		{MODE_64, {0x66, 0x58}, 2, 2}, {MODE_64, {0x0f, 0xa0}, 2, 8},
	};
	struct cpu_rig rig;

	rig_open(&rig, "intel");
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		for (unsigned int cpl = 0; cpl <= 3; cpl += 3)
			for (unsigned int off = 0; off <= rows[i].size / 2;
			     off += rows[i].size / 2) {
				rig_mode(&rig, rows[i].mode, cpl);
				rig.cpu->cr0 |= CR0_AM;
				rig.cpu->rflags |= FLAG_AC;
				rig.cpu->reg[REG_RSP] = STACK + off;
				cpu_update_mode(rig.cpu);
				CHECK_EQUAL(rig_run(&rig, rows[i].bytes, rows[i].count),
					    cpl == 3 && off ? VECTOR_AC : NOTHING);
			}
	rig_close(&rig);
}

/* SDM 2A ENTER: #SS(0) if the new SP lies outside the stack segment's limit. */
static void test_enter_limit(void)
{
	struct cpu_rig rig;

	rig_open(&rig, "intel");
	rig_mode(&rig, MODE_32, 0);
	rig.cpu->seg[SEG_SS].rights |= SEG_TYPE_EXPAND_DOWN;
	rig.cpu->seg[SEG_SS].limit = STACK - 0x101; /* from STACK - 100H up */
	rig.cpu->reg[REG_RSP] = STACK;
	rig.cpu->reg[REG_RBP] = 0x1234;
	CHECK_EQUAL(RUN(&rig, 0xc8, 0x00, 0x01, 0x00), VECTOR_SS);
	CHECK_EQUAL(rig.cpu->exception.error, 0);
	CHECK_EQUAL(rig.cpu->reg[REG_RSP], STACK);
	CHECK_EQUAL(rig.cpu->reg[REG_RBP], 0x1234);
	CHECK_EQUAL(RUN(&rig, 0xc8, 0xfc, 0x00, 0x00), NOTHING);
	CHECK_EQUAL(rig.cpu->reg[REG_RSP], STACK - 0x100);
	rig_close(&rig);
}

/* SDM 2A CALL, real-address mode: the target is held against CS's limit before the pushes. */
static void test_far_call(void)
{
	struct cpu_rig rig;

	rig_open(&rig, "intel");
	rig_mode(&rig, MODE_REAL, 0);
	rig.cpu->seg[SEG_CS].limit = 0xfff;
	rig.cpu->reg[REG_RSP] = STACK;
	memset(rig.memory + STACK - 4, 0x11, 4);
	CHECK_EQUAL(RUN(&rig, 0x9a, 0x00, 0x10, 0x00, 0x20), VECTOR_GP);
	CHECK_EQUAL(mem_load_physical(rig.cpu, STACK - 4, 4), 0x11111111);
	CHECK_EQUAL(RUN(&rig, 0x9a, 0xff, 0x0f, 0x00, 0x20), NOTHING);
	CHECK_EQUAL(rig.cpu->reg[REG_RSP], STACK - 4);
	rig_close(&rig);
}

/* SDM 2B PUSH: of a segment register's doubleword Intel's processors write the lower half alone. */
static void test_push_segment(void)
{
	struct cpu_rig rig;

	for (int amd = 0; amd < 2; amd++) {
		rig_open(&rig, amd ? "amd" : "intel");
		rig_mode(&rig, MODE_32, 0);
		rig.cpu->reg[REG_RSP] = STACK;
		rig.cpu->seg[SEG_DS].selector = 0x1234;
		memset(rig.memory + STACK - 4, 0x55, 4);
		CHECK_EQUAL(RUN(&rig, 0x1e), NOTHING);
		CHECK_EQUAL(rig.cpu->reg[REG_RSP], STACK - 4);
		CHECK_EQUAL(mem_load_physical(rig.cpu, STACK - 4, 4), amd ? 0x1234 : 0x55551234);
		rig_close(&rig);
	}
}

static CU_TestInfo tests[] = {
	{"push of a segment", test_push_segment},
	{"alignment", test_alignment},
	{"enter", test_enter_limit},
	{"far call", test_far_call},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.stack", tests)
