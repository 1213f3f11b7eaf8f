/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one payload on two engines and finds where they part. */
#ifndef LOCKSTEP_TOOLS_DIFF_COMPARE_H
#define LOCKSTEP_TOOLS_DIFF_COMPARE_H

#include <glib.h>

#include "machine/machine.h"

struct diff_case {
	char *name, *purpose, *theme; /* purpose, theme: NULL for a payload that is no case */
	char *image;                  /* path of the ELF or multiboot file */
	char *append;                 /* its command line; NULL: none */
	char *called; /* what the guest is told that the image's path is; NULL: the path */
	unsigned int vcpus;
	char *trace; /* what the engine under test did; NULL: it runs */
	bool user;   /* code of level 3 alone */
};

struct diff_options {
	const struct ls_engine_ops *engine[2]; /* reference, and engine under test; NULL: traces */
	char *cpu;
	uint64_t memory;
	bool step, any_granularity; /* any: a trace has yet to say */
	bool no_steps;              /* those of the engine under test cannot be compared */
	double seconds;             /* without an event */
	const struct machine_param *params[2];
	unsigned int param_count[2];
	enum machine_dirty dirty[2];
	bool timeline;    /* keep every event for a report */
	char *command;    /* what repeats such a run, less the case */
	const char *save; /* folder for traces of both sides; NULL: none */
};

/* For a program. */
static inline const char *diff_side_name(const struct diff_options *options, unsigned int who)
{
	return options->engine[who] ? options->engine[who]->name : "trace";
}
/* For a person: an engine compared with itself has two names. */
const char *diff_side_label(const struct diff_options *options, unsigned int who);
/* @text as a shell takes it for one word; to be freed. */
char *diff_shell_word(const char *text);

enum diff_verdict { DIFF_EQUAL, DIFF_DIFFERENT, DIFF_FAILED };

/* A value that differs where the engines part. */
struct diff_value {
	char *field;
	uint64_t value[2];
	const char *manual;
	bool differs; /* else shown for orientation */
};

struct diff_moment {
	uint64_t number, linear_rip;
	char *what, *instruction;
	bool over;          /* the instruction is that of the event, not the next */
	GPtrArray *changed; /* "RAX", "0x1", ...: since the one before */
};

struct diff_result {
	const struct diff_case *test;
	enum diff_verdict verdict;
	char *text;      /* one line: what is different, or why it could not run */
	char *rule;      /* of the manual, that the reference followed there; NULL: not known */
	uint64_t events; /* compared */
	unsigned int declared; /* expected differences that it ended at: 0 or 1 */
	/* The instruction that the engine cannot run; NULL: another reason. */
	const char *stopped_at;
	bool unsteady;   /* different, but not in a second run */
	uint64_t merged; /* steps that one engine makes of two */
	bool ends_only;  /* of several vCPUs that ran in any order */
	double wall_seconds;
	GPtrArray *left_out;   /* names of registers that differ from the start on */
	GPtrArray *values;     /* struct diff_value */
	GPtrArray *moments[2]; /* struct diff_moment: the last ones, or all */
	char *command;         /* repeats it */
};

/* Rows of expected.def and quirks.def that were needed: a flag each. */
struct diff_used {
	bool *expected, *quirk;
};

struct diff_result *diff_compare(const struct diff_options *options, const struct diff_case *test,
				 const struct diff_used *used);
/* The same, and if it is different once more, to say whether that comes again: hardware is
 * interrupted by its host. It stays different. */
struct diff_result *diff_compare_steadily(const struct diff_options *options,
					  const struct diff_case *test,
					  const struct diff_used *used);
void diff_result_free(struct diff_result *result);
void diff_case_free(struct diff_case *test);

#endif
