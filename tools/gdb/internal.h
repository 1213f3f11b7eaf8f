/* SPDX-License-Identifier: Apache-2.0 */
/* The stub's own object; for tools/gdb's files only. */
#ifndef LOCKSTEP_TOOLS_GDB_INTERNAL_H
#define LOCKSTEP_TOOLS_GDB_INTERNAL_H

#include <glib.h>

#include "machine/machine.h"
#include "machine/view.h"
#include "tools/gdb/breakpoints.h"
#include "tools/gdb/packet.h"
#include "tools/gdb/stub.h"

/* gdb's numbers (GDB manual, E.13). */
#define GDB_SIGNAL_INT  2
#define GDB_SIGNAL_TRAP 5

#define GDB_STOPS_MAX    (MACHINE_MAX_VCPUS + 1)
#define GDB_NO_STEP      UINT_MAX
#define GDB_THREAD(vcpu) ((vcpu) + 1)

/* Why a vCPU stands still. */
struct gdb_stop {
	unsigned int vcpu;
	unsigned int signal;
	char reason[64];  /* "watch:1000;" as a stop reply has it */
	const char *note; /* a line for the person; NULL: none */
	bool hit;         /* a breakpoint's, a watchpoint's or a VM entry's; else the run's goal */
	bool watch;
};

/* What is in force while the guest runs. */
enum gdb_armed {
	GDB_ARM_ALL,
	GDB_ARM_WATCHPOINTS, /* the instruction at a breakpoint is executed */
	GDB_ARM_NOTHING,
};

enum gdb_stage {
	GDB_FORWARD,
	GDB_SKIP,     /* to where the search begins */
	GDB_SEARCH,   /* up to reverse.to */
	GDB_PASS,     /* the same, in the instruction at a breakpoint */
	GDB_APPROACH, /* to the place that was found */
};

/* A way back, which leads forwards from a snapshot (reverse.c). */
struct gdb_reverse {
	enum gdb_stage stage;
	unsigned int vcpu; /* that gdb was at when it began */
	uint64_t start, from,
		to;            /* instructions of all vCPUs: where it began; the piece searched */
	uint64_t floor;        /* how far back it goes; 0: to the beginning */
	uint64_t size;         /* of the piece */
	unsigned int hits;     /* in it, so far */
	unsigned int wanted;   /* the last of them, by number; 0: not known yet */
	struct gdb_stop last;  /* hit */
	uint64_t at;           /* instructions of all vCPUs then */
	uint64_t retired, rip; /* a step's: of its vCPU, when it began */
	bool step_ends;        /* wherever it gets */
};

struct gdb_stub {
	int listener;
	char *path; /* of a Unix socket, which goes with the stub */
	bool wait;
	struct machine *machine;
	struct gdb_link link;

	bool running;                         /* gdb waits for a stop */
	unsigned int pauses;                  /* of the machine, that are ours to end */
	struct gdb_stop stops[GDB_STOPS_MAX]; /* that gdb has not been told of */
	size_t stop_count;
	struct gdb_stop last; /* that it has */

	unsigned int vcpu, step_vcpu; /* that g, m and the like are about; and s */
	unsigned int stepping;        /* or GDB_NO_STEP */
	unsigned int level;           /* VIEW_RUNNING, or which level memory is looked at */
	bool physical;
	bool vm_entry, vm_exit; /* it stops there */
	struct gdb_breakpoints breakpoints;
	uint64_t until; /* instructions of all vCPUs at which it stops, once; 0: nowhere */
	enum gdb_armed armed;
	struct gdb_reverse reverse;
};

/* --- stub.c --- */
/* Memory as gdb sees it now. */
struct machine_view gdb_view(const struct gdb_stub *stub);
void gdb_reply(struct gdb_stub *stub, const char *text);
void gdb_reply_error(struct gdb_stub *stub, int code);
/* gdb has gone, or lets the guest go: it runs on as if there had been no debugger. */
void gdb_leave(struct gdb_stub *stub);

/* --- running.c --- */
/* config.debug. */
void gdb_stopped(void *opaque, unsigned int vcpu, const struct kvm_debug_exit_arch *exit);
/* Stops the machine for gdb, which asked for it or has just come. */
void gdb_interrupt(struct gdb_stub *stub, unsigned int signal);
/* Goes on; @step: that vCPU executes one instruction only, while others have their turns. */
void gdb_resume(struct gdb_stub *stub, unsigned int step);
/* Puts in force what is to be, and ends our pauses. */
void gdb_run(struct gdb_stub *stub, enum gdb_armed armed);
/* config.debug_lift. */
void gdb_lift(void *opaque, bool lift);
/* Breakpoints that have found memory, while it runs. */
void gdb_refresh(struct gdb_stub *stub);
/* Tells gdb of the next stop, if there is one and it waits. */
void gdb_tell(struct gdb_stub *stub);
void gdb_reply_stop(struct gdb_stub *stub);
/* Nothing of ours is left in the guest, and it runs. */
void gdb_let_go(struct gdb_stub *stub);

/* --- reverse.c --- */
/* From here on the run can be taken back. */
void gdb_remember(struct gdb_stub *stub);
/* Registers or memory are to be written, which only the present takes, and begins anew with. False:
 * gdb has been told that this is the past. */
bool gdb_may_write(struct gdb_stub *stub);
/* bs: behind the instruction before the last of step_vcpu. bc: to the last breakpoint before. */
void gdb_reverse_step(struct gdb_stub *stub);
void gdb_reverse_continue(struct gdb_stub *stub);
/* The stop that was taken is one on a way back: False: gdb is to be told of stub->last; else the
 * next move was made. */
bool gdb_reverse_goes_on(struct gdb_stub *stub);

/* --- requests.c, queries.c, commands.c --- */
void gdb_request(struct gdb_stub *stub, const char *packet, size_t size);
/* False: an unknown one, which is answered with nothing. */
bool gdb_query(struct gdb_stub *stub, const char *packet);
/* `monitor TEXT`; what is to be printed, to be g_free()d. */
char *gdb_command(struct gdb_stub *stub, const char *text);

#endif
