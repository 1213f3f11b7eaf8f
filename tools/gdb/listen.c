/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/gdb/listen.h"

#include <errno.h>
#include <glib.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int failed(const char *where, int code, const char *text, struct ls_error *err)
{
	return ls_error_set(err, -code, "--gdb %s: %s; say PORT, HOST:PORT or a socket's path",
			    where, text);
}

static int bind_and_listen(int fd, const struct sockaddr *address, socklen_t size)
{
	int on = 1, code;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!bind(fd, address, size) && !listen(fd, 1))
		return fd;
	code = errno;
	close(fd);
	return -code;
}

static int listen_path(const char *where, struct ls_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(where) >= sizeof(address.sun_path))
		return failed(where, ENAMETOOLONG, "the path is too long", err);
	strcpy(address.sun_path, where);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		fd = bind_and_listen(fd, (const struct sockaddr *)&address, sizeof(address));
	return fd < 0 ? failed(where, -fd, strerror(-fd), err) : fd;
}

static int listen_port(const char *where, struct ls_error *err)
{
	const char *colon = strrchr(where, ':'), *port = colon ? colon + 1 : where;
	g_autofree char *host = colon ? g_strndup(where, (gsize)(colon - where)) : NULL;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found;
	int fd, code;

	code = getaddrinfo(host && *host ? host : "127.0.0.1", port, &hints, &found);
	if (code)
		return failed(where, EINVAL, gai_strerror(code), err);
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		fd = bind_and_listen(fd, found->ai_addr, found->ai_addrlen);
	else
		fd = -errno;
	freeaddrinfo(found);
	return fd < 0 ? failed(where, -fd, strerror(-fd), err) : fd;
}

int gdb_listen(const char *where, struct ls_error *err)
{
	return strchr(where, '/') ? listen_path(where, err) : listen_port(where, err);
}

int gdb_accept(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), on = 1;

	/* Packets are short, and each waits for its answer. */
	if (fd >= 0)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}
