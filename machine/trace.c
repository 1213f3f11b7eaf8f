/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/trace.h"

#include <string.h>

#include "machine/internal.h"
#include "traces/events.h"

/* A vCPU that has waited learns of the VM's time when it is entered. */
static uint64_t trace_time(const struct vcpu *vcpu)
{
	const struct ls_extension *ext = machine_ext(vcpu->machine);
	struct ls_clock *clock = vcpu->machine->clock;
	uint64_t now = clock->now(clock), own = 0;

	if (ext->vcpu_time)
		own = ext->vcpu_time(vcpu->machine->engine, vcpu->fd) + vcpu->charge;
	return own > now ? own : now;
}

void trace_entry(struct vcpu *vcpu)
{
	struct kvm_regs regs = {0};

	if (!ls_trace_wants(vcpu->trace, TRACE_ENGINE_ENTRY))
		return;
	ls_ioctl_ptr(vcpu->machine->engine, vcpu->fd, KVM_GET_REGS, &regs);
	TRACE_EMIT(vcpu->trace, vcpu_instructions(vcpu), ENGINE_ENTRY, .rip = regs.rip,
		   .time = trace_time(vcpu));
}

void trace_left(struct vcpu *vcpu)
{
	if (ls_trace_wants(vcpu->trace, TRACE_ENGINE_EXIT))
		vcpu->left = trace_time(vcpu);
}

static void trace_exit_io(const struct kvm_run *run, struct trace_fields_ENGINE_EXIT *fields)
{
	fields->address = run->io.port;
	fields->size = run->io.size;
	fields->write = run->io.direction == KVM_EXIT_IO_OUT;
	memcpy(&fields->value, (const char *)run + run->io.data_offset,
	       run->io.size < 8 ? run->io.size : 8);
}

static void trace_exit_mmio(const struct kvm_run *run, struct trace_fields_ENGINE_EXIT *fields)
{
	fields->address = run->mmio.phys_addr;
	fields->size = run->mmio.len;
	fields->write = run->mmio.is_write;
	memcpy(&fields->value, run->mmio.data, run->mmio.len < 8 ? run->mmio.len : 8);
}

void trace_exit(struct vcpu *vcpu, int result)
{
	struct trace_fields_ENGINE_EXIT fields = {.result = (uint64_t)(int64_t)result};
	const struct kvm_run *run = vcpu->run;

	if (!ls_trace_wants(vcpu->trace, TRACE_ENGINE_EXIT))
		return;
	fields.reason = result < 0 ? KVM_EXIT_INTR : run->exit_reason;
	fields.time = vcpu->left;
	if (fields.reason == KVM_EXIT_IO)
		trace_exit_io(run, &fields);
	else if (fields.reason == KVM_EXIT_MMIO)
		trace_exit_mmio(run, &fields);
	trace_emit(vcpu->trace, TRACE_ENGINE_EXIT, 0, vcpu_instructions(vcpu), &fields,
		   sizeof(fields), NULL, 0);
}

/* The slots are numbered in the order in which memory_create made them. */
static void trace_slots(struct machine *machine, struct ls_trace_sink *sink)
{
	const struct memory_slot *const slots[] = {&machine->memory.ram[0], &machine->memory.ram[1],
						   &machine->memory.rom};
	uint64_t number = 0;

	for (size_t n = 0; n < 3; n++)
		if (slots[n]->size)
			TRACE_EMIT(sink, vcpu_instructions(&machine->vcpus[0]), MEMORY_SLOT,
				   .slot = number++, .address = slots[n]->gpa,
				   .size = slots[n]->size, .flags = n == 2 ? KVM_MEM_READONLY : 0);
}

int machine_trace(struct machine *machine, unsigned int index, struct ls_trace_sink *sink)
{
	const struct ls_extension *ext = machine_ext(machine);
	struct vcpu *vcpu = &machine->vcpus[index];

	vcpu->trace = sink;
	if (sink && !index)
		trace_slots(machine, sink);
	return ext->vcpu_trace ? ext->vcpu_trace(machine->engine, vcpu->fd, sink) : 0;
}
