/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal on standard input: raw while a guest has the keyboard, and back as it was on
 * every way out, also out of a signal handler.
 */
#ifndef LOCKSTEP_TOOLS_TERMINAL_H
#define LOCKSTEP_TOOLS_TERMINAL_H

#include <stdbool.h>

/* Standard input is a terminal and this process is in its foreground. */
bool terminal_present(void);

/* Every key reaches the guest at once and unechoed; with @signal_keys, Ctrl-C, Ctrl-\ and
 * Ctrl-Z stay signals. Returns 0 or -errno. */
int terminal_raw(bool signal_keys);
/* Back to what it was before the first terminal_raw. Idempotent, async-signal-safe. */
void terminal_restore(void);

#endif
