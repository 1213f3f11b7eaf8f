/* SPDX-License-Identifier: Apache-2.0 */
/* What is done when the machine has left its run: it is saved, or goes on on another engine. */
#ifndef LOCKSTEP_MACHINE_LEAVE_H
#define LOCKSTEP_MACHINE_LEAVE_H

#include <lockstep/error.h>

#include <stdbool.h>

struct machine;

/* The engine, which is open, has the trigger, and it and the one to go on on can give a guest away
 * and take it over: a guest that is on its way is not to end for it. */
int leave_check(struct machine *machine, struct ls_error *err);
/* After the scheduler has returned: true if the machine is to run on. A failure ends the run. */
bool leave_carry_out(struct machine *machine);
/* The run is over: what it was stopped for. */
void leave_finish(struct machine *machine);

/* --- switch.c --- */
/* Moves the machine to the other of its two engines (config.leave.to and the one before). */
int machine_switch(struct machine *machine, struct ls_error *err);

/* --- verifier.c --- */
/* Reads what the machine's memory was loaded from while the machine runs; ends the run if it is
 * damaged. */
int verifier_start(struct machine *machine, struct ls_error *err);
/* Waits for it, unless the run was interrupted; what it found goes before any other end. */
void verifier_finish(struct machine *machine);

#endif
