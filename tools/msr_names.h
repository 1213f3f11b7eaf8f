/* SPDX-License-Identifier: Apache-2.0 */
/* What MSRs are called, by the sim engine's own table. */
#ifndef LOCKSTEP_TOOLS_MSR_NAMES_H
#define LOCKSTEP_TOOLS_MSR_NAMES_H

#include <stdint.h>

struct msr_names;

struct msr_names *msr_names_create(void);
void msr_names_destroy(struct msr_names *names);
/* NULL: the table has none. */
const char *msr_name(const struct msr_names *names, uint64_t number);

#endif
