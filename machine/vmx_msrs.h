/* SPDX-License-Identifier: Apache-2.0 */
/* The VMX capability MSRs of a guest's processor: what CPUID can't tell of the model. */
#ifndef LOCKSTEP_MACHINE_VMX_MSRS_H
#define LOCKSTEP_MACHINE_VMX_MSRS_H

#include <lockstep/error.h>

struct vcpu;

/* After KVM_SET_CPUID2: the vCPU offers what its engine, the model and the engine that it is to fit
 * all have. */
int vmx_msrs_set(struct vcpu *vcpu, struct ls_error *err);

#endif
