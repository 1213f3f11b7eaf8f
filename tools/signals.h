/* SPDX-License-Identifier: Apache-2.0 */
/* Signals while a guest runs: the first one stops the guest, a second one ends the process;
 * the terminal is put back before a crash, a stop or an end. */
#ifndef LOCKSTEP_TOOLS_SIGNALS_H
#define LOCKSTEP_TOOLS_SIGNALS_H

#include <stdbool.h>

struct machine;

/* One machine at a time: signals are the process's. */
void signals_install(struct machine *machine);
/* Back to what was before signals_install. */
void signals_remove(void);

/* The signal that stopped the guest, 0 if none did. */
int signals_taken(void);
/* While held, SIGINT only interrupts a blocking read (the monitor's prompt). */
void signals_hold(bool hold);
/* True once after the process was continued (SIGCONT): the terminal has to be set again. */
bool signals_continued(void);

#endif
