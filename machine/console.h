/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOCKSTEP_MACHINE_CONSOLE_H
#define LOCKSTEP_MACHINE_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/error.h>

struct machine;

/* Opens the serial backend of the config. */
int machine_console_create(struct machine *machine, struct ls_error *err);
void machine_console_destroy(struct machine *machine);

/* Output is gathered and handed on between turns. */
void console_flush(struct machine *machine);

/* Typed input, in order. Under the machine lock. */
bool console_has_input(struct machine *machine);
bool console_next_input(struct machine *machine, uint8_t *byte);

#endif
