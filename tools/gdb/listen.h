/* SPDX-License-Identifier: Apache-2.0 */
/* Where gdb may come from: PORT of this host, HOST:PORT, or the path of a Unix socket. */
#ifndef LOCKSTEP_TOOLS_GDB_LISTEN_H
#define LOCKSTEP_TOOLS_GDB_LISTEN_H

#include <lockstep/error.h>

/* A listening socket, or -errno with *err filled. */
int gdb_listen(const char *where, struct ls_error *err);
/* The one that calls, or -1. */
int gdb_accept(int listener);

#endif
