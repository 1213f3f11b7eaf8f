/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/lab/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "tools/lab/image.h"
#include "tools/lab/modules.h"
#include "tools/lab/wire.h"

#define PORTS         "/sys/class/virtio-ports"
#define PORT_TRIES    5000 /* milliseconds */
#define SIGNAL_STATUS 128

/* What LAB_COMMAND says. */
struct lab_command {
	const char *program;
	GPtrArray *folders, *environment, *arguments; /* of char *; the last two end with NULL */
};

/* The walk over files takes no argument: these are its. */
static int port = -1;
static struct timespec started;

static _Noreturn void end(void)
{
	/* The host has all it needs, and stops the machine. This is for a host that does not. */
	sleep(10);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

__attribute__((format(printf, 1, 2))) static _Noreturn void trouble(const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	fprintf(stderr, "lab: %s\n", text);
	if (port >= 0)
		lab_send(port, LAB_TROUBLE, text, strlen(text));
	end();
}

/* The driver of the other vendor's virtualization says no. */
static void load_module(const char *bytes, gsize length, const char *line)
{
	const char *name = lab_module_info(bytes, length, "name");
	g_autofree char *parameters = lab_module_parameters(line, name ? name : "");

	syscall(SYS_init_module, bytes, length, parameters);
}

static void load_modules(void)
{
	g_autofree char *line = NULL;
	unsigned int i;

	if (!g_file_get_contents("/proc/cmdline", &line, NULL, NULL))
		line = g_strdup("");
	for (i = 0;; i++) {
		g_autofree char *path = g_strdup_printf(LAB_MODULE, i);
		g_autofree char *bytes = NULL;
		gsize length;

		if (!g_file_get_contents(path, &bytes, &length, NULL))
			return;
		load_module(bytes, length, line);
	}
}

/* The port appears when the host has told its name. */
static int open_named_port(const char *wanted)
{
	g_autoptr(GDir) dir = g_dir_open(PORTS, 0, NULL);
	const char *entry;

	while (dir && (entry = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(PORTS, entry, "name", NULL);
		g_autofree char *node = g_build_filename("/dev", entry, NULL);
		g_autofree char *name = NULL;

		if (g_file_get_contents(file, &name, NULL, NULL) && g_str_has_prefix(name, wanted))
			return open(node, O_RDWR | O_CLOEXEC);
	}
	return -1;
}

/* A terminal, to Linux: it is to pass on every byte as it is. */
static int open_console_port(void)
{
	int fd = open("/dev/" LAB_PORT_CONSOLE, O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct termios settings;

	if (fd >= 0 && !tcgetattr(fd, &settings)) {
		cfmakeraw(&settings);
		tcsetattr(fd, TCSANOW, &settings);
	}
	return fd;
}

static void open_port(const char *name)
{
	bool console = !strcmp(name, LAB_PORT_CONSOLE);
	unsigned int i;

	for (i = 0; i < PORT_TRIES && port < 0; i++) {
		port = console ? open_console_port() : open_named_port(name);
		if (port < 0)
			usleep(1000);
	}
	if (port < 0)
		trouble("there is no virtio port named %s", name);
}

static GPtrArray *take_strings(const char **at, const char *limit)
{
	GPtrArray *strings = g_ptr_array_new();

	for (; *at < limit && **at; *at += strlen(*at) + 1)
		g_ptr_array_add(strings, (gpointer)*at);
	*at += *at < limit;
	return strings;
}

static void read_command(struct lab_command *command)
{
	const char *at, *limit;
	char *bytes;
	gsize length;

	if (!g_file_get_contents(LAB_COMMAND, &bytes, &length, NULL))
		trouble("there is no " LAB_COMMAND);
	at = bytes;
	limit = bytes + length;
	command->folders = take_strings(&at, limit);
	command->environment = take_strings(&at, limit);
	command->arguments = g_ptr_array_new();
	for (; at < limit; at += strlen(at) + 1) /* an argument may be empty */
		g_ptr_array_add(command->arguments, (gpointer)at);
	command->program = g_ptr_array_index(command->arguments, 0);
	if (!strchr(command->program, '/')) {
		g_ptr_array_insert(command->arguments, 0, (gpointer)LAB_PROGRAM);
		command->program = LAB_PROGRAM;
	}
	g_ptr_array_add(command->environment, (gpointer)("PATH=" LAB_FOLDER));
	g_ptr_array_add(command->environment, NULL);
	g_ptr_array_add(command->arguments, NULL);
}

static pid_t start_command(const struct lab_command *command, int out, int err)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	if (!chdir(g_ptr_array_index(command->folders, 0)))
		execve(command->program, (char **)command->arguments->pdata,
		       (char **)command->environment->pdata);
	fprintf(stderr, "lab: cannot run %s: %s\n", command->program, strerror(errno));
	_exit(127);
}

/* Sends what comes until the command has closed both. */
static void relay_output(int out, int err)
{
	struct pollfd fds[] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
	static char bytes[LAB_PACKET_ROOM];

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		if (poll(fds, 2, -1) < 0)
			continue;
		for (int i = 0; i < 2; i++) {
			ssize_t n = fds[i].fd >= 0 && fds[i].revents
					    ? read(fds[i].fd, bytes, sizeof(bytes))
					    : -1;

			if (n > 0)
				lab_send(port, i ? LAB_STDERR : LAB_STDOUT, bytes, (size_t)n);
			else if (n == 0)
				fds[i].fd = -1;
		}
	}
}

static uint32_t run_command(const struct lab_command *command)
{
	int out[2], err[2], status = 0;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		trouble("pipe: %s", strerror(errno));
	clock_gettime(CLOCK_REALTIME_COARSE, &started);
	lab_send(port, LAB_READY, "", 0);
	pid = start_command(command, out[1], err[1]);
	if (pid < 0)
		trouble("fork: %s", strerror(errno));
	close(out[1]);
	close(err[1]);
	relay_output(out[0], err[0]);
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? (uint32_t)(SIGNAL_STATUS + WTERMSIG(status))
				   : (uint32_t)WEXITSTATUS(status);
}

static int send_changed_file(const char *path, const struct stat *status, int kind,
			     struct FTW *walk)
{
	static char bytes[LAB_PACKET_ROOM];
	ssize_t n;
	int fd;

	(void)walk;
	if (kind != FTW_F || !S_ISREG(status->st_mode) || status->st_mtim.tv_sec < started.tv_sec ||
	    (status->st_mtim.tv_sec == started.tv_sec && status->st_mtim.tv_nsec < started.tv_nsec))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	lab_send(port, LAB_FILE_NAME, path, strlen(path));
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		lab_send(port, LAB_FILE_BYTES, bytes, (size_t)n);
	lab_send(port, LAB_FILE_END, "", 0);
	close(fd);
	return 0;
}

static void send_files(const struct lab_command *command)
{
	guint i;

	for (i = 0; i < command->folders->len; i++)
		nftw(g_ptr_array_index(command->folders, i), send_changed_file, 16,
		     FTW_PHYS | FTW_MOUNT);
}

void lab_guest_main(const char *port_name)
{
	struct lab_command command;
	uint32_t status;

	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	load_modules();
	open_port(port_name);
	read_command(&command);
	status = run_command(&command);
	send_files(&command);
	lab_send(port, LAB_EXIT, &status, sizeof(status));
	end();
}
