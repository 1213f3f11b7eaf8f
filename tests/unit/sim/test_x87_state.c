/* SPDX-License-Identifier: Apache-2.0 */
/* x87: exceptions that wait, images in memory, pointers, aliases, the MMX view (SDM 1:8). */
#include "tests/unit/sim/x87_rig.h"

/* 8.6, 3A:6.15 #MF: an unmasked exception waits for the next waiting instruction. */
static void test_pending(void)
{
	rig_open(&rig);
	X(FLDZ);
	X(FLD1);
	fpu_set_control(rig.cpu, 0x037b);
	CHECK_EQUAL(X(FDIV_ST1), RIG_NOTHING);
	CHECK_EQUAL(FPU.status & (FSW_ZE | FSW_ES | FSW_B), FSW_ZE | FSW_ES | FSW_B);
	check_st(0, EXPONENT_ONE, 0x8000000000000000); /* 8.5.3: operands kept */
	CHECK_EQUAL(X(FNSTSW_AX), RIG_NOTHING);
	CHECK_EQUAL(rig.cpu->reg[REG_RAX] & 0xff, FSW_ZE | FSW_ES);
	CHECK_EQUAL(X(FWAIT), VECTOR_MF);
	CHECK_EQUAL(X(FLD1), VECTOR_MF);
	CHECK_EQUAL(X(0x0f, 0x77), VECTOR_MF);   /* EMMS */
	CHECK_EQUAL(X(0xdb, 0xe2), RIG_NOTHING); /* FNCLEX */
	CHECK_EQUAL(X(FLD1), RIG_NOTHING);
	CHECK_EQUAL(FPU.status & (FSW_EXCEPTIONS | FSW_ES | FSW_B), 0);
	/* 8.1.5: clearing a mask makes what is already flagged pending */
	fpu_set_control(rig.cpu, 0x037f);
	X(FDIV_ST1);
	X(FLDZ);
	X(0xd8, 0xf0); /* 0/0 */
	CHECK_EQUAL(X(FWAIT), RIG_NOTHING);
	DATA(u16) = 0x037e;
	CHECK_EQUAL(X(0xd9, 0x2f), RIG_NOTHING); /* FLDCW */
	CHECK_EQUAL(FPU.status & (FSW_IE | FSW_ES | FSW_B), FSW_IE | FSW_ES | FSW_B);
	CHECK_EQUAL(X(FWAIT), VECTOR_MF);
	rig_close(&rig);
}

static unsigned int ferr_count;

static void count_ferr(struct cpu *cpu)
{
	(void)cpu;
	ferr_count++;
}

/* Appendix D.2: with CR0.NE = 0 it is the FERR# pin. 3A:2.5: CR0's TS, MP and EM. */
static void test_control_bits(void)
{
	const struct cpu_platform platform = {.ferr = count_ferr};

	rig_open(&rig);
	rig.cpu->platform = &platform;
	fpu_set_control(rig.cpu, 0x037e);
	fpu_set_status(rig.cpu, FSW_IE);
	rig.cpu->cr0 &= ~CR0_NE;
	ferr_count = 0;
	CHECK_EQUAL(X(FLD1), RIG_NOTHING);
	CHECK_EQUAL(ferr_count, 1);
	X(FNINIT);
	rig.cpu->cr0 |= CR0_TS;
	CHECK_EQUAL(X(FWAIT), RIG_NOTHING);
	rig.cpu->cr0 |= CR0_MP;
	CHECK_EQUAL(X(FWAIT), VECTOR_NM);
	rig.cpu->cr0 = (rig.cpu->cr0 & ~CR0_TS) | CR0_EM;
	CHECK_EQUAL(X(FWAIT), RIG_NOTHING);
	rig.mode |= MODE_EM;
	CHECK_EQUAL(X(FLD1), VECTOR_NM);
	CHECK_EQUAL(X(0x0f, 0x77), VECTOR_UD);
	rig_close(&rig);
}

/* Encodings that no manual lists. */
static void test_aliases(void)
{
	rig_open(&rig);
	push_double(1);
	push_double(2);
	X(0xdd, 0xc9); /* FXCH4 ST(1) */
	check_st(0, EXPONENT_ONE, 0x8000000000000000);
	X(0xdc, 0xd1); /* FCOM2 */
	CHECK_EQUAL(FPU.status & FSW_C0, FSW_C0);
	X(0xdf, 0xc1); /* FFREEP ST(1) */
	CHECK_EQUAL(FPU.tag, FPU_TAGS_EMPTY);
	CHECK_EQUAL(fpu_top(rig.cpu), 7);
	X(FNINIT);
	X(0xd9, 0xd9); /* FSTP1 from an empty register: no fault */
	CHECK_EQUAL(FPU.status & ~FSW_TOP, 0);
	CHECK_EQUAL(fpu_top(rig.cpu), 1);
	CHECK_EQUAL(X(0xd9, 0xd1), VECTOR_UD);
	CHECK_EQUAL(X(0xd9, 0x0f), VECTOR_UD); /* D9 /1 has no memory form */
	rig_close(&rig);
}

