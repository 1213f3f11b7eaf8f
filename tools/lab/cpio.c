/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/lab/cpio.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

struct cpio *cpio_create(FILE *out)
{
	struct cpio *cpio = g_new0(struct cpio, 1);

	cpio->out = out;
	cpio->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return cpio;
}

bool cpio_has(const struct cpio *cpio, const char *path)
{
	return g_hash_table_contains(cpio->names, path);
}

static void cpio_pad(struct cpio *cpio, size_t length)
{
	static const char zeros[4];

	fwrite(zeros, 1, -length & 3, cpio->out);
}

static void cpio_write(struct cpio *cpio, const char *name, mode_t mode, const void *bytes,
		       size_t length)
{
	size_t name_size = strlen(name) + 1;

	/* magic, inode, mode, uid, gid, links, time, size, device and its kind's, name, check */
	fprintf(cpio->out, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x",
		++cpio->count, mode, 0u, 0u, 1u, 0u, length, 0u, 0u, 0u, 0u, name_size, 0u);
	fwrite(name, 1, name_size, cpio->out);
	cpio_pad(cpio, 110 + name_size);
	fwrite(bytes, 1, length, cpio->out);
	cpio_pad(cpio, length);
}

void cpio_add_folder(struct cpio *cpio, const char *path)
{
	g_autofree char *above = g_path_get_dirname(path);

	if (cpio_has(cpio, path) || !strcmp(path, "/"))
		return;
	cpio_add_folder(cpio, above);
	g_hash_table_add(cpio->names, g_strdup(path));
	cpio_write(cpio, path + 1, S_IFDIR | 0755, "", 0);
}

void cpio_add(struct cpio *cpio, const char *path, mode_t mode, const void *bytes, size_t length)
{
	g_autofree char *folder = g_path_get_dirname(path);

	if (cpio_has(cpio, path))
		return;
	cpio_add_folder(cpio, folder);
	g_hash_table_add(cpio->names, g_strdup(path));
	cpio_write(cpio, path + 1, S_IFREG | mode, bytes, length);
}

int cpio_finish(struct cpio *cpio)
{
	int failed;

	cpio_write(cpio, "TRAILER!!!", 0, "", 0);
	failed = fflush(cpio->out) || ferror(cpio->out);
	fclose(cpio->out);
	g_hash_table_unref(cpio->names);
	g_free(cpio);
	return failed ? -EIO : 0;
}
