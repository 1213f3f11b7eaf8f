/* SPDX-License-Identifier: Apache-2.0 */
/* XSAVE, XSAVEOPT, XSAVEC, XSAVES, XRSTOR, XRSTORS (SDM 1:13.7 to 13.12). */
#include <string.h>

#include "sim/cpu/exec/image.h"
#include "sim/cpu/fault.h"
#include "sim/cpu/op.h"
#include "sim/cpu/operand.h"
#include "sim/cpu/vendor.h"
#include "sim/cpu/xstate.h"

#define XSAVE_ALIGN 64

/* The XSAVE header (SDM 1:13.4.2). */
struct header {
	u64 xstate_bv, xcomp_bv, reserved[6];
};

static unsigned int image_form(const struct cpu *cpu, const struct op *op)
{
	return (op->flags & OP_REX_W ? XSTATE_REX_W : 0) | (cpu_64bit(cpu) ? XSTATE_16_VECTORS : 0);
}

/* CR0.EM does not matter to these. @supervisor: the instructions that know IA32_XSS. */
static void check_usable(struct cpu *cpu, const struct op *op, bool supervisor)
{
	FAULT_POINT(cpu, op);
	if (!(cpu->cr4 & CR4_OSXSAVE))
		raise_ud(cpu);
	if (supervisor && cpu->cpl)
		raise_gp(cpu, 0);
	if (cpu->cr0 & CR0_TS)
		raise_nm(cpu);
}

/* The requested-feature bitmap of EDX:EAX within @enabled. */
static u64 requested(struct cpu *cpu, u64 enabled)
{
	return ((u64)REG32(cpu, REG_RDX * 8) << 32 | REG32(cpu, REG_RAX * 8)) & enabled;
}

static u64 area_address(struct cpu *cpu, const struct op *op, unsigned int size, bool write)
{
	u64 linear = ea_by_kind(cpu, op, size, write);

	if (linear & (XSAVE_ALIGN - 1))
		raise_gp(cpu, 0);
	return linear;
}

static void store_mxcsr(struct cpu *cpu, const struct op *op, u64 linear)
{
	u32 mxcsr[2] = {cpu->mxcsr, mxcsr_mask(cpu)};

	image_store(cpu, op, linear + FXSAVE_MXCSR, (const u8 *)mxcsr, sizeof(mxcsr));
}

static void store_component(struct cpu *cpu, const struct op *op, u64 linear, unsigned int index,
			    unsigned int form)
{
	const struct xstate_component *component = &xstate_components[index];
	u8 image[256];
	unsigned int size = component->size;

	component->save(cpu, image, form);
	if (component->bit == 0) { /* MXCSR lies inside */
		image_store(cpu, op, linear, image, FXSAVE_MXCSR);
		image_store(cpu, op, linear + FXSAVE_ST, image + FXSAVE_ST, size - FXSAVE_ST);
		return;
	}
	/* Outside 64-bit mode the places of registers 8 to 15 are left alone (SDM 1:13.5). */
	if (!(form & XSTATE_16_VECTORS) && component->bit <= 2)
		size = 128;
	image_store(cpu, op, linear, image, size);
}

/* XSAVE and, with @optimise, XSAVEOPT: the standard format. The modified optimisation is
 * optional (SDM 1:13.9) and not used. */
static NOINLINE void save_standard(struct cpu *cpu, const struct op *op, bool optimise)
{
	unsigned int form = image_form(cpu, op);
	u64 components, in_use, linear, bv;

	check_usable(cpu, op, false);
	components = requested(cpu, cpu->xcr0);
	linear = area_address(cpu, op, xstate_size_standard(components), true);
	in_use = xstate_in_use(cpu) & components;
	mem_probe(cpu, op, linear + XSTATE_LEGACY_SIZE, 8, WALK_WRITE); /* faults are writes' */
	bv = mem_load(cpu, op, linear + XSTATE_LEGACY_SIZE, 8);
	for (unsigned int i = 0; i < XSTATE_COMPONENTS; i++) {
		const struct xstate_component *component = &xstate_components[i];

		if ((optimise ? in_use : components) & BIT(component->bit))
			store_component(cpu, op, linear + component->offset, i, form);
	}
	if (components & (XSTATE_SSE | XSTATE_AVX))
		store_mxcsr(cpu, op, linear);
	mem_store(cpu, op, linear + XSTATE_LEGACY_SIZE, (bv & ~components) | in_use, 8);
}

