/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process in which nothing is mapped but what it is given and, far above it, a page of its own:
 * the code under test runs there, traced by the thread that started it. No system call of that code
 * is carried out: PTRACE_SYSEMU stops it before, and a seccomp filter would kill the process.
 */
#ifndef LOCKSTEP_ACCEL_NATIVE_CHILD_H
#define LOCKSTEP_ACCEL_NATIVE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/user.h>

#include <lockstep/error.h>

/* The child's own pages lie from here on; nothing else may. */
#define NATIVE_CHILD_BASE UINT64_C(0x600000000000)

/* Room for an XSAVE area in the standard format, as long as the host's processor makes it. */
#define NATIVE_XSTATE_ROOM 16384

struct native_child {
	int pid;                      /* 0: not started */
	int tracer;                   /* the thread that may ask it */
	struct user_regs_struct idle; /* registers in which it makes calls of ours */
	size_t xstate_size;
};

enum native_stop_kind {
	NATIVE_STEPPED,     /* one instruction, or in the guest's own TF one more */
	NATIVE_EXCEPTION,   /* @vector, with all that the processor told */
	NATIVE_SYSTEM_CALL, /* stopped before it was carried out; RCX and R11 may be lost */
	NATIVE_INTERRUPTED, /* native_child_interrupt */
	NATIVE_GONE,
};

struct native_stop {
	enum native_stop_kind kind;
	unsigned int vector;
	uint64_t error, cr2;
};

/* Memory of the file @fd that the child was started with. */
struct native_range {
	uint64_t linear, offset, size;
	bool write, execute;
};

/* Whether this host lets us: starts one and ends it. */
int native_child_check(struct ls_error *err);
int native_child_start(struct native_child *child, int memory_fd, const struct native_range *ranges,
		       unsigned int count, struct ls_error *err);
void native_child_stop(struct native_child *child);

int native_child_get(const struct native_child *child, struct user_regs_struct *regs, void *xstate);
/* @xstate: NULL, or xstate_size bytes in the standard format. -EIO if the kernel does not take the
 * registers. */
int native_child_set(const struct native_child *child, const struct user_regs_struct *regs,
		     const void *xstate);
/* Until something stops it; by @step at the latest after an instruction. After an exception its
 * registers are those of a signal handler's start: read them before, by @regs and @xstate. */
void native_child_resume(const struct native_child *child, bool step, struct native_stop *stop,
			 struct user_regs_struct *regs, void *xstate);
/* Any thread, and signal handlers, while it is resumed: ends that, or the next one. */
void native_child_interrupt(const struct native_child *child);

#endif
