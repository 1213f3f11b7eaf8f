/* SPDX-License-Identifier: Apache-2.0 */
/* State components: how each looks in memory (SDM 1:13.5). */
#include <string.h>

#include "sim/cpu/cet.h"
#include "sim/cpu/fpu.h"
#include "sim/cpu/xstate.h"

static void put16(u8 *to, u16 value)
{
	memcpy(to, &value, sizeof(value));
}

static void put32(u8 *to, u32 value)
{
	memcpy(to, &value, sizeof(value));
}

static void put64(u8 *to, u64 value)
{
	memcpy(to, &value, sizeof(value));
}

static u16 get16(const u8 *from)
{
	u16 value;

	memcpy(&value, from, sizeof(value));
	return value;
}

static u32 get32(const u8 *from)
{
	u32 value;

	memcpy(&value, from, sizeof(value));
	return value;
}

static u64 get64(const u8 *from)
{
	u64 value;

	memcpy(&value, from, sizeof(value));
	return value;
}

static unsigned int vector_count(unsigned int form)
{
	return form & XSTATE_16_VECTORS ? 16 : 8;
}

/* --- x87: bytes 0 to 23 and 32 to 159 of the legacy region --- */
static void x87_save_pointers(const struct cpu *cpu, u8 *to, unsigned int form)
{
	const struct fpu *fpu = &cpu->fpu;

	/* AMD processors show FOP, FIP and FDP only while an exception is pending, and zeros
	 * otherwise (APM 2:11.4.4.3). */
	if (cpu->amd && !(fpu->status & FSW_ES) && !(form & XSTATE_POINTERS)) {
		memset(to + 6, 0, 18);
		return;
	}
	put16(to + 6, fpu->opcode);
	if (form & XSTATE_REX_W) {
		put64(to + 8, fpu->ip);
		put64(to + 16, fpu->dp);
		return;
	}
	put32(to + 8, (u32)fpu->ip);
	put32(to + 12, fpu_code_selector(cpu));
	put32(to + 16, (u32)fpu->dp);
	put32(to + 20, fpu_data_selector(cpu));
}

static void x87_save(const struct cpu *cpu, u8 *to, unsigned int form)
{
	put16(to, cpu->fpu.control);
	put16(to + 2, cpu->fpu.status);
	put16(to + 4, fpu_abridged_tags(cpu));
	x87_save_pointers(cpu, to, form);
	for (unsigned int i = 0; i < 8; i++) {
		const struct fpu_register *st = &cpu->fpu.r[(fpu_top(cpu) + i) & 7];

		put64(to + FXSAVE_ST + 16 * i, st->mantissa);
		put64(to + FXSAVE_ST + 16 * i + 8, st->sign_exponent);
	}
}

static void x87_load(struct cpu *cpu, const u8 *from, unsigned int form)
{
	struct fpu *fpu = &cpu->fpu;

	fpu_set_control(cpu, get16(from));
	fpu_set_status(cpu, get16(from + 2));
	fpu_set_abridged_tags(cpu, from[4]);
	fpu->opcode = get16(from + 6) & 0x7ff;
	if (form & XSTATE_REX_W) {
		fpu->ip = get64(from + 8);
		fpu->dp = get64(from + 16);
		fpu->cs = fpu->ds = 0;
	} else {
		fpu->ip = get32(from + 8);
		fpu->cs = get16(from + 12);
		fpu->dp = get32(from + 16);
		fpu->ds = get16(from + 20);
	}
	for (unsigned int i = 0; i < 8; i++) {
		struct fpu_register *st = &fpu->r[(fpu_top(cpu) + i) & 7];

		st->mantissa = get64(from + FXSAVE_ST + 16 * i);
		st->sign_exponent = get16(from + FXSAVE_ST + 16 * i + 8);
	}
}

static void x87_reset(struct cpu *cpu, unsigned int form)
{
	(void)form;
	fpu_init(cpu);
	memset(cpu->fpu.r, 0, sizeof(cpu->fpu.r));
}

static bool x87_in_use(const struct cpu *cpu, unsigned int form)
{
	const struct fpu *fpu = &cpu->fpu;
	u64 any = fpu->ip | fpu->dp | fpu->cs | fpu->ds | fpu->opcode | fpu->status;

	(void)form;
	/* AMD processors do not track it. */
	if (cpu->amd || any || fpu->control != FCW_INIT || fpu_abridged_tags(cpu))
		return true;
	for (unsigned int i = 0; i < 8; i++)
		any |= fpu->r[i].mantissa | fpu->r[i].sign_exponent;
	return any;
}

