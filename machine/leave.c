/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/leave.h"

#include "machine/internal.h"
#include "machine/snapshot.h"
#include "machine/trigger.h"

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
