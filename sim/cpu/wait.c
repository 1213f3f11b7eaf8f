/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cpu/wait.h"
#include "sim/cpu/code_guard.h"
#include "sim/cpu/flags.h"
#include "sim/cpu/pmu.h"
#include "sim/cpu/segment.h"

/* --- the monitor --- */

void monitor_arm(struct cpu *cpu, u64 gpa)
{
	cpu->monitor.armed = slots_find(cpu->slots, gpa) && cpu->platform;
	if (!cpu->monitor.armed)
		return; /* not memory */
	cpu->monitor.gpa = gpa;
	code_guard(cpu, gpa, 1);
}

bool monitor_end(struct cpu *cpu)
{
	bool ends = cpu->activity == ACTIVITY_WAITING && cpu->wait.for_store &&
		    cpu->wait.end == WAIT_GOES_ON;

	cpu->monitor.armed = false;
	if (ends)
		cpu->wait.end = WAIT_STORED;
	return ends;
}

bool monitor_written(struct cpu *cpu, u64 gpa)
{
	return !((cpu->monitor.gpa ^ gpa) >> PAGE_SHIFT) && monitor_end(cpu);
}

/* --- waiting --- */

void cpu_halt(struct cpu *cpu)
{
	cpu->activity = ACTIVITY_HALTED;
	pmu_halted(cpu);
}

/* False if there is no reason to wait, or nobody to end it. */
static bool has_reason(struct cpu *cpu, const struct wait *wait)
{
	if (!cpu->platform || !cpu->platform->wait || (wait->for_store && !cpu->monitor.armed))
		return false;
	return wait->until > cpu_time(cpu) + 1 &&
	       !(wait->masked_too && event_interrupt_waiting(cpu));
}

void wait_begin(struct cpu *cpu, const struct wait *wait)
{
	bool waits = has_reason(cpu, wait) && cpu->platform->wait(cpu, wait->until);

	if (wait->for_store)
		cpu->monitor.armed = false;
	if (!waits)
		return;
	cpu->wait.for_store = wait->for_store;
	cpu->wait.masked_too = wait->masked_too;
	cpu->wait.limited = wait->limited;
	cpu->wait.end = WAIT_GOES_ON;
	cpu->activity = ACTIVITY_WAITING;
	pmu_halted(cpu);
}

void wait_expire(struct cpu *cpu)
{
	if (cpu->activity == ACTIVITY_WAITING && cpu->wait.end == WAIT_GOES_ON)
		cpu->wait.end = WAIT_EXPIRED;
}

bool wait_may_end(struct cpu *cpu)
{
	return cpu->activity == ACTIVITY_WAITING &&
	       (cpu->wait.end != WAIT_GOES_ON ||
		(cpu->wait.masked_too && event_interrupt_waiting(cpu)));
}

bool wait_over(struct cpu *cpu)
{
	if (!wait_may_end(cpu))
		return false;
	cpu->activity = ACTIVITY_RUNNING;
	if (cpu->wait.end == WAIT_EXPIRED && cpu->wait.limited)
		flags_set_arith(cpu, FLAG_CF);
	pmu_note_privilege(cpu);
	return true;
}
