/* SPDX-License-Identifier: Apache-2.0 */
/* Extended state in KVM's structs: the standard XSAVE format and struct kvm_fpu. */
#include <errno.h>
#include <string.h>

#include "sim/cpu/fpu.h"
#include "sim/cpu/xstate.h"

#define KVM_FORM (XSTATE_REX_W | XSTATE_16_VECTORS | XSTATE_POINTERS)

/* The components that user space may see. */
static u64 user_components(const struct cpu *cpu)
{
	return cpu->xcr0_supported | XSTATE_X87 | XSTATE_SSE;
}

void xstate_save_kvm(const struct cpu *cpu, struct kvm_xsave *xsave)
{
	u8 *area = (u8 *)xsave->region;
	u32 mxcsr[2] = {cpu->mxcsr, mxcsr_mask(cpu)};
	u64 in_use = 0;

	memset(area, 0, sizeof(xsave->region));
	for (unsigned int i = 0; i < XSTATE_COMPONENTS; i++) {
		const struct xstate_component *component = &xstate_components[i];

		if (component->supervisor || !(user_components(cpu) & BIT(component->bit)))
			continue;
		component->save(cpu, area + component->offset, KVM_FORM);
		if (component->in_use(cpu, KVM_FORM))
			in_use |= BIT(component->bit);
	}
	/* A reader that goes by XSTATE_BV must not lose MXCSR. */
	if (cpu->mxcsr != MXCSR_INIT)
		in_use |= XSTATE_SSE;
	memcpy(area + FXSAVE_MXCSR, mxcsr, sizeof(mxcsr));
	memcpy(area + XSTATE_LEGACY_SIZE, &in_use, sizeof(in_use));
}

int xstate_restore_kvm(struct cpu *cpu, const struct kvm_xsave *xsave)
{
	const u8 *area = (const u8 *)xsave->region;
	u64 bv, xcomp, reserved;
	u32 mxcsr;

	memcpy(&bv, area + XSTATE_LEGACY_SIZE, sizeof(bv));
	memcpy(&xcomp, area + XSTATE_LEGACY_SIZE + 8, sizeof(xcomp));
	memcpy(&reserved, area + XSTATE_LEGACY_SIZE + 16, sizeof(reserved));
	memcpy(&mxcsr, area + FXSAVE_MXCSR, sizeof(mxcsr));
	if (bv & ~user_components(cpu) || xcomp || reserved || mxcsr & ~mxcsr_mask(cpu))
		return -EINVAL;
	cpu->mxcsr = mxcsr;
	for (unsigned int i = 0; i < XSTATE_COMPONENTS; i++) {
		const struct xstate_component *component = &xstate_components[i];

		if (component->supervisor || !(user_components(cpu) & BIT(component->bit)))
			continue;
		if (bv & BIT(component->bit))
			component->load(cpu, area + component->offset, KVM_FORM);
		else
			component->reset(cpu, KVM_FORM);
	}
	return 0;
}

void xstate_save_kvm_fpu(const struct cpu *cpu, struct kvm_fpu *fpu)
{
	memset(fpu, 0, sizeof(*fpu));
	for (unsigned int i = 0; i < 8; i++)
		memcpy(fpu->fpr[i], &cpu->fpu.r[(fpu_top(cpu) + i) & 7], 10);
	fpu->fcw = cpu->fpu.control;
	fpu->fsw = cpu->fpu.status;
	fpu->ftwx = fpu_abridged_tags(cpu);
	fpu->last_opcode = cpu->fpu.opcode;
	fpu->last_ip = cpu->fpu.ip;
	fpu->last_dp = cpu->fpu.dp;
	for (unsigned int i = 0; i < 16; i++)
		memcpy(fpu->xmm[i], cpu->vec[i].b, 16);
	fpu->mxcsr = cpu->mxcsr;
}

int xstate_restore_kvm_fpu(struct cpu *cpu, const struct kvm_fpu *fpu)
{
	if (fpu->mxcsr & ~mxcsr_mask(cpu))
		return -EINVAL;
	fpu_set_control(cpu, fpu->fcw);
	fpu_set_status(cpu, fpu->fsw);
	fpu_set_abridged_tags(cpu, fpu->ftwx);
	for (unsigned int i = 0; i < 8; i++)
		memcpy(&cpu->fpu.r[(fpu_top(cpu) + i) & 7], fpu->fpr[i], 10);
	cpu->fpu.opcode = fpu->last_opcode & 0x7ff;
	cpu->fpu.ip = fpu->last_ip;
	cpu->fpu.dp = fpu->last_dp;
	for (unsigned int i = 0; i < 16; i++)
		memcpy(cpu->vec[i].b, fpu->xmm[i], 16);
	cpu->mxcsr = fpu->mxcsr;
	return 0;
}
