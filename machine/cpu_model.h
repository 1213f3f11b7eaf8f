/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which processor the guest sees, as CPUID leaves. An engine with models of its own makes them. For
 * any other, what it supports is the model "host", and a model by name is the reference engine's,
 * less what this one doesn't support: the guest cannot tell on which of the two it runs.
 */
#ifndef LOCKSTEP_MACHINE_CPU_MODEL_H
#define LOCKSTEP_MACHINE_CPU_MODEL_H

#include <lockstep/engine.h>

struct machine;

#define CPUID_ROOM 256

union cpuid_buffer {
	struct kvm_cpuid2 head;
	uint8_t room[sizeof(struct kvm_cpuid2) + CPUID_ROOM * sizeof(struct kvm_cpuid_entry2)];
};

/* The leaves for vCPU number @index of the machine's. */
int cpu_model_make(struct machine *machine, unsigned int index, union cpuid_buffer *cpuid,
		   struct ls_error *err);

/* Names a CPU model where the config has an engine to fit and no model. */
int cpu_model_settle(struct machine *machine, struct ls_error *err);

/* Whether the machine's engine can show the guest @cpuid: 0; or -ENOTSUP, *err saying what it
 * lacks. */
int cpu_model_check(struct machine *machine, const struct kvm_cpuid2 *cpuid, struct ls_error *err);

/* Takes away from @model what @supported lacks. -EINVAL if they are of different vendors: registers
 * and instructions differ in more than CPUID tells. */
int cpu_model_intersect(struct kvm_cpuid2 *model, const struct kvm_cpuid2 *supported);

/* Makes the leaves of @cpuid, which has room for CPUID_ROOM, those of processor @index of @count,
 * each a core with one thread, all in one package. */
void cpu_model_place(struct kvm_cpuid2 *cpuid, unsigned int index, unsigned int count);

struct kvm_cpuid_entry2 *cpuid_find(const struct kvm_cpuid2 *cpuid, uint32_t leaf,
				    uint32_t subleaf);

#endif
