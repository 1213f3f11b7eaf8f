/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/cpu_model.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "machine/internal.h"

enum cpu_rule { BITS, LEAST, ENGINE, NONE };

struct cpu_mask {
	uint32_t leaf, first, last;
	size_t offset; /* of the register in its entry */
	enum cpu_rule rule;
	uint32_t numbers; /* LEAST: the bytes that are numbers */
};

static const struct cpu_mask masks[] = {
#define CPU_MASK(leaf, first, last, reg, rule, numbers)                                            \
	{leaf, first, last, offsetof(struct kvm_cpuid_entry2, reg), rule, numbers},
#include "machine/cpu_mask.def"
#undef CPU_MASK
};

/* Bits that KVM_GET_SUPPORTED_CPUID leaves out: they follow from the number of processors, or tell
 * of KVM itself. */
#define LEAF1_ECX_HYPERVISOR      (1u << 31)
#define LEAF1_ECX_X2APIC          (1u << 21)
#define LEAF1_ECX_TSC_DEADLINE    (1u << 24)
#define LEAF1_EDX_HT              (1u << 28)
#define LEAF80000001_ECX_COMP_LEG (1u << 1)

struct kvm_cpuid_entry2 *cpuid_find(const struct kvm_cpuid2 *cpuid, uint32_t leaf, uint32_t subleaf)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		const struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		if (entry->function == leaf &&
		    (entry->index == subleaf || !(entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX)))
			return (struct kvm_cpuid_entry2 *)entry;
	}
	return NULL;
}

static uint32_t *cpuid_register(struct kvm_cpuid_entry2 *entry, size_t offset)
{
	return (uint32_t *)((char *)entry + offset);
}

static uint32_t least_of_each(uint32_t a, uint32_t b, uint32_t bytes)
{
	uint32_t result = a;

	for (unsigned int shift = 0; shift < 32; shift += 8) {
		uint32_t byte = 0xffu << shift & bytes;

		if ((b & byte) < (a & byte))
			result = (result & ~byte) | (b & byte);
	}
	return result;
}

static uint32_t mask_apply(const struct cpu_mask *mask, uint32_t model, uint32_t supported)
{
	switch (mask->rule) {
	case BITS:
		return model & supported;
	case LEAST:
		return least_of_each(model, supported, mask->numbers);
	case ENGINE:
		return supported;
	default:
		return 0;
	}
}

/* Leaf 0 names the vendor in three registers. */
static bool same_vendor(const struct kvm_cpuid2 *a, const struct kvm_cpuid2 *b)
{
	const struct kvm_cpuid_entry2 *one = cpuid_find(a, 0, 0), *other = cpuid_find(b, 0, 0);

	return one && other && one->ebx == other->ebx && one->ecx == other->ecx &&
	       one->edx == other->edx;
}

int cpu_model_intersect(struct kvm_cpuid2 *model, const struct kvm_cpuid2 *supported)
{
	static const struct kvm_cpuid_entry2 nothing;

	if (!same_vendor(model, supported))
		return -EINVAL;
	for (uint32_t i = 0; i < model->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &model->entries[i];
		const struct kvm_cpuid_entry2 *other =
			cpuid_find(supported, entry->function, entry->index);

		for (size_t m = 0; m < sizeof(masks) / sizeof(masks[0]); m++) {
			const struct cpu_mask *mask = &masks[m];
			uint32_t *reg = cpuid_register(entry, mask->offset);
			const uint32_t *theirs = cpuid_register(
				(struct kvm_cpuid_entry2 *)(other ? other : &nothing),
				mask->offset);

			if (mask->leaf == entry->function && mask->first <= entry->index &&
			    entry->index <= mask->last)
				*reg = mask_apply(mask, *reg, *theirs);
		}
	}
	return 0;
}

