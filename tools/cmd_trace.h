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

#endif
