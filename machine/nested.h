/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a vCPU's state that a hypervisor in it has: KVM_GET_NESTED_STATE and
 * KVM_SET_NESTED_STATE. */
#ifndef LOCKSTEP_MACHINE_NESTED_H
#define LOCKSTEP_MACHINE_NESTED_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include <lockstep/error.h>

struct vcpu;

/* Either vendor's. */
union nested_buffer {
	struct kvm_nested_state head;
	uint8_t room[sizeof(struct kvm_nested_state) + sizeof(struct kvm_vmx_nested_state_data)];
};

/* head.size is 0 where the engine knows of no such state. */
void nested_read(struct vcpu *vcpu, union nested_buffer *state);
/* After the registers and MSRs. */
int nested_write(struct vcpu *vcpu, const union nested_buffer *state, struct ls_error *err);
/* Before them: other registers than a hypervisor's or its guest's could not be set. */
void nested_leave(struct vcpu *vcpu);
/* It runs a guest of its own now. False also where the engine does not tell. */
bool nested_in_guest(struct vcpu *vcpu);

#endif
