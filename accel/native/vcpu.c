/* SPDX-License-Identifier: Apache-2.0 */
#include "accel/native/vcpu.h"

#include <string.h>

#include "accel/native/pages.h"
#include "accel/single.h"

#define LONGEST   15
#define VECTOR_DB 1
#define VECTOR_BP 3
#define VECTOR_OF 4
#define VECTOR_PF 14
#define RFLAGS_TF UINT64_C(0x100)
#define DR6_BS    UINT64_C(0x4000)
#define OUT_IMM8  0xe6 /* OUT imm8, AL */
#define INT1      0xf1

/* What a return of KVM_RUN is made of; else it goes on. */
enum outcome { GO_ON, LEFT };

static unsigned int level(const struct native_vcpu *vcpu)
{
	return vcpu->sregs.cs.selector & 3;
}

static void leave(struct native_vcpu *vcpu, uint32_t reason)
{
	vcpu->run->exit_reason = reason;
	vcpu->run->if_flag = vcpu->regs.rflags >> 9 & 1;
	vcpu->run->ready_for_interrupt_injection = 0;
}

static enum outcome leave_for_error(struct native_vcpu *vcpu, uint32_t suberror)
{
	leave(vcpu, KVM_EXIT_INTERNAL_ERROR);
	vcpu->run->internal.suberror = suberror;
	vcpu->run->internal.ndata = 0;
	return LEFT;
}

/* A single-step trap: DR6.BS (SDM 3B:18.2.3). */
static enum outcome leave_for_debug(struct native_vcpu *vcpu)
{
	leave(vcpu, KVM_EXIT_DEBUG);
	vcpu->run->debug.arch =
		(struct kvm_debug_exit_arch){.exception = VECTOR_DB,
					     .pc = vcpu->sregs.cs.base + vcpu->regs.rip,
					     .dr6 = 0xffff0ff0 | DR6_BS,
					     .dr7 = 0x400};
	return LEFT;
}

/* --- level 0 --- */

static unsigned int fetch(const struct native_vcpu *vcpu, uint8_t bytes[LONGEST])
{
	uint64_t at = vcpu->sregs.cs.base + vcpu->regs.rip;
	unsigned int n;

	for (n = 0; n < LONGEST; n++) {
		const uint8_t *from = native_page_bytes(vcpu->memory, &vcpu->sregs, at + n);

		if (!from)
			break;
		bytes[n] = *from;
	}
	return n;
}

static enum outcome run_handler(struct native_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint8_t bytes[LONGEST];

	if (fetch(vcpu, bytes) < 2 || bytes[0] != OUT_IMM8)
		return leave_for_error(vcpu, KVM_INTERNAL_ERROR_EMULATION);
	leave(vcpu, KVM_EXIT_IO);
	run->io.direction = KVM_EXIT_IO_OUT;
	run->io.size = 1;
	run->io.port = bytes[1];
	run->io.count = 1;
	run->io.data_offset = SINGLE_RUN_DATA;
	*((uint8_t *)run + SINGLE_RUN_DATA) = (uint8_t)vcpu->regs.rax;
	vcpu->regs.rip += 2;
	vcpu->port_done = true;
	return LEFT;
}

/* --- level 3 --- */

static enum outcome deliver(struct native_vcpu *vcpu, unsigned int vector, uint64_t error)
{
	return native_deliver(vcpu, vector, error)
		       ? leave_for_error(vcpu, KVM_INTERNAL_ERROR_DELIVERY_EV)
		       : GO_ON;
}

static enum outcome deliver_debug(struct native_vcpu *vcpu)
{
	vcpu->debugregs.dr6 |= DR6_BS;
	return deliver(vcpu, VECTOR_DB, 0);
}

/* @traced: the guest's own TF was set before the instruction. */
static enum outcome stepped(struct native_vcpu *vcpu, bool traced)
{
	if (vcpu->single_step)
		return leave_for_debug(vcpu);
	return traced ? deliver_debug(vcpu) : GO_ON;
}

/* Whether a page is present is the guest's tables' to say: the host's tables are others, and Linux
 * hides its own part behind a P that is always set. */
static enum outcome take_exception(struct native_vcpu *vcpu, const struct native_stop *stop)
{
	uint64_t error = stop->error;
	uint8_t bytes[LONGEST];

	/* INT1 is a trap (SDM 3A:6.15); a hypervisor below may show RIP before it. */
	if (stop->vector == VECTOR_DB && fetch(vcpu, bytes) && bytes[0] == INT1)
		vcpu->regs.rip++;
	if (stop->vector == VECTOR_PF) {
		vcpu->sregs.cr2 = stop->cr2;
		error = (error & ~UINT64_C(1)) |
			native_page_find(vcpu->memory, &vcpu->sregs, stop->cr2).present;
	}
	if (deliver(vcpu, stop->vector, error) == LEFT)
		return LEFT;
	/* INT3, INT n and INTO end where the handler begins; a fault is no step. */
	return vcpu->single_step && (stop->vector == VECTOR_BP || stop->vector == VECTOR_OF)
		       ? leave_for_debug(vcpu)
		       : GO_ON;
}

