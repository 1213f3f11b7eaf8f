/* SPDX-License-Identifier: Apache-2.0 */
/* A processor of a named model with 1 MiB of memory and nothing around it. */
#ifndef LOCKSTEP_TESTS_CPU_RIG_H
#define LOCKSTEP_TESTS_CPU_RIG_H

#include <stdlib.h>
#include <string.h>

#include "sim/cpu/cpu.h"
#include "sim/cpu/model.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/trace_cache.h"
#include "sim/cpu/vendor.h"
#include "tests/unit/check.h"

#define RIG_MEMORY (1u << 20)
#define RIG_LEAVES 128

struct cpu_rig {
	struct cpu *cpu;
	struct slots slots;
	struct kvm_cpuid2 *cpuid;
	u8 *memory;
};

static inline struct kvm_cpuid2 *rig_leaves(const char *spec, unsigned int index,
					    unsigned int count, struct ls_error *err)
{
	struct kvm_cpuid2 *cpuid =
		calloc(1, sizeof(*cpuid) + RIG_LEAVES * sizeof(cpuid->entries[0]));

	cpuid->nent = RIG_LEAVES;
	if (cpu_model_build(spec, index, count, 1000000, cpuid, err)) {
		free(cpuid);
		return NULL;
	}
	return cpuid;
}

static inline void rig_open(struct cpu_rig *rig, const char *spec)
{
	struct kvm_userspace_memory_region region = {.memory_size = RIG_MEMORY};

	memset(rig, 0, sizeof(*rig));
	rig->memory = aligned_alloc(4096, RIG_MEMORY);
	memset(rig->memory, 0, RIG_MEMORY);
	region.userspace_addr = (uintptr_t)rig->memory;
	CHECK_EQUAL(slots_set(&rig->slots, &region), 0);
	rig->cpuid = rig_leaves(spec, 0, 1, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig->cpuid);
	rig->cpu = aligned_alloc(64, (sizeof(struct cpu) + 63) & ~(size_t)63);
	memset(rig->cpu, 0, sizeof(*rig->cpu));
	rig->cpu->slots = &rig->slots;
	rig->cpu->vendor = &vendor_none;
	rig->cpu->cpuid = rig->cpuid;
	CU_ASSERT_TRUE_FATAL(trace_cache_open(rig->cpu));
	cpuid_adopt(rig->cpu);
	cpu_reset(rig->cpu, false);
}

static inline void rig_close(struct cpu_rig *rig)
{
	slots_free(&rig->slots);
	trace_cache_close(rig->cpu);
	free(rig->memory);
	free(rig->cpuid);
	free(rig->cpu);
}

#endif
