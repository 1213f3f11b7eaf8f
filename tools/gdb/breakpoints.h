/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gdb's breakpoints and watchpoints in the guest. A software breakpoint is an INT3 in the guest's
 * memory while it runs; where no memory is yet (a kernel's code before it has set up paging) it
 * takes one of the four debug registers meanwhile. Hardware ones and watchpoints are debug
 * registers.
 */
#ifndef LOCKSTEP_TOOLS_GDB_BREAKPOINTS_H
#define LOCKSTEP_TOOLS_GDB_BREAKPOINTS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "machine/view.h"

struct kvm_guest_debug;

#define GDB_BREAKPOINTS_MAX 256
#define GDB_DEBUG_REGISTERS 4

/* As Z packets number them. */
enum gdb_break_kind {
	GDB_BREAK_SOFTWARE,
	GDB_BREAK_HARDWARE,
	GDB_WATCH_WRITE,
	GDB_WATCH_READ, /* no x86 processor has that */
	GDB_WATCH_ACCESS,
};

struct gdb_breakpoint {
	enum gdb_break_kind kind;
	uint64_t address;
	unsigned int length;
	struct machine_view view; /* with whose eyes it was set: software ones */
	bool patched;             /* there is an INT3 */
	uint64_t gpa;             /* there */
	uint8_t original;         /* in place of this */
	int slot;                 /* its debug register; -1: none */
};

struct gdb_breakpoints {
	size_t count;
	struct gdb_breakpoint breakpoint[GDB_BREAKPOINTS_MAX];
};

/* 0; -EINVAL: no such kind, or a watchpoint that isn't aligned; -ENOSPC: no debug register is free.
 */
int gdb_breakpoint_add(struct gdb_breakpoints *all, enum gdb_break_kind kind, uint64_t address,
		       unsigned int length, const struct machine_view *view);
bool gdb_breakpoint_remove(struct gdb_breakpoints *all, enum gdb_break_kind kind, uint64_t address,
			   unsigned int length);

/* Before the guest runs, and while it does between two turns: puts them in place, where there is
 * memory by now. True: which debug registers are in use has changed. */
bool gdb_breakpoints_insert(struct gdb_breakpoints *all, struct machine *machine);
/* Memory is as the guest has it again. */
void gdb_breakpoints_lift(struct gdb_breakpoints *all, struct machine *machine);
/* What KVM_SET_GUEST_DEBUG is to be told of them, or of watchpoints only. */
void gdb_breakpoints_fill(const struct gdb_breakpoints *all, bool watchpoints_only,
			  struct kvm_guest_debug *debug);

/* An INT3 of ours at that linear address of the vCPU's, or at another one of the same memory; NULL:
 * it is the guest's. */
const struct gdb_breakpoint *gdb_breakpoint_at(const struct gdb_breakpoints *all,
					       struct machine *machine, unsigned int vcpu,
					       uint64_t address);
/* Whose debug register DR6 names; NULL: none of ours. */
const struct gdb_breakpoint *gdb_breakpoint_hit(const struct gdb_breakpoints *all, uint64_t dr6);

#endif
