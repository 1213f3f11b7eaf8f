/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/msr_model.h"

#include <stdlib.h>
#include <string.h>

#include "machine/cpu_model.h"
#include "machine/internal.h"

#define MODEL_ROOM  512
#define RANGE_MSRS  0x2000u
#define RANGE_BYTES (RANGE_MSRS / 8)
#define MSR_MCG_CAP 0x179

/* SDM 4:2.1: nearly all bits say what a processor is not weak against. RSBA and RRSBA say what it
 * is. */
#define MSR_ARCH_CAPABILITIES 0x10a
#define ARCH_WEAKNESSES       UINT64_C(0x80004)

/* Where MSRs are (SDM 4, chapter 2; APM 2 appendix A); outside there are none. */
static const uint32_t range_base[] = {0, 0xc0000000, 0xc0010000};
#define RANGES (sizeof(range_base) / sizeof(range_base[0]))

struct model {
	unsigned int count;
	struct kvm_msr_entry entries[MODEL_ROOM];
	uint8_t allowed[RANGES][RANGE_BYTES];
};

/* --- what the reference has --- */

static void allow(struct model *model, uint32_t number, bool on)
{
	for (size_t i = 0; i < RANGES; i++) {
		uint32_t at = number - range_base[i];
		uint8_t bit = (uint8_t)(1u << at % 8);

		if (at >= RANGE_MSRS)
			continue;
		model->allowed[i][at / 8] &= (uint8_t)~bit;
		model->allowed[i][at / 8] |= on ? bit : 0;
	}
}

static void note(void *opaque, uint32_t number, uint64_t value)
{
	struct model *model = opaque;

	allow(model, number, true);
	if (model->count < MODEL_ROOM)
		model->entries[model->count++] =
			(struct kvm_msr_entry){.index = number, .data = value};
}

/* False: nobody can tell. */
static bool ask_reference(struct vcpu *vcpu, struct model *model)
{
	const struct ls_engine_ops *ops = vcpu->machine->config.models;
	struct ls_engine *engine = ops ? ops->open(NULL) : NULL;
	bool told = engine && engine->ext->cpuid_msrs &&
		    !engine->ext->cpuid_msrs(engine, &vcpu->cpuid->head, note, model);

	if (engine)
		engine->ops->close(engine, LS_SYSTEM);
	return told;
}

/* --- the engine's registers --- */

union one {
	struct kvm_msrs head;
	uint8_t room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
};

static bool transfer(struct vcpu *vcpu, unsigned long request, struct kvm_msr_entry *entry)
{
	union one one = {.head = {.nmsrs = 1}};
	bool done;

	one.head.entries[0] = *entry;
	done = ls_ioctl_ptr(vcpu->machine->engine, vcpu->fd, request, &one) == 1;
	*entry = one.head.entries[0];
	return done;
}

static bool holds(struct vcpu *vcpu, const struct kvm_msr_entry *wanted)
{
	struct kvm_msr_entry is = {.index = wanted->index};

	return transfer(vcpu, KVM_GET_MSRS, &is) && is.data == wanted->data;
}

/* What two processors can promise. */
static uint64_t capabilities_of_both(uint64_t a, uint64_t b)
{
	return (a & b) | ((a | b) & ARCH_WEAKNESSES);
}

static void restrict_capabilities(struct vcpu *vcpu, uint64_t other)
{
	struct kvm_msr_entry entry = {.index = MSR_ARCH_CAPABILITIES};

	if (!transfer(vcpu, KVM_GET_MSRS, &entry))
		return;
	entry.data = capabilities_of_both(entry.data, other);
	transfer(vcpu, KVM_SET_MSRS, &entry);
}

/* The guest may go on on that engine, or is compared with what it does there. */
static void restrict_to_other(struct vcpu *vcpu)
{
	const struct machine_config *config = &vcpu->machine->config;
	const struct ls_engine_ops *ops = config->fit ? config->fit : config->peer;
	struct kvm_msr_entry own = {.index = MSR_ARCH_CAPABILITIES};
	struct ls_engine *engine;
	union one one = {.head = {.nmsrs = 1}};

	if (!ops || ops == config->engine || !transfer(vcpu, KVM_GET_MSRS, &own))
		return;
	engine = ops->open(NULL);
	if (!engine)
		return;
	one.head.entries[0].index = MSR_ARCH_CAPABILITIES;
	if (!engine->ext->cpu_model && ls_ioctl_ptr(engine, LS_SYSTEM, KVM_GET_MSRS, &one) == 1)
		restrict_capabilities(vcpu, one.head.entries[0].data);
	engine->ops->close(engine, LS_SYSTEM);
}

/* Those that count, and the local APIC's; VMX's are set by vmx_msrs.c. */
static bool is_left_alone(uint32_t number)
{
	static const struct {
		uint32_t first, last;
	} left[] = {
#define MSR_ALONE(first, last, name) {first, last},
#include "machine/msr_model.def"
	};

	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		if (left[i].first <= number && number <= left[i].last)
			return true;
	return false;
}

/* --- those that the machine answers for --- */

struct shadow_row {
	uint32_t number;
	uint64_t writable, ignored, sticky, told;
};

static const struct shadow_row *shadow_row(uint32_t number)
{
	static const struct shadow_row rows[] = {
#define MSR_SHADOW(number, writable, ignored, sticky, told, name)                                  \
	{number, writable, ignored, sticky, told},
#include "machine/msr_model.def"
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].number == number)
			return &rows[i];
	return NULL;
}

