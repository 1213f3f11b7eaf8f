/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/output.h"

#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
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

static int output_write_special(const char *path, const char *text, size_t length)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return -errno;
	rc = output_write_fd(fd, text, length);
	close(fd);
	return rc;
}

static int output_replace(const char *path, const char *text, size_t length)
{
	g_autofree char *temporary = g_strconcat(path, ".XXXXXX", NULL);
	mode_t mask = umask(0);
	int fd, rc;

	umask(mask);
	fd = g_mkstemp_full(temporary, O_WRONLY | O_CLOEXEC, 0666 & ~mask);
	if (fd < 0)
		return -errno;
	rc = output_write_fd(fd, text, length);
	/* A full disk may show as late as here. */
	if (close(fd) && !rc)
		rc = -errno;
	if (!rc && rename(temporary, path))
		rc = -errno;
	if (rc)
		unlink(temporary);
	return rc;
}

int output_write(const char *path, const char *text, size_t length, struct ls_error *err)
{
	int rc = output_is_special(path) ? output_write_special(path, text, length)
					 : output_replace(path, text, length);

	return rc ? output_fail(path, rc, err) : 0;
}