static int ask_supported(struct machine *machine, union cpuid_buffer *cpuid, struct ls_error *err)
{
	const struct ls_engine_ops *other = machine->config.processor;
	struct ls_engine *engine = other ? other->open(err) : machine->engine;
	int ret;

	if (!engine)
		return err->code ? err->code : -ENODEV;
	ret = ls_ioctl_ptr(engine, LS_SYSTEM, KVM_GET_SUPPORTED_CPUID, cpuid);
	if (other)
		other->close(engine, LS_SYSTEM);
	return ret < 0 ? ls_error_set(err, ret, "KVM_GET_SUPPORTED_CPUID: %s", strerror(-ret)) : 0;
}

/* KVM_GET_SUPPORTED_CPUID, with what it leaves to other calls (api.rst, 4.46). */
static int cpuid_supported(struct machine *machine, union cpuid_buffer *cpuid, struct ls_error *err)
{
	struct kvm_cpuid_entry2 *entry;
	int ret;

	cpuid->head.nent = CPUID_ROOM;
	ret = ask_supported(machine, cpuid, err);
	if (ret < 0)
		return ret;
	entry = cpuid_find(&cpuid->head, 1, 0);
	if (entry) {
		entry->ecx |= LEAF1_ECX_HYPERVISOR | LEAF1_ECX_X2APIC;
		entry->edx |= LEAF1_EDX_HT;
		if (ls_ioctl(machine->engine, LS_SYSTEM, KVM_CHECK_EXTENSION,
			     KVM_CAP_TSC_DEADLINE_TIMER) > 0)
			entry->ecx |= LEAF1_ECX_TSC_DEADLINE;
	}
	entry = cpuid_find(&cpuid->head, 0x80000001, 0);
	if (entry)
		entry->ecx |= LEAF80000001_ECX_COMP_LEG;
	return 0;
}

static int model_of_reference(struct machine *machine, unsigned int index,
			      union cpuid_buffer *cpuid, struct ls_error *err)
{
	struct ls_engine *reference =
		machine->config.models ? machine->config.models->open(err) : NULL;
	int ret;

	if (!reference || !reference->ext->cpu_model)
		ret = ls_error_set(err, -EINVAL,
				   "engine %s has no CPU model '%s'; it offers only 'host'",
				   machine->engine->ops->name, machine->config.cpu);
	else
		ret = reference->ext->cpu_model(reference, machine->config.cpu, index,
						machine->vcpu_count, &cpuid->head, err);
	if (reference)
		reference->ops->close(reference, LS_SYSTEM);
	return ret;
}

static const char *vendor_text(const struct kvm_cpuid2 *cpuid, char text[13])
{
	const struct kvm_cpuid_entry2 *entry = cpuid_find(cpuid, 0, 0);

	memset(text, 0, 13);
	if (entry) {
		memcpy(text, &entry->ebx, 4);
		memcpy(text + 4, &entry->edx, 4);
		memcpy(text + 8, &entry->ecx, 4);
	}
	return text;
}

static int model_for_engine(struct machine *machine, unsigned int index, union cpuid_buffer *cpuid,
			    const union cpuid_buffer *supported, struct ls_error *err)
{
	char own[13], theirs[13];
	int ret = model_of_reference(machine, index, cpuid, err);

	if (ret < 0)
		return ret;
	ret = cpu_model_intersect(&cpuid->head, &supported->head);
	if (ret < 0)
		return ls_error_set(
			err, ret,
			"CPU model '%s' is %s's, and engine %s runs on %s's; name a model of that "
			"vendor, or 'host'",
			machine->config.cpu, vendor_text(&cpuid->head, own),
			machine->engine->ops->name, vendor_text(&supported->head, theirs));
	return 0;
}

