/* SPDX-License-Identifier: Apache-2.0 */
/* A VM: memory, chips, vCPUs, and its ioctls. */
#include <stdlib.h>

#include "sim/cpu/address_space.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/trace_cache.h"
#include "sim/cpu/wait.h"
#include "sim/ioctl_system.h"
#include "sim/vm.h"

struct vm *vm_create(struct sim_engine *engine)
{
	struct vm *vm = calloc(1, sizeof(*vm));

	if (!vm)
		return NULL;
	vm->engine = engine;
	pthread_mutex_init(&vm->lock.mutex, NULL);
	pthread_cond_init(&vm->shot, NULL);
	sim_clock_init(&vm->clock, vm);
	return vm;
}

void vm_destroy(struct vm *vm)
{
	if (vm->has_pit)
		pit_destroy(&vm->pit);
	msr_exits_free(vm);
	slots_free(&vm->slots);
	pthread_cond_destroy(&vm->shot);
	pthread_mutex_destroy(&vm->lock.mutex);
	free(vm->routes);
	free(vm);
}

/* Translations and traces may lead into what has just changed. */
static void forget_memory(struct vm *vm)
{
	unsigned int n;

	for (n = 0; n < vm->vcpus; n++) {
		cpu_flush_all(&vm->vcpu[n]->cpu);
		trace_cache_flush(&vm->vcpu[n]->cpu);
		if (monitor_end(&vm->vcpu[n]->cpu)) /* nothing is guarded any more */
			vcpu_wake(vm->vcpu[n]);
	}
}

static int set_memory(struct vm *vm, const struct kvm_userspace_memory_region *region)
{
	int ret = slots_set(&vm->slots, region);

	forget_memory(vm);
	return ret;
}

/* Writes are logged by the slow path: it has to see the next one to each page again. */
static int get_dirty_log(struct vm *vm, const struct kvm_dirty_log *log)
{
	int ret = slots_get_dirty(&vm->slots, log->slot, log->dirty_bitmap);
	unsigned int n;

	for (n = 0; n < vm->vcpus; n++)
		cpu_drop_tags(&vm->vcpu[n]->cpu);
	return ret;
}

void vm_memory_written(struct vm *vm, u64 gpa, u64 length)
{
	u64 page = gpa & ~PAGE_OFFSET_MASK;

	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* as in code_written */
	for (; page < gpa + length; page += PAGE_SIZE_4K) {
		struct slot *slot = slots_find(&vm->slots, page);
		u64 *word = slot ? slot_code_word(slot, page) : NULL;

		if (slot)
			slot_mark_dirty(slot, page);
		if (!word || !*word)
			continue;
		__atomic_store_n(word, 0, __ATOMIC_RELEASE);
		shootdown_all(vm, page);
	}
}

/* Time as the guest sees it is exact here, so it is always "stable"; there is no host time. */
static int get_clock(struct vm *vm, struct kvm_clock_data *data)
{
	u64 now = vm->clock.base.now(&vm->clock.base);

	*data = (struct kvm_clock_data){.clock = now + vm->clock_offset,
					.flags = KVM_CLOCK_TSC_STABLE};
	return 0;
}

static int set_clock(struct vm *vm, const struct kvm_clock_data *data)
{
	if (data->flags & ~(u32)KVM_CLOCK_TSC_STABLE)
		return -EINVAL;
	vm->clock_offset = data->clock - vm->clock.base.now(&vm->clock.base);
	return 0;
}

/* Of vCPUs to come: "an error if vCPUs have been created". */
static int set_tsc_khz(struct vm *vm, unsigned long khz)
{
	if (vm->vcpus || !tsc_khz_valid(khz))
		return -EINVAL;
	vm->tsc_khz = khz;
	return 0;
}

static int get_tsc_khz(const struct vm *vm)
{
	return vm->tsc_khz ? vm->tsc_khz : vm->engine->params.tsc_khz;
}

static int locked_ioctl(struct vm *vm, unsigned long request, unsigned long arg)
{
	switch (request) {
	case KVM_CHECK_EXTENSION: return system_check_extension(arg);
	case KVM_SET_USER_MEMORY_REGION: return set_memory(vm, (const void *)arg);
	case KVM_GET_DIRTY_LOG: return get_dirty_log(vm, (const void *)arg);
	case KVM_CREATE_IRQCHIP: return irqchip_create(vm);
	case KVM_CREATE_PIT2: return irqchip_create_pit(vm);
	case KVM_GET_CLOCK: return get_clock(vm, (void *)arg);
	case KVM_SET_CLOCK: return set_clock(vm, (const void *)arg);
	case KVM_GET_TSC_KHZ: return get_tsc_khz(vm);
	case KVM_SET_TSC_KHZ: return set_tsc_khz(vm, arg);
	case KVM_ENABLE_CAP: return vm_enable_cap(vm, (const void *)arg);
	case KVM_X86_SET_MSR_FILTER: return msr_exits_filter(vm, (const void *)arg);
	/* Places for VMX's helper pages under real mode, which the interpreter has no use for. */
	case KVM_SET_TSS_ADDR:
	case KVM_SET_IDENTITY_MAP_ADDR: return 0;
	default: return irqchip_ioctl(vm, request, arg);
	}
}

int vm_ioctl(struct vm *vm, unsigned long request, unsigned long arg)
{
	int ret;

	vm_lock_take(&vm->lock);
	ret = locked_ioctl(vm, request, arg);
	vm_lock_give(&vm->lock);
	return ret;
}
