/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the tables behind `lockstep list` share. */
#ifndef LOCKSTEP_SIM_TABLES_H
#define LOCKSTEP_SIM_TABLES_H

#include <lockstep/extension.h>

/* Makes a cell's text, which is the engine's until the next call. */
__attribute__((format(printf, 2, 3))) const char *sim_table_print(struct ls_engine *engine,
								  const char *format, ...);

/* Of the virtualization of both vendors: tables_virtualization.c. */
extern const struct ls_table sim_table_exits, sim_table_vmcb_fields, sim_table_vmcs_fields;

/* What is not offered: tables_coverage.c. */
struct ls_table sim_table_not_offered(void);

#endif
