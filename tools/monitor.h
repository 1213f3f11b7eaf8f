/* SPDX-License-Identifier: Apache-2.0 */
/* The prompt behind Ctrl-A C. */
#ifndef LOCKSTEP_TOOLS_MONITOR_H
#define LOCKSTEP_TOOLS_MONITOR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "machine/view.h"

struct machine;
struct ls_engine;

/* What the prompt's commands work on. */
struct monitor {
	struct machine *machine;
	struct ls_engine *engine;
	struct machine_view view; /* the vCPU that is looked at, and at which level */
	int vcpu;                 /* its handle */
	FILE *to;                 /* stderr: stdout belongs to the guest's serial port */
};

/* One command; what it says goes to monitor->to. For another prompt than monitor_run's. */
void monitor_command(struct monitor *monitor, const char *line);
/* Talks with the person on standard input while the machine is paused. True: leave. */
bool monitor_run(struct machine *machine);

/* --- for the commands, in monitor_memory.c and monitor_disas.c --- */

/* Prints one line of complaint and returns false, so that a command can return it. */
bool monitor_fail(struct monitor *monitor, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* An address: 0x1000, 4096, rip, $rsp, a symbol, each with +offset or -offset. */
bool monitor_address(struct monitor *monitor, const char *text, uint64_t *address);
/* Reads guest memory through the vCPU's own paging, or physical memory. How many of @n bytes
 * could be read: it stops at a page that is not there. */
size_t monitor_read(struct monitor *monitor, uint64_t address, bool physical, void *to, size_t n);
/* "name+0x12" of @address, empty if it has no symbol. */
const char *monitor_symbol(struct monitor *monitor, uint64_t address, char *text, size_t room);

void monitor_examine(struct monitor *monitor, char **words, bool physical);
void monitor_disassemble(struct monitor *monitor, char **words);

#endif
