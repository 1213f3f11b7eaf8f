/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sim/cpu/params.h"
#include "sim/cpu/segment.h"

const struct param_info param_infos[] = {
#define PARAM(type_, field_, name_, default_, min_, max_, description_)                            \
	{.name = name_,                                                                            \
	 .description = description_,                                                              \
	 .type = PARAM_##type_,                                                                    \
	 .offset = offsetof(struct sim_params, field_),                                            \
	 .preset = default_,                                                                       \
	 .min = min_,                                                                              \
	 .max = max_},
#include "sim/cpu/params.def"
#undef PARAM
};
const unsigned int param_info_count = sizeof(param_infos) / sizeof(param_infos[0]);

static uint64_t *field(struct sim_params *params, const struct param_info *info)
{
	return (uint64_t *)((char *)params + info->offset);
}

void sim_params_init(struct sim_params *params)
{
	for (unsigned int i = 0; i < param_info_count; i++)
		*field(params, &param_infos[i]) = param_infos[i].preset;
}

static int parse_bool(const char *text, uint64_t *value)
{
	static const char *const words[] = {"0", "1", "n", "y", "off", "on", "no", "yes"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcasecmp(text, words[i])) {
			*value = i & 1;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_number(const char *text, uint64_t *value)
{
	char *end;

	/* strtoull would take a sign and leading blanks. */
	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &end, 0);
	return *end || errno ? -EINVAL : 0;
}

/* --- words --- */

const char *param_type_name(enum param_type type)
{
	return type == PARAM_BOOL ? "bool" : type == PARAM_NUMBER ? "number" : "word";
}

const char *const *param_words(enum param_type type)
{
	static const char *const tlb_modes[TLB_MODES + 1] = {"finite", "sticky", "coherent"};

	return type == PARAM_TLB_MODE ? tlb_modes : NULL;
}

const char *param_value(const struct param_info *info, uint64_t value, char text[32])
{
	const char *const *words = param_words(info->type);

	snprintf(text, 32, "%" PRIu64, value);
	return words ? words[value] : text;
}

static int parse_word(const char *const *words, const char *text, uint64_t *value)
{
	for (*value = 0; words[*value]; ++*value)
		if (!strcmp(words[*value], text))
			return 0;
	return -EINVAL;
}

static int parse(const struct param_info *info, const char *text, uint64_t *value)
{
	if (param_words(info->type))
		return parse_word(param_words(info->type), text, value);
	return info->type == PARAM_BOOL ? parse_bool(text, value) : parse_number(text, value);
}

/* --- errors --- */

static int wrong(const struct param_info *info, const char *value, struct ls_error *err)
{
	const char *const *words = param_words(info->type);
	char names[128] = "";

	if (!words)
		return ls_error_set(err, -EINVAL,
				    "parameter %s=%s: give a number from %" PRIu64 " to %" PRIu64,
				    info->name, value, info->min, info->max);
	for (size_t i = 0; words[i]; i++)
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
			 i ? ", " : "", words[i]);
	return ls_error_set(err, -EINVAL, "parameter %s=%s: choose one of %s", info->name, value,
			    names);
}

static int unknown(const char *name, struct ls_error *err)
{
	char names[256] = "";

	for (unsigned int i = 0; i < param_info_count; i++) {
		size_t used = strlen(names);

		snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "",
			 param_infos[i].name);
	}
	return ls_error_set(err, -ENOENT, "unknown parameter '%s': choose one of %s", name, names);
}

int sim_params_set(struct sim_params *params, const char *name, const char *value,
		   struct ls_error *err)
{
	const struct param_info *info = NULL;
	uint64_t parsed = 0;
	int ret;

	for (unsigned int i = 0; i < param_info_count; i++)
		if (!strcmp(name, param_infos[i].name))
			info = &param_infos[i];
	if (!info)
		return unknown(name, err);
	ret = parse(info, value, &parsed);
	if (ret || parsed < info->min || parsed > info->max)
		return wrong(info, value, err);
	*field(params, info) = parsed;
	return 0;
}
