/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stub for gdb (`target remote`): every vCPU is a thread, and the guest's memory is seen as the
 * vCPU that is looked at sees it. It is served on the machine's own thread, between two turns and
 * while the machine is paused, and changes nothing of the run but what gdb is told to change.
 */
#ifndef LOCKSTEP_TOOLS_GDB_STUB_H
#define LOCKSTEP_TOOLS_GDB_STUB_H

#include <lockstep/error.h>

#include "machine/machine.h"

struct gdb_stub;

/* Listens (listen.h); @wait: the machine is to wait for gdb before its first instruction. NULL:
 * *err.
 */
struct gdb_stub *gdb_stub_create(const char *where, bool wait, struct ls_error *err);
/* Before machine_create: what the stub wants of a machine. A run that is @traced does not go back.
 */
void gdb_stub_configure(struct gdb_stub *stub, struct machine_config *config, bool traced);
/* Between machine_create and machine_run. 0 or -errno. */
int gdb_stub_attach(struct gdb_stub *stub, struct machine *machine);
/* After machine_run: tells gdb with which status the guest has ended. */
void gdb_stub_end(struct gdb_stub *stub, int status);
void gdb_stub_free(struct gdb_stub *stub);

#endif