/* XSAVEC and, with @supervisor, XSAVES: the compacted format, nothing stored for components in
 * their initial configuration. */
static NOINLINE void save_compacted(struct cpu *cpu, const struct op *op, bool supervisor)
{
	unsigned int form = image_form(cpu, op);
	u64 components, in_use, linear;

	check_usable(cpu, op, supervisor);
	if (supervisor)
		INTERCEPT(cpu, op, XSAVES, requested(cpu, UINT64_MAX));
	components = requested(cpu, cpu->xcr0 | (supervisor ? cpu->msr[MSR_XSS] : 0));
	linear = area_address(cpu, op, xstate_size_compacted(components), true);
	in_use = xstate_in_use(cpu) & components;
	/* MXCSR belongs to SSE here (SDM 1:13.10). */
	if (components & XSTATE_SSE && cpu->mxcsr != MXCSR_INIT)
		in_use |= XSTATE_SSE;
	for (unsigned int i = 0; i < XSTATE_COMPONENTS; i++)
		if (in_use & BIT(xstate_components[i].bit))
			store_component(cpu, op, linear + xstate_offset_compacted(components, i), i,
					form);
	if (in_use & XSTATE_SSE)
		store_mxcsr(cpu, op, linear);
	mem_store(cpu, op, linear + XSTATE_LEGACY_SIZE, in_use, 8);
	mem_store(cpu, op, linear + XSTATE_LEGACY_SIZE + 8, components | XCOMP_COMPACTED, 8);
}

/* SDM 1:13.8 and 13.12: which headers are #GP. */
static bool header_valid(const struct header *header, u64 enabled, bool compacted)
{
	u64 reserved = 0;

	if (!compacted)
		return !(header->xstate_bv & ~enabled) && !header->xcomp_bv && !header->reserved[0];
	for (unsigned int i = 0; i < ARRAY_SIZE(header->reserved); i++)
		reserved |= header->reserved[i];
	return !(header->xcomp_bv & ~enabled & ~XCOMP_COMPACTED) &&
	       !(header->xstate_bv & ~(header->xcomp_bv & ~XCOMP_COMPACTED)) && !reserved;
}

/* Everything that an XRSTOR reads, before any of it is committed. */
struct restore {
	unsigned int form;
	u64 components; /* RFBM */
	u64 load;       /* of these, loaded from memory; the others are reset */
	bool set_mxcsr;
	u32 mxcsr;
	u8 image[XSTATE_COMPONENTS][256];
};

static void load_component(struct cpu *cpu, const struct op *op, u64 linear, unsigned int index,
			   struct restore *restore)
{
	const struct xstate_component *component = &xstate_components[index];
	unsigned int size = component->size;

	if (!(restore->form & XSTATE_16_VECTORS) && (component->bit == 1 || component->bit == 2))
		size = 128;
	image_load(cpu, op, linear, restore->image[index], size);
	if (component->valid && !component->valid(cpu, restore->image[index]))
		raise_gp(cpu, 0);
}

static void restore_commit(struct cpu *cpu, const struct restore *restore)
{
	if (restore->set_mxcsr)
		cpu->mxcsr = restore->mxcsr;
	for (unsigned int i = 0; i < XSTATE_COMPONENTS; i++) {
		const struct xstate_component *component = &xstate_components[i];

		if (restore->load & BIT(component->bit))
			component->load(cpu, restore->image[i], restore->form);
		else if (restore->components & BIT(component->bit))
			component->reset(cpu, restore->form);
	}
	/* CET's MSRs may have moved. */
	if (restore->components & (XSTATE_CET_U | XSTATE_CET_S))
		cpu_update_mode(cpu);
}

