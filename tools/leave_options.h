/* SPDX-License-Identifier: Apache-2.0 */
/* The options that say when a run is left and what for: --at, --switch-to, --switches, --fit. */
#ifndef LOCKSTEP_TOOLS_LEAVE_OPTIONS_H
#define LOCKSTEP_TOOLS_LEAVE_OPTIONS_H

#include <glib.h>

#include "machine/machine.h"

struct leave_options {
	char *at, *switch_to, *switches, *fit;
	char *save; /* of `lockstep snapshot save` */
	gboolean go_on;
};

/* Fills in config->leave and config->fit. */
int leave_options_apply(const struct leave_options *options, struct machine_config *config,
			struct ls_error *err);
/* When config->engine stands, too. */
int leave_options_check(const struct leave_options *options, const struct machine_config *config,
			struct ls_error *err);
void leave_options_free(struct leave_options *options);

#endif
