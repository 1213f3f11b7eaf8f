/* SPDX-License-Identifier: Apache-2.0 */
/* What a return of KVM_RUN means (Documentation/virt/kvm/api.rst, section 5). */
#include <inttypes.h>
#include <string.h>

#include "machine/failure.h"
#include "machine/internal.h"
#include "machine/irqchip.h"
#include "machine/msr_model.h"
#include "machine/trace.h"

/* What a device access costs in guest time where that is counted: about a microsecond for a
 * port on a PC, half for memory-mapped registers. A guest that polls a port for a second
 * then polls a million times, not a thousand million. */
#define PORT_NS 1000
#define MMIO_NS 500

static void exit_io(struct machine *machine, struct kvm_run *run)
{
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	unsigned int size = run->io.size;

	for (uint32_t i = 0; i < run->io.count; i++, data += size) {
		uint64_t value = 0;

		if (run->io.direction == KVM_EXIT_IO_IN) {
			value = bus_read(&machine->ports, run->io.port, size);
			memcpy(data, &value, size);
		} else {
			memcpy(&value, data, size);
			bus_write(&machine->ports, run->io.port, size, value);
			trigger_port_write(machine, run->io.port);
		}
	}
}

static void exit_mmio(struct machine *machine, struct kvm_run *run)
{
	uint64_t value = 0;

	if (run->mmio.len > 8)
		return;
	if (run->mmio.is_write) {
		memcpy(&value, run->mmio.data, run->mmio.len);
		bus_write(&machine->mmio, run->mmio.phys_addr, run->mmio.len, value);
	} else {
		value = bus_read(&machine->mmio, run->mmio.phys_addr, run->mmio.len);
		memcpy(run->mmio.data, &value, run->mmio.len);
	}
}

/* "vCPU 0 at 0x1234 (main+0x10)" */
static void exit_where(struct vcpu *vcpu, char *text, size_t room)
{
	struct machine *machine = vcpu->machine;
	struct kvm_regs regs = {0};
	const struct symbol *symbol;
	uint64_t offset;
	int n;

	if (ls_ioctl_ptr(machine->engine, vcpu->fd, KVM_GET_REGS, &regs) < 0) {
		snprintf(text, room, "vCPU %u", vcpu->index);
		return;
	}
	n = snprintf(text, room, "vCPU %u at 0x%llx", vcpu->index, regs.rip);
	symbol = symbols_find(&machine->symbols, regs.rip, &offset);
	if (symbol && n > 0 && (size_t)n < room)
		snprintf(text + n, room - (size_t)n, " (%s+0x%" PRIx64 ")", symbol->name, offset);
}

static void exit_shutdown(struct vcpu *vcpu)
{
	char where[160];

	exit_where(vcpu, where, sizeof(where));
	control_end(vcpu->machine, MACHINE_END_SHUTDOWN, MACHINE_EXIT_SHUTDOWN, vcpu->index,
		    "%s: triple fault; the guest has no working exception handler there", where);
}

static void exit_internal_error(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	char where[160];

	exit_where(vcpu, where, sizeof(where));
	if (run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION)
		control_end(vcpu->machine, MACHINE_END_ERROR, MACHINE_EXIT_ERROR, vcpu->index,
			    "%s: the engine cannot execute what is there (KVM_EXIT_INTERNAL_ERROR, "
			    "emulation); has the guest jumped out of its memory?",
			    where);
	else
		control_end(vcpu->machine, MACHINE_END_ERROR, MACHINE_EXIT_ERROR, vcpu->index,
			    "%s: KVM_EXIT_INTERNAL_ERROR, suberror %u", where,
			    run->internal.suberror);
}

static enum exit_action exit_system_event(struct vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;

	switch (vcpu->run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		machine_request_power_off(machine);
		break;
	case KVM_SYSTEM_EVENT_RESET:
		machine_request_reset(machine);
		break;
	default:
		control_end(machine, MACHINE_END_ERROR, MACHINE_EXIT_ERROR, vcpu->index,
			    "vCPU %u: system event %u", vcpu->index, vcpu->run->system_event.type);
	}
	return EXIT_STOP;
}

static enum exit_action exit_failed_run(struct vcpu *vcpu, int ret)
{
	if (ret == -EINTR || ret == -EAGAIN)
		return EXIT_TURN;
	control_end(vcpu->machine, MACHINE_END_ERROR, MACHINE_EXIT_ERROR, vcpu->index,
		    "vCPU %u: KVM_RUN failed: %s", vcpu->index, strerror(-ret));
	return EXIT_STOP;
}

/* The vCPU is not entered again before there is room. */
static enum exit_action exit_ring_full(struct vcpu *vcpu)
{
	int ret;

