/* SPDX-License-Identifier: Apache-2.0 */
/* Showing a run, exit by exit, to someone who compares it with another. */
#include <string.h>

#include "machine/internal.h"

#define VECTOR_DB 1
#define DR6_TRAPS UINT64_C(0x200f) /* BD, B3 to B0: not BS, by which the engine may step */

/* False: an exit that depends on how an engine works (a wait, a kick). */
static bool exit_describe(struct kvm_run *run, struct machine_exit *exit)
{
	*exit = (struct machine_exit){.reason = run->exit_reason};
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		exit->address = run->io.port;
		exit->size = run->io.size;
		exit->count = run->io.count;
		exit->write = run->io.direction == KVM_EXIT_IO_OUT;
		memcpy(&exit->value, (uint8_t *)run + run->io.data_offset, run->io.size);
		return true;
	case KVM_EXIT_MMIO:
		exit->address = run->mmio.phys_addr;
		exit->size = run->mmio.len < 8 ? run->mmio.len : 8;
		exit->count = 1;
		exit->write = run->mmio.is_write;
		memcpy(&exit->value, run->mmio.data, exit->size);
		return true;
	case KVM_EXIT_DEBUG:
		exit->address = run->debug.arch.pc;
		exit->count = run->debug.arch.exception;
		exit->value = exit->count == VECTOR_DB ? run->debug.arch.dr6 & DR6_TRAPS : 0;
		return true;
	case KVM_EXIT_INTERNAL_ERROR:
		exit->value = run->internal.suberror;
		return true;
	case KVM_EXIT_SYSTEM_EVENT:
		exit->value = run->system_event.type;
		return true;
	case KVM_EXIT_SHUTDOWN:
	case KVM_EXIT_FAIL_ENTRY:
		return true;
	default:
		return false;
	}
}

int vcpu_single_step(struct vcpu *vcpu, struct ls_error *err)
{
	struct kvm_guest_debug debug = {.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP};
	int ret = ls_ioctl_ptr(vcpu->machine->engine, vcpu->fd, KVM_SET_GUEST_DEBUG, &debug);

	return ret < 0 ? ls_error_set(err, ret, "engine %s cannot single-step: %s",
				      vcpu->machine->engine->ops->name, strerror(-ret))
		       : 0;
}

bool vcpu_observe(struct vcpu *vcpu)
{
	const struct machine_config *config = &vcpu->machine->config;
	struct machine_exit exit;
	struct ls_error err = {0};
	bool another = false;

	if (!exit_describe(vcpu->run, &exit))
		return false;
	if (exit.reason == KVM_EXIT_IO || exit.reason == KVM_EXIT_MMIO) {
		vcpu->answered = false;
		another = vcpu_complete_io(vcpu) >= 0;
	}
	/* A guest's POPF, or the delivery of an exception, takes away the flag by which KVM steps.
	 */
	if (exit.reason == KVM_EXIT_IO && exit.address == config->step_from)
		vcpu->stepping = true;
	if (config->single_step && (vcpu->stepping || !config->step_from))
		vcpu_single_step(vcpu, &err);
	config->observe(config->observe_opaque, vcpu->index, &exit);
	return another;
}
