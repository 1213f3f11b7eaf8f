/* SPDX-License-Identifier: Apache-2.0 */
#include "accel/qemu/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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

static int receive_packet(struct qemu_process *process, char answer[GDB_ROOM])
{
	char byte = 0, check;
	size_t used = 0;
	int rc = 0;

	while (!rc && byte != '$')
		rc = receive_byte(&process->gdb, &byte);
	while (!rc && !(rc = receive_byte(&process->gdb, &byte)) && byte != '#') {
		if (used + 1 == GDB_ROOM)
			return -EMSGSIZE;
		answer[used++] = byte;
	}
	answer[used] = 0;
	for (int i = 0; i < 2 && !rc; i++)
		rc = receive_byte(&process->gdb, &check);
	process->owes = !rc;
	return rc;
}

/* GDB manual, E.1: $text#checksum, and + for what has come. */
int qemu_gdb(struct qemu_process *process, const char *request, char answer[GDB_ROOM])
{
	char packet[GDB_ROOM + 8];
	unsigned char sum = 0;
	int n, rc;

	for (const char *at = request; *at; at++)
		sum = (unsigned char)(sum + *at);
	n = snprintf(packet, sizeof(packet), "%s$%s#%02x", process->owes ? "+" : "", request, sum);
	if (n < 0 || (size_t)n >= sizeof(packet))
		return -EMSGSIZE;
	process->owes = false;
	rc = send_all(process->gdb.fd, packet, (size_t)n);
	return rc ? rc : receive_packet(process, answer);
}

void qemu_process_interrupt(const struct qemu_process *process)
{
	send_all(process->gdb.fd, "\3", 1);
}

/* The text of an answer "O...", in hexadecimal; lines end as a terminal has it. */
static size_t add_text(char *text, size_t used, const char *hex)
{
	unsigned int value;

	for (; sscanf(hex, "%2x", &value) == 1 && used + 1 < MONITOR_ROOM; hex += 2)
		if (value != '\r')
			text[used++] = (char)value;
	text[used] = 0;
	return used;
}

int qemu_monitor(struct qemu_process *process, const char *command, char text[MONITOR_ROOM])
{
	char request[256] = "qRcmd,", answer[GDB_ROOM];
	size_t used = 0;
	int rc;

	for (size_t i = 0, at = strlen(request); command[i] && at + 3 < sizeof(request); i++)
		at += (size_t)snprintf(request + at, sizeof(request) - at, "%02x",
				       (unsigned char)command[i]);
	text[0] = 0;
	rc = qemu_gdb(process, request, answer);
	while (!rc && answer[0] == 'O' && answer[1] != 'K') {
		used = add_text(text, used, answer + 1);
		rc = receive_packet(process, answer);
	}
	return rc || answer[0] == 'O' ? rc : -EIO;
}

int qemu_run_to(struct qemu_process *process, uint64_t linear)
{
	char request[64], answer[GDB_ROOM];
	int rc;

	snprintf(request, sizeof(request), "Z0,%llx,1", (unsigned long long)linear);
	rc = qemu_gdb(process, request, answer);
	if (!rc)
		rc = qemu_gdb(process, "c", answer);
	request[0] = 'z';
	return rc ? rc : qemu_gdb(process, request, answer);
}

/* The stub lets single registers be written by those who have asked for their names. A step is to
 * take interrupts and to let the clock go on, as KVM_RUN does (QEMU, "Advanced debugging options").
 */
static int gdb_greet(struct qemu_process *process)
{
	char answer[GDB_ROOM];
	int rc = qemu_gdb(process, "qXfer:features:read:target.xml:0,ff0", answer);

	return rc ? rc : qemu_gdb(process, "Qqemu.sstep=1", answer);
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
enum { FD_GDB = 3, FD_MEMORY, FD_END };

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
	       "socket,id=gdb,fd=3", "-gdb", "chardev:gdb", (char *)NULL);
	_exit(127);
}

int qemu_process_start(struct qemu_process *process, int memory, uint64_t size,
		       struct ls_error *err)
{
	int gdb[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gdb))
		return ls_error_set(err, -errno, "socketpair: %s", strerror(errno));
	process->pid = fork();
	if (!process->pid)
		child((const int[]){gdb[1], memory}, size);
	close(gdb[1]);
	process->gdb = (struct qemu_line){.fd = gdb[0]};
	process->owes = false;
	if (process->pid > 0 && !gdb_greet(process))
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
	}
	process->pid = 0;
}
