/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions as signals. Knows nothing of native.h: <ucontext.h> and sim/cpu/cpu.h both have
 * an enumeration REG_RAX… */
#ifndef LOCKSTEP_TESTS_HOST_SIGNAL_H
#define LOCKSTEP_TESTS_HOST_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

#define CAUGHT_XSAVE 832

struct caught {
	uint64_t gpr[16], rflags, rip;
	uint32_t vector, error;
	uint8_t xsave[CAUGHT_XSAVE];
};

/* The child dies with its parent, and takes SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGTRAP on a stack
 * of their own. */
void native_catch(void);
/* Calls @function. True if it returned; false if a signal ended it: @caught has its registers. */
bool native_try(void (*function)(void), struct caught *caught);
/* Waits for the end of a child (<sys/wait.h> brings <ucontext.h>). */
void native_reap(int child);

#endif