/* --- SSE: XMM registers; MXCSR is dealt with apart --- */
static void sse_save(const struct cpu *cpu, u8 *to, unsigned int form)
{
	for (unsigned int i = 0; i < vector_count(form); i++)
		memcpy(to + 16 * i, cpu->vec[i].b, 16);
}

static void sse_load(struct cpu *cpu, const u8 *from, unsigned int form)
{
	for (unsigned int i = 0; i < vector_count(form); i++)
		memcpy(cpu->vec[i].b, from + 16 * i, 16);
}

static void sse_reset(struct cpu *cpu, unsigned int form)
{
	for (unsigned int i = 0; i < vector_count(form); i++)
		memset(cpu->vec[i].b, 0, 16);
}

static bool sse_in_use(const struct cpu *cpu, unsigned int form)
{
	u64 any = 0;

	for (unsigned int i = 0; i < vector_count(form); i++)
		any |= cpu->vec[i].q[0] | cpu->vec[i].q[1];
	return any;
}

/* --- AVX: bits 255:128 --- */
static void avx_save(const struct cpu *cpu, u8 *to, unsigned int form)
{
	for (unsigned int i = 0; i < vector_count(form); i++)
		memcpy(to + 16 * i, cpu->vec[i].b + 16, 16);
}

static void avx_load(struct cpu *cpu, const u8 *from, unsigned int form)
{
	for (unsigned int i = 0; i < vector_count(form); i++)
		memcpy(cpu->vec[i].b + 16, from + 16 * i, 16);
}

static void avx_reset(struct cpu *cpu, unsigned int form)
{
	for (unsigned int i = 0; i < vector_count(form); i++)
		memset(cpu->vec[i].b + 16, 0, 16);
}

static bool avx_in_use(const struct cpu *cpu, unsigned int form)
{
	u64 any = 0;

	for (unsigned int i = 0; i < vector_count(form); i++)
		any |= cpu->vec[i].q[2] | cpu->vec[i].q[3];
	return any;
}

/* --- PKRU --- */
static void pkru_set(struct cpu *cpu, u32 value)
{
	if (cpu->pkru == value)
		return;
	cpu->pkru = value;
	cpu_update_mode(cpu);
}

static void pkru_save(const struct cpu *cpu, u8 *to, unsigned int form)
{
	(void)form;
	put64(to, cpu->pkru);
}

static void pkru_load(struct cpu *cpu, const u8 *from, unsigned int form)
{
	(void)form;
	pkru_set(cpu, get32(from));
}

static void pkru_reset(struct cpu *cpu, unsigned int form)
{
	(void)form;
	pkru_set(cpu, 0);
}

static bool pkru_in_use(const struct cpu *cpu, unsigned int form)
{
	(void)form;
	return cpu->pkru;
}

/* --- CET: MSRs, 8 bytes each; PL0_SSP to PL2_SSP are neighbours in msrs.def --- */
static bool is_canonical(const struct cpu *cpu, u64 address)
{
	unsigned int shift = 64 - (cpu->linear_bits ? cpu->linear_bits : 48);

	return (u64)((s64)(address << shift) >> shift) == address;
}

static bool ssp_valid(const struct cpu *cpu, u64 ssp)
{
	return !(ssp & 3) && is_canonical(cpu, ssp);
}

static void cet_u_save(const struct cpu *cpu, u8 *to, unsigned int form)
{
	(void)form;
	put64(to, cpu->msr[MSR_U_CET]);
	put64(to + 8, cpu->msr[MSR_PL3_SSP]);
}

static void cet_u_load(struct cpu *cpu, const u8 *from, unsigned int form)
{
	(void)form;
	cpu->msr[MSR_U_CET] = get64(from);
	cpu->msr[MSR_PL3_SSP] = get64(from + 8);
}

static void cet_u_reset(struct cpu *cpu, unsigned int form)
{
	const u8 zero[16] = {0};

	cet_u_load(cpu, zero, form);
}

static bool cet_u_in_use(const struct cpu *cpu, unsigned int form)
{
	(void)form;
	return cpu->msr[MSR_U_CET] || cpu->msr[MSR_PL3_SSP];
}

static bool cet_u_valid(const struct cpu *cpu, const u8 *from)
{
	return cet_control_valid(cpu, get64(from)) && ssp_valid(cpu, get64(from + 8));
}

