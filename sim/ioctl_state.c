/* SPDX-License-Identifier: Apache-2.0 */
/* Requests about a vCPU's state. */
#include "apic/lapic.h"
#include "sim/cpu/msr.h"
#include "sim/cpu/xstate.h"
#include "sim/ioctl_state.h"
#include "sim/state.h"

static void post(struct cpu *cpu, u32 event)
{
	__atomic_fetch_or(&cpu->event, event, __ATOMIC_RELEASE);
}

static int get_state(struct cpu *cpu, unsigned long request, void *arg)
{
	switch (request) {
	case KVM_GET_REGS: state_get_regs(cpu, arg); return 0;
	case KVM_GET_SREGS: state_get_sregs(cpu, arg); return 0;
	case KVM_GET_SREGS2: state_get_sregs2(cpu, arg); return 0;
	case KVM_GET_MSRS: return state_get_msrs(cpu, arg);
	case KVM_GET_CPUID2: return state_get_cpuid(cpu, arg);
	case KVM_GET_FPU: xstate_save_kvm_fpu(cpu, arg); return 0;
	case KVM_GET_XSAVE: xstate_save_kvm(cpu, arg); return 0;
	case KVM_GET_XCRS: state_get_xcrs(cpu, arg); return 0;
	case KVM_GET_DEBUGREGS: state_get_debug(cpu, arg); return 0;
	case KVM_GET_MP_STATE: state_get_mp(cpu, arg); return 0;
	case KVM_GET_VCPU_EVENTS: state_get_events(cpu, arg); return 0;
	case KVM_TRANSLATE: return state_translate(cpu, arg);
	case KVM_GET_LAPIC:
		if (!cpu->lapic)
			return -EINVAL;
		lapic_get_state(cpu->lapic, arg, false);
		return 0;
	default: return -ENOTTY;
	}
}

static int set_state(struct cpu *cpu, unsigned long request, const void *arg)
{
	switch (request) {
	case KVM_SET_REGS: state_set_regs(cpu, arg); return 0;
	case KVM_SET_SREGS: return state_set_sregs(cpu, arg);
	case KVM_SET_SREGS2: return state_set_sregs2(cpu, arg);
	case KVM_SET_MSRS: return state_set_msrs(cpu, arg);
	case KVM_SET_CPUID2: return state_set_cpuid(cpu, arg);
	case KVM_SET_FPU: return xstate_restore_kvm_fpu(cpu, arg);
	case KVM_SET_XSAVE: return xstate_restore_kvm(cpu, arg);
	case KVM_SET_XCRS: return state_set_xcrs(cpu, arg);
	case KVM_SET_DEBUGREGS: return state_set_debug(cpu, arg);
	case KVM_SET_MP_STATE: return state_set_mp(cpu, arg);
	case KVM_SET_VCPU_EVENTS: return state_set_events(cpu, arg);
	case KVM_SET_LAPIC: return cpu->lapic ? lapic_set_state(cpu->lapic, arg, false) : -EINVAL;
	case KVM_SET_GUEST_DEBUG: return state_set_guest_debug(cpu, arg);
	case KVM_NMI: post(cpu, EVENT_NMI); return 0;
	case KVM_SMI: post(cpu, EVENT_SMI); return 0;
	default: return -ENOTTY;
	}
}

int vcpu_state_ioctl(struct cpu *cpu, unsigned long request, unsigned long arg)
{
	int ret = get_state(cpu, request, (void *)arg);

	return ret == -ENOTTY ? set_state(cpu, request, (const void *)arg) : ret;
}

/* The rows' numbers: all of them can be saved and restored. */
static int get_msr_list(struct kvm_msr_list *list)
{
	unsigned int room = list->nmsrs, n;

	list->nmsrs = MSR_INDEX_COUNT;
	if (room < MSR_INDEX_COUNT)
		return -E2BIG;
	for (n = 0; n < MSR_INDEX_COUNT; n++)
		list->indices[n] = msr_rows[n].number;
	return 0;
}

int system_state_ioctl(unsigned long request, unsigned long arg)
{
	return request == KVM_GET_MSR_INDEX_LIST ? get_msr_list((void *)arg) : -ENOTTY;
}
