/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/lab/host.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/lab/machine.h"
#include "tools/lab/wire.h"
#include "tools/output.h"

/* Ten times what a boot takes on a slow machine. */
#define BOOT_TIMEOUT_MS 60000

struct lab {
	const struct lab_options *options;
	const GPtrArray *folders;
	struct ls_error *err;
	pid_t machine;
	int channel;
	int console;    /* what the kernel printed */
	int complaints; /* of the machine itself; most of it is of no interest */
	bool ready;
	char *file; /* being received */
	GByteArray *bytes;
};

/* --- the machine --- */

static _Noreturn void machine_exec(char **arguments, int channel, const struct lab *lab)
{
	int code;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	lab_machine_connect(lab->options, channel, lab->console);
	dup2(lab->complaints, STDERR_FILENO);
	execvp(arguments[0], arguments);
	code = errno;
	lab_send(channel, LAB_TROUBLE, &code, sizeof(code));
	_exit(127);
}

static int machine_start(struct lab *lab, int image)
{
	const char *name = lab->options->host;
	g_auto(GStrv) arguments = NULL;
	int pair[2];

	lab->console = lab->options->verbose ? dup(STDERR_FILENO) : memfd_create("console", 0);
	lab->complaints = memfd_create("complaints", 0);
	if (lab->console < 0 || lab->complaints < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return ls_error_set(lab->err, -errno, "cannot start %s: %s", name, strerror(errno));
	arguments = lab_machine_arguments(lab->options, image, lab->console, pair[1]);
	lab->machine = fork();
	if (!lab->machine)
		machine_exec(arguments, pair[1], lab);
	close(pair[1]);
	lab->channel = pair[0];
	return lab->machine < 0 ? ls_error_set(lab->err, -errno, "fork: %s", strerror(errno)) : 0;
}

static void machine_stop(struct lab *lab)
{
	if (lab->machine > 0) {
		kill(lab->machine, SIGKILL);
		waitpid(lab->machine, NULL, 0);
	}
	if (lab->channel >= 0)
		close(lab->channel);
	if (lab->console >= 0)
		close(lab->console);
	if (lab->complaints >= 0)
		close(lab->complaints);
}

/* Why the kernel panicked, or the last line. */
static char *last_words(int file)
{
	off_t length = lseek(file, 0, SEEK_END);
	g_autofree char *text = g_malloc0((gsize)MAX(length, 0) + 1);
	g_auto(GStrv) lines = NULL;
	char *words = NULL;
	char **line;

	if (length > 0 && pread(file, text, (size_t)length, 0) != length)
		*text = 0;
	lines = g_strsplit(text, "\n", 0);
	for (line = lines; *line && !words; line++) {
		if (strstr(*line, "Kernel panic"))
			words = *line;
	}
	while (line-- > lines && !words) {
		if (*line && *g_strstrip(*line))
			words = *line;
	}
	return words ? g_strdup(g_strstrip(words)) : NULL;
}

/* --- what comes out --- */

static int lab_lost(struct lab *lab, const char *what)
{
	g_autofree char *kernel = lab->options->verbose ? NULL : last_words(lab->console);
	g_autofree char *machine = last_words(lab->complaints);

	if (kernel)
		return ls_error_set(lab->err, -EPIPE, "%s; the last that its kernel said: %s", what,
				    kernel);
	return ls_error_set(lab->err, -EPIPE, "%s; the last that %s said: %s", what,
			    lab_machine_name(lab->options), machine ? machine : "nothing");
}

static int lab_wait(struct lab *lab)
{
	struct pollfd fd = {.fd = lab->channel, .events = POLLIN};
	int n = poll(&fd, 1, lab->ready ? -1 : BOOT_TIMEOUT_MS);

	if (n == 0)
		return lab_lost(lab, "the lab did not start in a minute");
	return n < 0 ? -errno : 0;
}

static void pass_on(int fd, const struct lab_packet *packet)
{
	const uint8_t *bytes = packet->bytes;
	size_t left = packet->length;

	while (left) {
		ssize_t n = write(fd, bytes, left);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			bytes += n;
			left -= (size_t)n;
		}
	}
}

