/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/lab/wire.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int send_all(int fd, const uint8_t *bytes, size_t length)
{
	while (length) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes += n;
			length -= (size_t)n;
		}
	}
	return 0;
}

static int receive_all(int fd, void *to, size_t length)
{
	uint8_t *bytes = to;

	while (length) {
		ssize_t n = read(fd, bytes, length);

		if (n == 0)
			return -EPIPE;
		if (n < 0)
			return -errno;
		bytes += n;
		length -= (size_t)n;
	}
	return 0;
}

int lab_send(int fd, enum lab_packet_kind kind, const void *bytes, size_t length)
{
	struct lab_packet packet = {.kind = kind};
	int rc = 0;

	do {
		size_t piece = length < LAB_PACKET_ROOM ? length : LAB_PACKET_ROOM;

		packet.length = (uint32_t)piece;
		memcpy(packet.bytes, bytes, piece);
		rc = send_all(fd, (const uint8_t *)&packet, LAB_PACKET_HEAD + piece);
		bytes = (const uint8_t *)bytes + piece;
		length -= piece;
	} while (length && !rc);
	return rc;
}

int lab_receive(int fd, struct lab_packet *packet)
{
	int rc = receive_all(fd, packet, LAB_PACKET_HEAD);

	if (rc)
		return rc;
	if (packet->length > LAB_PACKET_ROOM)
		return -EPROTO;
	return receive_all(fd, packet->bytes, packet->length);
}
