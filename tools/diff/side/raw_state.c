/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/side/raw_state.h"

#include <stdbool.h>
#include <string.h>

const struct raw_part raw_part[RAW_PARTS] = {
#define PART(request, member)                                                                      \
	{                                                                                          \
#request, request, offsetof(struct raw_state, member)                              \
	}
	PART(KVM_GET_REGS, regs),
	PART(KVM_GET_SREGS, sregs),
	PART(KVM_GET_FPU, fpu),
	PART(KVM_GET_XSAVE, xsave),
	PART(KVM_GET_XCRS, xcrs),
	PART(KVM_GET_DEBUGREGS, debugregs),
	PART(KVM_GET_VCPU_EVENTS, events),
	PART(KVM_GET_MP_STATE, mp_state),
#undef PART
};

/* Where an XSAVE area holds what (SDM 1:13.4). */
enum {
	XSAVE_FCW = 0,
	XSAVE_FSW = 2,
	XSAVE_FTW = 4,
	XSAVE_MXCSR = 24,
	XSAVE_ST = 32,
	XSAVE_XMM = 160,
	XSAVE_BV = 512,
	XSAVE_YMM = 576,
};
#define BV_X87     1u
#define BV_SSE     2u
#define BV_AVX     4u
#define FCW_INIT   0x37f
#define MXCSR_INIT 0x1f80

/* A component whose bit in XSTATE_BV is clear is in its initial state, whatever the area holds
 * (SDM 1:13.6); KVM_GET_FPU does not look at that bit. */
static void fpu_from_xsave(struct raw_state *raw)
{
	const char *area = (const char *)raw->xsave.region;
	struct kvm_fpu *fpu = &raw->fpu;
	uint64_t there;

	memcpy(&there, area + XSAVE_BV, sizeof(there));
	memset(fpu, 0, sizeof(*fpu));
	fpu->fcw = FCW_INIT;
	fpu->mxcsr = MXCSR_INIT;
	if (there & BV_X87) {
		memcpy(&fpu->fcw, area + XSAVE_FCW, sizeof(fpu->fcw));
		memcpy(&fpu->fsw, area + XSAVE_FSW, sizeof(fpu->fsw));
		memcpy(&fpu->ftwx, area + XSAVE_FTW, sizeof(fpu->ftwx));
		memcpy(fpu->fpr, area + XSAVE_ST, sizeof(fpu->fpr));
	}
	if (there & BV_SSE)
		memcpy(fpu->xmm, area + XSAVE_XMM, sizeof(fpu->xmm));
	if (there & (BV_SSE | BV_AVX))
		memcpy(&fpu->mxcsr, area + XSAVE_MXCSR, sizeof(fpu->mxcsr));
	if (!(there & BV_AVX))
		memset((char *)raw->xsave.region + XSAVE_YMM, 0, 256);
}

/* KVM_CAP_SYNC_REGS has it; the FPU is that of the XSAVE area. */
static bool is_there(unsigned long request, bool synced)
{
	return request == KVM_GET_FPU ||
	       (synced && (request == KVM_GET_REGS || request == KVM_GET_SREGS ||
			   request == KVM_GET_VCPU_EVENTS));
}

void raw_state_read(struct raw_state *raw, struct ls_engine *engine, int vcpu,
		    const struct kvm_sync_regs *synced)
{
	if (synced) {
		raw->regs = synced->regs;
		raw->sregs = synced->sregs;
		raw->events = synced->events;
	}
	for (size_t i = 0; i < RAW_PARTS; i++)
		if (!is_there(raw_part[i].request, synced != NULL))
			ls_ioctl_ptr(engine, vcpu, raw_part[i].request,
				     (char *)raw + raw_part[i].offset);
	fpu_from_xsave(raw);
}

void raw_initialise_fpu(struct ls_engine *engine, int vcpu)
{
	struct kvm_xsave xsave = {0};
	uint16_t control = FCW_INIT;
	uint32_t mxcsr = MXCSR_INIT;

	memcpy((char *)xsave.region + XSAVE_FCW, &control, sizeof(control));
	memcpy((char *)xsave.region + XSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
	xsave.region[XSAVE_BV / 4] = BV_X87 | BV_SSE;
	ls_ioctl_ptr(engine, vcpu, KVM_SET_XSAVE, &xsave);
}
