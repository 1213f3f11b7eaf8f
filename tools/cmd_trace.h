/* SPDX-License-Identifier: Apache-2.0 */
/* What `lockstep trace` can do with a file. Each returns the exit status. */
#ifndef LOCKSTEP_TOOLS_CMD_TRACE_H
#define LOCKSTEP_TOOLS_CMD_TRACE_H

int trace_show(int argc, char **argv);
int trace_grep(int argc, char **argv);
int trace_stat(int argc, char **argv);
int trace_diff(int argc, char **argv);
int trace_export(int argc, char **argv);
int trace_cut(int argc, char **argv);
int trace_replay(int argc, char **argv);
int trace_import(int argc, char **argv);

struct ls_error;
struct trace_view;
/* The records that @view, which is opened here, selects of @from, as a trace of their own. 0 or
 * -errno with *err filled. */
int trace_cut_view(struct trace_view *view, const char *from, const char *to, struct ls_error *err);

#endif
