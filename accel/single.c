/* SPDX-License-Identifier: Apache-2.0 */
#include "accel/single.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { HANDLE_VM = 1, HANDLE_VCPU };

static struct single_engine *of_base(struct ls_engine *base)
{
	return (struct single_engine *)base;
}

static int create_vcpu(struct single_engine *engine, unsigned long id)
{
	void *run;

	if (id || engine->run)
		return -EINVAL;
	run = mmap(NULL, SINGLE_RUN_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		   0);
	if (run == MAP_FAILED)
		return -ENOMEM;
	engine->run = run;
	engine->ops->vcpu_create(engine);
	return HANDLE_VCPU;
}

static int vm_ioctl(struct single_engine *engine, unsigned long request, unsigned long arg)
{
	switch (request) {
	case KVM_CREATE_VCPU:
		return create_vcpu(engine, arg);
	case KVM_SET_USER_MEMORY_REGION:
		return shared_memory_set(&engine->memory, (const void *)arg);
	case KVM_GET_DIRTY_LOG:
		return shared_memory_dirty_log(&engine->memory, (const void *)arg);
	default:
		return engine->ops->vm_ioctl ? engine->ops->vm_ioctl(engine, request, arg)
					     : -EINVAL;
	}
}

static int get_supported_cpuid(struct single_engine *engine, struct kvm_cpuid2 *cpuid)
{
	int rc = engine->supported.head.nent ? 0 : engine->ops->read_cpuid(&engine->supported);

	return rc ? rc : cpuid_leaves_give(&engine->supported, cpuid);
}

static int system_ioctl(struct single_engine *engine, unsigned long request, unsigned long arg)
{
	switch (request) {
	case KVM_GET_API_VERSION:
		return KVM_API_VERSION;
	case KVM_CHECK_EXTENSION:
		return engine->ops->has(arg);
	case KVM_GET_VCPU_MMAP_SIZE:
		return SINGLE_RUN_BYTES;
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

int single_ioctl(struct ls_engine *base, int handle, unsigned long request, unsigned long arg)
{
	struct single_engine *engine = of_base(base);

	switch (handle) {
	case LS_SYSTEM:
		return system_ioctl(engine, request, arg);
	case HANDLE_VM:
		return vm_ioctl(engine, request, arg);
	case HANDLE_VCPU:
		return engine->ops->vcpu_ioctl(engine, request, (void *)arg);
	default:
		return -EBADF;
	}
}

struct kvm_run *single_mmap(struct ls_engine *base, int handle)
{
	return handle == HANDLE_VCPU ? of_base(base)->run : NULL;
}

void single_kick(struct ls_engine *base, int handle)
{
	(void)handle;
	of_base(base)->ops->vcpu_kick(of_base(base));
}

void single_close(struct ls_engine *base, int handle)
{
	struct single_engine *engine = of_base(base);

	if (handle == HANDLE_VCPU && engine->run) {
		engine->ops->vcpu_close(engine);
		munmap(engine->run, SINGLE_RUN_BYTES);
		engine->run = NULL;
	}
	if (handle != LS_SYSTEM)
		return;
	shared_memory_free(&engine->memory);
	free(engine);
}