static void fill_pointers(void)
{
	FPU.ip = 0x12345678;
	FPU.cs = 0x9abc;
	FPU.dp = 0x87654321;
	FPU.ds = 0xdef0;
	FPU.opcode = 0x5a5;
	push_double(1);
	FPU.ip = 0x12345678;
	FPU.cs = 0x9abc;
	FPU.dp = 0x87654321;
	FPU.ds = 0xdef0;
	FPU.opcode = 0x5a5;
}

/* 8.1.10, figures 8-9 to 8-12. FNSTENV masks everything afterwards; full tags are made from the
 * registers (8.1.7). */
static void test_environment(void)
{
	const u32 *d = (const u32 *)(rig.memory + RIG_DATA);
	const u16 *w;

	rig_open(&rig);
	d = (const u32 *)(rig.memory + RIG_DATA);
	w = (const u16 *)d;
	fill_pointers();
	fpu_set_control(rig.cpu, 0x0340);
	CHECK_EQUAL(X(FNSTENV), RIG_NOTHING);
	CHECK_EQUAL(d[0], 0xffff0340);
	CHECK_EQUAL(d[1], 0xffff3800);
	CHECK_EQUAL(d[2], 0xffff3fff);
	CHECK_EQUAL(d[3], 0x12345678);
	CHECK_EQUAL(d[4], 0x05a59abc);
	CHECK_EQUAL(d[5], 0x87654321);
	CHECK_EQUAL(d[6], 0xffffdef0);
	CHECK_EQUAL(FPU.control, 0x037f);
	X(0x66, FNSTENV);
	CHECK_EQUAL(w[3], 0x5678);
	CHECK_EQUAL(w[4], 0x9abc);
	CHECK_EQUAL(w[5], 0x4321);
	CHECK_EQUAL(w[6], 0xdef0);
	rig_leave_64bit(&rig, true);
	FPU.cs = 0x1000;
	FPU.ip = 0x5678;
	FPU.ds = 0x2000;
	FPU.dp = 0x4321;
	X(0xd9, 0x35); /* FNSTENV [di] */
	CHECK_EQUAL(w[3], 0x5678);
	CHECK_EQUAL(w[4], 0x15a5);
	CHECK_EQUAL(w[5], 0x4321);
	CHECK_EQUAL(w[6], 0x2000);
	X(0x66, 0xd9, 0x35);
	CHECK_EQUAL(d[3] & 0xffff, 0x5678);
	CHECK_EQUAL(d[4], 0x000015a5);
	CHECK_EQUAL(d[6], 0x00002000);
	rig_close(&rig);
}

/* SDM 2A FNSAVE, FRSTOR, FLDENV: 108 bytes, registers in stack order, FNINIT behind it. */
static void test_save_restore(void)
{
	rig_open(&rig);
	push_double(1);
	push_double(2);
	FPU.status |= FSW_C0;
	fpu_set_control(rig.cpu, 0x0270);
	CHECK_EQUAL(X(0xdd, 0x37), RIG_NOTHING);
	CHECK_EQUAL(*(u16 *)(rig.memory + RIG_DATA + 28 + 8), 0x4000); /* ST(0) = 2 */
	CHECK_EQUAL(*(u16 *)(rig.memory + RIG_DATA + 38 + 8), EXPONENT_ONE);
	CHECK_EQUAL(FPU.control, FCW_INIT);
	CHECK_EQUAL(FPU.tag, FPU_TAGS_EMPTY);
	CHECK_EQUAL(X(0xdd, 0x27), RIG_NOTHING);
	CHECK_EQUAL(FPU.control, 0x0270);
	CHECK_EQUAL(FPU.status, FSW_C0 | 6 << FSW_TOP_SHIFT);
	check_st(0, 0x4000, 0x8000000000000000);
	check_st(1, EXPONENT_ONE, 0x8000000000000000);
	CHECK_EQUAL(fpu_abridged_tags(rig.cpu), 0xc0);
	/* FLDENV can make an exception pending, and takes nothing but "empty" from the tags */
	X(FNSTENV);
	DATA(u16) = 0x037e;
	*(&DATA(u16) + 2) |= FSW_IE;
	*(&DATA(u16) + 4) = 0x5557;
	CHECK_EQUAL(X(FLDENV), RIG_NOTHING);
	CHECK_EQUAL(FPU.status & (FSW_ES | FSW_B), FSW_ES | FSW_B);
	CHECK_EQUAL(fpu_abridged_tags(rig.cpu), 0xfe);
	CHECK_EQUAL(fpu_full_tags(rig.cpu) & 3, 3);
	CHECK_EQUAL(X(FWAIT), VECTOR_MF);
	rig_close(&rig);
}

/* 8.1.8, 8.1.9: what is remembered of the last instruction. Intel keeps FOP for unmasked
 * exceptions, and with CPUID.7.EBX[6] FDP too; AMD updates both always. Control instructions do not
 * count. */
