/* SPDX-License-Identifier: Apache-2.0 */
/* A result file appears whole or not at all: it is written beside its place and renamed. */
#ifndef LOCKSTEP_TOOLS_OUTPUT_H
#define LOCKSTEP_TOOLS_OUTPUT_H

#include <stddef.h>

#include <lockstep/error.h>

/* Says before a long run whether output_write can work. Touches nothing. */
int output_check(const char *path, struct ls_error *err);
/* Makes @text the content of @path, or leaves what is there. */
int output_write(const char *path, const char *text, size_t length, struct ls_error *err);

#endif
