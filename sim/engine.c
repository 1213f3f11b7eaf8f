/* SPDX-License-Identifier: Apache-2.0 */
/* The engine behind the seam: handles, dispatch of ioctls, the extension. */
#include <stdlib.h>

#include "sim/cpu/debugger.h"
#include "sim/cpu/model.h"
#include "sim/cpu/msr.h"
#include "sim/cpu/recorder.h"
#include "sim/cpu/state_table.h"
#include "sim/cpu/vmx_capability.h"
#include "sim/exact_state.h"
#include "sim/explain.h"
#include "sim/instruction.h"
#include "sim/ioctl_state.h"
#include "sim/ioctl_system.h"
#include "sim/look.h"
#include "sim/vm.h"

static struct sim_engine *of_base(struct ls_engine *base)
{
	return (struct sim_engine *)base;
}

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

static struct vm *handle_vm(struct ls_engine *base, int handle)
{
	return handle_object(of_base(base), handle, HANDLE_VM);
}

static struct vcpu *handle_vcpu(struct ls_engine *base, int handle)
{
	return handle_object(of_base(base), handle, HANDLE_VCPU);
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
	struct sim_engine *engine = of_base(base);
	struct vcpu *vcpu = handle_vcpu(base, handle);
	struct vm *vm = handle_vm(base, handle);

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
	struct vcpu *vcpu = handle_vcpu(base, handle);

	return vcpu ? vcpu->run : NULL;
}

static void sim_kick(struct ls_engine *base, int handle)
{
	struct vcpu *vcpu = handle_vcpu(base, handle);

	if (!vcpu)
		return;
	__atomic_fetch_or(&vcpu->cpu.event, EVENT_KICK, __ATOMIC_RELEASE);
	vcpu_wake(vcpu);
}

