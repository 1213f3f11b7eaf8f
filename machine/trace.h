/* SPDX-License-Identifier: Apache-2.0 */
/* What can be told of any engine's vCPU from above the seam: that it was entered and left. */
#ifndef LOCKSTEP_MACHINE_TRACE_H
#define LOCKSTEP_MACHINE_TRACE_H

#include "machine/vcpu.h"

/* Before KVM_RUN. */
void trace_entry(struct vcpu *vcpu);
/* KVM_RUN has returned: notes when. */
void trace_left(struct vcpu *vcpu);
/* Its exit was handled, so that what was read is known. */
void trace_exit(struct vcpu *vcpu, int result);

#endif
