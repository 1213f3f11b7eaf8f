/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/leave.h"

#include "machine/internal.h"
#include "machine/snapshot.h"
#include "machine/trigger.h"

/* What a guest is carried in. An engine that hides a part of it would lose that part in silence. */
static const struct {
	unsigned long cap;
	const char *name;
} carried[] = {
	{KVM_CAP_XSAVE, "floating-point and vector registers (KVM_CAP_XSAVE)"},
	{KVM_CAP_DEBUGREGS, "debug registers (KVM_CAP_DEBUGREGS)"},
	{KVM_CAP_VCPU_EVENTS, "pending events (KVM_CAP_VCPU_EVENTS)"},
	{KVM_CAP_MP_STATE, "whether a vCPU waits (KVM_CAP_MP_STATE)"},
};

static int check_carries(const struct machine *machine, struct ls_error *err)
{
	for (size_t i = 0; i < sizeof(carried) / sizeof(carried[0]); i++) {
		if (!engine_offers(machine, carried[i].cap))
			return ls_error_set(err, -ENOTSUP,
					    "engine %s does not tell %s: a guest can neither leave "
					    "it nor go there",
					    machine->engine->ops->name, carried[i].name);
	}
	return 0;
}

static int check_other(const struct machine *machine, struct ls_error *err)
{
	const struct machine_leave *leave = &machine->config.leave;
	struct machine other = {.config = machine->config, .vcpu_count = machine->vcpu_count};
	int ret;

	other.config.engine = leave->to;
	other.config.leave.to = machine->config.engine;
	other.config.schedule = machine->wish.schedule;
	other.config.clock = machine->wish.clock;
	ret = engine_open(&other, &other.config, err);
	if (!ret)
		ret = check_carries(&other, err);
	if (!ret && leave->times > 1)
		ret = trigger_check(&other, err);
	if (other.engine)
		other.engine->ops->close(other.engine, LS_SYSTEM);
	return ret;
}

int leave_check(struct machine *machine, struct ls_error *err)
{
	const struct machine_leave *leave = &machine->config.leave;
	int ret = 0;

	if (leave->save || leave->to)
		ret = check_carries(machine, err);
	if (!ret)
		ret = trigger_check(machine, err);
	return ret || !leave->to ? ret : check_other(machine, err);
}

static int leave_save(struct machine *machine, struct ls_error *err)
{
	const char *path = machine->config.leave.save;
	int ret = machine_save(machine, path, err);

	if (!ret && !machine->config.leave.go_on)
		control_end(machine, MACHINE_END_SAVED, 0, 0, "saved to '%s'", path);
	return ret;
}

static int leave_act(struct machine *machine, struct ls_error *err)
{
	const struct machine_leave *leave = &machine->config.leave;
	int ret = 0;

	if (leave->save)
		ret = leave_save(machine, err);
	if (!ret && leave->to) {
		ret = machine_switch(machine, err);
		machine->switches += !ret;
	}
	if (!ret && leave->to && machine->switches < leave->times)
		ret = trigger_arm(machine, err);
	return ret;
}

bool leave_carry_out(struct machine *machine)
{
	struct ls_error err = {0};

	if (atomic_load(&machine->request) == REQUEST_END ||
	    !atomic_exchange(&machine->leave, false))
		return false;
	trigger_disarm(machine);
	trigger_remove(machine);
	if (!leave_act(machine, &err))
		return true;
	control_end(machine, MACHINE_END_ERROR, MACHINE_EXIT_ERROR, 0, "%s", err.text);
	return false;
}

void leave_finish(struct machine *machine)
{
	const struct machine_leave *leave = &machine->config.leave;
	struct ls_error err = {0};
	int ret;

	if (leave->at.kind != MACHINE_TRIGGER_STOP || !leave->save ||
	    machine->result.end != MACHINE_END_INTERRUPTED)
		return;
	ret = machine_save(machine, leave->save, &err);
	atomic_store(&machine->request, REQUEST_NONE);
	if (ret)
		control_end(machine, MACHINE_END_ERROR, MACHINE_EXIT_ERROR, 0, "%s", err.text);
	else
		control_end(machine, MACHINE_END_SAVED, 0, 0, "saved to '%s'", leave->save);
}
