/* SPDX-License-Identifier: Apache-2.0 */
/* The vCPU's calls: its state in KVM's structs. */
#include <errno.h>
#include <string.h>

#include "accel/native/pages.h"
#include "accel/native/vcpu.h"
#include "accel/reset_state.h"

/* Where an XSAVE area holds what (SDM 1:13.4). */
enum {
	XSAVE_FCW = 0,
	XSAVE_FSW = 2,
	XSAVE_FTW = 4,
	XSAVE_FOP = 6,
	XSAVE_FIP = 8,
	XSAVE_FDP = 16,
	XSAVE_MXCSR = 24,
	XSAVE_ST = 32,
	XSAVE_XMM = 160,
	XSAVE_BV = 512,
};
#define FCW_INIT   0x37f
#define MXCSR_INIT 0x1f80
#define XCR0_X87   1u
#define GUEST_XCR0 7u /* x87, SSE, AVX */

void native_vcpu_reset(struct native_vcpu *vcpu, const struct shared_memory *memory)
{
	static const uint16_t control = FCW_INIT;
	static const uint32_t mxcsr = MXCSR_INIT;

	*vcpu = (struct native_vcpu){
		.memory = memory, .xcr0 = XCR0_X87, .debugregs = {.dr6 = 0xffff0ff0, .dr7 = 0x400}};
	reset_state(&vcpu->regs, &vcpu->sregs);
	memcpy(vcpu->xstate + XSAVE_FCW, &control, sizeof(control));
	memcpy(vcpu->xstate + XSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
}

static void get_fpu(const struct native_vcpu *vcpu, struct kvm_fpu *fpu)
{
	const uint8_t *area = vcpu->xstate;

	*fpu = (struct kvm_fpu){0};
	memcpy(&fpu->fcw, area + XSAVE_FCW, sizeof(fpu->fcw));
	memcpy(&fpu->fsw, area + XSAVE_FSW, sizeof(fpu->fsw));
	memcpy(&fpu->ftwx, area + XSAVE_FTW, sizeof(fpu->ftwx));
	memcpy(&fpu->last_opcode, area + XSAVE_FOP, sizeof(fpu->last_opcode));
	memcpy(&fpu->last_ip, area + XSAVE_FIP, sizeof(fpu->last_ip));
	memcpy(&fpu->last_dp, area + XSAVE_FDP, sizeof(fpu->last_dp));
	memcpy(&fpu->mxcsr, area + XSAVE_MXCSR, sizeof(fpu->mxcsr));
	memcpy(fpu->fpr, area + XSAVE_ST, sizeof(fpu->fpr));
	memcpy(fpu->xmm, area + XSAVE_XMM, sizeof(fpu->xmm));
}

static int set_xsave(struct native_vcpu *vcpu, const struct kvm_xsave *xsave)
{
	uint64_t components;

	memcpy(&components, (const char *)xsave->region + XSAVE_BV, sizeof(components));
	if (components & ~(uint64_t)GUEST_XCR0)
		return -EINVAL;
	memset(vcpu->xstate, 0, sizeof(vcpu->xstate));
	memcpy(vcpu->xstate, xsave->region, sizeof(xsave->region));
	vcpu->regs_changed = true;
	return 0;
}

static int set_xcrs(struct native_vcpu *vcpu, const struct kvm_xcrs *xcrs)
{
	/* The host's own is what counts: a part of it cannot be turned off. */
	if (xcrs->nr_xcrs != 1 || xcrs->xcrs[0].xcr || xcrs->xcrs[0].value != GUEST_XCR0)
		return -EINVAL;
	vcpu->xcr0 = xcrs->xcrs[0].value;
	return 0;
}

static int set_cpuid(struct native_vcpu *vcpu, const struct kvm_cpuid2 *cpuid)
{
	if (cpuid->nent > CPUID_LEAVES_ROOM)
		return -E2BIG;
	memcpy(vcpu->cpuid, cpuid->entries, cpuid->nent * sizeof(vcpu->cpuid[0]));
	vcpu->cpuid_count = cpuid->nent;
	return 0;
}

static void set_debug(struct native_vcpu *vcpu, const struct kvm_guest_debug *debug)
{
	vcpu->single_step = debug->control & KVM_GUESTDBG_SINGLESTEP;
	vcpu->inject_debug = debug->control & KVM_GUESTDBG_INJECT_DB;
}

static void translate(const struct native_vcpu *vcpu, struct kvm_translation *at)
{
	struct native_page page = native_page_find(vcpu->memory, &vcpu->sregs, at->linear_address);

	at->physical_address = page.gpa;
	at->valid = page.present;
	at->writeable = page.write;
	at->usermode = page.user;
}

static int vcpu_get(struct native_vcpu *vcpu, unsigned long request, void *arg)
{
	switch (request) {
	case KVM_GET_REGS:
		*(struct kvm_regs *)arg = vcpu->regs;
		return 0;
	case KVM_GET_SREGS:
		*(struct kvm_sregs *)arg = vcpu->sregs;
		return 0;
	case KVM_GET_FPU:
		get_fpu(vcpu, arg);
		return 0;
	case KVM_GET_XSAVE:
		memcpy(arg, vcpu->xstate, sizeof(struct kvm_xsave));
		return 0;
	case KVM_GET_XCRS:
		*(struct kvm_xcrs *)arg =
			(struct kvm_xcrs){.nr_xcrs = 1, .xcrs[0].value = vcpu->xcr0};
		return 0;
	case KVM_GET_DEBUGREGS:
		*(struct kvm_debugregs *)arg = vcpu->debugregs;
		return 0;
	case KVM_GET_MP_STATE:
		*(struct kvm_mp_state *)arg = (struct kvm_mp_state){KVM_MP_STATE_RUNNABLE};
		return 0;
	case KVM_TRANSLATE:
		translate(vcpu, arg);
		return 0;
	default:
		return -EINVAL;
	}
}

int native_vcpu_ioctl(struct native_vcpu *vcpu, unsigned long request, void *arg)
{
	switch (request) {
	case KVM_RUN:
		return native_vcpu_run(vcpu);
	case KVM_SET_REGS:
		vcpu->regs = *(const struct kvm_regs *)arg;
		vcpu->regs_changed = true;
		return 0;
	case KVM_SET_SREGS:
		vcpu->sregs = *(const struct kvm_sregs *)arg;
		vcpu->sregs_changed = vcpu->regs_changed = true;
		return 0;
	case KVM_SET_XSAVE:
		return set_xsave(vcpu, arg);
	case KVM_SET_XCRS:
		return set_xcrs(vcpu, arg);
	case KVM_SET_DEBUGREGS:
		vcpu->debugregs = *(const struct kvm_debugregs *)arg;
		return 0;
	case KVM_SET_CPUID2:
		return set_cpuid(vcpu, arg);
	case KVM_SET_GUEST_DEBUG:
		set_debug(vcpu, arg);
		return 0;
	default:
		return vcpu_get(vcpu, request, arg);
	}
}
