/* SPDX-License-Identifier: Apache-2.0 */
/* A guest of the native engine by its calls alone: a page of code, one of data and one of stack for
 * level 3, one to one, and an IDT whose handlers begin with an OUT to port VECTOR. */
#ifndef LOCKSTEP_TESTS_NATIVE_RIG_H
#define LOCKSTEP_TESTS_NATIVE_RIG_H

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <lockstep/extension.h>

#include "tests/unit/check.h"

#define RIG_MEMORY   (4u << 20)
#define RIG_TABLES   0x1000 /* PML4, PDPT, page directory, page table of the first 2 MiB */
#define RIG_GDT      0x5000
#define RIG_IDT      0x6000
#define RIG_TSS      0x7000
#define RIG_HANDLERS 0x8000
#define RIG_STACK0   0xa000
#define RIG_CODE     0x100000
#define RIG_DATA     0x120000
#define RIG_STACK    0x140000
#define RIG_TOP      (RIG_STACK + 0x800)

#define PTE_KERNEL 0x63u /* present, writable, accessed, dirty */
#define PTE_USER   0x67u
#define PTE_READ   0x65u
#define PTE_NX     (UINT64_C(1) << 63)

struct native_rig {
	struct ls_engine *engine;
	int vm, vcpu;
	uint8_t *memory;
	struct kvm_run *run;
};

static inline int native_call(struct native_rig *rig, unsigned long request, const void *arg)
{
	return ls_ioctl_ptr(rig->engine, rig->vcpu, request, arg);
}

static inline void native_put(struct native_rig *rig, uint64_t at, uint64_t value)
{
	memcpy(rig->memory + at, &value, sizeof(value));
}

static inline uint64_t native_word(const struct native_rig *rig, uint64_t at)
{
	uint64_t value;

	memcpy(&value, rig->memory + at, sizeof(value));
	return value;
}

static inline void native_page(struct native_rig *rig, uint64_t linear, uint64_t entry)
{
	native_put(rig, RIG_TABLES + 0x3000 + linear / 4096 * 8, entry);
}

static inline void native_write_tables(struct native_rig *rig)
{
	native_put(rig, RIG_TABLES, (RIG_TABLES + 0x1000) | PTE_USER);
	native_put(rig, RIG_TABLES + 0x1000, (RIG_TABLES + 0x2000) | PTE_USER);
	native_put(rig, RIG_TABLES + 0x2000, (RIG_TABLES + 0x3000) | PTE_USER);
	for (uint64_t page = 0; page < 0x10000; page += 4096)
		native_page(rig, page, page | PTE_KERNEL);
	native_page(rig, RIG_CODE, RIG_CODE | PTE_READ);
	native_page(rig, RIG_DATA, RIG_DATA | PTE_USER | PTE_NX);
	native_page(rig, RIG_STACK, RIG_STACK | PTE_USER | PTE_NX);
	native_put(rig, RIG_GDT + 0x10, 0x00af9b000000ffff);
	native_put(rig, RIG_GDT + 0x20, 0x00cffb000000ffff);
	native_put(rig, RIG_GDT + 0x28, 0x00cff3000000ffff);
	native_put(rig, RIG_GDT + 0x30, 0x00affb000000ffff);
	native_put(rig, RIG_TSS + 4, RIG_STACK0);
	for (unsigned int n = 0; n < 32; n++) {
		native_put(rig, RIG_IDT + 16 * n,
			   UINT64_C(0x8e0000100000) | (RIG_HANDLERS + 16 * n));
		rig->memory[RIG_HANDLERS + 16 * n] = 0xe6;
		rig->memory[RIG_HANDLERS + 16 * n + 1] = (uint8_t)n;
	}
}

