/* SPDX-License-Identifier: Apache-2.0 */
/* FXSAVE, FXRSTOR and the loads and stores of MXCSR. */
#include <string.h>

#include "sim/cpu/exec/image.h"
#include "sim/cpu/fault.h"
#include "sim/cpu/op.h"
#include "sim/cpu/operand.h"
#include "sim/cpu/xstate.h"

#define FXSAVE_SIZE  512
#define FXSAVE_ALIGN 16

static unsigned int image_form(const struct cpu *cpu, const struct op *op)
{
	return (op->flags & OP_REX_W ? XSTATE_REX_W : 0) | (cpu_64bit(cpu) ? XSTATE_16_VECTORS : 0);
}

/* EFER.FFXSR: no XMM registers at CPL 0 in 64-bit mode (APM 2:11.4.4.1). */
static bool skip_vectors(const struct cpu *cpu)
{
	return cpu->efer & EFER_FFXSR && cpu_64bit(cpu) && cpu->cpl == 0;
}

static u64 image_address(struct cpu *cpu, const struct op *op, bool write)
{
	u64 linear;

	FAULT_POINT(cpu, op);
	linear = ea_by_kind(cpu, op, FXSAVE_SIZE, write);
	/* Misaligned is #GP even where #AC could be raised (SDM 2A FXSAVE). */
	if (linear & (FXSAVE_ALIGN - 1))
		raise_gp(cpu, 0);
	return linear;
}

/* Bytes of the XMM registers in the image: none, XMM0-7 or XMM0-15. */
static unsigned int vector_bytes(const struct cpu *cpu)
{
	return skip_vectors(cpu) ? 0 : cpu_64bit(cpu) ? 256 : 128;
}

static NOINLINE void fxsave(struct cpu *cpu, const struct op *op)
{
	u64 linear = image_address(cpu, op, true);
	unsigned int form = image_form(cpu, op);
	u32 mxcsr[2] = {cpu->mxcsr, mxcsr_mask(cpu)};
	u8 image[FXSAVE_END];

	xstate_components[0].save(cpu, image, form);
	memcpy(image + FXSAVE_MXCSR, mxcsr, sizeof(mxcsr));
	xstate_components[1].save(cpu, image + FXSAVE_XMM, form);
	mem_probe(cpu, op, linear, FXSAVE_XMM + vector_bytes(cpu), WALK_WRITE); /* all or nothing */
	image_store(cpu, op, linear, image, FXSAVE_XMM + vector_bytes(cpu));
}

static NOINLINE void fxrstor(struct cpu *cpu, const struct op *op)
{
	u64 linear = image_address(cpu, op, false);
	unsigned int form = image_form(cpu, op);
	u8 image[FXSAVE_END];
	u32 mxcsr;

	image_load(cpu, op, linear, image, FXSAVE_XMM + vector_bytes(cpu));
	memcpy(&mxcsr, image + FXSAVE_MXCSR, sizeof(mxcsr));
	if (mxcsr & ~mxcsr_mask(cpu))
		raise_gp(cpu, 0);
	cpu->mxcsr = mxcsr;
	xstate_components[0].load(cpu, image, form);
	if (!skip_vectors(cpu))
		xstate_components[1].load(cpu, image + FXSAVE_XMM, form);
}

static HANDLER(exec_fxsave)
{
	fxsave(cpu, op);
	NEXT;
}

static HANDLER(exec_fxrstor)
{
	fxrstor(cpu, op);
	NEXT;
}

FAMILY_ONE(fxsave, exec_fxsave);
FAMILY_ONE(fxrstor, exec_fxrstor);

static HANDLER(exec_ldmxcsr)
{
	u32 value;

	FAULT_POINT(cpu, op);
	value = mem_load(cpu, op, ea_by_kind(cpu, op, 4, false), 4);
	if (value & ~mxcsr_mask(cpu))
		raise_gp(cpu, 0);
	cpu->mxcsr = value;
	NEXT;
}

static HANDLER(exec_stmxcsr)
{
	FAULT_POINT(cpu, op);
	mem_store(cpu, op, ea_by_kind(cpu, op, 4, true), cpu->mxcsr, 4);
	NEXT;
}

FAMILY_ONE(ldmxcsr, exec_ldmxcsr);
FAMILY_ONE(stmxcsr, exec_stmxcsr);
