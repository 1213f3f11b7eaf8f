/* SPDX-License-Identifier: Apache-2.0 */
/* Requests about a vCPU's state. */
#include "apic/lapic.h"
#include "sim/cpu/msr.h"
#include "sim/cpu/params.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/vmx_capability.h"
#include "sim/cpu/xstate.h"
#include "sim/ioctl_state.h"
#include "sim/state.h"

static void post(struct cpu *cpu, u32 event)
{
	__atomic_fetch_or(&cpu->event, event, __ATOMIC_RELEASE);
}

/* 0: the frequency that the VM's vCPUs have by default. */
static int set_tsc_khz(struct cpu *cpu, unsigned long khz)
{
	if (khz == 0)
		khz = cpu->params->tsc_khz;
	if (!tsc_khz_valid(khz))
		return -EINVAL;
	cpu_set_tsc_khz(cpu, khz);
	return 0;
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
	case KVM_GET_XSAVE: /* KVM_CAP_XSAVE2: the struct is as large as it has always been */
	case KVM_GET_XSAVE2: xstate_save_kvm(cpu, arg); return 0;
	case KVM_GET_XCRS: state_get_xcrs(cpu, arg); return 0;
	case KVM_GET_DEBUGREGS: state_get_debug(cpu, arg); return 0;
	case KVM_GET_MP_STATE: state_get_mp(cpu, arg); return 0;
	case KVM_GET_VCPU_EVENTS: state_get_events(cpu, arg); return 0;
	case KVM_GET_NESTED_STATE: return state_get_nested(cpu, arg);
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
	case KVM_SET_NESTED_STATE: return state_set_nested(cpu, arg);
	case KVM_SET_LAPIC: return cpu->lapic ? lapic_set_state(cpu->lapic, arg, false) : -EINVAL;
	case KVM_SET_GUEST_DEBUG: return state_set_guest_debug(cpu, arg);
	case KVM_GET_TSC_KHZ: return cpu_tsc_khz(cpu);
	case KVM_SET_TSC_KHZ: return set_tsc_khz(cpu, (unsigned long)arg);
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

static int get_msr_list(struct kvm_msr_list *list)
{
	unsigned int room = list->nmsrs, count = 0, n;

	for (n = 0; n < MSR_INDEX_COUNT; n++)
		if (state_msr_listed(&msr_rows[n])) {
			if (count < room)
				list->indices[count] = msr_rows[n].number;
			count++;
		}
	list->nmsrs = count;
	return room < count ? -E2BIG : 0;
}

/* MSRs that describe the processor, with what they offer whatever the model; and those of VMX. */
static const u16 feature_msrs[] = {MSR_ARCH_CAPABILITIES, MSR_PERF_CAPABILITIES, MSR_DE_CFG};
#define FEATURE_MSRS (ARRAY_SIZE(feature_msrs) + VMX_MSR_COUNT)

static const struct msr_row *feature_msr(unsigned int n)
{
	return &msr_rows[n < ARRAY_SIZE(feature_msrs)
				 ? feature_msrs[n]
				 : MSR_VMX_BASIC + (n - ARRAY_SIZE(feature_msrs))];
}

static int get_feature_list(struct kvm_msr_list *list)
{
	unsigned int room = list->nmsrs, n;

	list->nmsrs = FEATURE_MSRS;
	if (room < FEATURE_MSRS)
		return -E2BIG;
	for (n = 0; n < FEATURE_MSRS; n++)
		list->indices[n] = feature_msr(n)->number;
	return 0;
}

static const struct msr_row *find_feature(u32 number)
{
	unsigned int n;

	for (n = 0; n < FEATURE_MSRS; n++)
		if (feature_msr(n)->number == number)
			return feature_msr(n);
	return NULL;
}

static u64 feature_value(const struct msr_row *row)
{
	if (row->number - VMX_MSR_BASE < VMX_MSR_COUNT)
		return vmx_capability_supported(row->number - VMX_MSR_BASE);
	return row->reset;
}

static int get_features(struct kvm_msrs *msrs)
{
	unsigned int n;

	for (n = 0; n < msrs->nmsrs; n++) {
		const struct msr_row *row = find_feature(msrs->entries[n].index);

		if (!row)
			break;
		msrs->entries[n].data = feature_value(row);
	}
	return n;
}

int system_state_ioctl(unsigned long request, unsigned long arg)
{
	switch (request) {
	case KVM_GET_MSR_INDEX_LIST: return get_msr_list((void *)arg);
	case KVM_GET_MSR_FEATURE_INDEX_LIST: return get_feature_list((void *)arg);
	case KVM_GET_MSRS: return get_features((void *)arg);
	default: return -ENOTTY;
	}
}
