/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A KVM vCPU whose level 3 is the host processor's, in a child process. What leaves level 3 is done
 * here: the delivery of an exception by the guest's IDT, up to the first instruction of the
 * handler; of level 0 no more than that instruction is done, if it is an OUT.
 */
#ifndef LOCKSTEP_ACCEL_NATIVE_VCPU_H
#define LOCKSTEP_ACCEL_NATIVE_VCPU_H

#include <stdatomic.h>

#include "accel/cpuid_leaves.h"
#include "accel/native/child.h"
#include "accel/shared_memory.h"

struct native_vcpu {
	struct native_child child;
	const struct shared_memory *memory;
	struct kvm_run *run;
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_debugregs debugregs;
	uint64_t xcr0;
	/* As XSAVE writes it, in the standard format; beyond struct kvm_xsave there is nothing that
	 * the guest has. */
	uint8_t xstate[NATIVE_XSTATE_ROOM] __attribute__((aligned(64)));
	bool regs_changed;  /* the child does not know them yet */
	bool sregs_changed; /* the child does not have these pages */
	bool by_step;       /* there are instructions that the host must not execute */
	bool single_step, inject_debug, port_done;
	atomic_bool kicked;
	atomic_bool in_child; /* a kick has to interrupt it; not while it is being set up */
	struct kvm_cpuid_entry2 cpuid[CPUID_LEAVES_ROOM];
	uint32_t cpuid_count;
};

int native_vcpu_run(struct native_vcpu *vcpu);
/* Any thread, and signal handlers. */
void native_vcpu_kick(struct native_vcpu *vcpu);

/* --- vcpu_calls.c --- */
/* As after power-up, which is no state that it can run. */
void native_vcpu_reset(struct native_vcpu *vcpu, const struct shared_memory *memory);
int native_vcpu_ioctl(struct native_vcpu *vcpu, unsigned long request, void *arg);

/* --- enter.c: the state as the host takes it and gives it back --- */
/* A child of the calling thread's with the guest's pages. 0, or -ENOTSUP: not user-mode code as the
 * host runs it. */
int native_prepare(struct native_vcpu *vcpu);
/* Its registers. */
int native_enter(struct native_vcpu *vcpu);
void native_leave(struct native_vcpu *vcpu, const struct user_regs_struct *regs);

/* --- deliver.c --- */
/* An exception at the present RIP by a 64-bit interrupt or trap gate to level 0 (SDM 3A:6.14). 0,
 * or -ENOTSUP if the guest has none. */
int native_deliver(struct native_vcpu *vcpu, unsigned int vector, uint64_t error);
/* A segment register's contents from the guest's GDT (SDM 3A:3.4.5). */
struct kvm_segment native_segment(const struct native_vcpu *vcpu, uint16_t selector);

/* --- special.c: instructions that are not the host's to execute --- */
enum native_special {
	SPECIAL_NONE,
	SPECIAL_CPUID,   /* answered by KVM_SET_CPUID2's leaves */
	SPECIAL_XGETBV,  /* and by KVM_SET_XCRS's */
	SPECIAL_PUSHF,   /* shows the TF by which the host is stepped */
	SPECIAL_POPF,    /* or IRET: loads TF */
	SPECIAL_SYSCALL, /* would enter the host's kernel */
	SPECIAL_SYSENTER,
	SPECIAL_INT80,
};
struct native_instruction {
	enum native_special kind;
	unsigned int length;
};
struct native_instruction native_special_find(const uint8_t *bytes, unsigned int count,
					      bool code64);
/* Whether there may be one among these bytes that the host must not execute. */
bool native_special_among(const uint8_t *bytes, uint64_t count);
/* Does it. 1: with an exception; 0; -ENOTSUP. */
int native_special_do(struct native_vcpu *vcpu, const struct native_instruction *instruction);

#endif
