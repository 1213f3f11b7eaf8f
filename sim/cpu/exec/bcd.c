/* SPDX-License-Identifier: Apache-2.0 */
/* AAA, AAS, AAM, AAD, DAA, DAS, SALC (SDM 2A): none of them in 64-bit mode. */
#include "sim/cpu/exec/integer.h"

#define AL REG8(cpu, 0)
#define AH REG8(cpu, 1)

static void result_flags(struct cpu *cpu, u8 result, bool carry, bool adjust)
{
	cpu->flag_result = sign_extend(result, 1);
	cpu->flag_aux = (carry ? AUX_CF | AUX_PO : 0) | (adjust ? AUX_AF : 0);
}

static void ascii_adjust(struct cpu *cpu, bool subtract)
{
	bool adjust = (AL & 15) > 9 || flag_af(cpu);

	if (adjust)
		REG16(cpu, 0) += subtract ? -0x106 : 0x106;
	AL &= 15;
	result_flags(cpu, AL, adjust, adjust);
}

static HANDLER(aaa)
{
	ascii_adjust(cpu, false);
	NEXT;
}

static HANDLER(aas)
{
	ascii_adjust(cpu, true);
	NEXT;
}

static HANDLER(aam)
{
	u8 base = op->imm, value = AL;

	FAULT_POINT(cpu, op);
	if (!base)
		cpu_raise(cpu, VECTOR_DE);
	AH = value / base;
	AL = value % base;
	result_flags(cpu, AL, false, false);
	NEXT;
}

static HANDLER(aad)
{
	u8 value = AL + AH * (u8)op->imm;

	REG16(cpu, 0) = value;
	result_flags(cpu, value, false, false);
	NEXT;
}

static void decimal_adjust(struct cpu *cpu, bool subtract)
{
	u8 old = AL, value = old;
	bool carry = flag_cf(cpu), adjust = (old & 15) > 9 || flag_af(cpu), out = carry;

	if (adjust) {
		value += subtract ? -6 : 6;
		if (subtract)
			out = carry || old < 6;
	}
	if (old > 0x99 || carry) {
		value += subtract ? -0x60 : 0x60;
		out = true;
	}
	AL = value;
	result_flags(cpu, value, out, adjust);
}

static HANDLER(daa)
{
	decimal_adjust(cpu, false);
	NEXT;
}

static HANDLER(das)
{
	decimal_adjust(cpu, true);
	NEXT;
}

/* D6, undocumented by Intel: AL = CF ? FFh : 0. */
static HANDLER(salc)
{
	AL = flag_cf(cpu) ? 0xff : 0;
	NEXT;
}

FAMILY_ONE(aaa, aaa);
FAMILY_ONE(aas, aas);
FAMILY_ONE(aam, aam);
FAMILY_ONE(aad, aad);
FAMILY_ONE(daa, daa);
FAMILY_ONE(das, das);
FAMILY_ONE(salc, salc);
