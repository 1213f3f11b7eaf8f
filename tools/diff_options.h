/* SPDX-License-Identifier: Apache-2.0 */
/* What 'lockstep diff' was asked for: its options, its cases, and its engines. */
#ifndef LOCKSTEP_TOOLS_DIFF_OPTIONS_H
#define LOCKSTEP_TOOLS_DIFF_OPTIONS_H

#include <glib.h>

#include "tools/diff/compare.h"

struct diff_command {
	char *ref, *dut, *cpu, *granularity, *dirty, *memory, *smp, *append, *junit, *html, *save;
	char **cases, **params, **payloads;
	gboolean suite, list, json, in_lab;
	bool cpu_given; /* else it was found out */
	double seconds;

	GPtrArray *tests;    /* struct diff_case */
	GPtrArray *left_out; /* lines that say which cases cannot run, and why */
	struct machine_param param_rows[16];
	struct diff_options options;
	const char *trace; /* of --dut trace:PATH; NULL: the engine under test runs */
	char *version;     /* of the engine under test */
};

/* 0, or -errno and @err. What it leaves in @d is diff_command_free's in either case. */
int diff_parse(struct diff_command *d, int argc, char **argv, struct ls_error *err);
/* The cases and payloads to compare (diff_cases.c). */
int diff_collect(struct diff_command *d, struct ls_error *err);
void diff_list(const struct diff_command *d);
/* The folders of --save-trace, where each case has a name of its own (diff_cases.c). */
int diff_make_folders(const struct diff_command *d, struct ls_error *err);
/* The engines, the processor model and the sizes. */
int diff_apply(struct diff_command *d, struct ls_error *err);
void diff_command_free(struct diff_command *d);

#endif
