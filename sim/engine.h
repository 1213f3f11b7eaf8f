/* SPDX-License-Identifier: Apache-2.0 */
/* The engine behind the seam; between engine.c and extension.c. */
#ifndef LOCKSTEP_SIM_ENGINE_H
#define LOCKSTEP_SIM_ENGINE_H

#include "sim/vm.h"

extern const struct ls_extension sim_extension;

static inline struct sim_engine *sim_engine_of(struct ls_engine *base)
{
	return (struct sim_engine *)base;
}

/* NULL: the handle is of something else. */
struct vm *sim_vm_of(struct ls_engine *base, int handle);
struct vcpu *sim_vcpu_of(struct ls_engine *base, int handle);

#endif
