/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU, interpreting, as an engine under test, for payloads on one vCPU: its processor and its
 * local APIC, our devices behind IN and OUT. Interrupts from outside and memory-mapped devices
 * don't reach it, and while it steps it takes no interrupts at all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <lockstep/engine.h>
#include <lockstep/extension.h>

#include "accel/qemu/cpuid.h"
#include "accel/qemu/vcpu.h"
#include "accel/reset_state.h"
#include "accel/shared_memory.h"

enum { HANDLE_VM = 1, HANDLE_VCPU };

struct qemu_engine {
	struct ls_engine base;
	struct qemu_vcpu vcpu;
	bool has_vm, has_vcpu;
	struct shared_memory memory;
	union cpuid_leaves supported;
};

static struct qemu_engine *of_base(struct ls_engine *base)
{
	return (struct qemu_engine *)base;
}

/* --- the vCPU --- */

static int vcpu_start(struct qemu_engine *engine)
{
	struct ls_error err = {0};

	if (engine->vcpu.process.pid)
		return 0;
	if (!engine->memory.base)
		return -ENXIO;
	engine->vcpu.memory = engine->memory.base;
	return qemu_process_start(&engine->vcpu.process, engine->memory.fd, engine->memory.size,
				  &err);
}

static int vcpu_run(struct qemu_engine *engine)
{
	int rc = vcpu_start(engine);

	return rc ? rc : qemu_vcpu_run(&engine->vcpu);
}

static int translate(struct qemu_vcpu *vcpu, struct kvm_translation *at)
{
	char command[64], text[MONITOR_ROOM];
	unsigned long long gpa;

	at->valid = 0;
	if (!vcpu->process.pid || vcpu->sregs_changed) {
		at->physical_address = at->linear_address; /* as it starts: one to one */
		at->valid = 1;
		return 0;
	}
	snprintf(command, sizeof(command), "gva2gpa 0x%llx", at->linear_address);
	if (!qemu_monitor(&vcpu->process, command, text) && sscanf(text, "gpa: %llx", &gpa) == 1) {
		at->physical_address = gpa;
		at->valid = 1;
	}
	return 0;
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

static int vcpu_ioctl(struct qemu_engine *engine, unsigned long request, void *arg)
{
	const struct kvm_guest_debug *debug = arg;
	struct qemu_vcpu *vcpu = &engine->vcpu;

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
	case KVM_SET_CPUID2:
		return set_cpuid(vcpu, arg);
	case KVM_SET_GUEST_DEBUG:
		vcpu->single_step = debug->control & KVM_GUESTDBG_SINGLESTEP;
		return 0;
	case KVM_TRANSLATE:
		return translate(vcpu, arg);
	default:
		return -EINVAL;
	}
}

/* --- the VM and the system --- */

static int check_extension(unsigned long cap)
{
	switch (cap) {
	case KVM_CAP_USER_MEMORY:
	case KVM_CAP_EXT_CPUID:
	case KVM_CAP_IRQCHIP: /* QEMU's own machine */
	case KVM_CAP_IRQ_ROUTING:
	case KVM_CAP_SIGNAL_MSI:
	case KVM_CAP_IMMEDIATE_EXIT:
	case KVM_CAP_SET_GUEST_DEBUG:
	case KVM_CAP_NR_VCPUS:
	case KVM_CAP_MAX_VCPUS:
		return 1;
	default:
		return 0;
	}
}

