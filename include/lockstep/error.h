/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one error object. Library code returns a negative errno and, where the caller passed
 * an error object, says there in one line what was wrong and what to do. Only tools/ prints.
 */
#ifndef LOCKSTEP_ERROR_H
#define LOCKSTEP_ERROR_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

struct ls_error {
	int code;	/* negative errno; 0 while nothing failed */
	char text[512]; /* one line, no newline, names the thing and the remedy */
};

/* Fills @err (which may be NULL) and returns @code, so that callers write
 * `return ls_error_set(err, -ENOENT, "…")`. The first failure wins: it is the cause. */
__attribute__((format(printf, 3, 4))) static inline int ls_error_set(struct ls_error *err, int code,
								     const char *format, ...)
{
	va_list args;

	if (!err || err->code)
		return code;
	err->code = code;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return code;
}

#endif
