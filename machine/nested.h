/* SPDX-License-Identifier: Apache-2.0 */
/* A guest that is a hypervisor itself. */
#ifndef LOCKSTEP_MACHINE_NESTED_H
#define LOCKSTEP_MACHINE_NESTED_H

#include <lockstep/error.h>

#include <stdbool.h>

struct vcpu;

/* -EBUSY if the vCPU is in VMX operation or runs a guest of its own: not all of that can be saved.
 */
int nested_check(struct vcpu *vcpu, struct ls_error *err);
/* It runs a guest of its own now. False also where the engine does not tell. */
bool nested_in_guest(struct vcpu *vcpu);

#endif
