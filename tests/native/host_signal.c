/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/native/host_signal.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <ucontext.h>

#define SIGNAL_STACK (64u << 10)

/* A signal handler has no other way to its data. */
static struct caught *target;
static sigjmp_buf after_signal;
static uint8_t signal_stack[SIGNAL_STACK] __attribute__((aligned(64)));

static void take(int number, siginfo_t *info, void *opaque)
{
	static const int by_number[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
					  REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
					  REG_R12, REG_R13, REG_R14, REG_R15};
	const ucontext_t *context = opaque;
	const greg_t *regs = context->uc_mcontext.gregs;

	(void)number;
	(void)info;
	for (unsigned int n = 0; n < 16; n++)
		target->gpr[n] = (uint64_t)regs[by_number[n]];
	target->rflags = (uint64_t)regs[REG_EFL];
	target->rip = (uint64_t)regs[REG_RIP];
	target->vector = (uint32_t)regs[REG_TRAPNO];
	target->error = (uint32_t)regs[REG_ERR];
	memcpy(target->xsave, context->uc_mcontext.fpregs, CAUGHT_XSAVE);
	siglongjmp(after_signal, 1);
}

void native_catch(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
	const stack_t stack = {.ss_sp = signal_stack, .ss_size = sizeof(signal_stack)};
	struct sigaction action = {.sa_sigaction = take,
				   .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaltstack(&stack, NULL);
	for (unsigned int n = 0; n < sizeof(signals) / sizeof(signals[0]); n++)
		sigaction(signals[n], &action, NULL);
}

bool native_try(void (*function)(void), struct caught *caught)
{
	target = caught;
	if (sigsetjmp(after_signal, 0))
		return false;
	function();
	return true;
}

void native_reap(int child)
{
	waitpid(child, NULL, 0);
}
