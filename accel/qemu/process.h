/* SPDX-License-Identifier: Apache-2.0 */
/* A QEMU that waits for orders, on one line: its gdb stub, with its monitor behind. */
#ifndef LOCKSTEP_ACCEL_QEMU_PROCESS_H
#define LOCKSTEP_ACCEL_QEMU_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/error.h>

#define QEMU_PROGRAM "qemu-system-x86_64"
#define GDB_ROOM     4096 /* longest packet (QEMU's PacketSize) */
#define MONITOR_ROOM 16384

struct qemu_line {
	int fd;
	size_t at, filled; /* what was received and not yet taken */
	char buffer[4096];
};

struct qemu_process {
	int pid; /* 0: not started */
	struct qemu_line gdb;
	bool owes; /* an acknowledgement, which goes along with the next packet */
};

/* Whether there is such a program. */
int qemu_process_check(struct ls_error *err);
/* Starts it halted before the first instruction, with the RAM of the file @memory (a descriptor) of
 * @size bytes. */
int qemu_process_start(struct qemu_process *process, int memory, uint64_t size,
		       struct ls_error *err);
void qemu_process_stop(struct qemu_process *process);

/* Sends a packet of the remote protocol and waits for the answer, both as text. 0, or -errno:
 * -EPIPE if QEMU is gone. */
int qemu_gdb(struct qemu_process *process, const char *request, char answer[GDB_ROOM]);
/* A command of the human monitor; @text is what it prints. */
int qemu_monitor(struct qemu_process *process, const char *command, char text[MONITOR_ROOM]);
/* Runs on, interrupts taken, up to linear address @linear. */
int qemu_run_to(struct qemu_process *process, uint64_t linear);
/* Any thread: ends a qemu_gdb() whose answer is the end of a step. */
void qemu_process_interrupt(const struct qemu_process *process);

#endif
