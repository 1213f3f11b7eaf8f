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
#include <unistd.h>

#include <lockstep/engine.h>
#include <lockstep/extension.h>

#include "accel/qemu/cpuid.h"
#include "accel/qemu/vcpu.h"

enum { HANDLE_VM = 1, HANDLE_VCPU };

#define PAGE 4096u

struct qemu_engine {
	struct ls_engine base;
	struct qemu_vcpu vcpu;
	bool has_vm, has_vcpu;
	int memory_fd;          /* -1: none */
	uint8_t *memory, *seen; /* guest-physical 0; as it was at the last look at the dirty log */
	uint64_t size;
	union {
		struct kvm_cpuid2 head;
		uint8_t room[sizeof(struct kvm_cpuid2) +
			     QEMU_CPUID_ROOM * sizeof(struct kvm_cpuid_entry2)];
	} supported;
};

static struct qemu_engine *of_base(struct ls_engine *base)
{
	return (struct qemu_engine *)base;
}

/* --- memory --- */

/* QEMU has to share it: what the user has mapped there is replaced by a file, with what is in it.
 */
static int memory_share(struct qemu_engine *engine, uint8_t *at, uint64_t size)
{
	int fd = memfd_create("guest", MFD_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) || pwrite(fd, at, size, 0) != (ssize_t)size ||
	    mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		rc = -errno;
	engine->seen = rc ? NULL : malloc(size);
	if (!engine->seen) {
		close(fd);
		return rc ? rc : -ENOMEM;
	}
	memcpy(engine->seen, at, size);
	engine->memory_fd = fd;
	engine->memory = engine->vcpu.memory = at;
	engine->size = size;
	return 0;
}

/* One slot, in whole MiB, from 0 on. */
static int set_memory(struct qemu_engine *engine, const struct kvm_userspace_memory_region *region)
{
	if (!region->memory_size)
		return 0;
	if (engine->memory == (uint8_t *)region->userspace_addr && engine->memory)
		return region->memory_size == engine->size ? 0 : -EINVAL;
	if (engine->memory || region->guest_phys_addr || region->memory_size & 0xfffff ||
	    region->flags & KVM_MEM_READONLY)
		return -EINVAL;
	return memory_share(engine, (uint8_t *)region->userspace_addr, region->memory_size);
}

static int get_dirty_log(struct qemu_engine *engine, const struct kvm_dirty_log *log)
{
	uint8_t *bitmap = log->dirty_bitmap;

	if (log->slot || !engine->memory)
		return -ENOENT;
	memset(bitmap, 0, (engine->size / PAGE + 63) / 64 * 8);
	for (uint64_t page = 0; page < engine->size / PAGE; page++) {
		const uint8_t *now = engine->memory + page * PAGE;
		uint8_t *before = engine->seen + page * PAGE;

		if (!memcmp(now, before, PAGE))
			continue;
		memcpy(before, now, PAGE);
		bitmap[page / 8] |= (uint8_t)(1 << page % 8);
	}
	return 0;
}

/* --- the vCPU --- */

static int vcpu_start(struct qemu_engine *engine)
{
	struct ls_error err = {0};

	if (engine->vcpu.process.pid)
		return 0;
	if (!engine->memory)
		return -ENXIO;
	return qemu_process_start(&engine->vcpu.process, engine->memory_fd, engine->size, &err);
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
	if (cpuid->nent > QEMU_CPUID_ROOM)
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
	/* SDM 3A, table 11-1: reset. */
	static const struct kvm_segment data = {.limit = 0xffff, .type = 3, .present = 1, .s = 1};
	struct kvm_sregs *sregs = &engine->vcpu.sregs;

	if (id || engine->has_vcpu)
		return -EINVAL;
	*sregs = (struct kvm_sregs){.ds = data,
				    .es = data,
				    .fs = data,
				    .gs = data,
				    .ss = data,
				    .cr0 = 0x60000010,
				    .gdt = {.limit = 0xffff},
				    .idt = {.limit = 0xffff},
				    .apic_base = 0xfee00900,
				    .cs = {.base = 0xffff0000,
					   .limit = 0xffff,
					   .selector = 0xf000,
					   .type = 0xb,
					   .present = 1,
					   .s = 1},
				    .tr = {.limit = 0xffff, .type = 0xb, .present = 1},
				    .ldt = {.limit = 0xffff, .type = 2, .present = 1}};
	engine->vcpu.regs = (struct kvm_regs){.rip = 0xfff0, .rflags = 2};
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
		return set_memory(engine, (const void *)arg);
	case KVM_GET_DIRTY_LOG:
		return get_dirty_log(engine, (const void *)arg);
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
	uint32_t room = cpuid->nent;
	int rc = 0;

	if (!engine->supported.head.nent) {
		engine->supported.head.nent = QEMU_CPUID_ROOM;
		rc = qemu_read_cpuid(&engine->supported.head);
		if (rc)
			engine->supported.head.nent = 0;
	}
	cpuid->nent = engine->supported.head.nent;
	if (rc || cpuid->nent > room)
		return rc ? rc : -E2BIG;
	memcpy(cpuid->entries, engine->supported.head.entries,
	       cpuid->nent * sizeof(cpuid->entries[0]));
	return 0;
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
	if (engine->memory_fd >= 0)
		close(engine->memory_fd);
	free(engine->seen);
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
	engine->memory_fd = -1;
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
