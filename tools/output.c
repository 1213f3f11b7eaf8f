/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/output.h"

#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int output_fail(const char *path, int code, struct ls_error *err)
{
	return ls_error_set(err, code,
			    "cannot write '%s': %s; name a file in a folder you may write to", path,
			    strerror(-code));
}

/* A device or a pipe cannot be replaced; it is written directly. */
static bool output_is_special(const char *path)
{
	struct stat status;

	return !stat(path, &status) && !S_ISREG(status.st_mode);
}

int output_check(const char *path, struct ls_error *err)
{
	g_autofree char *folder = g_path_get_dirname(path);
	struct stat status;

	if (!stat(path, &status)) {
		if (S_ISDIR(status.st_mode))
			return output_fail(path, -EISDIR, err);
		if (access(path, W_OK))
			return output_fail(path, -errno, err);
		if (!S_ISREG(status.st_mode))
			return 0;
	}
	return access(folder, W_OK | X_OK) ? output_fail(path, -errno, err) : 0;
}

int output_check_of(const char *path, const char *input, struct ls_error *err)
{
	struct stat from, to;

	if (!stat(input, &from) && !stat(path, &to) && S_ISREG(to.st_mode) &&
	    from.st_dev == to.st_dev && from.st_ino == to.st_ino)
		return ls_error_set(err, -EINVAL,
				    "'%s' is the file that is read; name another to write", path);
	return output_check(path, err);
}

/* --- making one --- */

/* A file without a name, which nothing is left of if the program is killed; where the folder can
 * have none, one beside @path. */
static int output_open_temporary(struct output *output)
{
	g_autofree char *folder = g_path_get_dirname(output->path);
	mode_t mask;

	output->fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
	if (output->fd >= 0) {
		output->name = g_strdup_printf("/proc/self/fd/%d", output->fd);
		return 0;
	}
	if (errno != EOPNOTSUPP && errno != EISDIR)
		return -errno;
	mask = umask(0);
	umask(mask);
	output->temporary = g_strconcat(output->path, ".XXXXXX", NULL);
	output->fd = g_mkstemp_full(output->temporary, O_WRONLY | O_CLOEXEC, 0666 & ~mask);
	if (output->fd < 0)
		return -errno;
	output->name = g_strdup(output->temporary);
	return 0;
}

static void output_free(struct output *output)
{
	if (output->fd >= 0)
		close(output->fd);
	g_free(output->name);
	g_free(output->temporary);
}

int output_begin(struct output *output, const char *path, struct ls_error *err)
{
	int rc = 0;

	*output = (struct output){.path = path, .direct = output_is_special(path), .fd = -1};
	if (output->direct) {
		output->name = g_strdup(path);
		output->fd = open(path, O_WRONLY | O_CLOEXEC);
		rc = output->fd < 0 ? -errno : 0;
	} else {
		rc = output_open_temporary(output);
	}
	if (!rc)
		return 0;
	output_free(output);
	return output_fail(path, rc, err);
}

/* link(2) replaces nothing, so that it takes a name beside @path on the way. */
static int output_name_it(struct output *output)
{
	unsigned int tries = 0;

	do {
		g_free(output->temporary);
		output->temporary =
			g_strdup_printf("%s.%06x", output->path, g_random_int() & 0xffffff);
		if (!linkat(AT_FDCWD, output->name, AT_FDCWD, output->temporary, AT_SYMLINK_FOLLOW))
			return 0;
	} while (errno == EEXIST && ++tries < 100);
	g_clear_pointer(&output->temporary, g_free);
	return -errno;
}

/* A full disk may show as late as when it is closed. */
static int output_publish(struct output *output)
{
	int rc = output->temporary ? 0 : output_name_it(output);

	if (close(output->fd) && !rc)
		rc = -errno;
	output->fd = -1;
	return !rc && rename(output->temporary, output->path) ? -errno : rc;
}

/* Who opened it by its other name may have said that. */
static void output_say_path(const struct output *output, struct ls_error *err)
{
	g_auto(GStrv) parts = g_strsplit(err->text, output->name, 2);
	g_autofree char *text = g_strjoinv(output->path, parts);

	g_strlcpy(err->text, text, sizeof(err->text));
}

int output_end(struct output *output, struct ls_error *err)
{
	int rc = 0;

	if (!err->code && !output->direct)
		rc = output_publish(output);
	if (rc)
		output_fail(output->path, rc, err);
	if (err->code && output->temporary)
		unlink(output->temporary);
	if (err->code)
		output_say_path(output, err);
	output_free(output);
	return err->code;
}

/* --- all at once --- */

static int output_write_fd(int fd, const char *text, size_t length)
{
	ssize_t n;

	while (length) {
		n = write(fd, text, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

int output_write(const char *path, const char *text, size_t length, struct ls_error *err)
{
	struct ls_error failure = {0};
	struct output output;
	int rc;

	if (!output_begin(&output, path, &failure)) {
		rc = output_write_fd(output.fd, text, length);
		if (rc)
			output_fail(path, rc, &failure);
		output_end(&output, &failure);
	}
	return failure.code ? ls_error_set(err, failure.code, "%s", failure.text) : 0;
}

int output_flush_stdout(struct ls_error *err)
{
	if ((!fflush(stdout) && !ferror(stdout)) || errno == EPIPE)
		return 0;
	return ls_error_set(err, -EIO, "cannot write to standard output: %s", g_strerror(errno));
}
