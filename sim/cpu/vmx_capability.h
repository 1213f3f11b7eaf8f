/* SPDX-License-Identifier: Apache-2.0 */
/* The VMX capability MSRs, 480H to 493H (SDM 3D appendix A), as they follow from what a model
 * offers. */
#ifndef LOCKSTEP_SIM_CPU_VMX_CAPABILITY_H
#define LOCKSTEP_SIM_CPU_VMX_CAPABILITY_H

#include "mmu/types.h"

#define VMX_MSR_BASE 0x480u

/* IA32_VMX_…, in the order of their numbers. */
enum vmx_msr {
	VMX_BASIC,
	VMX_PINBASED,
	VMX_PROCBASED,
	VMX_EXIT,
	VMX_ENTRY,
	VMX_MISC,
	VMX_CR0_FIXED0,
	VMX_CR0_FIXED1,
	VMX_CR4_FIXED0,
	VMX_CR4_FIXED1,
	VMX_VMCS_ENUM,
	VMX_PROCBASED2,
	VMX_EPT_VPID,
	VMX_TRUE_PINBASED,
	VMX_TRUE_PROCBASED,
	VMX_TRUE_EXIT,
	VMX_TRUE_ENTRY,
	VMX_FUNCTION,
	VMX_PROCBASED3,
	VMX_EXIT2,
	VMX_MSR_COUNT
};

/* Of a VMCS region: KVM's layout, and so its identifier; bit 31 marks a shadow VMCS. */
#define VMCS_REVISION    0x11e57ed0u
#define VMCS_REGION_SIZE 4096u

#define VMX_TIMER_RATE  5u /* the preemption timer counts changes of this bit of the TSC */
#define VMX_CR3_TARGETS 4u

/* @feature: a model's bit set, by enum cpu_feature; @cr4: the bits of CR4 that it has. */
void vmx_capability(const u32 *feature, u64 cr4, u64 msr[VMX_MSR_COUNT]);
/* All controls that are built, for a processor with @feature of CPUID. */
void vmx_capability_built(const u32 *feature, u64 cr4, u64 msr[VMX_MSR_COUNT]);
/* Whether a processor that has @full may be told to offer no more than @value. */
bool vmx_capability_within(enum vmx_msr which, u64 value, u64 full);
/* KVM_GET_MSRS of the system: what the engine can offer at most. */
u64 vmx_capability_supported(enum vmx_msr number);
/* ls_extension.cpu_model_msrs */
struct kvm_msrs;
struct ls_error;
int vmx_capability_of_model(const char *spec, struct kvm_msrs *msrs, struct ls_error *err);

/* A processor with VMX gets all that is built. */
struct cpu;
void vmx_capability_adopt(struct cpu *cpu);

#endif