static void sim_close(struct ls_engine *base, int handle)
{
	struct sim_engine *engine = of_base(base);
	struct vcpu *vcpu = handle_vcpu(base, handle);
	struct vm *vm = handle_vm(base, handle);

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

/* --- the extension --- */

static struct ls_clock *ext_clock(struct ls_engine *base, int handle)
{
	struct vm *vm = handle_vm(base, handle);

	return vm ? &vm->clock.base : NULL;
}

static uint64_t ext_next_deadline(struct ls_engine *base, int handle)
{
	struct vm *vm = handle_vm(base, handle);
	u64 next;

	vm_lock_take(&vm->lock);
	next = sim_clock_next(&vm->clock);
	vm_lock_give(&vm->lock);
	return next;
}

static void ext_advance(struct ls_engine *base, int handle, uint64_t now)
{
	struct vm *vm = handle_vm(base, handle);

	vm_lock_take(&vm->lock);
	sim_clock_advance(&vm->clock, now);
	vm_lock_give(&vm->lock);
}

static uint64_t ext_vcpu_time(struct ls_engine *base, int handle)
{
	return sim_vcpu_time(handle_vcpu(base, handle));
}

static int ext_run_until(struct ls_engine *base, int handle, uint64_t until)
{
	handle_vcpu(base, handle)->until = until;
	return 0;
}

static int ext_drive_clock(struct ls_engine *base, int handle, bool on)
{
	handle_vcpu(base, handle)->drives_clock = on;
	return 0;
}

static void ext_watch_time(struct ls_engine *base, int handle, void (*fn)(void *opaque),
			   void *opaque)
{
	struct vm *vm = handle_vm(base, handle);

	vm_lock_take(&vm->lock);
	vm->watch_time.fn = fn;
	vm->watch_time.opaque = opaque;
	vm_lock_give(&vm->lock);
}

static void ext_watch_refusals(struct ls_engine *base, int handle,
			       void (*fn)(void *opaque, unsigned int vcpu, const char *text),
			       void *opaque)
{
	struct vm *vm = handle_vm(base, handle);

	vm_lock_take(&vm->lock);
	vm->watch_refusals.fn = fn;
	vm->watch_refusals.opaque = opaque;
	vm_lock_give(&vm->lock);
}

static int ext_limit(struct ls_engine *base, int handle, uint64_t n)
{
	struct vcpu *vcpu = handle_vcpu(base, handle);
	u64 retired = cpu_retired(&vcpu->cpu);

	vcpu->limit = n > LS_NEVER - retired ? LS_NEVER : retired + n;
	return 0;
}

static bool ext_runnable(struct ls_engine *base, int handle)
{
	return sim_vcpu_runnable(handle_vcpu(base, handle));
}

static void ext_memory_written(struct ls_engine *base, int handle, uint64_t gpa, uint64_t len)
{
	vm_memory_written(handle_vm(base, handle), gpa, len);
}

static int ext_cpu_model_msrs(struct ls_engine *base, const char *spec, struct kvm_msrs *msrs,
			      struct ls_error *err)
{
	(void)base;
	return vmx_capability_of_model(spec ? spec : "intel", msrs, err);
}

static int ext_cpuid_msrs(struct ls_engine *base, const struct kvm_cpuid2 *cpuid,
			  void (*msr)(void *opaque, uint32_t number, uint64_t value), void *opaque)
{
	(void)base;
	return msr_each(cpuid, msr, opaque);
}

static int ext_cpu_model(struct ls_engine *base, const char *spec, unsigned int index,
			 unsigned int count, struct kvm_cpuid2 *cpuid, struct ls_error *err)
{
	return cpu_model_build(spec ? spec : "intel", index, count, of_base(base)->params.tsc_khz,
			       cpuid, err);
}

static int ext_set_param(struct ls_engine *base, const char *name, const char *value,
			 struct ls_error *err)
{
	return sim_params_set(&of_base(base)->params, name, value, err);
}

static int ext_stats(struct ls_engine *base, int handle, struct ls_vcpu_stats *stats)
{
	struct vcpu *vcpu = handle_vcpu(base, handle);
	const struct cpu *cpu;

	if (!vcpu)
		return -EBADF;
	cpu = &vcpu->cpu;
	*stats = (struct ls_vcpu_stats){
		.instructions = cpu_retired(cpu),
		.interrupts = cpu->stats.interrupts,
		.exceptions = cpu->stats.exceptions,
		.page_walks = cpu->stats.page_walks,
		.tlb_lookups = cpu->stats.tlb_lookups,
		.tlb_hits = cpu->stats.tlb_hits,
		.traces_built = cpu->stats.traces_built,
		.traces_dropped = cpu->stats.traces_dropped,
		.exits = vcpu->exits,
	};
	return 0;
}

static int ext_trace(struct ls_engine *base, int handle, struct ls_trace_sink *sink)
{
	struct vcpu *vcpu = handle_vcpu(base, handle);

	if (!vcpu)
		return -EBADF;
	return recorder_watch(&vcpu->cpu, sink) ? 0 : -ENOMEM;
}

static unsigned int ext_level(struct ls_engine *base, int handle)
{
	return look_level(&handle_vcpu(base, handle)->cpu);
}

static int ext_translate(struct ls_engine *base, int handle, unsigned int level, bool linear,
			 uint64_t address, uint64_t *gpa)
{
	return look_translate(&handle_vcpu(base, handle)->cpu, level, linear, address, gpa)
		       ? 0
		       : -EFAULT;
}

static int ext_break(struct ls_engine *base, int handle, bool vm_entry, bool vm_exit)
{
	handle_vcpu(base, handle)->cpu.debugger.events =
		(vm_entry ? DEBUGGER_VM_ENTRY : 0) | (vm_exit ? DEBUGGER_VM_EXIT : 0);
	return 0;
}

static int ext_instruction(struct ls_engine *base, int handle, const uint8_t *bytes,
			   unsigned int size, struct ls_instruction *instruction)
{
	struct vcpu *vcpu = handle_vcpu(base, handle);

	if (!vcpu)
		return -EBADF;
	instruction_describe(&vcpu->cpu, bytes, size, instruction);
	return 0;
}

static void *ext_state_save(struct ls_engine *base, int handle, size_t *size, struct ls_error *err)
{
	struct vcpu *vcpu = handle_vcpu(base, handle);
	struct vm *vm = vcpu ? vcpu->vm : handle_vm(base, handle);
	struct record_buffer buffer = {0};
	int ret;

	vm_lock_take(&vm->lock);
	ret = vcpu ? exact_save_vcpu(vcpu, &buffer, err) : exact_save_vm(vm, &buffer, err);
	vm_lock_give(&vm->lock);
	if (!ret && buffer.failed)
		ret = ls_error_set(err, -ENOMEM, "no memory for the state");
	if (ret)
		record_buffer_free(&buffer);
	*size = buffer.size;
	return buffer.bytes;
}

static int ext_state_load(struct ls_engine *base, int handle, const void *bytes, size_t size,
			  struct ls_error *err)
{
	struct vcpu *vcpu = handle_vcpu(base, handle);
	struct vm *vm = vcpu ? vcpu->vm : handle_vm(base, handle);
	struct record_reader reader = {bytes, size};
	int ret;

	vm_lock_take(&vm->lock);
	ret = vcpu ? exact_load_vcpu(vcpu, &reader, err) : exact_load_vm(vm, &reader, err);
	vm_lock_give(&vm->lock);
	return ret;
}

static uint64_t ext_state_hash(struct ls_engine *base, int handle, uint64_t hash)
{
	struct vcpu *vcpu = handle_vcpu(base, handle);

	return vcpu ? cpu_state_hash(&vcpu->cpu, hash) : hash;
}

static char *ext_info(struct ls_engine *base, int handle, const char *what)
{
	struct vcpu *vcpu = handle_vcpu(base, handle);

	return vcpu ? vcpu_info_text(&vcpu->cpu, what) : NULL;
}

static const struct ls_extension sim_extension = {
	.vm_clock = ext_clock,
	.clock_next_deadline = ext_next_deadline,
	.clock_advance = ext_advance,
	.vcpu_time = ext_vcpu_time,
	.vcpu_run_until = ext_run_until,
	.vcpu_drive_clock = ext_drive_clock,
	.vm_watch_time = ext_watch_time,
	.vm_watch_refusals = ext_watch_refusals,
	.vcpu_limit = ext_limit,
	.vcpu_runnable = ext_runnable,
	.state_save = ext_state_save,
	.state_load = ext_state_load,
	.memory_written = ext_memory_written,
	.vcpu_level = ext_level,
	.vcpu_translate = ext_translate,
	.vcpu_break = ext_break,
	.table = sim_table,
	.cpu_model = ext_cpu_model,
	.cpu_model_msrs = ext_cpu_model_msrs,
	.cpuid_msrs = ext_cpuid_msrs,
	.explain = sim_explain,
	.dump_read = sim_dump_read,
	.dump_explain = sim_dump_explain,
	.set_param = ext_set_param,
	.vcpu_trace = ext_trace,
	.vcpu_instruction = ext_instruction,
	.vcpu_stats = ext_stats,
	.vcpu_state_hash = ext_state_hash,
	.vcpu_info = ext_info,
};

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