/* Only into folders that were lent. */
static bool folder_is_lent(const struct lab *lab, const char *path)
{
	guint i;

	for (i = 0; i < lab->folders->len; i++) {
		const char *folder = g_ptr_array_index(lab->folders, i);
		size_t length = strlen(folder);

		if (!strncmp(path, folder, length) && (path[length] == '/' || length == 1))
			return !strstr(path, "/../");
	}
	return false;
}

static int file_finish(struct lab *lab)
{
	g_autofree char *folder = g_path_get_dirname(lab->file);
	int rc = 0;

	if (folder_is_lent(lab, lab->file)) {
		g_mkdir_with_parents(folder, 0777);
		rc = output_write(lab->file, (const char *)lab->bytes->data, lab->bytes->len,
				  lab->err);
	}
	g_clear_pointer(&lab->file, g_free);
	g_byte_array_set_size(lab->bytes, 0);
	return rc;
}

static int lab_trouble(struct lab *lab, const struct lab_packet *packet)
{
	int code;

	if (packet->length == sizeof(code)) { /* the machine's program could not be started */
		memcpy(&code, packet->bytes, sizeof(code));
		return ls_error_set(lab->err, -code,
				    "cannot start %s: %s; the lab needs it (Debian's "
				    "qemu-system-x86), or say --host sim",
				    lab_machine_name(lab->options), strerror(code));
	}
	return ls_error_set(lab->err, -EPIPE, "in the lab: %.*s", (int)packet->length,
			    (const char *)packet->bytes);
}

/* Returns 0 to go on, -errno, or, with *status filled, 1. */
static int lab_take(struct lab *lab, const struct lab_packet *packet, int *status)
{
	uint32_t code = 0;

	switch (packet->kind) {
	case LAB_READY:
		lab->ready = true;
		return 0;
	case LAB_STDOUT:
		pass_on(STDOUT_FILENO, packet);
		return 0;
	case LAB_STDERR:
		pass_on(STDERR_FILENO, packet);
		return 0;
	case LAB_FILE_NAME:
		g_free(lab->file);
		lab->file = g_strndup((const char *)packet->bytes, packet->length);
		return 0;
	case LAB_FILE_BYTES:
		g_byte_array_append(lab->bytes, packet->bytes, packet->length);
		return 0;
	case LAB_FILE_END:
		return lab->file ? file_finish(lab) : -EPROTO;
	case LAB_EXIT:
		memcpy(&code, packet->bytes, sizeof(code));
		*status = (int)code;
		return 1;
	case LAB_TROUBLE:
		return lab_trouble(lab, packet);
	default:
		return -EPROTO;
	}
}

static int lab_follow(struct lab *lab)
{
	g_autofree struct lab_packet *packet = g_new(struct lab_packet, 1);
	int rc, status = 0;

	do {
		rc = lab_wait(lab);
		if (!rc)
			rc = lab_receive(lab->channel, packet);
		if (!rc)
			rc = lab_take(lab, packet, &status);
	} while (!rc);
	if (rc > 0)
		return status;
	return lab_lost(lab, "the lab ended before its command did");
}

int lab_host_run(const struct lab_options *options, int image, const GPtrArray *folders,
		 struct ls_error *err)
{
	struct lab lab = {.options = options,
			  .folders = folders,
			  .err = err,
			  .channel = -1,
			  .console = -1,
			  .complaints = -1,
			  .bytes = g_byte_array_new()};
	int rc = machine_start(&lab, image);

	if (!rc)
		rc = lab_follow(&lab);
	machine_stop(&lab);
	g_free(lab.file);
	g_byte_array_unref(lab.bytes);
	return rc;
}

char *lab_default_kernel(void)
{
	const char *cache = g_getenv("LOCKSTEP_CACHE");

	return cache ? g_build_filename(cache, "guest", "vmlinuz", NULL)
		     : g_build_filename(g_get_user_cache_dir(), "lockstep", "guest", "vmlinuz",
					NULL);
}
