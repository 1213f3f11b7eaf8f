/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console: one line to a person, shared by the guest's ports. What the guest prints on any
 * of them comes out in order; what is typed goes to the port that spoke last, which is the one
 * that whoever types is answering.
 */
#ifndef LOCKSTEP_MACHINE_CONSOLE_H
#define LOCKSTEP_MACHINE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/error.h>

struct machine;

enum console_port { CONSOLE_COM1, CONSOLE_VIRTIO, CONSOLE_PORTS };

int machine_console_create(struct machine *machine, struct ls_error *err);
void machine_console_destroy(struct machine *machine);

/* @take: input is waiting for @port, which is to fetch what it has room for. */
void console_connect(struct machine *machine, enum console_port port, void (*take)(void *opaque),
		     void *opaque);
/* Between turns: hands gathered output on, and waiting input over. Under the machine lock. */
void console_exchange(struct machine *machine);
void console_flush(struct machine *machine);

/* --- for the ports, under the machine lock --- */

void console_print(struct machine *machine, enum console_port port, const void *bytes, size_t n);
/* Bytes that the guest may have and has not taken yet; and more of them. Between two turns. */
uint64_t console_unread(struct machine *machine);
void console_put_unread(struct machine *machine, const uint8_t *bytes, size_t n);
void console_copy_unread(struct machine *machine, uint8_t *bytes);
void console_drop_unread(struct machine *machine);
/* Typed input, in order. */
bool console_has_input(struct machine *machine, enum console_port port);
bool console_next_input(struct machine *machine, enum console_port port, uint8_t *byte);

#endif
