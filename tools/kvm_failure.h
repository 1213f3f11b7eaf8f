/* SPDX-License-Identifier: Apache-2.0 */
/* Says what is wrong with a vCPU that KVM could not run, as far as it can be seen. */
#ifndef LOCKSTEP_TOOLS_KVM_FAILURE_H
#define LOCKSTEP_TOOLS_KVM_FAILURE_H

#include "machine/failure.h"

/* machine_config.failed; on standard error. */
void kvm_failure_show(void *opaque, const struct machine_failure *failure);

#endif
