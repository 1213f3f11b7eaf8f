/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/look.h"

#include "mmu/second_stage.h"
#include "sim/cpu/vendor.h"

unsigned int look_level(const struct cpu *cpu)
{
	return cpu->guest ? 2 : 1;
}

/* The second stage as it is now, without what it has found and what it would leave behind. */
static void copy_second(struct second_stage *to, const struct second_stage *from)
{
	*to = *from;
	to->probe = true;
	to->accessed_dirty = false;
	to->log_index = NULL;
	to->steps = NULL;
	second_stage_flush(to);
}

/* A host with PAE has its PDPTEs in memory while its guest runs. */
static bool load_host_pdptes(struct slots *slots, struct walk_registers *walk)
{
	struct walk_result result;

	if (!(walk->cr0 & CR0_PG) || !(walk->cr4 & CR4_PAE) || (walk->efer & EFER_LMA))
		return true;
	return walk_load_pdptes(slots, walk, walk->cr3, walk->pdpte, &result);
}

static bool linear_address(struct slots *slots, const struct walk_registers *walk, u64 address,
			   u64 *gpa)
{
	struct walk_result result = {0};

	if (!walk_linear(slots, walk, address, WALK_NO_AD | WALK_IMPLICIT, &result))
		return false;
	*gpa = result.gpa;
	return true;
}

static bool physical_address(struct slots *slots, struct second_stage *second, u64 address,
			     u64 *gpa)
{
	struct second_stage_result result;
	struct walk_updates updates = {0};

	*gpa = address;
	if (second && !second_stage_translate(slots, second, address, WALK_READ, &updates, &result))
		return false;
	if (second)
		*gpa = result.physical;
	return true;
}

bool look_translate(const struct cpu *cpu, unsigned int level, bool linear, u64 address, u64 *gpa)
{
	struct walk_registers walk = cpu->walk;
	struct second_stage second;

	if (level < 1 || level > look_level(cpu))
		return false;
	walk.steps = NULL;
	if (level < look_level(cpu)) {
		walk.second = NULL;
		cpu->vendor->host_paging(cpu, &walk);
		if (!load_host_pdptes(cpu->slots, &walk))
			return false;
	} else if (walk.second) {
		copy_second(&second, walk.second);
		walk.second = &second;
	}
	return linear ? linear_address(cpu->slots, &walk, address, gpa)
		      : physical_address(cpu->slots, walk.second, address, gpa);
}
