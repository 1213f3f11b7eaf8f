/* SPDX-License-Identifier: Apache-2.0 */
/* What KVM_CHECK_EXTENSION answers. */
#ifndef LOCKSTEP_SIM_IOCTL_SYSTEM_H
#define LOCKSTEP_SIM_IOCTL_SYSTEM_H

/* KVM_CHECK_EXTENSION, on the system and the VM handle. */
int system_check_extension(unsigned long cap);

#endif
