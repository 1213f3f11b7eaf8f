/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/console.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "machine/machine.h"
#include "machine/poll.h"
#include "tools/keys.h"
#include "tools/log.h"
#include "tools/monitor.h"
#include "tools/signals.h"
#include "tools/terminal.h"

#define CONSOLE_OUTPUT_ROOM 4096
#define CONSOLE_INPUT_ROOM  256
/* How soon input is offered again to a guest whose queue is full. */
#define CONSOLE_RETRY_MS 10
/* With a thread per vCPU nothing else makes the poller look at the output. */
#define CONSOLE_FLUSH_MS 20

struct console {
	struct console_config config;
	struct machine *machine;
	bool terminal; /* input is a terminal of ours */
	bool input_open, source_added;
	bool output_direct; /* a person is looking: no buffering */
	bool left;
	int output_fd, output_error; /* the latter an errno */
	bool typed;                  /* somebody has sent something */
	struct keys keys;
	uint8_t output[CONSOLE_OUTPUT_ROOM];
	size_t output_used;
	uint8_t input[CONSOLE_INPUT_ROOM]; /* read, but the guest had no room yet */
	size_t input_used;
};

struct console *console_create(const struct console_config *config)
{
	struct console *console = g_new0(struct console, 1);
	struct stat status;

	console->config = *config;
	console->output_fd = config->output_path ? -1 : STDOUT_FILENO;
	console->output_direct = !config->output_path && isatty(STDOUT_FILENO);
	if (!config->input || fstat(STDIN_FILENO, &status))
		return console;
	console->terminal = terminal_present();
	/* A terminal that another job owns would stop us when we touched it. */
	console->input_open = console->terminal || !isatty(STDIN_FILENO);
	if (S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3))
		console->input_open = false; /* /dev/null */
	return console;
}

void console_destroy(struct console *console)
{
	if (console->config.output_path && console->output_fd >= 0)
		close(console->output_fd);
	g_free(console);
}

bool console_left(const struct console *console)
{
	return console->left;
}

int console_output_error(const struct console *console)
{
	return console->output_error;
}

static void console_leave(struct console *console)
{
	console->left = true;
	machine_stop(console->machine);
}

/* --- output --- */

static void console_output_failed(struct console *console, int code)
{
	console->output_error = code;
	console->output_used = 0;
	if (console->machine)
		machine_stop(console->machine);
}

static bool console_writable(const struct console *console)
{
	struct pollfd fd = {.fd = console->output_fd, .events = POLLOUT};

	return poll(&fd, 1, 0) > 0;
}

/* What is left after a signal is dropped rather than waited for. */
static void console_flush(struct console *console)
{
	const uint8_t *next = console->output;
	size_t left = console->output_used;
	ssize_t n;

	while (left && !console->output_error) {
		if (signals_taken() && !console_writable(console))
			break; /* the reader is stuck, and somebody wants to leave */
		n = write(console->output_fd, next, left);
		if (n >= 0) {
			next += n;
			left -= (size_t)n;
		} else if (errno == EAGAIN) {
			/* Someone shares this description and made it non-blocking. */
			struct pollfd fd = {.fd = console->output_fd, .events = POLLOUT};

			poll(&fd, 1, -1);
		} else if (errno != EINTR) {
			console_output_failed(console, errno);
		}
	}
	console->output_used = 0;
}

void console_output(void *opaque, const uint8_t *bytes, size_t n)
{
	struct console *console = opaque;
	bool flush = console->output_direct;
	size_t i;

	for (i = 0; i < n; i++) {
		if (console->output_used == CONSOLE_OUTPUT_ROOM)
			console_flush(console);
		console->output[console->output_used++] = bytes[i];
		flush |= bytes[i] == '\n';
	}
	keys_guest_spoke(&console->keys);
	if (flush)
		console_flush(console);
}

void console_channel_output(void *opaque, const uint8_t *bytes, size_t n)
{
	struct console *console = opaque;

	while (n && !console->output_error) {
		ssize_t written = write(console->config.channel, bytes, n);

		if (written >= 0) {
			bytes += written;
			n -= (size_t)written;
		} else if (errno != EINTR) {
			console_output_failed(console, errno);
		}
	}
}

/* --- input --- */

static void console_monitor(struct console *console)
{
	bool quit;

	console_flush(console);
	machine_pause(console->machine);
	terminal_restore();
	signals_hold(true);
	quit = monitor_run(console->machine);
	signals_hold(false);
	machine_resume(console->machine);
	if (quit || signals_taken())
		console_leave(console);
	else
		terminal_raw(console->config.signal_keys);
}