static int create_vcpu(struct qemu_engine *engine, unsigned long id)
{
	if (id || engine->has_vcpu)
		return -EINVAL;
	reset_state(&engine->vcpu.regs, &engine->vcpu.sregs);
	engine->vcpu.run = mmap(NULL, QEMU_RUN_BYTES, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (engine->vcpu.run == MAP_FAILED)
		return -ENOMEM;
	engine->has_vcpu = true;
	return HANDLE_VCPU;
}

static int vm_ioctl(struct qemu_engine *engine, unsigned long request, unsigned long arg)
{
	switch (request) {
	case KVM_CREATE_VCPU:
		return create_vcpu(engine, arg);
	case KVM_SET_USER_MEMORY_REGION:
		return shared_memory_set(&engine->memory, (const void *)arg);
	case KVM_GET_DIRTY_LOG:
		return shared_memory_dirty_log(&engine->memory, (const void *)arg);
	case KVM_CREATE_IRQCHIP:
	case KVM_CREATE_PIT2:
	case KVM_SET_GSI_ROUTING:
	case KVM_IRQ_LINE: /* a wire that leads nowhere */
		return 0;
	default:
		return -EINVAL;
	}
}

/* Asked for once: it takes a QEMU of its own. */
static int get_supported_cpuid(struct qemu_engine *engine, struct kvm_cpuid2 *cpuid)
{
	int rc = engine->supported.head.nent ? 0 : qemu_read_cpuid(&engine->supported);

	return rc ? rc : cpuid_leaves_give(&engine->supported, cpuid);
}

static int system_ioctl(struct qemu_engine *engine, unsigned long request, unsigned long arg)
{
	switch (request) {
	case KVM_GET_API_VERSION:
		return KVM_API_VERSION;
	case KVM_CHECK_EXTENSION:
		return check_extension(arg);
	case KVM_GET_VCPU_MMAP_SIZE:
		return QEMU_RUN_BYTES;
	case KVM_GET_SUPPORTED_CPUID:
		return get_supported_cpuid(engine, (void *)arg);
	case KVM_CREATE_VM:
		if (engine->has_vm)
			return -EMFILE;
		engine->has_vm = true;
		return HANDLE_VM;
	default:
		return -EINVAL;
	}
}

static int qemu_ioctl(struct ls_engine *base, int handle, unsigned long request, unsigned long arg)
{
	struct qemu_engine *engine = of_base(base);

	switch (handle) {
	case LS_SYSTEM:
		return system_ioctl(engine, request, arg);
	case HANDLE_VM:
		return vm_ioctl(engine, request, arg);
	case HANDLE_VCPU:
		return vcpu_ioctl(engine, request, (void *)arg);
	default:
		return -EBADF;
	}
}

static struct kvm_run *qemu_mmap(struct ls_engine *base, int handle)
{
	return handle == HANDLE_VCPU ? of_base(base)->vcpu.run : NULL;
}

static void qemu_kick(struct ls_engine *base, int handle)
{
	(void)handle;
	atomic_store(&of_base(base)->vcpu.kicked, true);
}

static void qemu_close(struct ls_engine *base, int handle)
{
	struct qemu_engine *engine = of_base(base);

	if (handle == HANDLE_VCPU) {
		qemu_process_stop(&engine->vcpu.process);
		munmap(engine->vcpu.run, QEMU_RUN_BYTES);
		engine->has_vcpu = false;
	}
	if (handle != LS_SYSTEM)
		return;
	shared_memory_free(&engine->memory);
	free(engine);
}

static struct ls_engine *qemu_open(struct ls_error *err)
{
	static const struct ls_extension nothing;
	struct qemu_engine *engine;

	if (qemu_process_check(err))
		return NULL;
	engine = calloc(1, sizeof(*engine));
	if (!engine) {
		ls_error_set(err, -ENOMEM, "no memory for the qemu engine");
		return NULL;
	}
	engine->base.ops = &ls_engine_qemu;
	engine->base.ext = &nothing;
	return &engine->base;
}

const struct ls_engine_ops ls_engine_qemu = {
	.name = "qemu",
	.summary = "QEMU's interpreter, a step at a time, to be tested",
	.open = qemu_open,
	.ioctl = qemu_ioctl,
	.mmap = qemu_mmap,
	.kick = qemu_kick,
	.close = qemu_close,
};
