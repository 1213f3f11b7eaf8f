/* SPDX-License-Identifier: Apache-2.0 */
/* KVM_GET_SUPPORTED_CPUID for QEMU: it tells its leaves to nobody but a guest, so one asks. */
#ifndef LOCKSTEP_ACCEL_QEMU_CPUID_H
#define LOCKSTEP_ACCEL_QEMU_CPUID_H

#include "accel/cpuid_leaves.h"

/* 0, or -errno. */
int qemu_read_cpuid(union cpuid_leaves *leaves);

#endif
