/* SPDX-License-Identifier: Apache-2.0 */
/* What a vCPU holds, by KVM's calls: read and written back, for a snapshot, or, KVM having no reset
 * call, for the power-on state that KVM_CREATE_VCPU set up. */
#include <stdlib.h>
#include <string.h>

#include "machine/cpu_model.h"
#include "machine/internal.h"
#include "machine/msr_model.h"
#include "machine/nested.h"
#include "machine/vcpu_state.h"

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
	struct kvm_sregs2 sregs2;
	struct kvm_fpu fpu;
	struct kvm_xsave xsave;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_vcpu_events events;
	struct kvm_lapic_state lapic;
	struct kvm_mp_state mp_state;
	union nested_buffer nested; /* of a hypervisor; size 0: the engine knows of none */
	uint32_t present;           /* bit i: part i of state_parts was read */
	uint32_t tsc_khz;           /* 0: not known */
	union msr_buffer msrs;
	union cpuid_buffer cpuid; /* for a snapshot */
};

static const struct record_field fields[] = {
	RECORD_FIELD(struct vcpu_state, regs),      RECORD_FIELD(struct vcpu_state, sregs),
	RECORD_FIELD(struct vcpu_state, sregs2),    RECORD_FIELD(struct vcpu_state, fpu),
	RECORD_FIELD(struct vcpu_state, xsave),     RECORD_FIELD(struct vcpu_state, xcrs),
	RECORD_FIELD(struct vcpu_state, debugregs), RECORD_FIELD(struct vcpu_state, events),
	RECORD_FIELD(struct vcpu_state, lapic),     RECORD_FIELD(struct vcpu_state, mp_state),
	RECORD_FIELD(struct vcpu_state, present),   RECORD_FIELD(struct vcpu_state, tsc_khz),
	RECORD_FIELD(struct vcpu_state, msrs),      RECORD_FIELD(struct vcpu_state, cpuid),
	RECORD_FIELD(struct vcpu_state, nested),
};
const struct record_table vcpu_state_table = {.name = "vCPU", .version = 2, RECORD_FIELDS(fields)};

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

/* In the order of writing: KVM_SET_LAPIC needs SREGS' APIC base. Events and the run state come
 * last, when MSRs are there and the guest of a guest is in. */
static const struct state_part state_parts[] = {
	PART(KVM_GET_SREGS, KVM_SET_SREGS, sregs, true),
	PART(KVM_GET_SREGS2, KVM_SET_SREGS2, sregs2, false),
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
#define LAST_PARTS  (STATE_PARTS - 2)
#define EVENTS_PART LAST_PARTS

static bool msrs_have(const union msr_buffer *msrs, uint32_t index)
{
	for (uint32_t i = 0; i < msrs->head.nmsrs; i++)
		if (msrs->head.entries[i].index == index)
			return true;
	return false;
}

/* Not all can be read with this CPU model. */
static void msr_capture(struct vcpu *vcpu, uint32_t index, union msr_buffer *msrs)
{
	const struct msr_shadow *shadow = msr_model_shadow(vcpu, index);
	union msr_one one = {.head = {.nmsrs = 1}};

	if (msrs->head.nmsrs == MSR_ROOM)
		return;
	one.head.entries[0] = (struct kvm_msr_entry){.index = index};
	if (shadow)
		one.head.entries[0].data = shadow->value;
	else if (ls_ioctl_ptr(vcpu->machine->engine, vcpu->fd, KVM_GET_MSRS, &one) != 1)
		return;
	msrs->head.entries[msrs->head.nmsrs++] = one.head.entries[0];
}

/* The state that KVM has, and KVM_GET_MSR_INDEX_LIST leaves out. */
static void msrs_capture_unlisted(struct vcpu *vcpu, union msr_buffer *msrs)
{
	static const struct {
		uint32_t first, last;
	} unlisted[] = {
#define MSR_FIXED(first, last, name)
#define MSR_DEFAULT(number, value, name)
#define MSR_UNLISTED(first, last, name) {first, last},
#include "machine/msr_fixed.def"
#undef MSR_FIXED
#undef MSR_DEFAULT
#undef MSR_UNLISTED
	};

	for (size_t i = 0; i < sizeof(unlisted) / sizeof(unlisted[0]); i++)
		for (uint32_t n = unlisted[i].first; n <= unlisted[i].last; n++)
			if (!msrs_have(msrs, n))
				msr_capture(vcpu, n, msrs);
}

static void msrs_capture(struct vcpu *vcpu, union msr_buffer *msrs)
{
	union msr_list *list = calloc(1, sizeof(*list));

	if (!list)
		return;
	list->head.nmsrs = MSR_ROOM;
	if (ls_ioctl_ptr(vcpu->machine->engine, LS_SYSTEM, KVM_GET_MSR_INDEX_LIST, list) >= 0)
		for (uint32_t i = 0; i < list->head.nmsrs; i++)
			msr_capture(vcpu, list->head.indices[i], msrs);
	msrs_capture_unlisted(vcpu, msrs);
	free(list);
}

static void shadows_restore(struct vcpu *vcpu, const union msr_buffer *from)
{
	for (uint32_t i = 0; i < from->head.nmsrs; i++) {
		struct msr_shadow *shadow = msr_model_shadow(vcpu, from->head.entries[i].index);

		if (shadow)
			msr_model_load(vcpu, shadow, from->head.entries[i].data);
	}
}

static bool msr_is_fixed(uint32_t index, uint64_t value)
{
	static const struct {
		uint32_t first, last;
		bool any;
		uint64_t value;
	} fixed[] = {
#define MSR_FIXED(first, last, name)     {first, last, true, 0},
#define MSR_DEFAULT(number, value, name) {number, number, false, value},
#define MSR_UNLISTED(first, last, name)
#include "machine/msr_fixed.def"
#undef MSR_FIXED
#undef MSR_DEFAULT
#undef MSR_UNLISTED
	};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		if (fixed[i].first <= index && index <= fixed[i].last &&
		    (fixed[i].any || fixed[i].value == value))
			return true;
	}
	return false;
}

