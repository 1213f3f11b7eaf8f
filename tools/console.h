/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's serial port on standard input and output, or its output in a file. On a terminal
 * Ctrl-A is the escape key: X leaves, C opens the monitor, Ctrl-A sends itself, H helps. From a
 * pipe or a file every byte goes to the guest as it is.
 */
#ifndef LOCKSTEP_TOOLS_CONSOLE_H
#define LOCKSTEP_TOOLS_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/error.h>

struct console;
struct machine;

struct console_config {
	bool input;              /* standard input belongs to the guest */
	bool signal_keys;        /* Ctrl-C on the terminal stops the run; else the guest gets it */
	bool escapes;            /* the Ctrl-A keys, on a terminal */
	const char *output_path; /* where output goes; NULL: standard output */
	int channel;             /* where that of hvc0 goes; 0: with the others */
};

struct console *console_create(const struct console_config *config);
void console_destroy(struct console *console);

/* For machine_config's console_output, with the console as @opaque. */
void console_output(void *console, const uint8_t *bytes, size_t n);
void console_channel_output(void *console, const uint8_t *bytes, size_t n);

/* Opens the output file, takes the terminal, and joins the machine's polling. Between
 * machine_create, so that a machine that cannot be built leaves the file alone, and machine_run.
 * 0, or -errno with *err. */
int console_attach(struct console *console, struct machine *machine, struct ls_error *err);
/* Writes what is left and gives the terminal back. After machine_run. */
void console_detach(struct console *console);

/* The person asked to leave, at the escape key or in the monitor. */
bool console_left(const struct console *console);
/* errno of the output's failure, 0 if there was none. */
int console_output_error(const struct console *console);

#endif
