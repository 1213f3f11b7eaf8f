/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seam. An engine answers KVM's own calls; Linux's Documentation/virt/kvm/api.rst is the
 * specification of every request, struct and error. Code above the seam never asks which
 * engine it talks to: it asks KVM_CHECK_EXTENSION and does without what is not offered.
 */
#ifndef LOCKSTEP_ENGINE_H
#define LOCKSTEP_ENGINE_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/error.h>

struct ls_engine;
struct ls_extension;

/* Calls return what the ioctl returns (>= 0), or a negative errno. */
struct ls_engine_ops {
	const char *name;
	const char *summary;
	/* Opens the system handle (what open("/dev/kvm") is). Returns NULL and fills @err. */
	struct ls_engine *(*open)(struct ls_error *err);
	/* @handle: LS_SYSTEM, or what KVM_CREATE_VM and KVM_CREATE_VCPU returned.
	 * @arg: an integer or a pointer, as the request defines. */
	int (*ioctl)(struct ls_engine *engine, int handle, unsigned long request, unsigned long arg);
	/* Maps the vCPU's struct kvm_run (KVM_GET_VCPU_MMAP_SIZE bytes). Owned by the engine,
	 * valid until close of that vCPU. */
	struct kvm_run *(*mmap)(struct ls_engine *engine, int vcpu);
	/* What else a vCPU's handle maps, as KVM_DIRTY_LOG_PAGE_OFFSET's ring; the caller unmaps it
	 * before that is closed. NULL if there is no such thing; may itself be NULL. */
	void *(*mmap_at)(struct ls_engine *engine, int vcpu, size_t offset, size_t size);
	/* Makes a KVM_RUN in progress on @vcpu return -EINTR soon. From any thread, and from
	 * a signal handler. One that has yet to begin may return so, too. */
	void (*kick)(struct ls_engine *engine, int vcpu);
	/* Closes a vCPU or VM handle; LS_SYSTEM frees the engine. */
	void (*close)(struct ls_engine *engine, int handle);
};

#define LS_SYSTEM (-1)

/* The head of every engine's own object. */
struct ls_engine {
	const struct ls_engine_ops *ops;
	const struct ls_extension *ext; /* never NULL; its members may be */
};

static inline int ls_ioctl(struct ls_engine *engine, int handle, unsigned long request,
			   unsigned long arg)
{
	return engine->ops->ioctl(engine, handle, request, arg);
}

/* The same for requests that take a pointer. */
static inline int ls_ioctl_ptr(struct ls_engine *engine, int handle, unsigned long request,
			       const void *arg)
{
	return engine->ops->ioctl(engine, handle, request, (unsigned long)arg);
}

/* The interpreting reference model. */
extern const struct ls_engine_ops ls_engine_sim;
/* The host's own processor. */
extern const struct ls_engine_ops ls_engine_kvm;
/* QEMU, interpreting, as an engine under test. */
extern const struct ls_engine_ops ls_engine_qemu;
/* The host's own processor at level 3, in a traced process. */
extern const struct ls_engine_ops ls_engine_native;

#endif