struct msr_shadow *msr_model_shadow(struct vcpu *vcpu, uint32_t number)
{
	for (unsigned int i = 0; i < vcpu->shadows.count; i++)
		if (vcpu->shadows.of[i].number == number)
			return &vcpu->shadows.of[i];
	return NULL;
}

void msr_model_load(struct vcpu *vcpu, struct msr_shadow *shadow, uint64_t value)
{
	uint64_t told = shadow_row(shadow->number)->told;
	struct kvm_msr_entry entry = {.index = shadow->number, .data = value & told};

	shadow->value = value;
	if (told)
		transfer(vcpu, KVM_SET_MSRS, &entry);
}

/* Other bits are #GP(0). */
static bool write_shadow(struct vcpu *vcpu, struct msr_shadow *shadow, uint64_t value)
{
	const struct shadow_row *row = shadow_row(shadow->number);

	value = (value & ~row->ignored) | (shadow->value & row->sticky);
	if ((value ^ shadow->value) & ~row->writable)
		return false;
	msr_model_load(vcpu, shadow, value);
	return true;
}

void msr_model_exit(struct vcpu *vcpu, struct kvm_run *run)
{
	struct msr_shadow *shadow = msr_model_shadow(vcpu, run->msr.index);

	if (shadow && run->exit_reason == KVM_EXIT_X86_RDMSR)
		run->msr.data = shadow->value;
	run->msr.error = !shadow || (run->exit_reason == KVM_EXIT_X86_WRMSR &&
				     !write_shadow(vcpu, shadow, run->msr.data));
}

/* --- all of them --- */

/* KVM has 32 banks, whose controls are all ones once their number is set, and no MCG_CTL. */
static void set_machine_checks(struct vcpu *vcpu, const struct model *model)
{
	for (unsigned int i = 0; i < model->count; i++)
		if (model->entries[i].index == MSR_MCG_CAP && !holds(vcpu, &model->entries[i]))
			ls_ioctl_ptr(vcpu->machine->engine, vcpu->fd, KVM_X86_SETUP_MCE,
				     &model->entries[i].data);
}

static void set_values(struct vcpu *vcpu, const struct model *model)
{
	struct msr_shadows *shadows = &vcpu->shadows;

	shadows->count = 0;
	set_machine_checks(vcpu, model);
	for (unsigned int i = 0; i < model->count; i++) {
		struct kvm_msr_entry entry = model->entries[i];

		if (shadow_row(entry.index) && shadows->count < MSR_SHADOWS_MAX)
			shadows->of[shadows->count++] =
				(struct msr_shadow){entry.index, entry.data};
		else if (entry.index == MSR_ARCH_CAPABILITIES)
			restrict_capabilities(vcpu, entry.data);
		else if (!is_left_alone(entry.index) && !holds(vcpu, &entry))
			transfer(vcpu, KVM_SET_MSRS, &entry);
	}
}

static int set_filter(struct vcpu *vcpu, struct model *model, struct ls_error *err)
{
	struct machine *machine = vcpu->machine;
	const struct kvm_enable_cap exits = {.cap = KVM_CAP_X86_USER_SPACE_MSR,
					     .args = {KVM_MSR_EXIT_REASON_FILTER}};
	struct kvm_msr_filter filter = {.flags = KVM_MSR_FILTER_DEFAULT_DENY};
	int ret;

	for (unsigned int i = 0; i < vcpu->shadows.count; i++)
		allow(model, vcpu->shadows.of[i].number, false);
	for (size_t i = 0; i < RANGES; i++)
		filter.ranges[i] = (struct kvm_msr_filter_range){.flags = KVM_MSR_FILTER_READ |
									  KVM_MSR_FILTER_WRITE,
								 .base = range_base[i],
								 .nmsrs = RANGE_MSRS,
								 .bitmap = model->allowed[i]};
	ret = ls_ioctl_ptr(machine->engine, machine->vm, KVM_ENABLE_CAP, &exits);
	if (ret >= 0)
		ret = ls_ioctl_ptr(machine->engine, machine->vm, KVM_X86_SET_MSR_FILTER, &filter);
	return ret < 0 ? ls_error_set(err, ret, "KVM_X86_SET_MSR_FILTER: %s", strerror(-ret)) : 0;
}

static bool wanted(const struct machine *machine)
{
	return machine->config.cpu && strcmp(machine->config.cpu, "host") &&
	       !machine_ext(machine)->cpu_model &&
	       engine_offers(machine, KVM_CAP_X86_USER_SPACE_MSR) &&
	       engine_offers(machine, KVM_CAP_X86_MSR_FILTER);
}

int msr_model_set(struct vcpu *vcpu, struct ls_error *err)
{
	struct model *model;
	int ret = 0;

	if (machine_ext(vcpu->machine)->cpu_model)
		restrict_to_other(vcpu);
	if (!wanted(vcpu->machine))
		return 0;
	model = calloc(1, sizeof(*model));
	if (!model)
		return ls_error_set(err, -ENOMEM, "no memory for MSRs");
	if (ask_reference(vcpu, model)) {
		set_values(vcpu, model);
		ret = vcpu->index == 0 ? set_filter(vcpu, model, err) : 0;
	}
	free(model);
	return ret;
}
