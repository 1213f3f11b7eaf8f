/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/gdb/packet.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define INTERRUPT '\x03'
#define ESCAPE    '}'
#define ESCAPED   0x20 /* what an escaped byte is xored with */

/* --- the line --- */

enum gdb_received gdb_link_fill(struct gdb_link *link)
{
	size_t room = sizeof(link->received) - link->used;
	ssize_t n = recv(link->fd, link->received + link->used, room, MSG_DONTWAIT);

	if (n > 0)
		link->used += (size_t)n;
	if (n > 0 || !room || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return GDB_NOTHING;
	return GDB_GONE;
}

static bool send_all(struct gdb_link *link, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = send(link->fd, bytes, size, MSG_NOSIGNAL);
		struct pollfd fd = {.fd = link->fd, .events = POLLOUT};

		if (n < 0 && errno == EAGAIN)
			poll(&fd, 1, -1);
		else if (n < 0 && errno != EINTR)
			return false;
		if (n <= 0)
			continue;
		bytes += n;
		size -= (size_t)n;
	}
	return true;
}

static uint8_t checksum(const char *bytes, size_t size)
{
	uint8_t sum = 0;

	while (size--)
		sum = (uint8_t)(sum + (uint8_t)*bytes++);
	return sum;
}

static void forget(struct gdb_link *link, size_t n)
{
	link->used -= n;
	memmove(link->received, link->received + n, link->used);
}

static size_t unescape(char *to, const char *from, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < size; i++) {
		bool escaped = from[i] == ESCAPE && i + 1 < size;

		to[used++] = escaped ? (char)(from[++i] ^ ESCAPED) : from[i];
	}
	to[used] = '\0';
	return used;
}

/* "$data#xx" at the start of what was received. */
static enum gdb_received next_packet(struct gdb_link *link, char *data, size_t *size)
{
	const char *end = memchr(link->received, '#', link->used);
	size_t length = end ? (size_t)(end - link->received) - 1 : 0;
	const char *digits = end + 1;
	uint8_t sum;
	bool good;

	if (!end && link->used == sizeof(link->received))
		link->used = 0; /* longer than we have said that we take */
	if (!end || length + 4 > link->used)
		return GDB_NOTHING;
	good = gdb_take_hex(&digits, &sum, 1) && length <= GDB_PACKET_MAX &&
	       (link->no_ack || sum == checksum(link->received + 1, length));
	if (good)
		*size = unescape(data, link->received + 1, length);
	if (!link->no_ack && !send_all(link, good ? "+" : "-", 1))
		return GDB_GONE;
	forget(link, length + 4);
	return good ? GDB_PACKET : GDB_NOTHING;
}

enum gdb_received gdb_link_next(struct gdb_link *link, char data[GDB_PACKET_MAX + 1], size_t *size)
{
	while (link->used) {
		if (*link->received == '$')
			return next_packet(link, data, size);
		if (*link->received == INTERRUPT) {
			forget(link, 1);
			return GDB_INTERRUPT;
		}
		/* Acknowledgements: the line loses nothing, so nothing is sent again. */
		forget(link, 1);
	}
	return GDB_NOTHING;
}

bool gdb_link_send(struct gdb_link *link, const char *data, size_t size)
{
	g_autoptr(GString) packet = g_string_new("$");

	for (size_t i = 0; i < size; i++) {
		if (strchr("$#}*", data[i]) && data[i]) {
			g_string_append_c(packet, ESCAPE);
			g_string_append_c(packet, (char)(data[i] ^ ESCAPED));
		} else {
			g_string_append_c(packet, data[i]);
		}
	}
	g_string_append_printf(packet, "#%02x", checksum(packet->str + 1, packet->len - 1));
	return send_all(link, packet->str, packet->len);
}

/* --- what packets are made of --- */

void gdb_put_hex(GString *to, const void *bytes, size_t size)
{
	const uint8_t *from = bytes;

	while (size--)
		g_string_append_printf(to, "%02x", *from++);
}

bool gdb_take_hex(const char **from, void *bytes, size_t size)
{
	uint8_t *to = bytes;

	for (; size--; *from += 2) {
		if (!g_ascii_isxdigit((*from)[0]) || !g_ascii_isxdigit((*from)[1]))
			return false;
		*to++ = (uint8_t)(g_ascii_xdigit_value((*from)[0]) << 4 |
				  g_ascii_xdigit_value((*from)[1]));
	}
	return true;
}

bool gdb_take_number(const char **from, uint64_t *number)
{
	bool negative = gdb_take_char(from, '-');
	const char *start = *from;

	for (*number = 0; g_ascii_isxdigit(**from); ++*from)
		*number = *number << 4 | (uint64_t)g_ascii_xdigit_value(**from);
	if (negative)
		*number = -*number;
	return *from != start;
}

bool gdb_take_char(const char **from, char c)
{
	if (**from != c)
		return false;
	++*from;
	return true;
}
