/* SPDX-License-Identifier: Apache-2.0 */
/* The power-on state of a vCPU. KVM has no reset call: user space reads what KVM_CREATE_VCPU
 * set up and writes it back. */
#include <stdlib.h>
#include <string.h>

#include "machine/internal.h"

#define MSR_ROOM 512

union msr_list {
	struct kvm_msr_list head;
	uint8_t room[sizeof(struct kvm_msr_list) + MSR_ROOM * sizeof(uint32_t)];
};

union msr_buffer {
	struct kvm_msrs head;
	uint8_t room[sizeof(struct kvm_msrs) + MSR_ROOM * sizeof(struct kvm_msr_entry)];
};

union msr_one {
	struct kvm_msrs head;
	uint8_t room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
};

struct vcpu_state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_fpu fpu;
	struct kvm_xsave xsave;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_vcpu_events events;
	struct kvm_lapic_state lapic;
	struct kvm_mp_state mp_state;
	uint32_t present; /* bit i: part i of state_parts was read */
	union msr_buffer msrs;
};

struct state_part {
	const char *name;
	unsigned long get, set;
	size_t offset;
	bool required;
};

#define PART(get_, set_, member_, required_)                                                       \
	{                                                                                          \
		.name = #set_, .get = get_, .set = set_,                                           \
		.offset = offsetof(struct vcpu_state, member_), .required = required_              \
	}

/* In the order of writing: KVM_SET_LAPIC needs SREGS' APIC base, events come after registers,
 * the run state last. */
static const struct state_part state_parts[] = {
	PART(KVM_GET_SREGS, KVM_SET_SREGS, sregs, true),
	PART(KVM_GET_REGS, KVM_SET_REGS, regs, true),
	PART(KVM_GET_FPU, KVM_SET_FPU, fpu, false),
	PART(KVM_GET_XSAVE, KVM_SET_XSAVE, xsave, false),
	PART(KVM_GET_XCRS, KVM_SET_XCRS, xcrs, false),
	PART(KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS, debugregs, false),
	PART(KVM_GET_LAPIC, KVM_SET_LAPIC, lapic, false),
	PART(KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS, events, false),
	PART(KVM_GET_MP_STATE, KVM_SET_MP_STATE, mp_state, false),
};

#define STATE_PARTS (sizeof(state_parts) / sizeof(state_parts[0]))

/* Reads the MSRs of KVM's list one by one: some cannot be read with this CPU model. */
static void msrs_capture(struct vcpu *vcpu, union msr_buffer *msrs)
{
	struct ls_engine *engine = vcpu->machine->engine;
	union msr_list *list = calloc(1, sizeof(*list));

	if (!list)
		return;
	list->head.nmsrs = MSR_ROOM;
	if (ls_ioctl_ptr(engine, LS_SYSTEM, KVM_GET_MSR_INDEX_LIST, list) >= 0) {
		for (uint32_t i = 0; i < list->head.nmsrs; i++) {
			union msr_one one = {.head = {.nmsrs = 1}};

			one.head.entries[0] =
				(struct kvm_msr_entry){.index = list->head.indices[i]};
			if (ls_ioctl_ptr(engine, vcpu->fd, KVM_GET_MSRS, &one) == 1)
				msrs->head.entries[msrs->head.nmsrs++] = one.head.entries[0];
		}
	}
	free(list);
}

/* KVM_SET_MSRS stops at the first it refuses (a read-only one) and says how far it came. */
static void msrs_restore(struct vcpu *vcpu, const union msr_buffer *from)
{
	union msr_buffer *msrs = malloc(sizeof(*msrs));
	uint32_t done = 0;

	if (!msrs)
		return;
	while (done < from->head.nmsrs) {
		int ret;

		msrs->head = (struct kvm_msrs){.nmsrs = from->head.nmsrs - done};
		memcpy(msrs->head.entries, &from->head.entries[done],
		       msrs->head.nmsrs * sizeof(msrs->head.entries[0]));
		ret = ls_ioctl_ptr(vcpu->machine->engine, vcpu->fd, KVM_SET_MSRS, msrs);
		done += ret < 0 ? 1 : (uint32_t)ret;
		if (ret >= 0 && done < from->head.nmsrs)
			done++;
	}
	free(msrs);
}

int vcpu_capture(struct vcpu *vcpu, struct ls_error *err)
{
	struct vcpu_state *state = calloc(1, sizeof(*state));

	if (!state)
		return ls_error_set(err, -ENOMEM, "no memory for the state of vCPU %u",
				    vcpu->index);
	vcpu->power_on = state;
	for (size_t i = 0; i < STATE_PARTS; i++) {
		const struct state_part *part = &state_parts[i];
		int ret = ls_ioctl_ptr(vcpu->machine->engine, vcpu->fd, part->get,
				       (char *)state + part->offset);

		if (ret >= 0)
			state->present |= 1u << i;
		else if (part->required)
			return ls_error_set(err, ret, "cannot read the state of vCPU %u (%s): %s",
					    vcpu->index, part->name, strerror(-ret));
	}
	msrs_capture(vcpu, &state->msrs);
	return 0;
}

int vcpu_restore(struct vcpu *vcpu, struct ls_error *err)
{
	struct vcpu_state *state = vcpu->power_on;

	for (size_t i = 0; i < STATE_PARTS; i++) {
		const struct state_part *part = &state_parts[i];
		int ret;

		if (!(state->present & 1u << i))
			continue;
		ret = ls_ioctl_ptr(vcpu->machine->engine, vcpu->fd, part->set,
				   (char *)state + part->offset);
		if (ret < 0 && part->required)
			return ls_error_set(err, ret, "cannot reset vCPU %u (%s): %s", vcpu->index,
					    part->name, strerror(-ret));
	}
	msrs_restore(vcpu, &state->msrs);
	return 0;
}
