/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOCKSTEP_SIM_EXPLAIN_H
#define LOCKSTEP_SIM_EXPLAIN_H

#include <lockstep/extension.h>

/* ls_extension.explain */
char *sim_explain(struct ls_engine *engine, const char *spec, const char *data, size_t size,
		  struct ls_error *err);

#endif