static void cet_s_save(const struct cpu *cpu, u8 *to, unsigned int form)
{
	(void)form;
	for (unsigned int i = 0; i < 3; i++)
		put64(to + 8 * i, cpu->msr[MSR_PL0_SSP + i]);
}

static void cet_s_load(struct cpu *cpu, const u8 *from, unsigned int form)
{
	(void)form;
	for (unsigned int i = 0; i < 3; i++)
		cpu->msr[MSR_PL0_SSP + i] = get64(from + 8 * i);
}

static void cet_s_reset(struct cpu *cpu, unsigned int form)
{
	const u8 zero[24] = {0};

	cet_s_load(cpu, zero, form);
}

static bool cet_s_in_use(const struct cpu *cpu, unsigned int form)
{
	(void)form;
	return cpu->msr[MSR_PL0_SSP] || cpu->msr[MSR_PL0_SSP + 1] || cpu->msr[MSR_PL0_SSP + 2];
}

static bool cet_s_valid(const struct cpu *cpu, const u8 *from)
{
	return ssp_valid(cpu, get64(from)) && ssp_valid(cpu, get64(from + 8)) &&
	       ssp_valid(cpu, get64(from + 16));
}

#define x87_valid  NULL
#define sse_valid  NULL
#define avx_valid  NULL
#define pkru_valid NULL

#define X87_FUNCTIONS   x87_save, x87_load, x87_reset, x87_in_use, x87_valid
#define SSE_FUNCTIONS   sse_save, sse_load, sse_reset, sse_in_use, sse_valid
#define AVX_FUNCTIONS   avx_save, avx_load, avx_reset, avx_in_use, avx_valid
#define PKRU_FUNCTIONS  pkru_save, pkru_load, pkru_reset, pkru_in_use, pkru_valid
#define CET_U_FUNCTIONS cet_u_save, cet_u_load, cet_u_reset, cet_u_in_use, cet_u_valid
#define CET_S_FUNCTIONS cet_s_save, cet_s_load, cet_s_reset, cet_s_in_use, cet_s_valid

enum xstate_kind { USER, SUPERVISOR };

const struct xstate_component xstate_components[XSTATE_COMPONENTS] = {
#define XSTATE(bit, identifier, name, size, offset, kind, aligned, gate, manual)                   \
	{name,           bit,    kind == SUPERVISOR,    aligned, size, offset,                     \
	 FEATURE_##gate, manual, identifier##_FUNCTIONS},
#include "sim/cpu/xstate.def"
#undef XSTATE
};

u64 xstate_in_use(const struct cpu *cpu)
{
	unsigned int form = cpu_64bit(cpu) ? XSTATE_16_VECTORS : 0;
	u64 supported = cpu->xcr0_supported | cpu->xss_supported | XSTATE_X87 | XSTATE_SSE;
	u64 in_use = 0;

	for (unsigned int i = 0; i < XSTATE_COMPONENTS; i++) {
		const struct xstate_component *component = &xstate_components[i];

		if (supported & BIT(component->bit) && component->in_use(cpu, form))
			in_use |= BIT(component->bit);
	}
	return in_use;
}

u32 xstate_size_standard(u64 components)
{
	u32 size = XSTATE_EXTENDED;

	for (unsigned int i = 0; i < XSTATE_COMPONENTS; i++) {
		const struct xstate_component *component = &xstate_components[i];
		u32 end = component->offset + component->size;

		if (components & BIT(component->bit) && !component->supervisor && end > size)
			size = end;
	}
	return size;
}

u32 xstate_offset_compacted(u64 components, unsigned int index)
{
	u32 offset = XSTATE_EXTENDED;

	if (xstate_components[index].bit < 2)
		return xstate_components[index].offset;
	for (unsigned int i = 0; i <= index; i++) {
		const struct xstate_component *component = &xstate_components[i];

		if (component->bit < 2 || !(components & BIT(component->bit)))
			continue;
		if (component->aligned)
			offset = (offset + 63) & ~63u;
		if (i < index)
			offset += component->size;
	}
	return offset;
}

u32 xstate_size_compacted(u64 components)
{
	u32 size = XSTATE_EXTENDED;

	for (unsigned int i = 0; i < XSTATE_COMPONENTS; i++) {
		const struct xstate_component *component = &xstate_components[i];

		if (components & BIT(component->bit) && component->bit >= 2)
			size = xstate_offset_compacted(components, i) + component->size;
	}
	return size;
}

u32 mxcsr_mask(const struct cpu *cpu)
{
	return cpu_has(cpu, FEATURE_MISALIGNSSE) ? 0x2ffff : 0xffff;
}
