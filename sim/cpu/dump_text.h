/* SPDX-License-Identifier: Apache-2.0 */
/* Dumps of control blocks as hypervisors print them: lines and the numbers in them. */
#ifndef LOCKSTEP_SIM_CPU_DUMP_TEXT_H
#define LOCKSTEP_SIM_CPU_DUMP_TEXT_H

#include "mmu/types.h"

#define DUMP_LINE 256

/* Copies a line, as far as it fits; returns where the next one starts. */
const char *dump_next_line(const char *at, const char *end, char line[DUMP_LINE]);
const char *dump_skip_blanks(const char *line);
/* A number behind blanks; @text is moved behind it. */
bool dump_number(const char **text, int base, u64 *value);

#endif