/* As the other engine of a comparison has it, which cannot have more. False: it has models, too. */
static bool model_of_peer(struct machine *machine, unsigned int index, union cpuid_buffer *cpuid,
			  int *ret, struct ls_error *err)
{
	struct machine peer = {
		.config = {.engine = machine->config.peer,
			   .models = machine->config.engine,
			   .processor = machine->config.processor,
			   .cpu = machine->config.cpu},
		.vcpu_count = machine->vcpu_count,
	};
	bool has_models;

	peer.engine = peer.config.engine ? peer.config.engine->open(err) : NULL;
	if (!peer.engine) {
		*ret = -ENODEV;
		return peer.config.engine != NULL;
	}
	has_models = peer.engine->ext->cpu_model != NULL;
	if (!has_models)
		*ret = cpu_model_make(&peer, index, cpuid, err);
	peer.engine->ops->close(peer.engine, LS_SYSTEM);
	return !has_models;
}

static void adopt_vendor(struct kvm_cpuid2 *cpuid, const struct kvm_cpuid2 *from)
{
	struct kvm_cpuid_entry2 *entry = cpuid_find(cpuid, 0, 0);
	const struct kvm_cpuid_entry2 *theirs = cpuid_find(from, 0, 0);

	if (!entry || !theirs)
		return;
	entry->ebx = theirs->ebx;
	entry->ecx = theirs->ecx;
	entry->edx = theirs->edx;
}

/* The model of the reference's that is of the processor's vendor. */
static const char *model_of_vendor(const struct kvm_cpuid2 *cpuid)
{
	char vendor[13];

	vendor_text(cpuid, vendor);
	return !strcmp(vendor, "AuthenticAMD") || !strcmp(vendor, "HygonGenuine") ? "amd" : "intel";
}

/* The first leaf with feature bits that @supported is without, NULL if there is none. */
static const struct kvm_cpuid_entry2 *first_lacking(const struct kvm_cpuid2 *cpuid,
						    const struct kvm_cpuid2 *supported,
						    const struct kvm_cpuid2 *more)
{
	static const struct kvm_cpuid_entry2 nothing;

	for (uint32_t i = 0; i < cpuid->nent; i++) {
		const struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];
		const struct kvm_cpuid_entry2 *other =
			cpuid_find(supported, entry->function, entry->index);
		const struct kvm_cpuid_entry2 *third =
			cpuid_find(more, entry->function, entry->index);

		for (size_t m = 0; m < sizeof(masks) / sizeof(masks[0]); m++) {
			const struct cpu_mask *mask = &masks[m];
			const char *theirs = (const char *)(other ? other : &nothing);
			const char *also = (const char *)(third ? third : &nothing);

			if (mask->rule == BITS && mask->leaf == entry->function &&
			    mask->first <= entry->index && entry->index <= mask->last &&
			    *(const uint32_t *)((const char *)entry + mask->offset) &
				    ~*(const uint32_t *)(theirs + mask->offset) &
				    ~*(const uint32_t *)(also + mask->offset))
				return entry;
		}
	}
	return NULL;
}

static int check_with(struct machine *machine, const struct kvm_cpuid2 *cpuid,
		      union cpuid_buffer *supported, union cpuid_buffer *model,
		      struct ls_error *err)
{
	const char *name = machine->engine->ops->name;
	const struct kvm_cpuid_entry2 *lacking;
	char own[13], theirs[13];
	int ret = cpuid_supported(machine, supported, err);

	if (ret)
		return ret;
	/* An engine with models of its own is of either vendor, and has what that one's has, too.
	 */
	if (machine_ext(machine)->cpu_model) {
		model->head.nent = CPUID_ROOM;
		ret = machine_ext(machine)->cpu_model(machine->engine, model_of_vendor(cpuid), 0, 1,
						      &model->head, err);
		if (ret < 0)
			return ret;
		adopt_vendor(&supported->head, cpuid);
	}
	if (!same_vendor(cpuid, &supported->head))
		return ls_error_set(
			err, -ENOTSUP, "the guest's processor is %s's, and engine %s runs on %s's",
			vendor_text(cpuid, own), name, vendor_text(&supported->head, theirs));
	lacking = first_lacking(cpuid, &supported->head, &model->head);
	return lacking ? ls_error_set(err, -ENOTSUP,
				      "the guest's processor has what engine %s lacks (CPUID leaf "
				      "0x%x, subleaf %u); start the guest with --fit %s",
				      name, lacking->function, lacking->index, name)
		       : 0;
}

