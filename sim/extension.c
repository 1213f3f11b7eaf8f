/* SPDX-License-Identifier: Apache-2.0 */
/* The extension: what the seam has beyond KVM's calls (lockstep/extension.h). */
#include "sim/cpu/debugger.h"
#include "sim/cpu/model.h"
#include "sim/cpu/msr.h"
#include "sim/cpu/recorder.h"
#include "sim/cpu/state_table.h"
#include "sim/cpu/vmx_capability.h"
#include "sim/engine.h"
#include "sim/exact_state.h"
#include "sim/explain.h"
#include "sim/instruction.h"
#include "sim/ioctl_state.h"
#include "sim/look.h"

static struct ls_clock *ext_clock(struct ls_engine *base, int handle)
{
	struct vm *vm = sim_vm_of(base, handle);

	return vm ? &vm->clock.base : NULL;
}

static uint64_t ext_next_deadline(struct ls_engine *base, int handle)
{
	struct vm *vm = sim_vm_of(base, handle);
	u64 next;

	vm_lock_take(&vm->lock);
	next = sim_clock_next(&vm->clock);
	vm_lock_give(&vm->lock);
	return next;
}

static void ext_advance(struct ls_engine *base, int handle, uint64_t now)
{
	struct vm *vm = sim_vm_of(base, handle);

	vm_lock_take(&vm->lock);
	sim_clock_advance(&vm->clock, now);
	vm_lock_give(&vm->lock);
}

static uint64_t ext_vcpu_time(struct ls_engine *base, int handle)
{
	return sim_vcpu_time(sim_vcpu_of(base, handle));
}

static int ext_run_until(struct ls_engine *base, int handle, uint64_t until)
{
	sim_vcpu_of(base, handle)->until = until;
	return 0;
}

static int ext_drive_clock(struct ls_engine *base, int handle, bool on)
{
	sim_vcpu_of(base, handle)->drives_clock = on;
	return 0;
}

static void ext_watch_time(struct ls_engine *base, int handle, void (*fn)(void *opaque),
			   void *opaque)
{
	struct vm *vm = sim_vm_of(base, handle);

	vm_lock_take(&vm->lock);
	vm->watch_time.fn = fn;
	vm->watch_time.opaque = opaque;
	vm_lock_give(&vm->lock);
}

static void ext_watch_refusals(struct ls_engine *base, int handle,
			       void (*fn)(void *opaque, unsigned int vcpu, const char *text),
			       void *opaque)
{
	struct vm *vm = sim_vm_of(base, handle);

	vm_lock_take(&vm->lock);
	vm->watch_refusals.fn = fn;
	vm->watch_refusals.opaque = opaque;
	vm_lock_give(&vm->lock);
}

static int ext_limit(struct ls_engine *base, int handle, uint64_t n)
{
	struct vcpu *vcpu = sim_vcpu_of(base, handle);
	u64 retired = cpu_retired(&vcpu->cpu);

	vcpu->limit = n > LS_NEVER - retired ? LS_NEVER : retired + n;
	return 0;
}

static bool ext_runnable(struct ls_engine *base, int handle)
{
	return sim_vcpu_runnable(sim_vcpu_of(base, handle));
}

static void ext_memory_written(struct ls_engine *base, int handle, uint64_t gpa, uint64_t len)
{
	vm_memory_written(sim_vm_of(base, handle), gpa, len);
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
	return cpu_model_build(spec ? spec : "intel", index, count,
			       sim_engine_of(base)->params.tsc_khz, cpuid, err);
}

static int ext_set_param(struct ls_engine *base, const char *name, const char *value,
			 struct ls_error *err)
{
	return sim_params_set(&sim_engine_of(base)->params, name, value, err);
}

static int ext_stats(struct ls_engine *base, int handle, struct ls_vcpu_stats *stats)
{
	struct vcpu *vcpu = sim_vcpu_of(base, handle);
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
	struct vcpu *vcpu = sim_vcpu_of(base, handle);

	if (!vcpu)
		return -EBADF;
	return recorder_watch(&vcpu->cpu, sink) ? 0 : -ENOMEM;
}

static unsigned int ext_level(struct ls_engine *base, int handle)
{
	return look_level(&sim_vcpu_of(base, handle)->cpu);
}

static int ext_translate(struct ls_engine *base, int handle, unsigned int level, bool linear,
			 uint64_t address, uint64_t *gpa)
{
	return look_translate(&sim_vcpu_of(base, handle)->cpu, level, linear, address, gpa)
		       ? 0
		       : -EFAULT;
}

static int ext_break_physical(struct ls_engine *base, int handle, uint64_t gpa)
{
	debugger_watch_physical(&sim_vcpu_of(base, handle)->cpu, gpa);
	return 0;
}

static int ext_break(struct ls_engine *base, int handle, bool vm_entry, bool vm_exit)
{
	sim_vcpu_of(base, handle)->cpu.debugger.events =
		(vm_entry ? DEBUGGER_VM_ENTRY : 0) | (vm_exit ? DEBUGGER_VM_EXIT : 0);
	return 0;
}

static int ext_instruction(struct ls_engine *base, int handle, const uint8_t *bytes,
			   unsigned int size, struct ls_instruction *instruction)
{
	struct vcpu *vcpu = sim_vcpu_of(base, handle);

	if (!vcpu)
		return -EBADF;
	instruction_describe(&vcpu->cpu, bytes, size, instruction);
	return 0;
}

static void *ext_state_save(struct ls_engine *base, int handle, size_t *size, struct ls_error *err)
{
	struct vcpu *vcpu = sim_vcpu_of(base, handle);
	struct vm *vm = vcpu ? vcpu->vm : sim_vm_of(base, handle);
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
	struct vcpu *vcpu = sim_vcpu_of(base, handle);
	struct vm *vm = vcpu ? vcpu->vm : sim_vm_of(base, handle);
	struct record_reader reader = {bytes, size};
	int ret;

	vm_lock_take(&vm->lock);
	ret = vcpu ? exact_load_vcpu(vcpu, &reader, err) : exact_load_vm(vm, &reader, err);
	vm_lock_give(&vm->lock);
	return ret;
}

static uint64_t ext_state_hash(struct ls_engine *base, int handle, uint64_t hash)
{
	struct vcpu *vcpu = sim_vcpu_of(base, handle);

	return vcpu ? cpu_state_hash(&vcpu->cpu, hash) : hash;
}

static char *ext_info(struct ls_engine *base, int handle, const char *what)
{
	struct vcpu *vcpu = sim_vcpu_of(base, handle);

	return vcpu ? vcpu_info_text(&vcpu->cpu, what) : NULL;
}

const struct ls_extension sim_extension = {
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
	.vcpu_break_physical = ext_break_physical,
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
