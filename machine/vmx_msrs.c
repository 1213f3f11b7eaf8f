/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/vmx_msrs.h"

#include <stdlib.h>
#include <string.h>

#include "machine/internal.h"

enum rule { CONTROLS, BITS, MUST, BASIC, MISC, ENUM };

static const struct vmx_msr {
	uint32_t number;
	enum rule rule;
	bool given;
	const char *name;
} rows[] = {
#define VMX_MSR(number, rule, given, name) {number, rule, given, name},
#include "machine/vmx_msrs.def"
#undef VMX_MSR
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

struct vmx_msrs {
	uint64_t value[ROWS];
};

/* --- of two what both have --- */

/* SDM 3D:A.1: bits 48 (addresses of 32 bits), 49 (dual-monitor treatment), 54 to 56 are features;
 * the rest says how a region looks. */
static uint64_t both_basic(uint64_t a, uint64_t b)
{
	const uint64_t features = UINT64_C(0x1c2) << 48;

	return ((a & ~features) | (b & UINT64_C(1) << 48)) | (a & b & features);
}

static uint64_t lesser(uint64_t a, uint64_t b, uint64_t mask)
{
	return (a & mask) < (b & mask) ? a & mask : b & mask;
}

/* SDM 3D:A.6: numbers of CR3 targets (24:16) and of MSRs (27:25), activities and other features;
 * the rate of the preemption timer (4:0) is not negotiable. */
static uint64_t both_misc(uint64_t a, uint64_t b)
{
	const uint64_t features = 0xf000ffe0, targets = 0x1ff0000, msrs = 0xe000000;

	return (a & 0x1f) | (a & b & features) | lesser(a, b, targets) | lesser(a, b, msrs);
}

static uint64_t both(enum rule rule, uint64_t a, uint64_t b)
{
	switch (rule) {
	case CONTROLS:
		return (a & b & ~UINT64_C(0xffffffff)) | ((a | b) & 0xffffffff);
	case MUST:
		return a | b;
	case BASIC:
		return both_basic(a, b);
	case MISC:
		return both_misc(a, b);
	case ENUM:
		return lesser(a, b, UINT64_MAX);
	default:
		return a & b;
	}
}

static void restrict_to(struct vmx_msrs *msrs, const struct vmx_msrs *other)
{
	for (size_t i = 0; i < ROWS; i++)
		msrs->value[i] = both(rows[i].rule, msrs->value[i], other->value[i]);
}

/* --- whose --- */

/* Of a vCPU, or (LS_SYSTEM) of the engine at most. What it does not know reads as 0. */
static void read_engine(struct ls_engine *engine, int handle, struct vmx_msrs *msrs)
{
	for (size_t i = 0; i < ROWS; i++) {
		struct {
			struct kvm_msrs head;
			struct kvm_msr_entry entry;
		} one = {.head = {.nmsrs = 1}, .entry = {.index = rows[i].number}};

		msrs->value[i] =
			ls_ioctl_ptr(engine, handle, KVM_GET_MSRS, &one) == 1 ? one.entry.data : 0;
	}
}

/* False: it has no VMX. */
static bool read_model(struct ls_engine *engine, const char *spec, struct vmx_msrs *msrs,
		       struct ls_error *err)
{
	union {
		struct kvm_msrs head;
		uint8_t room[sizeof(struct kvm_msrs) + 2 * ROWS * sizeof(struct kvm_msr_entry)];
	} list = {.head = {.nmsrs = 2 * ROWS}};

	*msrs = (struct vmx_msrs){0};
	if (engine->ext->cpu_model_msrs(engine, spec, &list.head, err))
		return false;
	for (uint32_t n = 0; n < list.head.nmsrs; n++)
		for (size_t i = 0; i < ROWS; i++)
			if (list.head.entries[n].index == rows[i].number)
				msrs->value[i] = list.head.entries[n].data;
	return list.head.nmsrs != 0;
}

/* Another engine, open only for the question: its model, if it has some, or itself. */
static void restrict_to_engine(struct machine *machine, const struct ls_engine_ops *ops,
			       struct vmx_msrs *msrs)
{
	struct ls_engine *engine = ops ? ops->open(NULL) : NULL;
	struct vmx_msrs other;

	if (!engine)
		return;
	if (!engine->ext->cpu_model_msrs)
		read_engine(engine, LS_SYSTEM, &other);
	if (!engine->ext->cpu_model_msrs || read_model(engine, machine->config.cpu, &other, NULL))
		restrict_to(msrs, &other);
	engine->ops->close(engine, LS_SYSTEM);
}

static bool has_model(const struct machine *machine)
{
	return machine_ext(machine)->cpu_model_msrs ||
	       (machine->config.cpu && strcmp(machine->config.cpu, "host"));
}

/* --- set --- */

static int set_one(struct vcpu *vcpu, const struct vmx_msr *row, uint64_t value,
		   struct ls_error *err)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} one = {.head = {.nmsrs = 1}, .entry = {.index = row->number, .data = value}};

	if (ls_ioctl_ptr(vcpu->machine->engine, vcpu->fd, KVM_SET_MSRS, &one) == 1 || !row->given)
		return 0;
	return ls_error_set(err, -EINVAL, "the engine refused %s of the CPU model as 0x%llx",
			    row->name, (unsigned long long)value);
}

int vmx_msrs_set(struct vcpu *vcpu, struct ls_error *err)
{
	struct machine *machine = vcpu->machine;
	struct vmx_msrs here, wanted, model;
	int ret = 0;

	read_engine(machine->engine, vcpu->fd, &here);
	if (!here.value[0] || !has_model(machine))
		return 0;
	wanted = here;
	if (!machine_ext(machine)->cpu_model_msrs)
		restrict_to_engine(machine, machine->config.models, &wanted);
	else if (read_model(machine->engine, machine->config.cpu, &model, err))
		restrict_to(&wanted, &model);
	restrict_to_engine(machine, machine->config.fit, &wanted);
	for (size_t i = 0; i < ROWS && !ret; i++)
		if (wanted.value[i] != here.value[i])
			ret = set_one(vcpu, &rows[i], wanted.value[i], err);
	return ret;
}
