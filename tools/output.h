/* SPDX-License-Identifier: Apache-2.0 */
/* A result file appears whole or not at all, also where the program is killed meanwhile. */
#ifndef LOCKSTEP_TOOLS_OUTPUT_H
#define LOCKSTEP_TOOLS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include <lockstep/error.h>

/* A file in the making. */
struct output {
	const char *path; /* where it is to be; the caller's */
	char *name;       /* what leads to it meanwhile, for who opens by name */
	char *temporary;  /* NULL: it has no name of its own yet */
	bool direct;      /* a device or a pipe, which is written as it is */
	int fd;
};

/* Says before a long run whether output_begin can work. Touches nothing. */
int output_check(const char *path, struct ls_error *err);
/* The same for a file that is made of another: the two must not be one. */
int output_check_of(const char *path, const char *input, struct ls_error *err);
int output_begin(struct output *output, const char *path, struct ls_error *err);
/* Puts it in its place; with *err filled it is dropped. Whoever opened it has closed it. */
int output_end(struct output *output, struct ls_error *err);
/* Makes @text the content of @path, or leaves what is there. */
int output_write(const char *path, const char *text, size_t length, struct ls_error *err);
/* What was printed has gone out, or nobody reads on; else *err says why not. */
int output_flush_stdout(struct ls_error *err);

#endif