/* The vCPU has it as the guest had it, or the guest cannot have told it anything. */
static bool msr_holds(struct vcpu *vcpu, const struct kvm_msr_entry *entry)
{
	union msr_one one = {.head = {.nmsrs = 1}};

	if (!entry->data || msr_is_fixed(entry->index, entry->data))
		return true;
	one.head.entries[0] = (struct kvm_msr_entry){.index = entry->index};
	if (ls_ioctl_ptr(vcpu->machine->engine, vcpu->fd, KVM_GET_MSRS, &one) != 1)
		return false;
	return one.head.entries[0].data == entry->data;
}

/* KVM_SET_MSRS stops at the first it refuses (a read-only one) and says how far it came. Returns
 * the first entry with a value that was refused, NULL if none was. */
static const struct kvm_msr_entry *msrs_restore(struct vcpu *vcpu, const union msr_buffer *from)
{
	union msr_buffer *msrs = malloc(sizeof(*msrs));
	const struct kvm_msr_entry *refused = NULL;
	uint32_t done = 0;

	while (msrs && done < from->head.nmsrs) {
		int ret;

		msrs->head = (struct kvm_msrs){.nmsrs = from->head.nmsrs - done};
		memcpy(msrs->head.entries, &from->head.entries[done],
		       msrs->head.nmsrs * sizeof(msrs->head.entries[0]));
		ret = ls_ioctl_ptr(vcpu->machine->engine, vcpu->fd, KVM_SET_MSRS, msrs);
		done += ret < 0 ? 0 : (uint32_t)ret;
		if (done < from->head.nmsrs && !refused &&
		    !msr_holds(vcpu, &from->head.entries[done]))
			refused = &from->head.entries[done];
		done++;
	}
	free(msrs);
	return refused;
}

struct vcpu_state *vcpu_state_new(void)
{
	return calloc(1, sizeof(struct vcpu_state));
}

const struct kvm_cpuid2 *vcpu_state_cpuid(const struct vcpu_state *state)
{
	return &state->cpuid.head;
}

int vcpu_state_read(struct vcpu *vcpu, struct vcpu_state *state, struct ls_error *err)
{
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
	nested_read(vcpu, &state->nested);
	return 0;
}

/* A guest from elsewhere must miss nothing; SREGS have what SREGS2 add to, for a KVM before that.
 */
static bool may_refuse(const struct state_part *part, bool moved)
{
	return !part->required && (!moved || part->set == KVM_SET_SREGS2);
}

static int parts_write(struct vcpu *vcpu, const struct vcpu_state *state, bool moved, size_t first,
		       size_t limit, struct ls_error *err)
{
	for (size_t i = first; i < limit; i++) {
		const struct state_part *part = &state_parts[i];
		int ret;

		if (!(state->present & 1u << i))
			continue;
		ret = ls_ioctl_ptr(vcpu->machine->engine, vcpu->fd, part->set,
				   (const char *)state + part->offset);
		if (ret < 0 && !may_refuse(part, moved))
			return ls_error_set(err, ret,
					    "engine %s does not take the state of vCPU %u (%s): %s",
					    vcpu->machine->engine->ops->name, vcpu->index,
					    part->name, strerror(-ret));
	}
	return 0;
}

