/* SPDX-License-Identifier: Apache-2.0 */
/* The child's registers, and what stops it. */
#include "accel/native/child.h"

#include <elf.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <ucontext.h>

#define SYSTEM_CALL_STOP (SIGTRAP | 0x80) /* PTRACE_O_TRACESYSGOOD */

int native_child_get(const struct native_child *child, struct user_regs_struct *regs, void *xstate)
{
	struct iovec area = {xstate, child->xstate_size};

	if (ptrace(PTRACE_GETREGS, child->pid, NULL, regs) ||
	    ptrace(PTRACE_GETREGSET, child->pid, NT_X86_XSTATE, &area))
		return -errno;
	return 0;
}

int native_child_set(const struct native_child *child, const struct user_regs_struct *regs,
		     const void *xstate)
{
	struct iovec area = {(void *)xstate, child->xstate_size};

	if (ptrace(PTRACE_SETREGS, child->pid, NULL, regs) ||
	    (xstate && ptrace(PTRACE_SETREGSET, child->pid, NT_X86_XSTATE, &area)))
		return -EIO;
	return 0;
}

/* The signal's number; SYSTEM_CALL_STOP; 0: the child is gone. */
static int wait_for_stop(const struct native_child *child)
{
	int status;

	while (waitpid(child->pid, &status, __WALL) < 0)
		if (errno != EINTR)
			return 0;
	return WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
}

static uint64_t frame_word(const struct native_child *child, uint64_t context, int reg)
{
	uint64_t at = context + offsetof(ucontext_t, uc_mcontext.gregs) +
		      sizeof(greg_t) * (unsigned int)reg;

	return (uint64_t)ptrace(PTRACE_PEEKDATA, child->pid, (void *)at, NULL);
}

/* Has the kernel deliver the signal: at the handler's first instruction RDX points to the frame. */
static void read_frame(const struct native_child *child, int signal, struct native_stop *stop)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_SINGLESTEP, child->pid, NULL, (long)signal) || !wait_for_stop(child) ||
	    ptrace(PTRACE_GETREGS, child->pid, NULL, &regs)) {
		stop->kind = NATIVE_GONE;
		return;
	}
	stop->kind = NATIVE_EXCEPTION;
	stop->vector = (unsigned int)frame_word(child, regs.rdx, REG_TRAPNO);
	stop->error = frame_word(child, regs.rdx, REG_ERR);
	stop->cr2 = frame_word(child, regs.rdx, REG_CR2);
}

/* TRAP_TRACE: DR6.BS was set (SDM 3B:18.2.3). INT1 and INT3 raise the same signal otherwise. */
static bool is_step(const struct native_child *child, int signal)
{
	siginfo_t info = {0};

	return signal == SIGTRAP && !ptrace(PTRACE_GETSIGINFO, child->pid, NULL, &info) &&
	       info.si_code == TRAP_TRACE;
}

void native_child_resume(const struct native_child *child, bool step, struct native_stop *stop,
			 struct user_regs_struct *regs, void *xstate)
{
	int signal;

	*stop = (struct native_stop){.kind = NATIVE_GONE};
	if (ptrace(step ? PTRACE_SYSEMU_SINGLESTEP : PTRACE_SYSEMU, child->pid, NULL, NULL))
		return;
	signal = wait_for_stop(child);
	if (!signal || native_child_get(child, regs, xstate))
		return;
	if (signal == SYSTEM_CALL_STOP)
		stop->kind = NATIVE_SYSTEM_CALL;
	else if (signal == SIGSTOP)
		stop->kind = NATIVE_INTERRUPTED;
	else if (is_step(child, signal))
		stop->kind = NATIVE_STEPPED;
	else
		read_frame(child, signal, stop);
}

void native_child_interrupt(const struct native_child *child)
{
	kill(child->pid, SIGSTOP);
}