static void console_help(void)
{
	log_notice("Ctrl-A X leaves, Ctrl-A C opens the monitor, Ctrl-A Ctrl-A sends Ctrl-A, "
		   "Ctrl-A H shows this");
}

static void console_key(struct console *console, uint8_t byte)
{
	switch (keys_press(&console->keys, byte, g_get_monotonic_time())) {
	case KEYS_SEND:
		console->input[console->input_used++] = byte;
		break;
	case KEYS_DEAF:
		log_notice("the guest does not answer Ctrl-C; leaving");
		console_leave(console);
		break;
	case KEYS_LEAVE:
		console_leave(console);
		break;
	case KEYS_MONITOR:
		console_monitor(console);
		break;
	case KEYS_HELP:
		console_help();
		break;
	case KEYS_NOTHING:
		break;
	}
}

static void console_deliver(struct console *console)
{
	size_t taken = machine_console_input(console->machine, console->input, console->input_used);

	console->input_used -= taken;
	memmove(console->input, console->input + taken, console->input_used);
}

static void console_read(struct console *console)
{
	bool keys = console->terminal && console->config.escapes;
	uint8_t bytes[CONSOLE_INPUT_ROOM];
	ssize_t n, i;

	/* Key by key: what follows Ctrl-A C is for the monitor. */
	n = read(STDIN_FILENO, bytes, keys ? 1 : CONSOLE_INPUT_ROOM - console->input_used);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		console->input_open = false;
		return;
	}
	console->typed = true;
	for (i = 0; i < n; i++) {
		if (keys)
			console_key(console, bytes[i]);
		else
			console->input[console->input_used++] = bytes[i];
	}
	console_deliver(console);
}

/* --- the machine's polling --- */

/* A person at a prompt lives in real time: then an idle guest does, too. */
static bool console_paces(void *opaque)
{
	const struct console *console = opaque;

	return console->input_open && console->typed;
}

/* Once the input has ended, a guest that waits for it waits for ever. */
static bool console_wakes(void *opaque)
{
	return ((const struct console *)opaque)->input_open;
}

static int console_fill(void *opaque, struct pollfd *fds, int room, int *timeout_ms)
{
	struct console *console = opaque;
	int wanted = -1;

	console_flush(console);
	if (signals_continued() && console->terminal)
		terminal_raw(console->config.signal_keys);
	if (console->input_used)
		console_deliver(console);
	if (console->input_used)
		wanted = CONSOLE_RETRY_MS;
	else if (machine_config(console->machine)->schedule == MACHINE_PARALLEL)
		wanted = CONSOLE_FLUSH_MS;
	if (wanted >= 0 && (*timeout_ms < 0 || *timeout_ms > wanted))
		*timeout_ms = wanted;
	if (!console->input_open || console->input_used || room < 1)
		return 0;
	fds[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
	return 1;
}

static void console_ready(void *opaque, struct pollfd *fds, int count)
{
	struct console *console = opaque;

	if (count && fds[0].revents & POLLNVAL)
		console->input_open = false;
	else if (count && fds[0].revents)
		console_read(console);
}

static int console_open_output(struct console *console)
{
	const char *path = console->config.output_path;

	if (!path)
		return 0;
	console->output_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return console->output_fd < 0 ? -errno : 0;
}

int console_attach(struct console *console, struct machine *machine, struct ls_error *err)
{
	const struct poll_source source = {
		.fill = console_fill,
		.ready = console_ready,
		.opaque = console,
		.wakes = console_wakes,
		.paces = console_paces,
	};
	int rc = console_open_output(console);

	if (rc)
		return ls_error_set(err, rc, "cannot write '%s': %s", console->config.output_path,
				    strerror(-rc));
	console->machine = machine;
	rc = machine_poll_add(machine, &source);
	console->source_added = !rc;
	if (!rc && console->terminal)
		rc = terminal_raw(console->config.signal_keys);
	return rc ? ls_error_set(err, rc, "cannot set up the terminal: %s", strerror(-rc)) : 0;
}

void console_detach(struct console *console)
{
	if (!console->machine)
		return;
	if (console->source_added)
		machine_poll_remove(console->machine, console);
	console->source_added = false;
	console_flush(console);
	terminal_restore();
	console->machine = NULL;
}
