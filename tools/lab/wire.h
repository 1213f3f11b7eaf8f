/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes over the lab's virtio port, from the guest to the host: packets of a kind, a length and
 * as many bytes. A file is its name, any number of pieces, and its end.
 */
#ifndef LOCKSTEP_TOOLS_LAB_WIRE_H
#define LOCKSTEP_TOOLS_LAB_WIRE_H

#include <stddef.h>
#include <stdint.h>

/* The ports by name: a named one, or the virtio console of a machine that has just that. */
#define LAB_PORT_NAME    "lockstep.lab"
#define LAB_PORT_CONSOLE "hvc0"
#define LAB_PACKET_ROOM  0x8000 /* longest payload */

enum lab_packet_kind {
	LAB_READY = 1, /* the command is about to start */
	LAB_STDOUT,
	LAB_STDERR,
	LAB_FILE_NAME,
	LAB_FILE_BYTES,
	LAB_FILE_END,
	LAB_EXIT,    /* uint32_t: the command's status */
	LAB_TROUBLE, /* text: why the command could not be started */
};

struct lab_packet {
	uint32_t kind;
	uint32_t length;
	uint8_t bytes[LAB_PACKET_ROOM];
};

#define LAB_PACKET_HEAD offsetof(struct lab_packet, bytes)

/* Both wait. 0, or -errno; lab_receive: -EPIPE at the end, -EPROTO for nonsense. */
int lab_send(int fd, enum lab_packet_kind kind, const void *bytes, size_t length);
int lab_receive(int fd, struct lab_packet *packet);

#endif
