/* SPDX-License-Identifier: Apache-2.0 */
/* Single system instructions on the processor of cpu_rig.h, in a mode and at a CPL of choice, with
 * flat segments and without paging. */
#ifndef LOCKSTEP_TESTS_SYSTEM_RIG_H
#define LOCKSTEP_TESTS_SYSTEM_RIG_H

#include "sim/cpu/decode.h"
#include "sim/cpu/descriptor.h"
#include "sim/cpu/flags.h"
#include "sim/cpu/op.h"
#include "sim/cpu/trace_build.h"
#include "tests/unit/sim/cpu_rig.h"

#define NOTHING (-1)   /* no exception */
#define LEFT    (-2)   /* abandoned: cpu->exit tells why */
#define DATA    0x3000 /* where tests keep operands; RDI points there */

enum system_mode { MODE_REAL, MODE_V86, MODE_16, MODE_32, MODE_64 };

/* @cpl counts in MODE_16 to MODE_64. */
static inline void rig_mode(struct cpu_rig *rig, enum system_mode mode, unsigned int cpl)
{
	struct cpu *cpu = rig->cpu;
	u32 rights = SEG_P | SEG_S | SEG_TYPE_WRITABLE | SEG_TYPE_ACCESSED | SEG_G | SEG_DB;

	cpu_reset(cpu, false);
	if (mode == MODE_V86)
		cpl = 3;
	for (unsigned int i = SEG_ES; i <= SEG_GS; i++) {
		cpu->seg[i] = (struct segment){.limit = UINT32_MAX,
					       .rights = rights | cpl << SEG_DPL_SHIFT};
		SEG_BASE(cpu, i) = 0;
	}
	cpu->seg[SEG_CS].rights |= SEG_TYPE_CODE;
	if (mode != MODE_32)
		cpu->seg[SEG_CS].rights &= ~SEG_DB;
	if (mode == MODE_64) {
		cpu->seg[SEG_CS].rights |= SEG_L;
		cpu->efer = EFER_LME | EFER_LMA;
		cpu->cr4 = CR4_PAE;
	}
	cpu->cr0 = CR0_ET | (mode == MODE_REAL ? 0 : CR0_PE);
	cpu->cpl = mode == MODE_REAL ? 0 : cpl;
	if (mode == MODE_V86)
		cpu->rflags |= FLAG_VM;
	cpu->reg[REG_RIP] = 0x8000;
	cpu->reg[REG_RDI] = DATA;
	cpu->single = true;
	cpu_set_budget(cpu, 1000000000);
	cpu_update_mode(cpu);
}

static HANDLER(rig_stop)
{
	(void)cpu, (void)op;
	LEAVE;
}

static inline void rig_call(struct cpu *cpu, const struct op *op)
{
#ifdef LS_TAIL_CALLS
	op->fn(cpu, op);
#else
	while (op && op->fn != rig_stop)
		op = op->fn(cpu, op);
#endif
}

/* Runs the one instruction in @bytes. Returns the vector that was raised, NOTHING, or LEFT. */
static inline int rig_run(struct cpu_rig *rig, const u8 *bytes, unsigned int count)
{
	struct trace *trace = (struct trace *)rig->cpu->traces->scratch;
	u8 padded[INSTRUCTION_MAX] = {0};
	struct fetch_page page = {.host = padded};

	memcpy(padded, bytes, count);
	CU_ASSERT_TRUE_FATAL(trace_build(rig->cpu, &page, 1, trace));
	trace->op[1].fn = rig_stop;
	switch (setjmp(rig->cpu->unwind)) {
	case 0:
		rig_call(rig->cpu, trace->op);
		CHECK_EQUAL(trace->bytes, count);
		return NOTHING;
	case 1:
		return rig->cpu->exception.vector;
	default:
		return LEFT;
	}
}

#define RUN(rig, ...) rig_run(rig, (const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__}))

#endif
