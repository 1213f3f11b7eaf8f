/* SPDX-License-Identifier: Apache-2.0 */
/* An engine through the seam, sim or the one that LOCKSTEP_ENGINE names: a VM with 1 MiB of memory
 * and one vCPU in real mode, flat at CS:IP = 0:CODE, and calls as a user of KVM makes them. */
#ifndef LOCKSTEP_TESTS_KVM_RIG_H
#define LOCKSTEP_TESTS_KVM_RIG_H

#include <stdlib.h>
#include <string.h>

#include <lockstep/extension.h>

#include "tests/unit/check.h"

#define KVM_MEMORY (1u << 20)
#define KVM_LEAVES 128
#define CODE       0x1000
#define STACK      0x8000

struct kvm_rig {
	struct ls_engine *engine;
	int vm, vcpu;
	struct kvm_run *run;
	uint8_t *memory;
};

static inline int kvm_call(struct kvm_rig *rig, unsigned long request, const void *arg)
{
	return ls_ioctl_ptr(rig->engine, rig->vm, request, arg);
}

static inline int kvm_vcpu_call(struct kvm_rig *rig, unsigned long request, const void *arg)
{
	return ls_ioctl_ptr(rig->engine, rig->vcpu, request, arg);
}

/* KVM_RUN; returns the exit reason. */
static inline unsigned int kvm_run(struct kvm_rig *rig)
{
	CHECK_EQUAL(kvm_vcpu_call(rig, KVM_RUN, NULL), 0);
	return rig->run->exit_reason;
}

static inline struct kvm_regs kvm_regs(struct kvm_rig *rig)
{
	struct kvm_regs regs;

	CHECK_EQUAL(kvm_vcpu_call(rig, KVM_GET_REGS, &regs), 0);
	return regs;
}

static inline void kvm_set_rip(struct kvm_rig *rig, uint64_t rip)
{
	struct kvm_regs regs = kvm_regs(rig);

	regs.rip = rip;
	CHECK_EQUAL(kvm_vcpu_call(rig, KVM_SET_REGS, &regs), 0);
}

static inline void kvm_set_cpuid(struct kvm_rig *rig, const char *model)
{
	struct kvm_cpuid2 *cpuid =
		calloc(1, sizeof(*cpuid) + KVM_LEAVES * sizeof(cpuid->entries[0]));

	cpuid->nent = KVM_LEAVES;
	if (rig->engine->ext->cpu_model)
		CHECK_EQUAL(rig->engine->ext->cpu_model(rig->engine, model, 0, 1, cpuid, NULL), 0);
	else
		CHECK_EQUAL(ls_ioctl_ptr(rig->engine, LS_SYSTEM, KVM_GET_SUPPORTED_CPUID, cpuid),
			    0);
	CHECK_EQUAL(kvm_vcpu_call(rig, KVM_SET_CPUID2, cpuid), 0);
	free(cpuid);
}

static inline void kvm_real_mode(struct kvm_rig *rig)
{
	struct kvm_regs regs = {.rip = CODE, .rsp = STACK, .rflags = 2};
	struct kvm_sregs sregs;

	CHECK_EQUAL(kvm_vcpu_call(rig, KVM_GET_SREGS, &sregs), 0);
	sregs.cs.selector = 0;
	sregs.cs.base = 0;
	CHECK_EQUAL(kvm_vcpu_call(rig, KVM_SET_SREGS, &sregs), 0);
	CHECK_EQUAL(kvm_vcpu_call(rig, KVM_SET_REGS, &regs), 0);
}

static inline const struct ls_engine_ops *kvm_rig_engine(void)
{
	const char *name = getenv("LOCKSTEP_ENGINE");

	return name && !strcmp(name, "kvm") ? &ls_engine_kvm : &ls_engine_sim;
}

/* @cap, unless 0, is enabled before the vCPU is created, if it is offered. */
static inline void kvm_open_with(struct kvm_rig *rig, const char *model, bool irqchip, uint32_t cap,
				 uint64_t argument)
{
	struct kvm_enable_cap enable = {.cap = cap, .args = {argument}};
	struct kvm_userspace_memory_region region = {.memory_size = KVM_MEMORY};
	struct ls_error err = {0};

	memset(rig, 0, sizeof(*rig));
	rig->engine = kvm_rig_engine()->open(&err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig->engine);
	rig->vm = ls_ioctl(rig->engine, LS_SYSTEM, KVM_CREATE_VM, 0);
	if (irqchip)
		CHECK_EQUAL(ls_ioctl(rig->engine, rig->vm, KVM_CREATE_IRQCHIP, 0), 0);
	if (cap && ls_ioctl(rig->engine, LS_SYSTEM, KVM_CHECK_EXTENSION, cap) > 0)
		CHECK_EQUAL(kvm_call(rig, KVM_ENABLE_CAP, &enable), 0);
	rig->memory = aligned_alloc(4096, KVM_MEMORY);
	memset(rig->memory, 0, KVM_MEMORY);
	region.userspace_addr = (uintptr_t)rig->memory;
	CHECK_EQUAL(kvm_call(rig, KVM_SET_USER_MEMORY_REGION, &region), 0);
	rig->vcpu = ls_ioctl(rig->engine, rig->vm, KVM_CREATE_VCPU, 0);
	rig->run = rig->engine->ops->mmap(rig->engine, rig->vcpu);
	kvm_set_cpuid(rig, model);
	kvm_real_mode(rig);
}

static inline void kvm_open(struct kvm_rig *rig, const char *model, bool irqchip)
{
	kvm_open_with(rig, model, irqchip, 0, 0);
}

/* Bytes at an address, before the guest has run there. */
#define kvm_code(rig, address, ...)                                                                \
	do {                                                                                       \
		const uint8_t kvm_bytes[] = {__VA_ARGS__};                                         \
		memcpy((rig)->memory + (address), kvm_bytes, sizeof(kvm_bytes));                   \
	} while (0)

/* An entry of the real-mode interrupt vector table: 0:offset. */
static inline void kvm_vector(struct kvm_rig *rig, unsigned int vector, uint16_t offset)
{
	uint16_t entry[2] = {offset, 0};

	memcpy(rig->memory + 4 * vector, entry, sizeof(entry));
}

static inline void kvm_close(struct kvm_rig *rig)
{
	rig->engine->ops->close(rig->engine, rig->vcpu);
	rig->engine->ops->close(rig->engine, rig->vm);
	rig->engine->ops->close(rig->engine, LS_SYSTEM);
	free(rig->memory);
}

#endif
