/* SPDX-License-Identifier: Apache-2.0 */
/* The engine behind the seam: handles, dispatch of ioctls. */
#include <stdlib.h>

#include "sim/cpu/model.h"
#include "sim/engine.h"
#include "sim/ioctl_state.h"
#include "sim/ioctl_system.h"

/* --- handles --- */

static int handle_new(struct sim_engine *engine, enum sim_handle_kind kind, void *object)
{
	int n;

	pthread_mutex_lock(&engine->lock);
	for (n = 0; n < SIM_HANDLES_MAX; n++)
		if (engine->handle[n].kind == HANDLE_FREE)
			break;
	if (n < SIM_HANDLES_MAX)
		engine->handle[n] = (struct sim_handle){kind, object};
	pthread_mutex_unlock(&engine->lock);
	return n < SIM_HANDLES_MAX ? n : -EMFILE;
}

static void *handle_object(struct sim_engine *engine, int handle, enum sim_handle_kind kind)
{
	if (handle < 0 || handle >= SIM_HANDLES_MAX || engine->handle[handle].kind != kind)
		return NULL;
	return engine->handle[handle].object;
}

struct vm *sim_vm_of(struct ls_engine *base, int handle)
{
	return handle_object(sim_engine_of(base), handle, HANDLE_VM);
}

struct vcpu *sim_vcpu_of(struct ls_engine *base, int handle)
{
	return handle_object(sim_engine_of(base), handle, HANDLE_VCPU);
}

/* --- ioctls --- */

static int create_vm(struct sim_engine *engine)
{
	struct vm *vm = vm_create(engine);
	int handle = vm ? handle_new(engine, HANDLE_VM, vm) : -ENOMEM;

	if (vm && handle < 0)
		vm_destroy(vm);
	return handle;
}

static bool vcpu_id_taken(const struct vm *vm, unsigned long id)
{
	unsigned int n;

	for (n = 0; n < vm->vcpus; n++)
		if (vm->vcpu[n]->id == id)
			return true;
	return false;
}

static int create_vcpu(struct sim_engine *engine, struct vm *vm, unsigned long id)
{
	struct vcpu *vcpu;
	int handle;

	if (id >= SIM_VCPUS_MAX)
		return -EINVAL;
	if (vcpu_id_taken(vm, id))
		return -EEXIST;
	vcpu = sim_vcpu_create(vm, id);
	handle = vcpu ? handle_new(engine, HANDLE_VCPU, vcpu) : -ENOMEM;
	if (vcpu && handle < 0)
		sim_vcpu_destroy(vcpu);
	return handle;
}

static int system_ioctl(struct sim_engine *engine, unsigned long request, unsigned long arg)
{
	switch (request) {
	case KVM_GET_API_VERSION:
		return KVM_API_VERSION;
	case KVM_CREATE_VM:
		return arg ? -EINVAL : create_vm(engine);
	case KVM_CHECK_EXTENSION:
		return system_check_extension(arg);
	case KVM_GET_VCPU_MMAP_SIZE:
		return SIM_RUN_BYTES;
	case KVM_GET_SUPPORTED_CPUID:
		return cpuid_supported(engine->params.tsc_khz, (void *)arg);
	default:
		return system_state_ioctl(request, arg);
	}
}

static int sim_ioctl(struct ls_engine *base, int handle, unsigned long request, unsigned long arg)
{
	struct sim_engine *engine = sim_engine_of(base);
	struct vcpu *vcpu = sim_vcpu_of(base, handle);
	struct vm *vm = sim_vm_of(base, handle);

	if (handle == LS_SYSTEM)
		return system_ioctl(engine, request, arg);
	if (vcpu)
		return vcpu_ioctl(vcpu, request, arg);
	if (!vm)
		return -EBADF;
	if (request == KVM_CREATE_VCPU)
		return create_vcpu(engine, vm, arg);
	return vm_ioctl(vm, request, arg);
}

static struct kvm_run *sim_mmap(struct ls_engine *base, int handle)
{
	struct vcpu *vcpu = sim_vcpu_of(base, handle);

	return vcpu ? vcpu->run : NULL;
}

static void sim_kick(struct ls_engine *base, int handle)
{
	struct vcpu *vcpu = sim_vcpu_of(base, handle);

	if (!vcpu)
		return;
	__atomic_fetch_or(&vcpu->cpu.event, EVENT_KICK, __ATOMIC_RELEASE);
	vcpu_wake(vcpu);
}

static void sim_close(struct ls_engine *base, int handle)
{
	struct sim_engine *engine = sim_engine_of(base);
	struct vcpu *vcpu = sim_vcpu_of(base, handle);
	struct vm *vm = sim_vm_of(base, handle);

	if (handle == LS_SYSTEM) {
		pthread_mutex_destroy(&engine->lock);
		free(engine);
		return;
	}
	if (vcpu)
		sim_vcpu_destroy(vcpu);
	if (vm)
		vm_destroy(vm);
	if (vcpu || vm)
		engine->handle[handle] = (struct sim_handle){HANDLE_FREE, NULL};
}

static struct ls_engine *sim_open(struct ls_error *err)
{
	struct sim_engine *engine = calloc(1, sizeof(*engine));

	if (!engine) {
		ls_error_set(err, -ENOMEM, "no memory for the sim engine");
		return NULL;
	}
	engine->base.ops = &ls_engine_sim;
	engine->base.ext = &sim_extension;
	pthread_mutex_init(&engine->lock, NULL);
	sim_params_init(&engine->params);
	return &engine->base;
}

const struct ls_engine_ops ls_engine_sim = {
	.name = "sim",
	.summary = "the interpreting reference model",
	.open = sim_open,
	.ioctl = sim_ioctl,
	.mmap = sim_mmap,
	.kick = sim_kick,
	.close = sim_close,
};
