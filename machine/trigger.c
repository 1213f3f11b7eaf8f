/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/trigger.h"

#include <string.h>

#include "machine/internal.h"

#define DR7_FIXED       0x400u
#define DR7_EXECUTE_DR0 0x2u /* G0, and R/W0 and LEN0 of 0 (SDM 3B:18.2.4) */

int trigger_check(const struct machine *machine, struct ls_error *err)
{
	const char *name = machine->engine->ops->name;

	switch (machine->config.leave.at.kind) {
	case MACHINE_TRIGGER_INSTRUCTIONS:
		if (machine->config.schedule == MACHINE_ROUND_ROBIN &&
		    machine_ext(machine)->vcpu_limit)
			return 0;
		return ls_error_set(err, -ENOTSUP,
				    "engine %s does not count the instructions of vCPUs that run "
				    "in parallel; name another trigger",
				    name);
	case MACHINE_TRIGGER_ADDRESS:
		if (engine_offers(machine, KVM_CAP_SET_GUEST_DEBUG))
			return 0;
		return ls_error_set(err, -ENOTSUP,
				    "engine %s sets no breakpoints (KVM_CAP_SET_GUEST_DEBUG); "
				    "name another trigger",
				    name);
	case MACHINE_TRIGGER_PHYSICAL:
		if (machine_ext(machine)->vcpu_break_physical)
			return 0;
		return ls_error_set(err, -ENOTSUP,
				    "engine %s does not stop at physical addresses; name another "
				    "trigger",
				    name);
	default:
		return 0;
	}
}

static bool waits_for(const struct machine *machine, enum machine_trigger_kind kind)
{
	return machine->trigger.armed && machine->config.leave.at.kind == kind;
}

static void trigger_fire(struct machine *machine)
{
	trigger_disarm(machine);
	machine_request_leave(machine);
}

static void trigger_time(struct ls_timer *timer, uint64_t now)
{
	(void)now;
	trigger_fire(timer->opaque);
}

static void arm_timer(struct machine *machine, uint64_t wait)
{
	struct ls_timer *timer = &machine->trigger.timer;

	machine_lock(machine);
	*timer = (struct ls_timer){.deadline = LS_NEVER, .fn = trigger_time, .opaque = machine};
	machine->clock->arm(machine->clock, timer, machine->clock->now(machine->clock) + wait);
	machine_unlock(machine);
}

/* On every vCPU, or, without an address, no longer on any. */
static int set_breakpoint(struct machine *machine, const uint64_t *address, struct ls_error *err)
{
	struct kvm_guest_debug debug = {0};
	int ret = 0;

	if (address) {
		debug.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
		debug.arch.debugreg[0] = *address;
		debug.arch.debugreg[7] = DR7_FIXED | DR7_EXECUTE_DR0;
	}
	for (unsigned int i = 0; i < machine->vcpu_count && ret >= 0; i++)
		ret = ls_ioctl_ptr(machine->engine, machine->vcpus[i].fd, KVM_SET_GUEST_DEBUG,
				   &debug);
	return ret < 0 ? ls_error_set(err, ret, "engine %s sets no breakpoints: %s",
				      machine->engine->ops->name, strerror(-ret))
		       : 0;
}

/* UINT64_MAX: no longer. */
static int set_physical(struct machine *machine, uint64_t gpa)
{
	int ret = 0;

	for (unsigned int i = 0; i < machine->vcpu_count && !ret; i++)
		ret = machine_ext(machine)->vcpu_break_physical(machine->engine,
								machine->vcpus[i].fd, gpa);
	return ret;
}

int trigger_arm(struct machine *machine, struct ls_error *err)
{
	const struct machine_trigger *at = &machine->config.leave.at;

	machine->trigger.armed = at->kind != MACHINE_TRIGGER_NONE;
	switch (at->kind) {
	case MACHINE_TRIGGER_TIME:
		arm_timer(machine, at->value);
		return 0;
	case MACHINE_TRIGGER_INSTRUCTIONS:
		machine->trigger.count = machine->turns.executed + at->value;
		return 0;
	case MACHINE_TRIGGER_ACCESSES:
		machine->trigger.count = at->value;
		return 0;
	case MACHINE_TRIGGER_ADDRESS:
		return set_breakpoint(machine, &at->value, err);
	case MACHINE_TRIGGER_PHYSICAL:
		return set_physical(machine, at->value);
	default:
		return 0;
	}
}

void trigger_disarm(struct machine *machine)
{
	if (waits_for(machine, MACHINE_TRIGGER_TIME))
		machine->clock->disarm(machine->clock, &machine->trigger.timer);
	machine->trigger.armed = false;
}

void trigger_remove(struct machine *machine)
{
	if (machine->config.leave.at.kind == MACHINE_TRIGGER_ADDRESS)
		set_breakpoint(machine, NULL, NULL);
	if (machine->config.leave.at.kind == MACHINE_TRIGGER_PHYSICAL)
		set_physical(machine, UINT64_MAX);
}

uint64_t trigger_distance(const struct machine *machine, uint64_t executed)
{
	if (!waits_for(machine, MACHINE_TRIGGER_INSTRUCTIONS))
		return UINT64_MAX;
	return machine->trigger.count > executed ? machine->trigger.count - executed : 0;
}

void trigger_executed(struct machine *machine, uint64_t executed)
{
	if (waits_for(machine, MACHINE_TRIGGER_INSTRUCTIONS) && executed >= machine->trigger.count)
		trigger_fire(machine);
}

void trigger_access(struct machine *machine)
{
	if (waits_for(machine, MACHINE_TRIGGER_ACCESSES) && --machine->trigger.count == 0)
		trigger_fire(machine);
}

void trigger_port_write(struct machine *machine, uint16_t port)
{
	if (waits_for(machine, MACHINE_TRIGGER_PORT) && machine->config.leave.at.value == port)
		trigger_fire(machine);
}

bool trigger_breakpoint(struct vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;

	if (machine->config.leave.at.kind != MACHINE_TRIGGER_ADDRESS &&
	    machine->config.leave.at.kind != MACHINE_TRIGGER_PHYSICAL)
		return false;
	machine_lock(machine);
	if (machine->trigger.armed)
		trigger_fire(machine);
	machine_unlock(machine);
	return true;
}
