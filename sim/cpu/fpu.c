/* SPDX-License-Identifier: Apache-2.0 */
/* The x87 state outside its instructions: tags, masks and pending exceptions. */
#include "sim/cpu/fpu.h"

void fpu_init(struct cpu *cpu)
{
	struct fpu *fpu = &cpu->fpu;

	/* SDM 2A FINIT: registers keep their contents, all are tagged empty. */
	fpu->control = FCW_INIT;
	fpu->status = 0;
	fpu->tag = FPU_TAGS_EMPTY;
	fpu->opcode = 0;
	fpu->ip = fpu->dp = 0;
	fpu->cs = fpu->ds = 0;
}

void fpu_set_status(struct cpu *cpu, u16 status)
{
	status &= (u16) ~(FSW_ES | FSW_B);
	if (status & ~cpu->fpu.control & FSW_EXCEPTIONS)
		status |= FSW_ES | FSW_B;
	cpu->fpu.status = status;
}

void fpu_set_control(struct cpu *cpu, u16 control)
{
	cpu->fpu.control = (control & ~FCW_RESERVED) | FCW_ALWAYS_ONE;
	fpu_set_status(cpu, cpu->fpu.status);
}

/* SDM 1:8.1.7: special covers NaN, infinity, denormal and unsupported encodings. */
static unsigned int full_tag(const struct fpu_register *reg)
{
	unsigned int exponent = reg->sign_exponent & 0x7fff;

	if (!exponent && !reg->mantissa)
		return 1;
	return exponent == 0 || exponent == 0x7fff || !(reg->mantissa >> 63) ? 2 : 0;
}

u16 fpu_full_tags(const struct cpu *cpu)
{
	u16 tags = 0;

	for (unsigned int i = 0; i < 8; i++) {
		if ((cpu->fpu.tag >> 2 * i & 3) == FPU_TAG_EMPTY)
			tags |= FPU_TAG_EMPTY << 2 * i;
		else
			tags |= full_tag(&cpu->fpu.r[i]) << 2 * i;
	}
	return tags;
}

u8 fpu_abridged_tags(const struct cpu *cpu)
{
	u8 tags = 0;

	for (unsigned int i = 0; i < 8; i++)
		if ((cpu->fpu.tag >> 2 * i & 3) != FPU_TAG_EMPTY)
			tags |= 1 << i;
	return tags;
}

void fpu_set_abridged_tags(struct cpu *cpu, u8 tags)
{
	cpu->fpu.tag = 0;
	for (unsigned int i = 0; i < 8; i++)
		if (!(tags >> i & 1))
			cpu->fpu.tag |= FPU_TAG_EMPTY << 2 * i;
}

/* CPUID.7.EBX[13]: processors that deprecate FCS and FDS save zeros. */
u16 fpu_code_selector(const struct cpu *cpu)
{
	return cpu_has(cpu, FEATURE_ZERO_FCS_FDS) ? 0 : cpu->fpu.cs;
}

u16 fpu_data_selector(const struct cpu *cpu)
{
	return cpu_has(cpu, FEATURE_ZERO_FCS_FDS) ? 0 : cpu->fpu.ds;
}
