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

#include "tools/lab/image.h"
#include "tools/lab/wire.h"
#include "tools/output.h"

#define QEMU "qemu-system-x86_64"
/* quiet: nobody reads the console unless something goes wrong. The TSC is QEMU's own count, no need
 * to check it against others. */
#define KERNEL_LINE                                                                                \
	"console=ttyS0 quiet panic=-1 tsc=reliable no_timer_check mitigations=off nokaslr "        \
	"rdinit=" LAB_PROGRAM " -- lab --inside"
/* Ten times what a boot takes on a slow machine. */
#define BOOT_TIMEOUT_MS 60000
#define CHANNEL_FD      0

struct lab {
	const struct lab_options *options;
	const GPtrArray *folders;
	struct ls_error *err;
	pid_t qemu;
	int channel;
	int console;    /* what the kernel printed */
	int complaints; /* what QEMU itself did; most of it is of no interest */
	bool ready;
	char *file; /* being received */
	GByteArray *bytes;
};

/* --- QEMU --- */

static char **qemu_arguments(const struct lab_options *options, int image, int console)
{
	g_autofree char *smp = g_strdup_printf("%d", options->smp);
	g_autofree char *initrd = g_strdup_printf("/proc/self/fd/%d", image);
	g_autofree char *serial =
		g_strdup_printf("file,id=console,append=on,path=/proc/self/fd/%d", console);
	const char *const arguments[] = {
		QEMU, "-accel", "tcg", "-cpu", options->cpu, "-smp", smp, "-m", options->memory,
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-kernel",
		options->kernel, "-initrd", initrd, "-append", KERNEL_LINE, "-chardev", serial,
		"-serial", "chardev:console",
		/* Its standard input and output are the other end of our channel. */
		"-chardev", "stdio,id=lab,signal=off", "-device", "virtio-serial-pci", "-device",
		"virtserialport,chardev=lab,name=" LAB_PORT_NAME, NULL};

	return g_strdupv((char **)arguments);
}

static _Noreturn void qemu_exec(char **arguments, int channel, int complaints)
{
	int code;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(channel, STDIN_FILENO);
	dup2(channel, STDOUT_FILENO);
	dup2(complaints, STDERR_FILENO);
	execvp(QEMU, arguments);
	code = errno;
	lab_send(STDOUT_FILENO, LAB_TROUBLE, &code, sizeof(code));
	_exit(127);
}

static int qemu_start(struct lab *lab, int image)
{
	g_auto(GStrv) arguments = NULL;
	int pair[2];

	lab->console = lab->options->verbose ? dup(STDERR_FILENO) : memfd_create("console", 0);
	lab->complaints = memfd_create("complaints", 0);
	if (lab->console < 0 || lab->complaints < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return ls_error_set(lab->err, -errno, "cannot start %s: %s", QEMU, strerror(errno));
	arguments = qemu_arguments(lab->options, image, lab->console);
	lab->qemu = fork();
	if (!lab->qemu)
		qemu_exec(arguments, pair[1], lab->complaints);
	close(pair[1]);
	lab->channel = pair[0];
	return lab->qemu < 0 ? ls_error_set(lab->err, -errno, "fork: %s", strerror(errno)) : 0;
}

static void qemu_stop(struct lab *lab)
{
	if (lab->qemu > 0) {
		kill(lab->qemu, SIGKILL);
		waitpid(lab->qemu, NULL, 0);
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
	g_autofree char *qemu = last_words(lab->complaints);

	if (kernel)
		return ls_error_set(lab->err, -EPIPE, "%s; the last that its kernel said: %s", what,
				    kernel);
	return ls_error_set(lab->err, -EPIPE, "%s; the last that %s said: %s", what, QEMU,
			    qemu ? qemu : "nothing");
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

	if (packet->length == sizeof(code)) { /* QEMU itself could not be started */
		memcpy(&code, packet->bytes, sizeof(code));
		return ls_error_set(lab->err, -code,
				    "cannot start %s: %s; the lab needs it (Debian's "
				    "qemu-system-x86)",
				    QEMU, strerror(code));
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
	int rc = qemu_start(&lab, image);

	if (!rc)
		rc = lab_follow(&lab);
	qemu_stop(&lab);
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
