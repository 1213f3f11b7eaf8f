/* SPDX-License-Identifier: Apache-2.0 */
#include "mmu/second_stage.h"
#include "mmu/control_registers.h"

#include <string.h>

#include "mmu/ept.h"

void second_stage_flush(struct second_stage *stage)
{
	memset(stage->cached, 0xff, sizeof(stage->cached));
}

/* --- nested paging --- */

#define ERROR_USER BIT(2)

/* GMET: U/S keeps the supervisor's fetches out as SMEP does, and nothing else (table 15-21). */
static struct walk_registers execute_trap_registers(const struct walk_registers *host,
						    bool supervisor)
{
	struct walk_registers registers = *host;

	registers.cr0 |= CR0_WP;
	registers.cr4 &= ~(CR4_SMEP | CR4_SMAP);
	registers.cr4 |= supervisor ? CR4_SMEP : 0;
	return registers;
}

/* Reads of the guest's tables count as writes, for they may set accessed bits (APM 2:15.25.5). */
static bool npt_translate(struct slots *slots, struct second_stage *stage, u64 gpa,
			  unsigned int access, struct walk_updates *updates,
			  struct second_stage_result *result)
{
	const struct walk_registers *host = &stage->host;
	unsigned int user_access = WALK_USER;
	struct walk_registers trapping;
	struct walk_result walk;
	bool user = true, done;

	if ((access & SECOND_STAGE_TABLE) && !stage->probe)
		access |= WALK_WRITE;
	if (stage->probe)
		access |= WALK_NO_AD;
	stage->host.steps = stage->steps;
	stage->host.tables = stage->tables;
	if (unlikely(stage->execute_trap)) {
		user = access & (WALK_USER | SECOND_STAGE_TABLE);
		trapping = execute_trap_registers(host, !user);
		host = &trapping;
		user_access = 0;
	}
	done = walk_linear(slots, host, gpa,
			   (access & (WALK_WRITE | WALK_EXEC | WALK_NO_AD)) | user_access, &walk);
	if (user)
		walk.error_code |= ERROR_USER;
	for (unsigned int n = 0; n < walk.updates.count; n++)
		walk_note_update(updates, walk.updates.physical[n]);
	result->error = walk.error_code;
	result->physical = walk.gpa;
	result->allowed = walk.allowed;
	result->memory_type = walk.memory_type_bits;
	return done;
}

/* --- both --- */

static bool translate_anew(struct slots *slots, struct second_stage *stage, u64 gpa,
			   unsigned int access, struct walk_updates *updates,
			   struct second_stage_result *result)
{
	bool done;

	if (unlikely(stage->steps))
		walk_steps_second(stage->steps, gpa);
	done = stage->kind == SECOND_STAGE_EPT
		       ? ept_translate(slots, stage, gpa, access, updates, result)
		       : npt_translate(slots, stage, gpa, access, updates, result);
	if (unlikely(stage->steps))
		walk_steps_first(stage->steps);
	return done;
}

static struct second_stage_cached *cached_slot(struct second_stage *stage, u64 gpa)
{
	u64 page = gpa >> PAGE_SHIFT;

	return &stage->cached[(page ^ page >> 8) % SECOND_STAGE_CACHED];
}

/* By what was found before, or by a walk. */
static bool find(struct slots *slots, struct second_stage *stage, u64 gpa, unsigned int access,
		 struct walk_updates *updates, struct second_stage_result *result)
{
	struct second_stage_cached *cached = cached_slot(stage, gpa);
	u8 user = access & (stage->execute_trap ? WALK_USER : SECOND_STAGE_USER_PAGE) ? 1 : 0;
	u8 needed = second_stage_right_needed(stage, access);
	bool writes_tables =
		!stage->probe && (stage->kind == SECOND_STAGE_NPT || stage->accessed_dirty);

	if ((access & SECOND_STAGE_TABLE) && writes_tables)
		needed = WALK_WRITE;
	if (cached->gpa == (gpa & ~PAGE_OFFSET_MASK) && cached->user == user &&
	    (cached->allowed & needed) && !stage->tables) {
		result->physical = cached->hpa | (gpa & PAGE_OFFSET_MASK);
		result->allowed = cached->allowed;
		result->memory_type = cached->memory_type;
		return true;
	}
	if (!translate_anew(slots, stage, gpa, access, updates, result))
		return false;
	cached->gpa = gpa & ~PAGE_OFFSET_MASK;
	cached->hpa = result->physical & ~PAGE_OFFSET_MASK;
	cached->allowed = result->allowed;
	cached->memory_type = result->memory_type;
	cached->user = user;
	return true;
}

bool second_stage_translate(struct slots *slots, struct second_stage *stage, u64 gpa,
			    unsigned int access, struct walk_updates *updates,
			    struct second_stage_result *result)
{
	result->misconfigured = result->log_full = result->suppressed = false;
	if (!find(slots, stage, gpa, access, updates, result)) {
		result->apic_access = false;
		return false;
	}
	if (unlikely((gpa | PAGE_OFFSET_MASK) == stage->apic_end) &&
	    !(access & (SECOND_STAGE_TABLE | WALK_EXEC)))
		result->physical = stage->apic_target | (gpa & PAGE_OFFSET_MASK);
	result->apic_access = (access & SECOND_STAGE_TABLE) &&
			      (result->physical | PAGE_OFFSET_MASK) == stage->apic_access_end;
	return !result->apic_access;
}
