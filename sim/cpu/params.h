/* SPDX-License-Identifier: Apache-2.0 */
/* Module parameters: --param NAME=VALUE, `lockstep list params`. */
#ifndef LOCKSTEP_SIM_PARAMS_H
#define LOCKSTEP_SIM_PARAMS_H

#include <lockstep/error.h>
#include <stddef.h>
#include <stdint.h>

struct sim_params {
#define PARAM(type, field, ...) uint64_t field;
#include "sim/cpu/params.def"
#undef PARAM
};

enum tlb_mode { TLB_MODE_FINITE, TLB_MODE_STICKY, TLB_MODE_COHERENT, TLB_MODES };

enum param_type { PARAM_BOOL, PARAM_NUMBER, PARAM_TLB_MODE };

struct param_info {
	const char *name, *description;
	enum param_type type;
	size_t offset; /* of its u64 in struct sim_params */
	uint64_t preset, min, max;
};

extern const struct param_info param_infos[];
extern const unsigned int param_info_count;

/* "bool", "number", "word". */
const char *param_type_name(enum param_type type);
/* The words of a type that has such, by their values; NULL: it has none. */
const char *const *param_words(enum param_type type);
/* The value as it would be typed; in @text where it is a number. */
const char *param_value(const struct param_info *info, uint64_t value, char text[32]);

void sim_params_init(struct sim_params *params);
/* -ENOENT for an unknown name, -EINVAL for a value that does not fit. */
int sim_params_set(struct sim_params *params, const char *name, const char *value,
		   struct ls_error *err);

#endif
