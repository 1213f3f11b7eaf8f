/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/debug.h"

#include "machine/internal.h"

/* A pause that does not wait for the vCPU that asks for it. */
void debug_stop(struct vcpu *vcpu, const struct kvm_debug_exit_arch *exit)
{
	struct machine *machine = vcpu->machine;

	pthread_mutex_lock(&machine->run_lock);
	machine->pauses++;
	pthread_mutex_unlock(&machine->run_lock);
	if (machine->config.schedule == MACHINE_PARALLEL)
		control_kick_all(machine);
	if (!exit) /* else it may be no stop to the debugger */
		machine->goal = (struct debug_goal){0};
	machine_lock(machine);
	machine->config.debug(machine->config.debug_opaque, vcpu->index, exit);
	machine_unlock(machine);
	machine_poke(machine);
}

uint64_t debug_distance(struct vcpu *vcpu, uint64_t executed)
{
	const struct debug_goal *goal = &vcpu->machine->goal;

	if (!goal->set || (goal->vcpu != MACHINE_EVERY_VCPU && goal->vcpu != vcpu->index))
		return UINT64_MAX;
	if (goal->vcpu == vcpu->index)
		executed = vcpu_instructions(vcpu);
	return goal->instructions > executed ? goal->instructions - executed : 0;
}

void debug_executed(struct vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;

	if (!control_is_held(machine) && !debug_distance(vcpu, machine->turns.executed))
		debug_stop(vcpu, NULL);
}

void debug_present(struct machine *machine)
{
	if (!control_is_held(machine) && machine->goal.present)
		debug_stop(&machine->vcpus[machine->goal.vcpu], NULL);
}

void machine_run_to_present(struct machine *machine, unsigned int vcpu)
{
	machine->goal = (struct debug_goal){.present = true, .vcpu = vcpu};
}

void machine_run_to(struct machine *machine, unsigned int vcpu, uint64_t instructions)
{
	machine->goal = (struct debug_goal){
		.set = instructions != UINT64_MAX, .vcpu = vcpu, .instructions = instructions};
}

uint64_t machine_retired(struct machine *machine, unsigned int vcpu)
{
	return vcpu == MACHINE_EVERY_VCPU ? machine->turns.executed
					  : vcpu_instructions(&machine->vcpus[vcpu]);
}

void machine_settle(struct machine *machine)
{
	for (unsigned int i = 0; i < machine->vcpu_count; i++)
		vcpu_settle(&machine->vcpus[i]);
}
