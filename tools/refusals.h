/* SPDX-License-Identifier: Apache-2.0 */
/* VM entries that were refused, for the log: a few for each rule, for there may be millions. */
#ifndef LOCKSTEP_TOOLS_REFUSALS_H
#define LOCKSTEP_TOOLS_REFUSALS_H

struct refusals;

struct refusals *refusals_create(void);
/* machine_config.entry_refused */
void refusals_add(void *refusals, unsigned int vcpu, const char *text);
/* Says how many were not shown. */
void refusals_destroy(struct refusals *refusals);

#endif
