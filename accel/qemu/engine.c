/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU, interpreting, as an engine under test, for payloads on one vCPU: its processor and its
 * local APIC, our devices behind IN and OUT. Interrupts from outside and memory-mapped devices
 * don't reach it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lockstep/extension.h>

#include "accel/qemu/cpuid.h"
#include "accel/qemu/vcpu.h"
#include "accel/reset_state.h"
#include "accel/single.h"

struct qemu_engine {
	struct single_engine single;
	struct qemu_vcpu vcpu;
};

static struct qemu_vcpu *vcpu_of(struct single_engine *engine)
{
	return &((struct qemu_engine *)engine)->vcpu;
}

/* --- the vCPU --- */

static int vcpu_start(struct single_engine *engine)
{
	struct qemu_vcpu *vcpu = vcpu_of(engine);
	struct ls_error err = {0};

	if (vcpu->process.pid)
		return 0;
	if (!engine->memory.base)
		return -ENXIO;
	vcpu->memory = engine->memory.base;
	vcpu->memory_size = engine->memory.size;
	return qemu_process_start(&vcpu->process, engine->memory.fd, engine->memory.size, &err);
}

static int vcpu_run(struct single_engine *engine)
{
	int rc = vcpu_start(engine);

	return rc ? rc : qemu_vcpu_run(vcpu_of(engine));
}

static int set_cpuid(struct qemu_vcpu *vcpu, const struct kvm_cpuid2 *cpuid)
{
	if (cpuid->nent > CPUID_LEAVES_ROOM)
		return -E2BIG;
	memcpy(vcpu->cpuid, cpuid->entries, cpuid->nent * sizeof(vcpu->cpuid[0]));
	vcpu->cpuid_count = cpuid->nent;
	return 0;
}

static int set_sregs(struct qemu_vcpu *vcpu, const struct kvm_sregs *sregs)
{
	if (!memcmp(&vcpu->sregs, sregs, sizeof(*sregs)))
		return 0;
	vcpu->sregs = *sregs;
	vcpu->sregs_changed = true;
	return 0;
}

/* QEMU tells XCR0 to nobody but the guest: it can be set, not read. */
static int set_xcrs(struct qemu_vcpu *vcpu, const struct kvm_xcrs *xcrs)
{
	if (vcpu->steps || xcrs->nr_xcrs != 1 || xcrs->xcrs[0].xcr || xcrs->xcrs[0].value >> 32)
		return -EINVAL;
	vcpu->xcr0 = (uint32_t)xcrs->xcrs[0].value;
	return 0;
}

static int vcpu_ioctl(struct single_engine *engine, unsigned long request, void *arg)
{
	const struct kvm_guest_debug *debug = arg;
	struct qemu_vcpu *vcpu = vcpu_of(engine);

	switch (request) {
	case KVM_RUN:
		return vcpu_run(engine);
	case KVM_GET_REGS:
		*(struct kvm_regs *)arg = vcpu->regs;
		return 0;
	case KVM_SET_REGS:
		vcpu->regs = *(const struct kvm_regs *)arg;
		vcpu->regs_changed = true;
		return 0;
	case KVM_GET_SREGS:
		if (qemu_vcpu_refresh(vcpu))
			return -EIO;
		*(struct kvm_sregs *)arg = vcpu->sregs;
		return 0;
	case KVM_SET_SREGS:
		return set_sregs(vcpu, arg);
	case KVM_SET_XCRS:
		return set_xcrs(vcpu, arg);
	case KVM_SET_CPUID2:
		return set_cpuid(vcpu, arg);
	case KVM_SET_GUEST_DEBUG:
		vcpu->single_step = debug->control & KVM_GUESTDBG_SINGLESTEP;
		return 0;
	case KVM_TRANSLATE:
		qemu_vcpu_translate(vcpu, arg);
		return 0;
	default:
		return -EINVAL;
	}
}

/* --- the VM and the system --- */

static bool has(unsigned long cap)
{
	switch (cap) {
	case KVM_CAP_USER_MEMORY:
	case KVM_CAP_EXT_CPUID:
	case KVM_CAP_IRQCHIP: /* QEMU's own machine */
	case KVM_CAP_IRQ_ROUTING:
	case KVM_CAP_SIGNAL_MSI:
	case KVM_CAP_IMMEDIATE_EXIT:
	case KVM_CAP_SET_GUEST_DEBUG:
	case KVM_CAP_XCRS: /* to begin with */
	case KVM_CAP_NR_VCPUS:
	case KVM_CAP_MAX_VCPUS:
		return true;
	default:
		return false;
	}
}

static int vm_ioctl(struct single_engine *engine, unsigned long request, unsigned long arg)
{
	(void)engine;
	(void)arg;
	switch (request) {
	case KVM_CREATE_IRQCHIP:
	case KVM_CREATE_PIT2:
	case KVM_SET_GSI_ROUTING:
	case KVM_IRQ_LINE: /* a wire that leads nowhere */
		return 0;
	default:
		return -EINVAL;
	}
}

static void vcpu_create(struct single_engine *engine)
{
	struct qemu_vcpu *vcpu = vcpu_of(engine);

	reset_state(&vcpu->regs, &vcpu->sregs);
	vcpu->run = engine->run;
}

static void vcpu_kick(struct single_engine *engine)
{
	qemu_vcpu_kick(vcpu_of(engine));
}

static void vcpu_close(struct single_engine *engine)
{
	qemu_process_stop(&vcpu_of(engine)->process);
}

static struct ls_engine *qemu_open(struct ls_error *err)
{
	static const struct ls_extension nothing;
	/* CPUID takes a QEMU of its own. */
	static const struct single_ops ops = {.has = has,
					      .read_cpuid = qemu_read_cpuid,
					      .vm_ioctl = vm_ioctl,
					      .vcpu_create = vcpu_create,
					      .vcpu_ioctl = vcpu_ioctl,
					      .vcpu_kick = vcpu_kick,
					      .vcpu_close = vcpu_close};
	struct qemu_engine *engine;

	if (qemu_process_check(err))
		return NULL;
	engine = calloc(1, sizeof(*engine));
	if (!engine) {
		ls_error_set(err, -ENOMEM, "no memory for the qemu engine");
		return NULL;
	}
	engine->single.base.ops = &ls_engine_qemu;
	engine->single.base.ext = &nothing;
	engine->single.ops = &ops;
	return &engine->single.base;
}

const struct ls_engine_ops ls_engine_qemu = {
	.name = "qemu",
	.summary = "QEMU's interpreter, a step at a time, to be tested",
	.open = qemu_open,
	.ioctl = single_ioctl,
	.mmap = single_mmap,
	.kick = single_kick,
	.close = single_close,
};
