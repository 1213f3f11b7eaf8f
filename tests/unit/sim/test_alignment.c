/* SPDX-License-Identifier: Apache-2.0 */
/* #AC for operands (SDM 3A:6.15, table 6-7); the stack's accesses are in test_stack.c. */
#include "tests/unit/sim/system_rig.h"

/* @align: what the operand at RDI wants; 0 if any address will do. */
static const struct {
	u8 bytes[6], count;
	unsigned int align;
} rows[] = {
	{{0x66, 0x8b, 0x07}, 3, 2},                   /* mov ax */
	{{0x8b, 0x07}, 2, 4},                         /* mov eax */
	{{0x48, 0x8b, 0x07}, 3, 8},                   /* mov rax */
	{{0x48, 0x89, 0x07}, 3, 8},                   /* mov, store */
	{{0x01, 0x07}, 2, 4},                         /* add, read-modify-write */
	{{0xdd, 0x07}, 2, 8},                         /* fld m64 */
	{{0xdb, 0x2f}, 2, 8},                         /* fld m80 */
	{{0xd9, 0x37}, 2, 4},                         /* fnstenv */
	{{0x0f, 0x10, 0x07}, 3, 16},                  /* movups */
	{{0x0f, 0x11, 0x07}, 3, 16},                  /* movups, store */
	{{0xf3, 0x0f, 0x7e, 0x07}, 4, 8},             /* movq */
	{{0xc5, 0xfc, 0x10, 0x07}, 4, 16},            /* vmovups ymm */
	{{0xc5, 0xf0, 0x58, 0x07}, 4, 16},            /* vaddps xmm */
	{{0xc4, 0xe2, 0x71, 0x2c, 0x07}, 5, 0},       /* vmaskmovps */
	{{0xc4, 0xe2, 0x71, 0x2e, 0x07}, 5, 0},       /* vmaskmovps, store */
	{{0xc4, 0xe2, 0x71, 0x90, 0x04, 0x17}, 6, 0}, /* vgatherdd xmm0, [rdi + xmm2], xmm1 */
};

static void open(struct cpu_rig *rig, unsigned int cpl)
{
	rig_mode(rig, MODE_64, cpl);
	rig->cpu->cr0 |= CR0_AM;
	rig->cpu->cr4 |= CR4_OSFXSR | CR4_OSXSAVE;
	rig->cpu->xcr0 = 7;
	rig->cpu->rflags |= FLAG_AC;
	memset(rig->cpu->vec, 0, sizeof(rig->cpu->vec));
	memset(&rig->cpu->vec[1], 0xff, 16); /* masks */
	cpu_update_mode(rig->cpu);
}

static void test_operands(void)
{
	struct cpu_rig rig;

	rig_open(&rig, "intel");
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		for (unsigned int offset = 1; offset <= 32; offset *= 2) {
			bool bad = rows[i].align && offset % rows[i].align;

			open(&rig, 3);
			rig.cpu->reg[REG_RDI] = DATA + offset;
			CHECK_EQUAL(rig_run(&rig, rows[i].bytes, rows[i].count),
				    bad ? VECTOR_AC : NOTHING);
			if (bad)
				CHECK_EQUAL(rig.cpu->exception.error, 0);
			open(&rig, 0);
			rig.cpu->reg[REG_RDI] = DATA + offset;
			CHECK_EQUAL(rig_run(&rig, rows[i].bytes, rows[i].count), NOTHING);
		}
	rig_close(&rig);
}

static CU_TestInfo tests[] = {
	{"operands", test_operands},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.alignment", tests)
