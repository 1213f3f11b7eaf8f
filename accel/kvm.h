/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: the kvm engine on another device node than /dev/kvm. */
#ifndef LOCKSTEP_ACCEL_KVM_H
#define LOCKSTEP_ACCEL_KVM_H

#include <lockstep/engine.h>
#include <lockstep/extension.h>

struct ls_engine *kvm_open_path(const char *path, struct ls_error *err);

#endif
