/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page became code or is monitored, or such lines were written: the other vCPUs' TLBs and traces
 * have to follow before the asking vCPU goes on. One that is not in the guest is served on the
 * spot; one that runs does it at its next look at the events, and the asking one waits, serving
 * what others ask of it.
 */
#include "sim/cpu/trace_cache.h"
#include "sim/cpu/wait.h"
#include "sim/vm.h"

static void apply(struct vcpu *vcpu, const struct shootdown *what)
{
	tlb_protect_gpa(&vcpu->cpu.tlb, what->gpa & ~PAGE_OFFSET_MASK);
	if (!what->drop)
		return;
	trace_cache_drop(&vcpu->cpu, what->gpa & ~PAGE_OFFSET_MASK, PAGE_SIZE_4K);
	if (unlikely(vcpu->cpu.space.tables)) /* it may have been one */
		cpu_flush_all(&vcpu->cpu);
	if (monitor_written(&vcpu->cpu, what->gpa))
		vcpu_wake(vcpu);
}

/* Under vm->lock. */
static void apply_queue(struct vcpu *vcpu)
{
	unsigned int n;

	if (!vcpu->shootdowns)
		return;
	for (n = 0; n < vcpu->shootdowns; n++)
		apply(vcpu, &vcpu->shootdown[n]);
	vcpu->shootdowns = 0;
	pthread_cond_broadcast(&vcpu->vm->shot);
}

void shootdown_apply(struct vcpu *vcpu)
{
	vm_lock_take(&vcpu->vm->lock);
	apply_queue(vcpu);
	vm_lock_give(&vcpu->vm->lock);
}

/* @self is NULL for a thread that is no vCPU. */
static void wait_done(struct vcpu *self, struct vcpu *other)
{
	while (other->in_guest && other->shootdowns) {
		if (self)
			apply_queue(self);
		vm_lock_wait(&other->vm->lock, &other->vm->shot);
	}
	apply_queue(other); /* it left the guest before it saw the event */
}

static void ask(struct vcpu *self, struct vcpu *other, const struct shootdown *what)
{
	if (!other->in_guest) {
		apply(other, what);
		return;
	}
	while (other->shootdowns == SHOOTDOWNS_MAX)
		wait_done(self, other);
	other->shootdown[other->shootdowns++] = *what;
	__atomic_fetch_or(&other->cpu.event, EVENT_SHOOTDOWN, __ATOMIC_RELEASE);
	pthread_cond_broadcast(&other->vm->shot); /* it may itself wait, for the bus */
	wait_done(self, other);
}

void shootdown_others(struct vcpu *vcpu, u64 gpa, bool drop)
{
	const struct shootdown what = {gpa, drop};
	struct vm *vm = vcpu->vm;
	unsigned int n;

	if (vm->vcpus == 1)
		return;
	vm_lock_take(&vm->lock);
	for (n = 0; n < vm->vcpus; n++)
		if (vm->vcpu[n] != vcpu)
			ask(vcpu, vm->vcpu[n], &what);
	vm_lock_give(&vm->lock);
}

void shootdown_all(struct vm *vm, u64 gpa)
{
	const struct shootdown what = {gpa, true};
	unsigned int n;

	vm_lock_take(&vm->lock);
	for (n = 0; n < vm->vcpus; n++)
		ask(NULL, vm->vcpu[n], &what);
	vm_lock_give(&vm->lock);
}