	machine_lock(vcpu->machine);
	ret = written_collect(vcpu->machine);
	machine_unlock(vcpu->machine);
	if (!ret)
		return EXIT_CONTINUE;
	control_end(vcpu->machine, MACHINE_END_ERROR, MACHINE_EXIT_ERROR, vcpu->index,
		    "vCPU %u: its dirty ring cannot be emptied: %s", vcpu->index, strerror(-ret));
	return EXIT_STOP;
}

static enum exit_action exit_unexpected(struct vcpu *vcpu)
{
	control_end(vcpu->machine, MACHINE_END_ERROR, MACHINE_EXIT_ERROR, vcpu->index,
		    "vCPU %u: unexpected exit reason %u", vcpu->index, vcpu->run->exit_reason);
	return EXIT_STOP;
}

int vcpu_run(struct vcpu *vcpu)
{
	bool answered = vcpu->answered;
	int ret;

	if (vcpu->machine->split)
		split_irqchip_enter(vcpu);
	trace_entry(vcpu);
	vcpu->answered = false;
	ret = ls_ioctl(vcpu->machine->engine, vcpu->fd, KVM_RUN, 0);
	/* A bound may have come before the access was completed. */
	vcpu->answered = answered && ret >= 0 && vcpu->run->exit_reason == LS_EXIT_BOUND;
	trace_left(vcpu);
	return ret;
}

void vcpu_settle(struct vcpu *vcpu)
{
	while (vcpu->answered) {
		int ret;

		vcpu->answered = false;
		ret = vcpu_complete_io(vcpu);
		if (ret >= 0)
			exit_handle(vcpu, ret);
	}
}

/* To a port or a device's memory. */
static enum exit_action exit_access(struct vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	struct kvm_run *run = vcpu->run;
	bool port = run->exit_reason == KVM_EXIT_IO;

	machine_lock(machine);
	if (vcpu->generation == machine->generation) {
		machine->exiting = vcpu;
		vcpu->answered = true;
		trigger_access(machine);
		if (port)
			exit_io(machine, run);
		else
			exit_mmio(machine, run);
		vcpu->charge += port ? (uint64_t)run->io.count * PORT_NS : MMIO_NS;
	}
	machine_unlock(machine);
	return EXIT_CONTINUE;
}

static enum exit_action exit_refused_entry(struct vcpu *vcpu)
{
	failure_tell(vcpu);
	control_end(vcpu->machine, MACHINE_END_ERROR, MACHINE_EXIT_ERROR, vcpu->index,
		    "vCPU %u: the processor refused the VM entry, reason 0x%llx", vcpu->index,
		    vcpu->run->fail_entry.hardware_entry_failure_reason);
	return EXIT_STOP;
}

static enum exit_action exit_debug(struct vcpu *vcpu)
{
	if (vcpu->machine->config.single_step || trigger_breakpoint(vcpu))
		return EXIT_CONTINUE;
	if (!vcpu->machine->config.debug)
		return exit_unexpected(vcpu);
	debug_stop(vcpu, &vcpu->run->debug.arch);
	return EXIT_TURN;
}

static enum exit_action exit_answer(struct vcpu *vcpu, int ret)
{
	struct machine *machine = vcpu->machine;
	struct kvm_run *run = vcpu->run;

	if (ret < 0)
		return exit_failed_run(vcpu, ret);
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
	case KVM_EXIT_MMIO:
		return exit_access(vcpu);
	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR:
		vcpu->answered = true;
		msr_model_exit(vcpu, run);
		return EXIT_CONTINUE;
	case LS_EXIT_BOUND:
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN: /* vcpu_run will see to it */
		return EXIT_TURN;
	case KVM_EXIT_IOAPIC_EOI:
		machine_lock(machine);
		if (machine->split)
			split_irqchip_eoi(machine, run->eoi.vector);
		machine_unlock(machine);
		return EXIT_CONTINUE;
	case KVM_EXIT_HLT:
		return EXIT_HALT;
	case KVM_EXIT_DIRTY_RING_FULL:
		return exit_ring_full(vcpu);
	case KVM_EXIT_SHUTDOWN:
		exit_shutdown(vcpu);
		return EXIT_STOP;
	case KVM_EXIT_SYSTEM_EVENT:
		return exit_system_event(vcpu);
	case KVM_EXIT_INTERNAL_ERROR:
		failure_tell(vcpu);
		exit_internal_error(vcpu);
		return EXIT_STOP;
	case KVM_EXIT_FAIL_ENTRY:
		return exit_refused_entry(vcpu);
	case KVM_EXIT_DEBUG:
		return exit_debug(vcpu);
	default:
		return exit_unexpected(vcpu);
	}
}

enum exit_action exit_handle(struct vcpu *vcpu, int ret)
{
	enum exit_action action;

	do {
		action = exit_answer(vcpu, ret);
		trace_exit(vcpu, ret);
	} while (ret >= 0 && vcpu->machine->config.observe && vcpu_observe(vcpu));
	return action;
}
