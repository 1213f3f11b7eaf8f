/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine that is one processor outside of this process: one VM, one vCPU, memory that both
 * share. What is the same about its calls is here; the processor is the user's.
 */
#ifndef LOCKSTEP_ACCEL_SINGLE_H
#define LOCKSTEP_ACCEL_SINGLE_H

#include <stdbool.h>

#include <lockstep/engine.h>

#include "accel/cpuid_leaves.h"
#include "accel/shared_memory.h"

#define SINGLE_RUN_BYTES 8192 /* the run page, and one for port data */
#define SINGLE_RUN_DATA  4096

struct single_engine;

struct single_ops {
	bool (*has)(unsigned long cap); /* KVM_CHECK_EXTENSION */
	/* KVM_GET_SUPPORTED_CPUID's leaves, asked for once. 0 or -errno. */
	int (*read_cpuid)(union cpuid_leaves *leaves);
	/* Calls on the VM but for its memory and its vCPU; NULL: there are none. */
	int (*vm_ioctl)(struct single_engine *engine, unsigned long request, unsigned long arg);
	void (*vcpu_create)(struct single_engine *engine); /* engine->run is there */
	int (*vcpu_ioctl)(struct single_engine *engine, unsigned long request, void *arg);
	void (*vcpu_kick)(struct single_engine *engine); /* any thread */
	void (*vcpu_close)(struct single_engine *engine);
};

/* An engine's own structure begins with it; zeros but for base.ops, base.ext and ops. */
struct single_engine {
	struct ls_engine base;
	const struct single_ops *ops;
	struct kvm_run *run; /* NULL: no vCPU */
	bool has_vm;
	struct shared_memory memory;
	union cpuid_leaves supported;
};

/* For struct ls_engine_ops. Closing the system handle free()s the engine. */
int single_ioctl(struct ls_engine *base, int handle, unsigned long request, unsigned long arg);
struct kvm_run *single_mmap(struct ls_engine *base, int handle);
void single_kick(struct ls_engine *base, int handle);
void single_close(struct ls_engine *base, int handle);

#endif
