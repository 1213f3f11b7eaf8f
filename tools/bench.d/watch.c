/* SPDX-License-Identifier: Apache-2.0 */
/* bench-watch END LIMIT COMMAND...: runs a command and writes down when each line of its output
 * came: wall seconds since its start, CPU seconds that it and its children had used by then, the
 * line. A line that has END in it is the last one of interest: the command may then finish, within
 * GRACE. The report closes with "exit WALL CPU STATUS"; STATUS is 128 + signal, 124 after LIMIT
 * seconds. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GRACE 5.0 /* seconds that a command has to end after its last line */

struct watch {
	const char *end;
	pid_t child;
	double start, limit; /* CLOCK_MONOTONIC */
	bool ended;
	char line[4096];
	size_t length;
};

static double seconds(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now))
		return 0;
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Of the process and of its children that still run. */
static double cpu_seconds(pid_t process)
{
	clockid_t clock;
	double sum = clock_getcpuclockid(process, &clock) ? 0 : seconds(clock);
	char path[64];
	FILE *list;
	int child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", process, process);
	list = fopen(path, "re");
	while (list && fscanf(list, "%d", &child) == 1)
		sum += cpu_seconds(child);
	if (list)
		fclose(list);
	return sum;
}

static pid_t start_command(char **command, int output)
{
	pid_t child = fork();
	int null;

	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	null = open("/dev/null", O_RDWR);
	dup2(null, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	execvp(command[0], command);
	fprintf(stderr, "bench-watch: %s: %s\n", command[0], strerror(errno));
	_exit(127);
}

static void end_line(struct watch *w)
{
	w->line[w->length] = 0;
	printf("%.6f %.6f %s\n", seconds(CLOCK_MONOTONIC) - w->start, cpu_seconds(w->child),
	       w->line);
	if (!w->ended && strstr(w->line, w->end)) {
		w->ended = true;
		w->limit = seconds(CLOCK_MONOTONIC) + GRACE;
	}
	w->length = 0;
}

static void take(struct watch *w, const char *bytes, ssize_t count)
{
	for (ssize_t i = 0; i < count; i++) {
		if (bytes[i] == '\n')
			end_line(w);
		else if (bytes[i] != '\r' && bytes[i] && w->length < sizeof(w->line) - 1)
			w->line[w->length++] = bytes[i];
	}
}

/* Reads until the command closes its output or time is up; true if it was up. */
static bool follow(struct watch *w, int output)
{
	struct pollfd ready = {.fd = output, .events = POLLIN};
	char bytes[4096];
	ssize_t count;

	for (;;) {
		double left = w->limit - seconds(CLOCK_MONOTONIC);

		if (left <= 0)
			return true;
		if (poll(&ready, 1, (int)(left * 1000) + 1) <= 0)
			continue;
		count = read(output, bytes, sizeof(bytes));
		if (count <= 0)
			return false;
		take(w, bytes, count);
	}
}

int main(int argc, char **argv)
{
	struct watch w = {0};
	struct rusage used;
	int output[2], status;
	bool late;

	if (argc < 4 || pipe2(output, O_CLOEXEC)) {
		fputs("usage: bench-watch END LIMIT COMMAND...\n", stderr);
		return 2;
	}
	w.end = argv[1];
	w.start = seconds(CLOCK_MONOTONIC);
	w.limit = w.start + atof(argv[2]);
	w.child = start_command(argv + 3, output[1]);
	if (w.child < 0) {
		perror("bench-watch");
		return 1;
	}
	close(output[1]);
	late = follow(&w, output[0]);
	if (late)
		kill(w.child, SIGKILL);
	wait4(w.child, &status, 0, &used);
	printf("exit %.6f %.6f %d\n", seconds(CLOCK_MONOTONIC) - w.start,
	       (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
		       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6,
	       late && !w.ended      ? 124
	       : WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				     : WEXITSTATUS(status));
	return 0;
}
