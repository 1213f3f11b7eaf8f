/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's own processor at level 3, without a hypervisor: for a guest that begins in user-mode
 * code and ends with its first exception. There are no interrupt chips, no MSRs, and no level 0 but
 * an OUT at which a handler begins.
 */
#include <cpuid.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <lockstep/engine.h>
#include <lockstep/extension.h>

#include "accel/native/vcpu.h"

enum { HANDLE_VM = 1, HANDLE_VCPU };

struct native_engine {
	struct ls_engine base;
	struct native_vcpu vcpu;
	bool has_vm, has_vcpu;
	struct shared_memory memory;
	union cpuid_leaves supported;
};

static struct native_engine *of_base(struct ls_engine *base)
{
	return (struct native_engine *)base;
}

static int check_extension(unsigned long cap)
{
	switch (cap) {
	case KVM_CAP_USER_MEMORY:
	case KVM_CAP_EXT_CPUID:
	case KVM_CAP_IMMEDIATE_EXIT:
	case KVM_CAP_SET_GUEST_DEBUG:
	case KVM_CAP_DEBUGREGS:
	case KVM_CAP_XSAVE:
	case KVM_CAP_XCRS:
	case KVM_CAP_MP_STATE:
	case KVM_CAP_NR_VCPUS:
	case KVM_CAP_MAX_VCPUS:
		return 1;
	default:
		return 0;
	}
}

static int create_vcpu(struct native_engine *engine, unsigned long id)
{
	struct native_vcpu *vcpu = &engine->vcpu;

	if (id || engine->has_vcpu)
		return -EINVAL;
	native_vcpu_reset(vcpu, &engine->memory);
	vcpu->run = mmap(NULL, NATIVE_RUN_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (vcpu->run == MAP_FAILED)
		return -ENOMEM;
	engine->has_vcpu = true;
	return HANDLE_VCPU;
}

static int vm_ioctl(struct native_engine *engine, unsigned long request, unsigned long arg)
{
	switch (request) {
	case KVM_CREATE_VCPU:
		return create_vcpu(engine, arg);
	case KVM_SET_USER_MEMORY_REGION:
		return shared_memory_set(&engine->memory, (const void *)arg);
	case KVM_GET_DIRTY_LOG:
		return shared_memory_dirty_log(&engine->memory, (const void *)arg);
	default:
		return -EINVAL;
	}
}

static int ask_host(void *opaque, struct kvm_cpuid_entry2 *entry)
{
	(void)opaque;
	__cpuid_count(entry->function, entry->index, entry->eax, entry->ebx, entry->ecx,
		      entry->edx);
	return 0;
}

static int get_supported_cpuid(struct native_engine *engine, struct kvm_cpuid2 *cpuid)
{
	int rc = engine->supported.head.nent
			 ? 0
			 : cpuid_leaves_read(&engine->supported, ask_host, NULL);

	return rc ? rc : cpuid_leaves_give(&engine->supported, cpuid);
}

static int system_ioctl(struct native_engine *engine, unsigned long request, unsigned long arg)
{
	switch (request) {
	case KVM_GET_API_VERSION:
		return KVM_API_VERSION;
	case KVM_CHECK_EXTENSION:
		return check_extension(arg);
	case KVM_GET_VCPU_MMAP_SIZE:
		return NATIVE_RUN_BYTES;
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

static int native_ioctl(struct ls_engine *base, int handle, unsigned long request,
			unsigned long arg)
{
	struct native_engine *engine = of_base(base);

	switch (handle) {
	case LS_SYSTEM:
		return system_ioctl(engine, request, arg);
	case HANDLE_VM:
		return vm_ioctl(engine, request, arg);
	case HANDLE_VCPU:
		return native_vcpu_ioctl(&engine->vcpu, request, (void *)arg);
	default:
		return -EBADF;
	}
}

static struct kvm_run *native_mmap(struct ls_engine *base, int handle)
{
	return handle == HANDLE_VCPU ? of_base(base)->vcpu.run : NULL;
}

static void native_kick(struct ls_engine *base, int handle)
{
	(void)handle;
	native_vcpu_kick(&of_base(base)->vcpu);
}

static void native_close(struct ls_engine *base, int handle)
{
	struct native_engine *engine = of_base(base);

	if (handle == HANDLE_VCPU && engine->has_vcpu) {
		native_child_stop(&engine->vcpu.child);
		munmap(engine->vcpu.run, NATIVE_RUN_BYTES);
		engine->has_vcpu = false;
	}
	if (handle != LS_SYSTEM)
		return;
	shared_memory_free(&engine->memory);
	free(engine);
}

static struct ls_engine *native_open(struct ls_error *err)
{
	static const struct ls_extension extension = {.user_only = true};
	struct native_engine *engine;

	if (native_child_check(err))
		return NULL;
	engine = aligned_alloc(64, (sizeof(*engine) + 63) & ~(size_t)63);
	if (!engine) {
		ls_error_set(err, -ENOMEM, "no memory for the native engine");
		return NULL;
	}
	memset(engine, 0, sizeof(*engine));
	engine->base.ops = &ls_engine_native;
	engine->base.ext = &extension;
	return &engine->base;
}

const struct ls_engine_ops ls_engine_native = {
	.name = "native",
	.summary = "user-mode code on the host's own processor, to compare with",
	.open = native_open,
	.ioctl = native_ioctl,
	.mmap = native_mmap,
	.kick = native_kick,
	.close = native_close,
};