static void hide_step(struct native_vcpu *vcpu)
{
	uint8_t *flags = native_page_bytes(vcpu->memory, &vcpu->sregs,
					   vcpu->sregs.ss.base + vcpu->regs.rsp + 1);

	if (flags)
		*flags &= (uint8_t) ~(RFLAGS_TF >> 8);
}

/* A step over an instruction that loads TF leaves Linux in the belief that TF is the program's own,
 * and not ptrace's. What it is follows from the instruction. */
static void mend_trap_flag(struct native_vcpu *vcpu, bool before)
{
	uint64_t flag = before ? RFLAGS_TF : 0;

	if ((vcpu->regs.rflags & RFLAGS_TF) == flag)
		return;
	vcpu->regs.rflags ^= RFLAGS_TF;
	vcpu->regs_changed = true;
}

static enum outcome take_step(struct native_vcpu *vcpu, enum native_special kind, bool step,
			      bool traced)
{
	if (step && kind == SPECIAL_PUSHF && !traced)
		hide_step(vcpu);
	return stepped(vcpu, traced || !step);
}

static enum outcome run_on_host(struct native_vcpu *vcpu, enum native_special kind, bool step,
				int *rc)
{
	bool traced = vcpu->regs.rflags & RFLAGS_TF;
	struct user_regs_struct regs;
	struct native_stop stop;

	*rc = native_enter(vcpu);
	if (*rc)
		return LEFT;
	atomic_store(&vcpu->in_child, true);
	if (atomic_load(&vcpu->kicked)) {
		atomic_store(&vcpu->in_child, false);
		return GO_ON;
	}
	native_child_resume(&vcpu->child, step, &stop, &regs, vcpu->xstate);
	atomic_store(&vcpu->in_child, false);
	if (stop.kind == NATIVE_GONE) {
		native_child_stop(&vcpu->child);
		*rc = -EIO;
		return LEFT;
	}
	native_leave(vcpu, &regs);
	if (step && !(kind == SPECIAL_POPF && stop.kind == NATIVE_STEPPED))
		mend_trap_flag(vcpu, traced);
	switch (stop.kind) {
	case NATIVE_EXCEPTION:
		return take_exception(vcpu, &stop);
	case NATIVE_SYSTEM_CALL: /* in code that was written since we looked */
		return leave_for_error(vcpu, KVM_INTERNAL_ERROR_EMULATION);
	case NATIVE_STEPPED:
		return take_step(vcpu, kind, step, traced);
	default:
		return GO_ON;
	}
}

static bool is_hosts(const struct native_vcpu *vcpu, enum native_special kind)
{
	return kind == SPECIAL_NONE || kind == SPECIAL_PUSHF || kind == SPECIAL_POPF ||
	       (kind == SPECIAL_XGETBV && (uint32_t)vcpu->regs.rcx);
}

static enum outcome run_user(struct native_vcpu *vcpu, int *rc)
{
	struct native_instruction next = {SPECIAL_NONE, 0};
	bool step, traced = vcpu->regs.rflags & RFLAGS_TF;
	uint8_t bytes[LONGEST];

	*rc = native_prepare(vcpu);
	if (*rc)
		return LEFT;
	step = vcpu->single_step || vcpu->by_step;
	if (step)
		next = native_special_find(bytes, fetch(vcpu, bytes), vcpu->sregs.cs.l);
	if (is_hosts(vcpu, next.kind))
		return run_on_host(vcpu, next.kind, step, rc);
	switch (native_special_do(vcpu, &next)) {
	case 0:
		return stepped(vcpu, traced);
	case 1:
		return GO_ON;
	default:
		return leave_for_error(vcpu, KVM_INTERNAL_ERROR_EMULATION);
	}
}

int native_vcpu_run(struct native_vcpu *vcpu)
{
	enum outcome outcome = GO_ON;
	bool port_done = vcpu->port_done;
	int rc = 0;

	vcpu->port_done = false;
	if (port_done && vcpu->single_step) { /* as KVM: the access was the step */
		leave_for_debug(vcpu);
		return 0;
	}
	while (outcome == GO_ON) {
		if (__atomic_load_n(&vcpu->run->immediate_exit, __ATOMIC_SEQ_CST) ||
		    atomic_exchange(&vcpu->kicked, false))
			return -EINTR;
		if (vcpu->inject_debug) {
			vcpu->inject_debug = false;
			outcome = deliver(vcpu, VECTOR_DB, 0);
		} else {
			outcome = level(vcpu) ? run_user(vcpu, &rc) : run_handler(vcpu);
		}
	}
	return rc;
}

/* Whoever comes second of this and of the thread that runs sees what the other has written. */
void native_vcpu_kick(struct native_vcpu *vcpu)
{
	atomic_store(&vcpu->kicked, true);
	if (atomic_load(&vcpu->in_child))
		native_child_interrupt(&vcpu->child);
}
