/* SPDX-License-Identifier: Apache-2.0 */
/* The state as the host takes it and gives it back. */
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "accel/native/pages.h"
#include "accel/native/vcpu.h"

#define CR0_PG     UINT64_C(0x80000000)
#define CR4_LA57   UINT64_C(0x1000)
#define EFER_LMA   UINT64_C(0x400)
#define RFLAGS_IF  UINT64_C(0x200)
#define RFLAGS_RF  UINT64_C(0x10000)
#define RFLAGS_SYS UINT64_C(0x1a3000) /* IOPL, VM, VIF, VIP; not level 3's */

/* The selectors by which Linux runs user-mode code; a program can see them. */
#define CODE64 0x33
#define CODE32 0x23
#define DATA   0x2b

#define XSTATE_USER 7u /* x87, SSE, AVX */
#define XSTATE_BV   512
#define XSTATE_END  832 /* of AVX's component */

static bool possible(const struct native_vcpu *vcpu)
{
	const struct kvm_sregs *sregs = &vcpu->sregs;
	uint64_t code = sregs->cs.selector;

	return sregs->cr0 & CR0_PG && sregs->efer & EFER_LMA && !(sregs->cr4 & CR4_LA57) &&
	       code == (sregs->cs.l ? CODE64 : CODE32) && sregs->ss.selector == DATA &&
	       (vcpu->regs.rflags & (RFLAGS_SYS | RFLAGS_IF)) == RFLAGS_IF;
}

static void find_special(struct native_vcpu *vcpu, const struct native_range *ranges, int count)
{
	vcpu->by_step = false;
	for (int i = 0; i < count; i++)
		if (ranges[i].execute)
			vcpu->by_step |= native_special_among(vcpu->memory->base + ranges[i].offset,
							      ranges[i].size);
}

static int start(struct native_vcpu *vcpu)
{
	struct native_range ranges[NATIVE_RANGES];
	struct ls_error err = {0};
	int count = native_pages_of_user(vcpu->memory, &vcpu->sregs, ranges);

	native_child_stop(&vcpu->child);
	if (count < 0)
		return count;
	find_special(vcpu, ranges, count);
	vcpu->sregs_changed = false;
	vcpu->regs_changed = true;
	return native_child_start(&vcpu->child, vcpu->memory->fd, ranges, (unsigned int)count,
				  &err);
}

static void fill(const struct native_vcpu *vcpu, struct user_regs_struct *to)
{
	const struct kvm_regs *from = &vcpu->regs;
	const struct kvm_sregs *sregs = &vcpu->sregs;

	*to = (struct user_regs_struct){
		.orig_rax = ~0ull, /* no system call to start again */
		.fs_base = sregs->fs.base,
		.gs_base = sregs->gs.base,
#define GENERAL(kvm, host) .host = from->kvm,
#define SEGMENT(name)      .name = sregs->name.selector,
#include "accel/native/registers.def"
#undef GENERAL
#undef SEGMENT
	};
}

int native_prepare(struct native_vcpu *vcpu)
{
	if (!possible(vcpu))
		return -ENOTSUP;
	if (!vcpu->sregs_changed && vcpu->child.pid &&
	    vcpu->child.tracer == (int)syscall(SYS_gettid))
		return 0;
	return start(vcpu);
}

int native_enter(struct native_vcpu *vcpu)
{
	struct user_regs_struct regs;

	if (!vcpu->regs_changed)
		return 0;
	fill(vcpu, &regs);
	vcpu->regs_changed = false;
	return native_child_set(&vcpu->child, &regs, vcpu->xstate);
}

static void take_segment(const struct native_vcpu *vcpu, struct kvm_segment *to,
			 unsigned long long selector)
{
	if (to->selector != selector)
		*to = native_segment(vcpu, (uint16_t)selector);
}

void native_leave(struct native_vcpu *vcpu, const struct user_regs_struct *from)
{
	struct kvm_sregs *sregs = &vcpu->sregs;

	vcpu->regs = (struct kvm_regs){
#define GENERAL(kvm, host) .kvm = from->host,
#include "accel/native/registers.def"
#undef GENERAL
	};
	/* The frame of a fault has RF (SDM 3B:18.3.1.1); the program had not. */
	vcpu->regs.rflags &= ~RFLAGS_RF;
#define SEGMENT(name) take_segment(vcpu, &sregs->name, from->name);
#include "accel/native/registers.def"
#undef SEGMENT
	sregs->fs.base = from->fs_base;
	sregs->gs.base = from->gs_base;
	/* What the host's processor has beyond, the guest has not. */
	memset(vcpu->xstate + XSTATE_BV + 1, 0, 63);
	vcpu->xstate[XSTATE_BV] &= XSTATE_USER;
	memset(vcpu->xstate + XSTATE_END, 0, sizeof(vcpu->xstate) - XSTATE_END);
}
