/* SPDX-License-Identifier: Apache-2.0 */
/* Dumps of VMCSs and VMCBs, kept in a trace. */
#ifndef LOCKSTEP_TOOLS_DUMPS_H
#define LOCKSTEP_TOOLS_DUMPS_H

#include <glib.h>

#include <lockstep/extension.h>

/* All there are in @path, which is no trace: struct ls_dump. NULL: *err says why. */
GPtrArray *dumps_read(struct ls_engine *engine, const char *path, struct ls_error *err);
/* The same from a trace. */
GPtrArray *dumps_from_trace(const char *path, struct ls_error *err);
/* They become a trace of their own. 0 or -errno. */
int dumps_to_trace(const GPtrArray *dumps, const char *path, struct ls_error *err);
/* It begins as a trace does. */
bool dumps_is_trace(const char *path);

/* A whole file, of no more than 64 MiB; to be freed. */
char *dumps_file(const char *path, gsize *size, struct ls_error *err);

#endif
