/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOCKSTEP_MACHINE_CONSOLE_H
#define LOCKSTEP_MACHINE_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/error.h>

struct machine;

/* The console without its file: nothing is written before the run. */
int machine_console_create(struct machine *machine, struct ls_error *err);
/* Opens the config's serial file, if it has one: last, so that a machine that cannot be built
 * leaves an existing file as it was. */
int machine_console_open(struct machine *machine, struct ls_error *err);
/* After a run: everything is written, or *err says why not. */
int machine_console_finish(struct machine *machine, struct ls_error *err);
void machine_console_destroy(struct machine *machine);

/* Output is gathered and handed on between turns. */
void console_flush(struct machine *machine);

/* Typed input, in order. Under the machine lock. */
bool console_has_input(struct machine *machine);
bool console_next_input(struct machine *machine, uint8_t *byte);

#endif