/* @moved: it is another machine's. @refused: the first MSR that the engine does not take as it is,
 * NULL if there is none. */
static int state_write(struct vcpu *vcpu, const struct vcpu_state *state, bool moved,
		       const struct kvm_msr_entry **refused, struct ls_error *err)
{
	int ret;

	nested_leave(vcpu);
	ret = parts_write(vcpu, state, moved, 0, LAST_PARTS, err);
	if (ret)
		return ret;
	shadows_restore(vcpu, &state->msrs);
	*refused = msrs_restore(vcpu, &state->msrs);
	/* What SMM has interrupted is only taken in SMM. */
	if (state->present & 1u << EVENTS_PART && state->events.smi.smm)
		ret = parts_write(vcpu, state, moved, EVENTS_PART, EVENTS_PART + 1, err);
	if (!ret)
		ret = nested_write(vcpu, &state->nested, err);
	return ret ? ret : parts_write(vcpu, state, moved, LAST_PARTS, STATE_PARTS, err);
}

int vcpu_capture(struct vcpu *vcpu, struct ls_error *err)
{
	free(vcpu->power_on);
	vcpu->power_on = vcpu_state_new();
	if (!vcpu->power_on)
		return ls_error_set(err, -ENOMEM, "no memory for the state of vCPU %u",
				    vcpu->index);
	return vcpu_state_read(vcpu, vcpu->power_on, err);
}

int vcpu_restore(struct vcpu *vcpu, struct ls_error *err)
{
	const struct kvm_msr_entry *refused;

	return state_write(vcpu, vcpu->power_on, false, &refused, err);
}

/* --- the same for another VM, perhaps another engine's --- */

int vcpu_state_save(struct vcpu *vcpu, struct vcpu_state *state, struct ls_error *err)
{
	struct ls_engine *engine = vcpu->machine->engine;
	int ret = vcpu_state_read(vcpu, state, err);

	if (ret)
		return ret;
	memcpy(&state->cpuid, vcpu->cpuid, sizeof(state->cpuid));
	ret = ls_ioctl(engine, vcpu->fd, KVM_GET_TSC_KHZ, 0);
	state->tsc_khz = ret > 0 ? (uint32_t)ret : 0;
	return 0;
}

/* The guest has measured its TSC. */
static int set_tsc_khz(struct vcpu *vcpu, uint32_t khz, struct ls_error *err)
{
	struct ls_engine *engine = vcpu->machine->engine;
	int here = ls_ioctl(engine, vcpu->fd, KVM_GET_TSC_KHZ, 0);

	if (!khz || here == (int)khz || ls_ioctl(engine, vcpu->fd, KVM_SET_TSC_KHZ, khz) >= 0)
		return 0;
	return ls_error_set(err, -ENOTSUP,
			    "the guest's TSC runs at %u kHz, and engine %s has %d kHz and cannot "
			    "scale it; start the guest with --fit %s",
			    khz, engine->ops->name, here, engine->ops->name);
}

#define MSR_TSC 0x10

/*
 * KVM takes a TSC that is near the last one set (0, with the VM) for an attempt to set several
 * vCPUs alike, and sets it to what that one is by now: the first vCPU's is set to something far
 * away before.
 */
static void leave_tsc(struct vcpu *vcpu)
{
	union msr_one one = {.head = {.nmsrs = 1}};

	one.head.entries[0] = (struct kvm_msr_entry){.index = MSR_TSC, .data = UINT64_C(1) << 62};
	if (vcpu->index == 0)
		ls_ioctl_ptr(vcpu->machine->engine, vcpu->fd, KVM_SET_MSRS, &one);
}

int vcpu_state_load(struct vcpu *vcpu, const struct vcpu_state *state, struct ls_error *err)
{
	const struct kvm_msr_entry *refused;
	int ret = set_tsc_khz(vcpu, state->tsc_khz, err);

	if (ret)
		return ret;
	leave_tsc(vcpu);
	ret = state_write(vcpu, state, true, &refused, err);
	if (ret)
		return ret;
	return refused ? ls_error_set(err, -ENOTSUP,
				      "engine %s does not take MSR 0x%x of vCPU %u as 0x%llx",
				      vcpu->machine->engine->ops->name, refused->index, vcpu->index,
				      refused->data)
		       : 0;
}
