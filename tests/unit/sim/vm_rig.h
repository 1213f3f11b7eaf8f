/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM of the sim engine, seen through the seam. Guest code is 64-bit at CPL 0; linear addresses
 * below 512 GiB are guest-physical ones, through 1 GiB pages whose accessed and dirty bits are set.
 */
#ifndef LOCKSTEP_TESTS_VM_RIG_H
#define LOCKSTEP_TESTS_VM_RIG_H

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <lockstep/engine.h>
#include <lockstep/extension.h>

#include "mmu/control_registers.h"
#include "mmu/types.h"
#include "tests/unit/check.h"

#define VM_MEMORY (1u << 20)
#define VM_VCPUS  2
#define VM_PML4   0x1000
#define VM_PDPT   0x2000
#define VM_CODE   0x10000
#define VM_STACK  0x80000 /* grows down from here, 0x1000 a vCPU */
#define VM_DATA   0x90000
#define VM_LEAVES 128

#define ENTRY_TABLE 0x07 /* present, writable, user */
#define ENTRY_LEAF  0xe7 /* and accessed, dirty, PS */

struct vm_rig {
	struct ls_engine *engine;
	const struct ls_extension *ext;
	int vm;
	u8 *memory; /* slot 0, from 0 */
	unsigned int vcpus;
	int vcpu[VM_VCPUS];
	struct kvm_run *run[VM_VCPUS];
};

