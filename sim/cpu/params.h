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

enum param_type { PARAM_BOOL, PARAM_NUMBER };

struct param_info {
	const char *name, *description;
	enum param_type type;
	size_t offset; /* of its u64 in struct sim_params */
	uint64_t preset, min, max;
};

extern const struct param_info param_infos[];
extern const unsigned int param_info_count;

void sim_params_init(struct sim_params *params);
/* -ENOENT for an unknown name, -EINVAL for a value that does not fit. */
int sim_params_set(struct sim_params *params, const char *name, const char *value,
		   struct ls_error *err);

#endif