static void test_pointers(void)
{
	struct cpu *cpu;

	rig_open(&rig);
	cpu = rig.cpu;
	cpu->seg[SEG_CS].selector = 0x10;
	cpu->seg[SEG_DS].selector = 0x18;
	push_double(1);
	CHECK_EQUAL(FPU.ip, cpu->reg[REG_RIP]);
	CHECK_EQUAL(FPU.dp, RIG_DATA);
	CHECK_EQUAL(FPU.cs, 0x10);
	CHECK_EQUAL(FPU.ds, 0x18);
	CHECK_EQUAL(FPU.opcode, 0);
	cpu->reg[REG_RIP] += 0x100;
	DATA(u16) = 0x037b;
	X(0xd9, 0x2f); /* FLDCW */
	CHECK_EQUAL(FPU.ip, cpu->reg[REG_RIP] - 0x100);
	X(FLDZ);
	CHECK_EQUAL(FPU.dp, RIG_DATA); /* no memory operand: kept */
	CHECK_EQUAL(FPU.ip, cpu->reg[REG_RIP]);
	X(0xd8, 0xf9); /* FDIVR: 1/0, unmasked */
	CHECK_EQUAL(FPU.opcode, 0x0f9);
	X(0xdb, 0xe2);
	cpu->amd = true;
	X(FLD1);
	CHECK_EQUAL(FPU.opcode, 0x1e8);
	cpu->amd = false;
	cpu->feature[FEATURE_FDP_EXCPTN_ONLY / 32] |= 1u << FEATURE_FDP_EXCPTN_ONLY % 32;
	FPU.dp = 7;
	push_double(0);
	CHECK_EQUAL(FPU.dp, 7);
	X(FLD1);
	DATA(double) = 0;
	X(0xdc, 0x37); /* FDIV m64 */
	CHECK_EQUAL(FPU.dp, RIG_DATA);
	CHECK_EQUAL(FPU.opcode, 0x437);
	rig_close(&rig);
}

/* 3A:6.15 #AC, table 6-7: environments are checked word by word. */
static void test_alignment(void)
{
	rig_open(&rig);
	rig.cpu->cpl = 3;
	rig.cpu->cr0 |= CR0_AM;
	cpu_set_rflags(rig.cpu, FLAG_AC);
	rig.cpu->data_context = TLB_CONTEXT_NEVER;
	rig.cpu->reg[REG_RDI] = RIG_DATA + 62;
	CHECK_EQUAL(X(FNSTENV), VECTOR_AC);
	CHECK_EQUAL(X(0x66, FNSTENV), RIG_NOTHING);
	rig.cpu->reg[REG_RDI] = RIG_DATA + 60;
	CHECK_EQUAL(X(0xdd, 0x37), RIG_NOTHING); /* FNSAVE */
	CHECK_EQUAL(X(0xdd, 0x27), RIG_NOTHING); /* FRSTOR */
	rig.cpu->reg[REG_RDI] = RIG_DATA + 1;
	CHECK_EQUAL(X(0x66, FLDENV), VECTOR_AC);
	rig_close(&rig);
}

/* SDM 3A:13.2, table 13-1: the MMX view. */
static void test_mmx_view(void)
{
	rig_open(&rig);
	FPU.status = 5 << FSW_TOP_SHIFT | FSW_C1;
	fpu_enter_mmx(rig.cpu);
	mmx_write(rig.cpu, 3, 0x1122334455667788);
	CHECK_EQUAL(FPU.status, FSW_C1);
	CHECK_EQUAL(FPU.tag, 0);
	CHECK_EQUAL(FPU.r[3].sign_exponent, 0xffff);
	CHECK_EQUAL(st(3)->mantissa, 0x1122334455667788);
	FPU.status |= 5 << FSW_TOP_SHIFT;
	CHECK_EQUAL(X(0x0f, 0x77), RIG_NOTHING);
	CHECK_EQUAL(FPU.tag, FPU_TAGS_EMPTY);
	CHECK_EQUAL(fpu_top(rig.cpu), 0);
	CHECK_EQUAL(mmx_read(rig.cpu, 3), 0x1122334455667788);
	rig_close(&rig);
}

/* The host's own unit is left as the ABI wants it. */
static void test_host_state(void)
{
	u16 control = 0;

	rig_open(&rig);
	X(FLD1);
	fpu_set_control(rig.cpu, 0x0400);
	X(0xd8, 0xf0);
	X(0xd9, 0xfe);
	asm volatile("fnstcw %0" : "=m"(control));
	CHECK_EQUAL(control, 0x037f);
	rig_close(&rig);
}

static CU_TestInfo tests[] = {
	{"pending exceptions", test_pending},
	{"CR0.NE, TS, MP, EM", test_control_bits},
	{"unlisted encodings", test_aliases},
	{"FNSTENV", test_environment},
	{"FNSAVE, FRSTOR, FLDENV", test_save_restore},
	{"FIP, FDP, FOP", test_pointers},
	{"alignment checks", test_alignment},
	{"MMX view", test_mmx_view},
	{"host state", test_host_state},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("x87 state", tests)
