/* SPDX-License-Identifier: Apache-2.0 */
/* A processor at reset (SDM 3A, table 9-1), as far as KVM_GET_REGS and KVM_GET_SREGS tell. */
#ifndef LOCKSTEP_ACCEL_RESET_STATE_H
#define LOCKSTEP_ACCEL_RESET_STATE_H

#include <linux/kvm.h>

void reset_state(struct kvm_regs *regs, struct kvm_sregs *sregs);

#endif