/* Guest code in the host assembler's words: GUEST_CODE(name, "nop"); vm_put(rig, gpa, name). */
#define GUEST_CODE(name, text)                                                                     \
	extern const u8 name[], name##_end[];                                                      \
	__asm__(".pushsection .rodata\n" #name ":\n" text "\n" #name "_end:\n.popsection")

#define vm_put(rig, gpa, name) vm_write(rig, gpa, name, (size_t)(name##_end - name))

static inline u64 *vm_word(struct vm_rig *rig, u64 gpa)
{
	return (u64 *)(rig->memory + gpa);
}

/* As the machine writes: DMA, loaders, debuggers. */
static inline void vm_write(struct vm_rig *rig, u64 gpa, const void *from, size_t size)
{
	memcpy(rig->memory + gpa, from, size);
	rig->ext->memory_written(rig->engine, rig->vm, gpa, size);
}

static inline int vm_slot(struct vm_rig *rig, u32 slot, u64 gpa, void *host, u64 size, u32 flags)
{
	struct kvm_userspace_memory_region region = {.slot = slot,
						     .flags = flags,
						     .guest_phys_addr = gpa,
						     .memory_size = size,
						     .userspace_addr = (uintptr_t)host};

	return ls_ioctl_ptr(rig->engine, rig->vm, KVM_SET_USER_MEMORY_REGION, &region);
}

static inline u8 *vm_pages(size_t size)
{
	u8 *pages = aligned_alloc(4096, size);

	memset(pages, 0, size);
	return pages;
}

static inline void vm_open_in(struct vm_rig *rig, struct ls_engine *engine)
{
	rig->engine = engine;
	rig->ext = engine->ext;
	rig->vm = ls_ioctl(engine, LS_SYSTEM, KVM_CREATE_VM, 0);
	rig->vcpus = 0;
	rig->memory = vm_pages(VM_MEMORY);
	CHECK_EQUAL(vm_slot(rig, 0, 0, rig->memory, VM_MEMORY, 0), 0);
	*vm_word(rig, VM_PML4) = VM_PDPT | ENTRY_TABLE | 0x20;
	for (u64 n = 0; n < 512; n++)
		vm_word(rig, VM_PDPT)[n] = n << 30 | ENTRY_LEAF;
}

static inline void vm_open(struct vm_rig *rig)
{
	vm_open_in(rig, ls_engine_sim.open(NULL));
}

static inline void vm_close_in(struct vm_rig *rig)
{
	for (unsigned int n = 0; n < rig->vcpus; n++)
		rig->engine->ops->close(rig->engine, rig->vcpu[n]);
	rig->engine->ops->close(rig->engine, rig->vm);
	free(rig->memory);
}

static inline void vm_close(struct vm_rig *rig)
{
	vm_close_in(rig);
	rig->engine->ops->close(rig->engine, LS_SYSTEM);
}

static inline void vm_set_long_mode(struct vm_rig *rig, int vcpu)
{
	const struct kvm_segment code = {.limit = UINT32_MAX,
					 .selector = 8,
					 .type = 11,
					 .present = 1,
					 .s = 1,
					 .l = 1,
					 .g = 1};
	const struct kvm_segment data = {.limit = UINT32_MAX,
					 .selector = 16,
					 .type = 3,
					 .present = 1,
					 .s = 1,
					 .db = 1,
					 .g = 1};
	struct kvm_sregs sregs;

	ls_ioctl_ptr(rig->engine, vcpu, KVM_GET_SREGS, &sregs);
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_WP | CR0_PG;
	sregs.cr3 = VM_PML4;
	sregs.cr4 = CR4_PAE | CR4_OSFXSR;
	sregs.efer = EFER_LME | EFER_LMA;
	CHECK_EQUAL(ls_ioctl_ptr(rig->engine, vcpu, KVM_SET_SREGS, &sregs), 0);
}

static inline struct kvm_regs vm_regs(struct vm_rig *rig, unsigned int n)
{
	struct kvm_regs regs;

	ls_ioctl_ptr(rig->engine, rig->vcpu[n], KVM_GET_REGS, &regs);
	return regs;
}

static inline void vm_set_rip(struct vm_rig *rig, unsigned int n, u64 rip)
{
	struct kvm_regs regs = {.rip = rip, .rflags = 2, .rsp = VM_STACK - n * 0x1000};

	ls_ioctl_ptr(rig->engine, rig->vcpu[n], KVM_SET_REGS, &regs);
}

/* A vCPU of the model "intel" that will start at VM_CODE. */
static inline unsigned int vm_add_vcpu(struct vm_rig *rig)
{
	struct kvm_cpuid2 *cpuid =
		calloc(1, sizeof(*cpuid) + VM_LEAVES * sizeof(cpuid->entries[0]));
	unsigned int n = rig->vcpus++;

	cpuid->nent = VM_LEAVES;
	CHECK_EQUAL(rig->ext->cpu_model(rig->engine, "intel", n, VM_VCPUS, cpuid, NULL), 0);
	rig->vcpu[n] = ls_ioctl(rig->engine, rig->vm, KVM_CREATE_VCPU, n);
	CU_ASSERT_FATAL(rig->vcpu[n] >= 0);
	rig->run[n] = rig->engine->ops->mmap(rig->engine, rig->vcpu[n]);
	CHECK_EQUAL(ls_ioctl_ptr(rig->engine, rig->vcpu[n], KVM_SET_CPUID2, cpuid), 0);
	free(cpuid);
	vm_set_long_mode(rig, rig->vcpu[n]);
	vm_set_rip(rig, n, VM_CODE);
	return n;
}

/* The exit reason, or the negative error. */
static inline int vm_run(struct vm_rig *rig, unsigned int n)
{
	int ret = ls_ioctl(rig->engine, rig->vcpu[n], KVM_RUN, 0);

	return ret < 0 ? ret : (int)rig->run[n]->exit_reason;
}

/* Runs from @rip to a HLT; a bound keeps that HLT from blocking. */
static inline void vm_run_to_halt(struct vm_rig *rig, unsigned int n, u64 rip)
{
	vm_set_rip(rig, n, rip);
	rig->ext->vcpu_run_until(rig->engine, rig->vcpu[n], LS_NEVER - 1);
	CHECK_EQUAL(vm_run(rig, n), KVM_EXIT_HLT);
}

#endif
