/* SPDX-License-Identifier: Apache-2.0 */
#include "accel/qemu/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- lines --- */

static int send_all(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t n = send(fd, text, length, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -EPIPE;
		if (n > 0) {
			text += n;
			length -= (size_t)n;
		}
	}
	return 0;
}

static int receive_byte(struct qemu_line *line, char *byte)
{
	ssize_t n;

	while (line->at == line->filled) {
		n = read(line->fd, line->buffer, sizeof(line->buffer));
		if (n == 0 || (n < 0 && errno != EINTR))
			return -EPIPE;
		line->at = 0;
		line->filled = n > 0 ? (size_t)n : 0;
	}
	*byte = line->buffer[line->at++];
	return 0;
}

/* GDB manual, E.1: $text#checksum, and + for what has come. */
int qemu_gdb(struct qemu_process *process, const char *request, char answer[GDB_ROOM])
{
	char packet[GDB_ROOM + 8], byte = 0, check[2];
	unsigned char sum = 0;
	size_t used = 0;
	int n, rc;

	for (const char *at = request; *at; at++)
		sum = (unsigned char)(sum + *at);
	n = snprintf(packet, sizeof(packet), "$%s#%02x", request, sum);
	if (n < 0 || (size_t)n >= sizeof(packet))
		return -EMSGSIZE;
	rc = send_all(process->gdb.fd, packet, (size_t)n);
	while (!rc && byte != '$')
		rc = receive_byte(&process->gdb, &byte);
	while (!rc && !(rc = receive_byte(&process->gdb, &byte)) && byte != '#') {
		if (used + 1 == GDB_ROOM)
			return -EMSGSIZE;
		answer[used++] = byte;
	}
	answer[used] = 0;
	for (int i = 0; i < 2 && !rc; i++)
		rc = receive_byte(&process->gdb, &check[i]);
	return rc ? rc : send_all(process->gdb.fd, "+", 1);
}

static int receive_line(struct qemu_line *from, char *line, size_t room)
{
	size_t used = 0;
	int rc;

	while (!(rc = receive_byte(from, &line[used])) && line[used] != '\n') {
		if (used + 2 < room)
			used++;
	}
	line[used] = 0;
	return rc;
}

/* Events may come between a command and its answer. */
static int monitor_answer(struct qemu_process *process, char *line, size_t room)
{
	int rc;

	do
		rc = receive_line(&process->monitor, line, room);
	while (!rc && strncmp(line, "{\"return\"", 9) && strncmp(line, "{\"error\"", 8));
	return rc;
}

/* A JSON string's escapes, as far as the monitor's texts have them. */
static void unescape(char *to, const char *from)
{
	for (; *from && *from != '"'; from++) {
		if (*from != '\\') {
			*to++ = *from;
			continue;
		}
		from++;
		if (*from == 'n')
			*to++ = '\n';
		else if (*from != 'r')
			*to++ = *from;
	}
	*to = 0;
}

int qemu_monitor(struct qemu_process *process, const char *command, char text[MONITOR_ROOM])
{
	char request[256], line[MONITOR_ROOM];
	int n = snprintf(request, sizeof(request),
			 "{\"execute\": \"human-monitor-command\", \"arguments\": "
			 "{\"command-line\": \"%s\"}}\n",
			 command);
	int rc = send_all(process->monitor.fd, request, (size_t)n);

	if (!rc)
		rc = monitor_answer(process, line, sizeof(line));
	if (rc)
		return rc;
	if (strncmp(line, "{\"return\": \"", 12))
		return -EIO;
	unescape(text, line + 12);
	return 0;
}

static int monitor_greet(struct qemu_process *process)
{
	static const char hello[] = "{\"execute\": \"qmp_capabilities\"}\n";
	char line[MONITOR_ROOM];
	int rc = receive_line(&process->monitor, line, sizeof(line));

	if (!rc)
		rc = send_all(process->monitor.fd, hello, sizeof(hello) - 1);
	return rc ? rc : monitor_answer(process, line, sizeof(line));
}

/* The stub lets single registers be written by those who have asked for their names. */
static int gdb_greet(struct qemu_process *process)
{
	char answer[GDB_ROOM];

	return qemu_gdb(process, "qXfer:features:read:target.xml:0,ff0", answer);
}

/* --- the process --- */

int qemu_process_check(struct ls_error *err)
{
	const char *path = getenv("PATH"), *end;

	for (; path && *path; path = *end ? end + 1 : end) {
		char name[4096];

		end = strchrnul(path, ':');
		snprintf(name, sizeof(name), "%.*s/%s", (int)(end - path), path, QEMU_PROGRAM);
		if (!access(name, X_OK))
			return 0;
	}
	return ls_error_set(err, -ENOENT,
			    "there is no %s, which engine qemu needs; install Debian's "
			    "qemu-system-x86",
			    QEMU_PROGRAM);
}

/* The child's numbers of what it inherits. */
enum { FD_GDB = 3, FD_MONITOR, FD_MEMORY, FD_END };

static _Noreturn void child(const int fds[FD_END - FD_GDB], uint64_t size)
{
	char backend[128], megabytes[32];
	int high[FD_END - FD_GDB];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < FD_END - FD_GDB; i++)
		high[i] = fcntl(fds[i], F_DUPFD, FD_END);
	for (int i = 0; i < FD_END - FD_GDB; i++)
		dup2(high[i], FD_GDB + i);
	dup2(open("/dev/null", O_RDWR), STDERR_FILENO);
	snprintf(backend, sizeof(backend),
		 "memory-backend-file,id=ram,share=on,mem-path=/proc/self/fd/%d,size=%llu",
		 FD_MEMORY, (unsigned long long)size);
	snprintf(megabytes, sizeof(megabytes), "%lluM", (unsigned long long)(size >> 20));
	execlp(QEMU_PROGRAM, QEMU_PROGRAM, "-accel", "tcg", "-cpu", "max", "-machine",
	       "pc,memory-backend=ram", "-object", backend, "-m", megabytes, "-nodefaults",
	       "-no-user-config", "-display", "none", "-no-reboot", "-S", "-chardev",
	       "socket,id=gdb,fd=3", "-gdb", "chardev:gdb", "-chardev", "socket,id=monitor,fd=4",
	       "-mon", "chardev=monitor,mode=control", (char *)NULL);
	_exit(127);
}

int qemu_process_start(struct qemu_process *process, int memory, uint64_t size,
		       struct ls_error *err)
{
	int gdb[2], monitor[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gdb))
		return ls_error_set(err, -errno, "socketpair: %s", strerror(errno));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, monitor)) {
		close(gdb[0]);
		close(gdb[1]);
		return ls_error_set(err, -errno, "socketpair: %s", strerror(errno));
	}
	process->pid = fork();
	if (!process->pid)
		child((const int[]){gdb[1], monitor[1], memory}, size);
	close(gdb[1]);
	close(monitor[1]);
	process->gdb = (struct qemu_line){.fd = gdb[0]};
	process->monitor = (struct qemu_line){.fd = monitor[0]};
	if (process->pid > 0 && !monitor_greet(process) && !gdb_greet(process))
		return 0;
	qemu_process_stop(process);
	return ls_error_set(err, -ENOENT,
			    "%s does not start, or not with guest memory of whole MiB",
			    QEMU_PROGRAM);
}

void qemu_process_stop(struct qemu_process *process)
{
	if (process->pid > 0) {
		kill(process->pid, SIGKILL);
		waitpid(process->pid, NULL, 0);
		close(process->gdb.fd);
		close(process->monitor.fd);
	}
	process->pid = 0;
}
