/* SPDX-License-Identifier: Apache-2.0 */
/* The models' table, and their specs as given to --cpu. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cpu/model.h"

enum {
#define MODEL(identifier, ...) NUMBER_##identifier,
#include "sim/cpu/models.def"
#undef MODEL
	MODEL_COUNT
};

enum {
#define MODEL(identifier, ...) ONLY_##identifier = 1 << NUMBER_##identifier,
#include "sim/cpu/models.def"
#undef MODEL
	/* The words of OFFER and CONTROL rows. */
	MODEL_NONE = 0,
	MODEL_ALL = (1 << MODEL_COUNT) - 1,
	MODEL_QEMU64 = ONLY_QEMU64,
	MODEL_INTEL = ONLY_INTEL | ONLY_KVM_NESTED,
	MODEL_AMD = ONLY_AMD,
	MODEL_MAX = ONLY_MAX,
	MODEL_MODERN = MODEL_INTEL | MODEL_AMD | MODEL_MAX,
	MODEL_VMX = MODEL_INTEL | MODEL_MAX,
	MODEL_VMX_TAIL = ONLY_INTEL | ONLY_MAX, /* has fields in the tail of the VMCS region */
};

const struct model_info model_infos[] = {
#define MODEL(identifier, name_, vendor_, family_, model_, stepping_, bits, brand_, summary_)      \
	[NUMBER_##identifier] = {                                                                  \
		.name = name_,                                                                     \
		.brand = brand_,                                                                   \
		.summary = summary_,                                                               \
		.vendor = VENDOR_##vendor_,                                                        \
		.family = family_,                                                                 \
		.model = model_,                                                                   \
		.stepping = stepping_,                                                             \
		.physical_bits = bits,                                                             \
	},
#include "sim/cpu/models.def"
#undef MODEL
};
const unsigned int model_info_count = MODEL_COUNT;

