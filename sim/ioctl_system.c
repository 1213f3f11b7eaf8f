/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/kvm.h>

#include "apic/routing.h"
#include "mmu/types.h"
#include "sim/ioctl_system.h"
#include "sim/state.h"
#include "sim/vm.h"

/* Capabilities and what KVM_CHECK_EXTENSION says of them. What is not listed is not there. */
static const struct {
	unsigned long cap;
	int value;
} capabilities[] = {
	{KVM_CAP_IRQCHIP, 1},
	{KVM_CAP_USER_MEMORY, 1},
	{KVM_CAP_SET_TSS_ADDR, 1},
	{KVM_CAP_EXT_CPUID, 1},
	{KVM_CAP_NR_VCPUS, SIM_VCPUS_MAX},
	{KVM_CAP_MAX_VCPUS, SIM_VCPUS_MAX},
	{KVM_CAP_MAX_VCPU_ID, SIM_VCPUS_MAX},
	{KVM_CAP_NR_MEMSLOTS, SLOTS_MAX},
	{KVM_CAP_PIT2, 1},
	{KVM_CAP_PIT_STATE2, 1},
	{KVM_CAP_MP_STATE, 1},
	{KVM_CAP_DESTROY_MEMORY_REGION_WORKS, 1},
	{KVM_CAP_JOIN_MEMORY_REGIONS_WORKS, 1},
	{KVM_CAP_IRQ_ROUTING, IRQ_ROUTING_MAX},
	{KVM_CAP_IRQ_INJECT_STATUS, 1},
	{KVM_CAP_SIGNAL_MSI, 1},
	{KVM_CAP_VCPU_EVENTS, 1},
	{KVM_CAP_NESTED_STATE,
	 sizeof(struct kvm_nested_state) + sizeof(struct kvm_vmx_nested_state_data)},
	{KVM_CAP_DEBUGREGS, 1},
	{KVM_CAP_XSAVE, 1},
	{KVM_CAP_XCRS, 1},
	{KVM_CAP_READONLY_MEM, 1},
	{KVM_CAP_SET_IDENTITY_MAP_ADDR, 1},
	{KVM_CAP_IMMEDIATE_EXIT, 1},
	{KVM_CAP_USER_NMI, 1},
	{KVM_CAP_SET_GUEST_DEBUG, 1},
	{KVM_CAP_SET_GUEST_DEBUG2, GUEST_DEBUG_CONTROL},
	{KVM_CAP_SREGS2, 1},
	{KVM_CAP_XSAVE2, sizeof(struct kvm_xsave)},
	{KVM_CAP_CHECK_EXTENSION_VM, 1},
	{KVM_CAP_ENABLE_CAP_VM, 1},
	{KVM_CAP_INTR_SHADOW, 1},
	{KVM_CAP_X86_SMM, 1},
	{KVM_CAP_EXCEPTION_PAYLOAD, 1},
	{KVM_CAP_X86_TRIPLE_FAULT_EVENT, 1},
	{KVM_CAP_GET_MSR_FEATURES, 1},
	{KVM_CAP_X86_USER_SPACE_MSR, 1},
	{KVM_CAP_X86_MSR_FILTER, 1},
	{KVM_CAP_TSC_CONTROL, 1},
	{KVM_CAP_GET_TSC_KHZ, 1},
	{KVM_CAP_VM_TSC_CONTROL, 1},
	{KVM_CAP_ADJUST_CLOCK, KVM_CLOCK_TSC_STABLE},
	{KVM_CAP_SYNC_REGS, KVM_SYNC_X86_VALID_FIELDS},
};

int system_check_extension(unsigned long cap)
{
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(capabilities); n++)
		if (capabilities[n].cap == cap)
			return capabilities[n].value;
	return 0;
}
