/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets of gdb's remote serial protocol (GDB manual, appendix E): "$data#checksum", acknowledged
 * by '+' unless both sides have agreed not to. The link keeps what has come and is not whole yet.
 */
#ifndef LOCKSTEP_TOOLS_GDB_PACKET_H
#define LOCKSTEP_TOOLS_GDB_PACKET_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GDB_PACKET_MAX 16384u /* PacketSize, which the stub announces */

struct gdb_link {
	int fd; /* -1: nobody is at the other end */
	bool no_ack;
	size_t used;
	char received[2 * GDB_PACKET_MAX];
};

enum gdb_received {
	GDB_NOTHING,   /* no whole packet yet */
	GDB_PACKET,    /* one, unescaped */
	GDB_INTERRUPT, /* Ctrl-C */
	GDB_GONE,      /* the other end has closed */
};

/* Takes what the socket has, without waiting. */
enum gdb_received gdb_link_fill(struct gdb_link *link);
/* The next thing that has come. A packet's @data ends with a NUL that @size does not count. */
enum gdb_received gdb_link_next(struct gdb_link *link, char data[GDB_PACKET_MAX + 1], size_t *size);
/* Sends @size bytes as a packet. False: the other end is gone. */
bool gdb_link_send(struct gdb_link *link, const char *data, size_t size);

/* --- what packets are made of --- */

/* Appends bytes as pairs of hexadecimal digits. */
void gdb_put_hex(GString *to, const void *bytes, size_t size);
/* Reads @size of them; false: there are fewer digits. */
bool gdb_take_hex(const char **from, void *bytes, size_t size);
/* A number in hexadecimal, "-1" included; false: there is none. */
bool gdb_take_number(const char **from, uint64_t *number);
/* Goes behind @c, if it is next. */
bool gdb_take_char(const char **from, char c);

#endif
