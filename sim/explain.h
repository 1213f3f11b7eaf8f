/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a dump of a control block. */
#ifndef LOCKSTEP_SIM_EXPLAIN_H
#define LOCKSTEP_SIM_EXPLAIN_H

#include <lockstep/extension.h>

/* Of struct ls_extension. */
int sim_dump_read(struct ls_engine *engine, const char *data, size_t size,
		  void (*found)(void *opaque, const struct ls_dump *dump), void *opaque,
		  struct ls_error *err);
char *sim_dump_explain(struct ls_engine *engine, const char *spec,
		       const struct ls_dump *const *dumps, size_t count, struct ls_error *err);
char *sim_explain(struct ls_engine *engine, const char *spec, const char *data, size_t size,
		  struct ls_error *err);

#endif
