/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A processor for tests of single instructions: decodes bytes, runs the one handler, tells which
 * exception it raised. No paging, 64-bit code at CPL 0 unless the test says otherwise; RAM at 0.
 */
#ifndef LOCKSTEP_TESTS_UNIT_SIM_INSN_RIG_H
#define LOCKSTEP_TESTS_UNIT_SIM_INSN_RIG_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "mmu/slots.h"
#include "sim/cpu/decode.h"
#include "sim/cpu/fpu.h"
#include "sim/cpu/xstate.h"

#define RIG_MEMORY  UINT64_C(0x20000)
#define RIG_DATA    UINT64_C(0x1000) /* where tests put operands; RDI points here */
#define RIG_NOTHING (-1)             /* no exception */

struct rig {
	struct cpu *cpu;
	struct slots slots;
	u8 *memory;
	u32 mode;
};

static HANDLER(rig_stop)
{
	(void)cpu;
	(void)op;
	LEAVE;
}

static inline void rig_open(struct rig *rig)
{
	struct kvm_userspace_memory_region region = {.memory_size = RIG_MEMORY};
	struct cpu *cpu;

	memset(rig, 0, sizeof(*rig));
	rig->memory =
		mmap(NULL, RIG_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	region.userspace_addr = (u64)rig->memory;
	slots_set(&rig->slots, &region);
	cpu = rig->cpu = aligned_alloc(64, (sizeof(struct cpu) + 63) & ~63ul);
	memset(cpu, 0, sizeof(*cpu));
	cpu->slots = &rig->slots;
	tlb_flush_all(&cpu->tlb);
	memset(cpu->feature, 0xff, sizeof(cpu->feature));
	cpu->feature[FEATURE_FDP_EXCPTN_ONLY / 32] &= ~(1u << FEATURE_FDP_EXCPTN_ONLY % 32);
	cpu->feature[FEATURE_ZERO_FCS_FDS / 32] &= ~(1u << FEATURE_ZERO_FCS_FDS % 32);
	cpu->physical_bits = 46;
	cpu->linear_bits = 48;
	cpu->canonical_shift = 16;
	cpu->cr0 = CR0_PE | CR0_NE | CR0_ET;
	cpu->cr4 = CR4_OSFXSR | CR4_OSXSAVE | CR4_OSXMMEXCPT | CR4_PAE;
	cpu->efer = EFER_LMA | EFER_LME;
	cpu->walk.cr0 = cpu->cr0;
	cpu->walk.physical_bits = cpu->physical_bits;
	cpu->xcr0_supported = cpu->xcr0 = XSTATE_X87 | XSTATE_SSE | XSTATE_AVX | XSTATE_PKRU;
	cpu->xss_supported = XSTATE_CET_U | XSTATE_CET_S;
	cpu->seg[SEG_CS].rights = SEG_L | SEG_P | SEG_S | SEG_TYPE_CODE | SEG_TYPE_READABLE;
	cpu->mxcsr = MXCSR_INIT;
	fpu_init(cpu);
	cpu->reg[REG_RDI] = RIG_DATA;
	cpu->reg[REG_RIP] = 0x400000;
	rig->mode = MODE_CODE64 | MODE_PROTECTED | MODE_OSFXSR | MODE_AVX;
}

static inline void rig_close(struct rig *rig)
{
	struct kvm_userspace_memory_region none = {0};

	slots_set(&rig->slots, &none);
	slots_free(&rig->slots);
	munmap(rig->memory, RIG_MEMORY);
	free(rig->cpu);
}

/* 32-bit protected mode with flat segments, or 16-bit real mode. */
static inline void rig_leave_64bit(struct rig *rig, bool real)
{
	struct cpu *cpu = rig->cpu;

	cpu->efer = 0;
	if (real)
		cpu->cr0 &= ~CR0_PE;
	for (unsigned int i = 0; i < 6; i++)
		cpu->seg[i] =
			(struct segment){.limit = real ? 0xffff : 0xffffffff,
					 .rights = SEG_P | SEG_S | SEG_TYPE_WRITABLE |
						   SEG_TYPE_ACCESSED | (real ? 0 : SEG_DB | SEG_G)};
	cpu->seg[SEG_CS].rights |= SEG_TYPE_CODE;
	rig->mode = (real ? MODE_CODE16 : MODE_CODE32 | MODE_PROTECTED) | MODE_OSFXSR | MODE_AVX;
}

/* The handler of @insn, as the trace builder picks it (without CET and LOCK). */
static inline op_handler rig_handler(const struct instruction *insn)
{
	const struct family *family = insn->row->family;
	op_handler handler = family->fn[insn->family_width][insn->op->kind];

	return handler ? handler : family->fn[insn->family_width][KIND_ANY];
}

static inline void rig_call(struct cpu *cpu, const struct op *ops)
{
	const struct op *op = ops;

#ifdef LS_TAIL_CALLS
	op->fn(cpu, op);
#else
	while (op && op->fn != rig_stop)
		op = op->fn(cpu, op);
#endif
}

/* Returns RIG_NOTHING or the vector that was raised. */
static inline int rig_run(struct rig *rig, const u8 *bytes, unsigned int count)
{
	struct decode_environment env = {.mode = rig->mode, .feature = rig->cpu->feature,
					  .amd = rig->cpu->amd};
	static _Thread_local struct op ops[2];
	struct instruction insn = {.op = ops};
	enum decode_status status = decode_instruction(&env, bytes, count, &insn);

	if (status != DECODE_OK)
		return status == DECODE_NM   ? VECTOR_NM
		       : status == DECODE_GP ? VECTOR_GP
					     : VECTOR_UD;
	ops[0].fn = rig_handler(&insn);
	ops[1] = (struct op){.fn = rig_stop};
	if (!ops[0].fn)
		return VECTOR_UD;
	if (setjmp(rig->cpu->unwind))
		return rig->cpu->exception.vector;
	rig_call(rig->cpu, ops);
	return RIG_NOTHING;
}

#define RIG_RUN(rig, ...) rig_run(rig, (const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__}))

#endif
