/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's own processor at level 3, without a hypervisor: for a guest that begins in user-mode
 * code and ends with its first exception. There are no interrupt chips, no MSRs, and no level 0 but
 * an OUT at which a handler begins.
 */
#include <cpuid.h>
#include <stdlib.h>
#include <string.h>

#include <lockstep/extension.h>

#include "accel/native/vcpu.h"
#include "accel/single.h"

struct native_engine {
	struct single_engine single;
	struct native_vcpu vcpu;
};

static struct native_vcpu *vcpu_of(struct single_engine *engine)
{
	return &((struct native_engine *)engine)->vcpu;
}

static bool has(unsigned long cap)
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
		return true;
	default:
		return false;
	}
}

static int ask_host(void *opaque, struct kvm_cpuid_entry2 *entry)
{
	(void)opaque;
	__cpuid_count(entry->function, entry->index, entry->eax, entry->ebx, entry->ecx,
		      entry->edx);
	return 0;
}

static int read_cpuid(union cpuid_leaves *leaves)
{
	return cpuid_leaves_read(leaves, ask_host, NULL);
}

static void vcpu_create(struct single_engine *engine)
{
	native_vcpu_reset(vcpu_of(engine), &engine->memory);
	vcpu_of(engine)->run = engine->run;
}

static int vcpu_ioctl(struct single_engine *engine, unsigned long request, void *arg)
{
	return native_vcpu_ioctl(vcpu_of(engine), request, arg);
}

static void vcpu_kick(struct single_engine *engine)
{
	native_vcpu_kick(vcpu_of(engine));
}

static void vcpu_close(struct single_engine *engine)
{
	native_child_stop(&vcpu_of(engine)->child);
}

static struct ls_engine *native_open(struct ls_error *err)
{
	static const struct ls_extension extension = {.user_only = true};
	static const struct single_ops ops = {.has = has,
					      .read_cpuid = read_cpuid,
					      .vcpu_create = vcpu_create,
					      .vcpu_ioctl = vcpu_ioctl,
					      .vcpu_kick = vcpu_kick,
					      .vcpu_close = vcpu_close};
	struct native_engine *engine;

	if (native_child_check(err))
		return NULL;
	engine = aligned_alloc(64, (sizeof(*engine) + 63) & ~(size_t)63);
	if (!engine) {
		ls_error_set(err, -ENOMEM, "no memory for the native engine");
		return NULL;
	}
	memset(engine, 0, sizeof(*engine));
	engine->single.base.ops = &ls_engine_native;
	engine->single.base.ext = &extension;
	engine->single.ops = &ops;
	return &engine->single.base;
}

const struct ls_engine_ops ls_engine_native = {
	.name = "native",
	.summary = "user-mode code on the host's own processor, to compare with",
	.open = native_open,
	.ioctl = single_ioctl,
	.mmap = single_mmap,
	.kick = single_kick,
	.close = single_close,
};
