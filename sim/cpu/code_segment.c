/* SPDX-License-Identifier: Apache-2.0 */
/* Checks on the code segment of a far transfer (SDM 3A:5.8; SDM 2: JMP, CALL, RET, IRET). */
#include "sim/cpu/descriptor.h"

void code_descriptor_read(struct cpu *cpu, u16 selector, struct descriptor *code)
{
	if (selector_null(selector))
		raise_gp(cpu, 0);
	descriptor_read(cpu, selector, VECTOR_GP, code);
}

/* L with D is reserved in long mode (SDM 3A:5.2.1). */
static bool bad_long_code(const struct cpu *cpu, const struct descriptor *code)
{
	return cpu_long_mode(cpu) && (code->rights & (SEG_L | SEG_DB)) == (SEG_L | SEG_DB);
}

void code_check_direct(struct cpu *cpu, u16 selector, const struct descriptor *code)
{
	unsigned int dpl = rights_dpl(code->rights);
	bool privilege;

	if (!rights_code(code->rights) || bad_long_code(cpu, code))
		raise_gp(cpu, selector_error(selector));
	if (rights_conforming(code->rights))
		privilege = dpl <= cpu->cpl;
	else
		privilege = (selector & 3) <= cpu->cpl && dpl == cpu->cpl;
	if (!privilege)
		raise_gp(cpu, selector_error(selector));
	if (!(code->rights & SEG_P))
		raise_np(cpu, selector_error(selector));
}

void code_check_return(struct cpu *cpu, u16 selector, const struct descriptor *code)
{
	unsigned int dpl = rights_dpl(code->rights), rpl = selector & 3;

	if (!rights_code(code->rights) || bad_long_code(cpu, code) || rpl < cpu->cpl)
		raise_gp(cpu, selector_error(selector));
	if (rights_conforming(code->rights) ? dpl > rpl : dpl != rpl)
		raise_gp(cpu, selector_error(selector));
	if (!(code->rights & SEG_P))
		raise_np(cpu, selector_error(selector));
}

u64 code_check_rip(struct cpu *cpu, const struct descriptor *code, u64 rip)
{
	if (code_is_64bit(cpu, code)) {
		if (!address_canonical(cpu, rip))
			raise_gp(cpu, 0);
		return rip;
	}
	/* Intel cuts EIP out of what a 64-bit return pops, AMD holds all of it against the limit.
	 */
	if (!cpu->amd)
		rip = (u32)rip;
	if (rip > code->limit)
		raise_gp(cpu, 0);
	return rip;
}

void code_commit(struct cpu *cpu, u16 selector, unsigned int cpl, struct descriptor *code)
{
	descriptor_set_accessed(cpu, selector, code);
	segment_commit(cpu, SEG_CS, (selector & ~3) | cpl, code);
	cpu->cpl = cpl;
}