int cpu_model_check(struct machine *machine, const struct kvm_cpuid2 *cpuid, struct ls_error *err)
{
	union cpuid_buffer *supported = calloc(2, sizeof(*supported));
	int ret = supported ? check_with(machine, cpuid, supported, supported + 1, err)
			    : ls_error_set(err, -ENOMEM, "no memory for CPUID");

	free(supported);
	return ret;
}

/* --- models --- */

int cpu_model_settle(struct machine *machine, struct ls_error *err)
{
	struct machine other = {.config = machine->config, .engine = machine->engine};
	union cpuid_buffer *supported;
	int ret = 0;

	if (!machine->config.fit || machine->config.cpu)
		return 0;
	supported = calloc(1, sizeof(*supported));
	if (machine_ext(machine)->cpu_model)
		other.engine = machine->config.fit->open(err);
	if (!supported || !other.engine)
		ret = ls_error_set(err, -ENOMEM, "no memory for CPUID");
	if (!ret)
		ret = cpuid_supported(&other, supported, err);
	if (!ret) {
		machine->config.cpu = strdup(model_of_vendor(&supported->head));
		ret = machine->config.cpu ? 0 : -ENOMEM;
	}
	if (other.engine && other.engine != machine->engine)
		other.engine->ops->close(other.engine, LS_SYSTEM);
	free(supported);
	return ret;
}

/* The guest may go on on that engine: its processor is one that both can show. */
static int fit_other(struct machine *machine, union cpuid_buffer *cpuid, struct ls_error *err)
{
	struct machine other = {.config = machine->config};
	union cpuid_buffer *supported = calloc(1, sizeof(*supported));
	char own[13], theirs[13];
	int ret = supported ? 0 : -ENOMEM;

	other.engine = machine->config.fit->open(err);
	if (!other.engine)
		ret = -ENODEV;
	if (!ret && !machine_ext(&other)->cpu_model)
		ret = cpuid_supported(&other, supported, err);
	if (!ret && !machine_ext(&other)->cpu_model &&
	    cpu_model_intersect(&cpuid->head, &supported->head))
		ret = ls_error_set(err, -EINVAL,
				   "this CPU model is %s's, and engine %s runs on %s's; name a "
				   "model of that vendor",
				   vendor_text(&cpuid->head, own), machine->config.fit->name,
				   vendor_text(&supported->head, theirs));
	if (other.engine)
		other.engine->ops->close(other.engine, LS_SYSTEM);
	free(supported);
	return ret;
}

int cpu_model_make(struct machine *machine, unsigned int index, union cpuid_buffer *cpuid,
		   struct ls_error *err)
{
	const struct ls_extension *ext = machine_ext(machine);
	const char *name = machine->config.cpu;
	union cpuid_buffer *supported;
	int ret;

	cpuid->head.nent = CPUID_ROOM;
	if (ext->cpu_model && model_of_peer(machine, index, cpuid, &ret, err))
		return ret;
	if (ext->cpu_model) {
		ret = ext->cpu_model(machine->engine, name, index, machine->vcpu_count,
				     &cpuid->head, err);
		return ret || !machine->config.fit ? ret : fit_other(machine, cpuid, err);
	}
	supported = calloc(1, sizeof(*supported));
	if (!supported)
		return ls_error_set(err, -ENOMEM, "no memory for CPUID");
	ret = cpuid_supported(machine, supported, err);
	if (ret >= 0 && name && strcmp(name, "host")) {
		ret = model_for_engine(machine, index, cpuid, supported, err);
	} else if (ret >= 0) {
		cpu_model_place(&supported->head, index, machine->vcpu_count);
		*cpuid = *supported;
	}
	free(supported);
	return ret;
}
