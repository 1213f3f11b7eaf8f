/* SPDX-License-Identifier: Apache-2.0 */
/* A vCPU's state outside of it, in KVM's structs. */
#ifndef LOCKSTEP_MACHINE_VCPU_STATE_H
#define LOCKSTEP_MACHINE_VCPU_STATE_H

#include "record/record.h"

#include <lockstep/engine.h>

struct vcpu;
struct vcpu_state;

extern const struct record_table vcpu_state_table;

/* To be freed with free(); NULL: no memory. */
struct vcpu_state *vcpu_state_new(void);
const struct kvm_cpuid2 *vcpu_state_cpuid(const struct vcpu_state *state);
/* All of it but CPUID and the TSC's frequency, which no reset changes. */
int vcpu_state_read(struct vcpu *vcpu, struct vcpu_state *state, struct ls_error *err);

/* For another VM, perhaps another engine's. Loading expects the vCPU's CPUID to be the state's;
 * -ENOTSUP if the engine does not take a register as the guest has it. */
int vcpu_state_save(struct vcpu *vcpu, struct vcpu_state *state, struct ls_error *err);
int vcpu_state_load(struct vcpu *vcpu, const struct vcpu_state *state, struct ls_error *err);

#endif
