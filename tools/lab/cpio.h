/* SPDX-License-Identifier: Apache-2.0 */
/* An initramfs in the making: cpio "newc" (Linux, driver-api/early-userspace/buffer-format). */
#ifndef LOCKSTEP_TOOLS_LAB_CPIO_H
#define LOCKSTEP_TOOLS_LAB_CPIO_H

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct cpio {
	FILE *out;
	GHashTable *names; /* what is in it: every name once */
	unsigned int count;
};

/* Takes @out over. */
struct cpio *cpio_create(FILE *out);
bool cpio_has(const struct cpio *cpio, const char *path);
/* The folder and those that it is in. Paths are absolute. */
void cpio_add_folder(struct cpio *cpio, const char *path);
void cpio_add(struct cpio *cpio, const char *path, mode_t mode, const void *bytes, size_t length);
/* Ends the archive and frees @cpio. 0, or -EIO if anything could not be written. */
int cpio_finish(struct cpio *cpio);

#endif
