/* SPDX-License-Identifier: Apache-2.0 */
/* PUSHF, POPF, LAHF, SAHF and the single-flag instructions (SDM 2B PUSHF, POPF; SDM 3A:20.2.7). */
#include "sim/cpu/flags.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/vendor.h"

/* Loaded by POPF at any level; IF, IOPL by privilege. VM, VIF and VIP never, RF is cleared. */
#define FLAG_POPF_USER (FLAG_ARITH | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_AC | FLAG_ID)

static bool iopl_is_3(const struct cpu *cpu)
{
	return (cpu->rflags & FLAG_IOPL) == FLAG_IOPL;
}

/* Virtual-8086 mode with IOPL < 3: only VME's 16-bit forms work. */
static bool needs_vme(struct cpu *cpu, const struct op *op)
{
	if (!cpu_v86(cpu) || iopl_is_3(cpu))
		return false;
	if (!(cpu->cr4 & CR4_VME) || op->width != 1)
		raise_gp(cpu, 0);
	return true;
}

static u64 pushf_image(struct cpu *cpu, const struct op *op)
{
	u64 image = cpu_rflags(cpu) & ~(FLAG_VM | FLAG_RF);

	if (needs_vme(cpu, op))
		image = (image & ~FLAG_IF) | FLAG_IOPL | (cpu->rflags & FLAG_VIF ? FLAG_IF : 0);
	return image;
}

NOINLINE static void do_pushf(struct cpu *cpu, const struct op *op)
{
	struct stack_cursor stack;
	u64 image;

	FAULT_POINT(cpu, op);
	image = pushf_image(cpu, op);
	INTERCEPT(cpu, op, PUSHF, 0);
	stack_open(cpu, &stack);
	stack_push(cpu, &stack, image, 1u << op->width);
	stack_commit(cpu, &stack);
}

HANDLER(exec_pushf)
{
	do_pushf(cpu, op);
	NEXT;
}

FAMILY_ONE(pushf, exec_pushf);

static u64 popf_mask(const struct cpu *cpu, const struct op *op)
{
	unsigned int iopl = (cpu->rflags & FLAG_IOPL) >> 12;
	u64 mask = FLAG_POPF_USER;

	if (cpu->cpl == 0)
		mask |= FLAG_IOPL;
	if (cpu->cpl <= iopl)
		mask |= FLAG_IF;
	return op->width == 1 ? mask & 0xffff : mask;
}

NOINLINE static void do_popf(struct cpu *cpu, const struct op *op)
{
	struct stack_cursor stack;
	bool vme;
	u64 image, mask;

	FAULT_POINT(cpu, op);
	vme = needs_vme(cpu, op);
	INTERCEPT(cpu, op, POPF, 0);
	stack_open(cpu, &stack);
	image = stack_pop(cpu, &stack, 1u << op->width);
	mask = popf_mask(cpu, op);
	if (vme) {
		if ((image & FLAG_TF) || ((image & FLAG_IF) && (cpu->rflags & FLAG_VIP)))
			raise_gp(cpu, 0);
		image = (image & 0xffff) | (image & FLAG_IF ? FLAG_VIF : 0);
		mask = (FLAG_POPF_USER & 0xffff) | FLAG_VIF;
	}
	stack_commit(cpu, &stack);
	cpu_set_rflags(cpu, (cpu_rflags(cpu) & ~(mask | FLAG_RF)) | (image & mask));
	cpu_update_privilege(cpu);
}

HANDLER(exec_popf)
{
	do_popf(cpu, op);
	NEXT;
}

FAMILY_ONE(popf, exec_popf);

/* --- AH --- */

#define AH(cpu) REG8(cpu, REG_RAX * 8 + 1)

HANDLER(exec_lahf)
{
	AH(cpu) = (u8)((flags_get_arith(cpu) & 0xd5) | 0x02);
	NEXT;
}

HANDLER(exec_sahf)
{
	flags_replace(cpu, FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF, AH(cpu));
	NEXT;
}

FAMILY_ONE(lahf, exec_lahf);
FAMILY_ONE(sahf, exec_sahf);

/* --- single flags; CF moves together with CF ^ OF, so that OF stays --- */

HANDLER(exec_clc)
{
	cpu->flag_aux ^= (cpu->flag_aux >> 63) * (AUX_CF | AUX_PO);
	NEXT;
}

HANDLER(exec_stc)
{
	cpu->flag_aux ^= (~cpu->flag_aux >> 63) * (AUX_CF | AUX_PO);
	NEXT;
}

HANDLER(exec_cmc)
{
	cpu->flag_aux ^= AUX_CF | AUX_PO;
	NEXT;
}

HANDLER(exec_cld)
{
	cpu->rflags &= ~FLAG_DF;
	NEXT;
}

HANDLER(exec_std)
{
	cpu->rflags |= FLAG_DF;
	NEXT;
}

FAMILY_ONE(clc, exec_clc);
FAMILY_ONE(stc, exec_stc);
FAMILY_ONE(cmc, exec_cmc);
FAMILY_ONE(cld, exec_cld);
FAMILY_ONE(std, exec_std);
