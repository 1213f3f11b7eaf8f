/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bus lock: one vCPU alone in the guest. It serves LOCKed accesses that no host instruction
 * makes atomic, those across a page boundary or to a page that holds traces.
 */
#include "sim/vm.h"

/* A vCPU that is not in the guest is served its shootdowns on the spot, so waiting here blocks
 * nobody. */
static void wait_outside(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	bus_leave(vcpu);
	while (vm->bus_owner && vm->bus_owner != vcpu)
		vm_lock_wait(&vm->lock, &vm->shot);
}

void bus_enter(struct vcpu *vcpu)
{
	if (unlikely(vcpu->vm->bus_owner != NULL))
		wait_outside(vcpu);
	if (vcpu->shootdowns)
		shootdown_apply(vcpu);
	vcpu->in_guest = true;
}

void bus_leave(struct vcpu *vcpu)
{
	vcpu->in_guest = false;
	if (vcpu->shootdowns)
		shootdown_apply(vcpu);
	if (vcpu->vm->vcpus > 1)
		pthread_cond_broadcast(&vcpu->vm->shot);
}

static void wait_for_exit(struct vcpu *vcpu, struct vcpu *other)
{
	while (other->in_guest) {
		__atomic_fetch_or(&other->cpu.event, EVENT_SHOOTDOWN, __ATOMIC_RELEASE);
		shootdown_apply(vcpu);
		vm_lock_wait(&vcpu->vm->lock, &vcpu->vm->shot);
	}
}

void bus_own(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	unsigned int n;

	vm_lock_take(&vm->lock);
	bus_enter(vcpu);
	vm->bus_owner = vcpu;
	for (n = 0; n < vm->vcpus; n++)
		if (vm->vcpu[n] != vcpu)
			wait_for_exit(vcpu, vm->vcpu[n]);
	vm_lock_give(&vm->lock);
}

void bus_give(struct vcpu *vcpu)
{
	vm_lock_take(&vcpu->vm->lock);
	vcpu->vm->bus_owner = NULL;
	pthread_cond_broadcast(&vcpu->vm->shot);
	vm_lock_give(&vcpu->vm->lock);
}