/* MXCSR: the standard form loads it whenever SSE or AVX is asked for; the compacted form treats it
 * as part of SSE (SDM 1:13.8.1, 13.8.2). */
static void restore_mxcsr(struct cpu *cpu, const struct op *op, u64 linear, bool compacted,
			  struct restore *restore)
{
	u64 components = restore->components & (compacted ? XSTATE_SSE : XSTATE_SSE | XSTATE_AVX);

	restore->set_mxcsr = components;
	restore->mxcsr = MXCSR_INIT;
	if (!components || (compacted && !(restore->load & XSTATE_SSE)))
		return;
	restore->mxcsr = mem_load(cpu, op, linear + FXSAVE_MXCSR, 4);
	if (restore->mxcsr & ~mxcsr_mask(cpu))
		raise_gp(cpu, 0);
}

static NOINLINE void restore_area(struct cpu *cpu, const struct op *op, bool supervisor)
{
	struct restore restore = {.form = image_form(cpu, op)};
	struct header header;
	u64 enabled, linear;
	bool compacted;

	check_usable(cpu, op, supervisor);
	if (supervisor)
		INTERCEPT(cpu, op, XRSTORS, requested(cpu, UINT64_MAX));
	enabled = cpu->xcr0 | (supervisor ? cpu->msr[MSR_XSS] : 0);
	restore.components = requested(cpu, enabled);
	linear = area_address(cpu, op, XSTATE_EXTENDED, false);
	image_load(cpu, op, linear + XSTATE_LEGACY_SIZE, (u8 *)&header, sizeof(header));
	compacted = header.xcomp_bv & XCOMP_COMPACTED;
	if (compacted ? !cpu_has(cpu, FEATURE_XSAVEC) : supervisor)
		raise_gp(cpu, 0);
	if (!header_valid(&header, enabled, compacted))
		raise_gp(cpu, 0);
	/* The segment limit, for all of the area. */
	area_address(cpu, op,
		     compacted ? xstate_size_compacted(header.xcomp_bv)
			       : xstate_size_standard(restore.components),
		     false);
	restore.load = restore.components & header.xstate_bv;
	for (unsigned int i = 0; i < XSTATE_COMPONENTS; i++) {
		u32 offset = compacted ? xstate_offset_compacted(header.xcomp_bv, i)
				       : xstate_components[i].offset;

		if (restore.load & BIT(xstate_components[i].bit))
			load_component(cpu, op, linear + offset, i, &restore);
	}
	restore_mxcsr(cpu, op, linear, compacted, &restore);
	restore_commit(cpu, &restore);
}

static HANDLER(exec_xsave)
{
	save_standard(cpu, op, false);
	NEXT;
}

static HANDLER(exec_xsaveopt)
{
	save_standard(cpu, op, true);
	NEXT;
}

static HANDLER(exec_xsavec)
{
	save_compacted(cpu, op, false);
	NEXT;
}

static HANDLER(exec_xsaves)
{
	save_compacted(cpu, op, true);
	NEXT;
}

static HANDLER(exec_xrstor)
{
	restore_area(cpu, op, false);
	NEXT;
}

static HANDLER(exec_xrstors)
{
	restore_area(cpu, op, true);
	NEXT;
}

FAMILY_ONE(xsave, exec_xsave);
FAMILY_ONE(xsaveopt, exec_xsaveopt);
FAMILY_ONE(xsavec, exec_xsavec);
FAMILY_ONE(xsaves, exec_xsaves);
FAMILY_ONE(xrstor, exec_xrstor);
FAMILY_ONE(xrstors, exec_xrstors);