static inline void native_set_state(struct native_rig *rig, bool code64)
{
	const struct kvm_segment data = {.limit = ~0u,
					 .selector = 0x2b,
					 .type = 3,
					 .present = 1,
					 .dpl = 3,
					 .s = 1,
					 .db = 1,
					 .g = 1};
	const struct kvm_xcrs xcrs = {.nr_xcrs = 1, .xcrs[0].value = 7};
	struct kvm_regs regs = {.rip = RIG_CODE, .rsp = RIG_TOP, .rflags = 0x202};
	struct kvm_sregs sregs;

	native_call(rig, KVM_GET_SREGS, &sregs);
	sregs.cs = sregs.ss = sregs.ds = sregs.es = data;
	sregs.fs = sregs.gs = (struct kvm_segment){.unusable = 1};
	sregs.cs.selector = code64 ? 0x33 : 0x23;
	sregs.cs.type = 0xb;
	sregs.cs.l = code64;
	sregs.cs.db = !code64;
	sregs.tr = (struct kvm_segment){.base = RIG_TSS, .limit = 0x67, .type = 0xb, .present = 1};
	sregs.gdt = (struct kvm_dtable){.base = RIG_GDT, .limit = 0x37};
	sregs.idt = (struct kvm_dtable){.base = RIG_IDT, .limit = 0x1ff};
	sregs.cr0 = 0x80050033;
	sregs.cr3 = RIG_TABLES;
	sregs.cr4 = 0x40620;
	sregs.efer = 0xd00;
	CHECK_EQUAL(native_call(rig, KVM_SET_SREGS, &sregs), 0);
	CHECK_EQUAL(native_call(rig, KVM_SET_REGS, &regs), 0);
	CHECK_EQUAL(native_call(rig, KVM_SET_XCRS, &xcrs), 0);
}

/* False where the host lets no process be traced: said aloud, and the test does nothing. */
static inline bool native_open_rig(struct native_rig *rig)
{
	struct kvm_userspace_memory_region region = {.memory_size = RIG_MEMORY};
	struct ls_error err = {0};

	*rig = (struct native_rig){.engine = ls_engine_native.open(&err)};
	if (!rig->engine) {
		printf("SKIP: %s\n", err.text);
		return false;
	}
	rig->memory =
		mmap(NULL, RIG_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	region.userspace_addr = (uintptr_t)rig->memory;
	rig->vm = ls_ioctl(rig->engine, LS_SYSTEM, KVM_CREATE_VM, 0);
	CHECK_EQUAL(ls_ioctl_ptr(rig->engine, rig->vm, KVM_SET_USER_MEMORY_REGION, &region), 0);
	rig->vcpu = ls_ioctl(rig->engine, rig->vm, KVM_CREATE_VCPU, 0);
	rig->run = rig->engine->ops->mmap(rig->engine, rig->vcpu);
	native_write_tables(rig);
	native_set_state(rig, true);
	return true;
}

static inline void native_close_rig(struct native_rig *rig)
{
	rig->engine->ops->close(rig->engine, rig->vcpu);
	rig->engine->ops->close(rig->engine, rig->vm);
	rig->engine->ops->close(rig->engine, LS_SYSTEM);
	munmap(rig->memory, RIG_MEMORY);
}

#define native_code(rig, ...)                                                                      \
	memcpy((rig)->memory + RIG_CODE, (const uint8_t[]){__VA_ARGS__},                           \
	       sizeof((const uint8_t[]){__VA_ARGS__}))

static inline struct kvm_regs native_regs(struct native_rig *rig)
{
	struct kvm_regs regs;

	native_call(rig, KVM_GET_REGS, &regs);
	return regs;
}

/* What the handler found on its stack (SDM 3A:6.14.2). */
struct native_frame {
	unsigned int vector;
	uint64_t error, rip, cs, rflags, rsp, ss;
};

/* Runs to the first exception. */
static inline struct native_frame native_run(struct native_rig *rig, bool with_error)
{
	struct native_frame frame = {.vector = ~0u};
	uint64_t at;

	CHECK_EQUAL(native_call(rig, KVM_RUN, NULL), 0);
	CHECK_EQUAL(rig->run->exit_reason, KVM_EXIT_IO);
	if (rig->run->exit_reason != KVM_EXIT_IO)
		return frame;
	frame.vector = rig->run->io.port;
	at = native_regs(rig).rsp;
	if (with_error) {
		frame.error = native_word(rig, at);
		at += 8;
	}
	frame.rip = native_word(rig, at);
	frame.cs = native_word(rig, at + 8);
	frame.rflags = native_word(rig, at + 16);
	frame.rsp = native_word(rig, at + 24);
	frame.ss = native_word(rig, at + 32);
	return frame;
}

#endif