static const u8 offers[FEATURE_BASE] = {
#define OFFER(feature, models) [FEATURE_##feature] = (models),
#include "sim/cpu/models.def"
#undef OFFER
#define CONTROL(group, identifier, bit, name, needs, models)                                       \
	[FEATURE_VMX_##group##_##identifier] = (models),
#include "sim/cpu/vmx_controls.def"
#undef CONTROL
};

/* Where a control shows: the number of its capability MSR, and in which half of it (SDM 3D appendix
 * A): the upper one says what may be 1, the lower one what must be. */
#define PLACE_BASIC(bit)         0x480, bit
#define PLACE_PIN(bit)           0x48d, 32 + bit
#define PLACE_PRIMARY(bit)       0x48e, 32 + bit
#define PLACE_PRIMARY_CLEAR(bit) 0x48e, bit
#define PLACE_SECONDARY(bit)     0x48b, 32 + bit
#define PLACE_TERTIARY(bit)      0x492, bit
#define PLACE_EXIT(bit)          0x48f, 32 + bit
#define PLACE_EXIT_CLEAR(bit)    0x48f, bit
#define PLACE_EXIT2(bit)         0x493, bit
#define PLACE_ENTRY(bit)         0x490, 32 + bit
#define PLACE_ENTRY_CLEAR(bit)   0x490, bit
#define PLACE_MISC(bit)          0x485, bit
#define PLACE_EPT_VPID(bit)      0x48c, bit
#define PLACE_FUNCTION(bit)      0x491, bit
#define CONTROL_INFO(identifier_, name_, number, bit_)                                             \
	{                                                                                          \
		.identifier = identifier_, .name = name_, .leaf = number,                          \
		.reg = (bit_) < 32 ? EAX : EDX, .bit = (bit_) % 32,                                \
	}
#define CONTROL_PLACED(...) CONTROL_INFO(__VA_ARGS__)

const struct feature_info feature_infos[FEATURE_BASE] = {
#define FEATURE(identifier_, name_, leaf_, subleaf_, reg_, bit_)                                   \
	[FEATURE_##identifier_] = {                                                                \
		.identifier = #identifier_,                                                        \
		.name = name_,                                                                     \
		.leaf = leaf_,                                                                     \
		.subleaf = subleaf_,                                                               \
		.reg = reg_,                                                                       \
		.bit = bit_,                                                                       \
	},
#include "sim/cpu/features.def"
#undef FEATURE
#define CONTROL(group, identifier_, bit_, name_, needs, models)                                    \
	[FEATURE_VMX_##group##_##identifier_] =                                                    \
		CONTROL_PLACED("VMX_" #group "_" #identifier_, name_, PLACE_##group(bit_)),
#include "sim/cpu/vmx_controls.def"
#undef CONTROL
};

bool model_offers(unsigned int model, enum cpu_feature feature)
{
	return offers[feature] >> model & 1;
}

bool model_built(enum cpu_feature feature)
{
	return offers[feature];
}

/* --- names --- */

/* Linux, QEMU and the manuals differ in case and in '-', '_' and '.'. */
static char plain(char c)
{
	return c == '_' || c == '.' ? '-' : (char)tolower((unsigned char)c);
}

static bool same_name(const char *a, const char *b)
{
	while (*a && plain(*a) == plain(*b))
		a++, b++;
	return !*a && !*b;
}

#define NAME_MAX_LENGTH 40

/* Edit distance (insert, delete, replace). */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[NAME_MAX_LENGTH + 1];
	size_t length = strlen(b);

	if (strlen(a) > NAME_MAX_LENGTH || length > NAME_MAX_LENGTH)
		return NAME_MAX_LENGTH;
	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		unsigned int diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			unsigned int best = diagonal + (plain(a[i - 1]) != plain(b[j - 1]));

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[length];
}

/* How unlike two names are; a part of a name counts as one mistake. */
static unsigned int unlikeness(const char *wanted, const char *name)
{
	unsigned int mistakes = distance(wanted, name);
	bool part = strlen(wanted) >= 3 && (strstr(name, wanted) || strstr(wanted, name) == wanted);

	return part && mistakes > 1 ? 1 : mistakes;
}

#define MISTAKES_MAX 2

/* Appends ", name" to a list that began empty. */
static void list_append(char *list, size_t size, const char *name)
{
	size_t used = strlen(list);

	if (used + strlen(name) + 3 < size) {
		strcat(list, used ? ", " : "");
		strcat(list, name);
	}
}

static int unknown_model(const char *name, struct ls_error *err)
{
	char names[160] = "";

	for (unsigned int i = 0; i < MODEL_COUNT; i++)
		list_append(names, sizeof(names), model_infos[i].name);
	return ls_error_set(err, -ENOENT, "unknown CPU model '%s': choose one of %s", name, names);
}

static int unknown_feature(const char *name, struct ls_error *err)
{
	unsigned int best = MISTAKES_MAX;
	char names[160] = "";

	for (unsigned int i = 0; i < FEATURE_BASE; i++)
		if (offers[i] && unlikeness(name, feature_infos[i].name) < best)
			best = unlikeness(name, feature_infos[i].name);
	for (unsigned int i = 0; i < FEATURE_BASE; i++)
		if (offers[i] && unlikeness(name, feature_infos[i].name) == best)
			list_append(names, sizeof(names), feature_infos[i].name);
	if (names[0])
		return ls_error_set(err, -ENOENT, "unknown CPU feature '%s': did you mean %s?",
				    name, names);
	return ls_error_set(err, -ENOENT,
			    "unknown CPU feature '%s': `lockstep list features` names them all",
			    name);
}

/* --- changes --- */

static int find_feature(const char *name)
{
	for (unsigned int i = 0; i < FEATURE_BASE; i++)
		if (same_name(name, feature_infos[i].name))
			return i;
	return -1;
}

static void clear_feature(struct model *model, enum cpu_feature feature)
{
	model->feature[feature / 32] &= ~(1u << feature % 32);
}

static int set_feature(struct model *model, const char *name, bool on, struct ls_error *err)
{
	int feature = find_feature(name);

	if (feature < 0)
		return unknown_feature(name, err);
	if (on && !offers[feature])
		return ls_error_set(err, -ENOENT,
				    "CPU feature '%s' is not built in this engine: leave it out",
				    name);
	if (on)
		model->feature[feature / 32] |= 1u << feature % 32;
	else
		clear_feature(model, feature);
	return 0;
}

static int set_vendor(struct model *model, const char *value, struct ls_error *err)
{
	if (same_name(value, "intel") || same_name(value, "GenuineIntel"))
		model->info.vendor = VENDOR_INTEL;
	else if (same_name(value, "amd") || same_name(value, "AuthenticAMD"))
		model->info.vendor = VENDOR_AMD;
	else
		return ls_error_set(err, -EINVAL, "CPU vendor '%s': choose intel or amd", value);
	if (model->info.vendor == VENDOR_AMD) { /* it has counters of its own kind */
		clear_feature(model, FEATURE_PDCM);
		clear_feature(model, FEATURE_PMU);
		clear_feature(model, FEATURE_VMX);
	}
	return 0;
}

static int set_number(struct model *model, const char *key, const char *value, struct ls_error *err)
{
	static const struct {
		const char *key;
		unsigned int min, max;
	} ranges[] = {
		{"family", 4, 0xf + 0xff},
		{"model", 0, 0xff},
		{"stepping", 0, 0xf},
		{"phys-bits", 32, 52},
	};
	unsigned int which = 0;
	unsigned long number;
	char *end;

	while (which < ARRAY_SIZE(ranges) && !same_name(key, ranges[which].key))
		which++;
	if (which == ARRAY_SIZE(ranges))
		return -ENOENT;
	number = strtoul(value, &end, 0);
	if (end == value || *end || number < ranges[which].min || number > ranges[which].max)
		return ls_error_set(err, -EINVAL, "CPU key %s=%s: give a number from %u to %u", key,
				    value, ranges[which].min, ranges[which].max);
	switch (which) {
	case 0:
		model->info.family = number;
		break;
	case 1:
		model->info.model = number;
		break;
	case 2:
		model->info.stepping = number;
		break;
	default:
		model->info.physical_bits = number;
		break;
	}
	return 0;
}

static int set_key(struct model *model, const char *key, const char *value, struct ls_error *err)
{
	int ret;

	if (same_name(key, "vendor"))
		return set_vendor(model, value, err);
	if (same_name(key, "model-name") || same_name(key, "model-id")) {
		if (strlen(value) >= sizeof(model->brand))
			return ls_error_set(err, -EINVAL,
					    "CPU model-name '%s' is longer than 47 characters",
					    value);
		memset(model->brand, 0, sizeof(model->brand));
		strcpy(model->brand, value);
		return 0;
	}
	ret = set_number(model, key, value, err);
	if (ret != -ENOENT)
		return ret;
	if (find_feature(key) >= 0 && (same_name(value, "on") || same_name(value, "off")))
		return set_feature(model, key, same_name(value, "on"), err);
	return ls_error_set(err, -ENOENT,
			    "unknown CPU key '%s': choose one of vendor, family, model, stepping, "
			    "phys-bits, model-name",
			    key);
}

static int apply(struct model *model, char *item, struct ls_error *err)
{
	char *equals = strchr(item, '=');

	if (*item == '+' || *item == '-')
		return set_feature(model, item + 1, *item == '+', err);
	if (!equals)
		return ls_error_set(err, -EINVAL,
				    "CPU option '%s': write +feature, -feature or key=value", item);
	*equals = 0;
	return set_key(model, item, equals + 1, err);
}

static int start_from(struct model *model, const char *name, struct ls_error *err)
{
	unsigned int i = 0;

	while (i < MODEL_COUNT && !same_name(name, model_infos[i].name))
		i++;
	if (i == MODEL_COUNT)
		return unknown_model(name, err);
	*model = (struct model){.info = model_infos[i], .count = 1};
	strcpy(model->brand, model_infos[i].brand);
	for (unsigned int f = 0; f < FEATURE_BASE; f++)
		if (model_offers(i, f))
			model->feature[f / 32] |= 1u << f % 32;
	return 0;
}

int model_resolve(struct model *model, const char *spec, struct ls_error *err)
{
	char text[1024], *rest = text, *item;
	bool by_default;
	int ret;

	if (strlen(spec) >= sizeof(text))
		return ls_error_set(err, -EINVAL, "CPU '%.40s…' is longer than %zu characters",
				    spec, sizeof(text) - 1);
	strcpy(text, spec);
	ret = start_from(model, strsep(&rest, ","), err);
	by_default = !ret && model_has(model, FEATURE_SVM);
	while (!ret && (item = strsep(&rest, ",")))
		ret = apply(model, item, err);
	if (model->info.vendor != VENDOR_AMD || !model_has(model, FEATURE_SVM))
		clear_feature(model, FEATURE_SKINIT);
	if (ret || model->info.vendor == VENDOR_AMD || !model_has(model, FEATURE_SVM))
		return ret;
	clear_feature(model, FEATURE_SVM);
	if (by_default)
		return 0;
	return ls_error_set(err, -ENOENT,
			    "CPU feature 'svm' is not built for Intel's processors: it is AMD's");
}

int cpu_model_build(const char *spec, unsigned int index, unsigned int count, u32 tsc_khz,
		    struct kvm_cpuid2 *cpuid, struct ls_error *err)
{
	struct model model;
	int ret = model_resolve(&model, spec, err);

	if (ret)
		return ret;
	model.index = index;
	model.count = count;
	model.tsc_khz = tsc_khz;
	ret = cpuid_build(&model, cpuid);
	if (ret)
		return ls_error_set(err, ret, "no room for the CPUID leaves of '%s'", spec);
	return 0;
}

int cpuid_supported(u32 tsc_khz, struct kvm_cpuid2 *cpuid)
{
	struct model model;
	int ret = start_from(&model, "max", NULL);

	if (ret)
		return ret;
	model.info.vendor = VENDOR_ANY;
	model.tsc_khz = tsc_khz;
	return cpuid_build(&model, cpuid);
}
