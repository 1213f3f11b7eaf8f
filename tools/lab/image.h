/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lab's initramfs: this very program and its shared libraries where they are here, the modules,
 * and every file that the command names, at its own path.
 */
#ifndef LOCKSTEP_TOOLS_LAB_IMAGE_H
#define LOCKSTEP_TOOLS_LAB_IMAGE_H

#include <glib.h>

#include <lockstep/error.h>

#define LAB_PROGRAM "/lab/lockstep"
/* Strings, each with its zero: folders whose new files are wanted back, the first of them the
 * working folder; an empty one; the environment; an empty one; the arguments. */
#define LAB_COMMAND "/lab/command"
#define LAB_MODULE  "/lab/modules/%u.ko" /* from 0, in the order of loading */

/* @folders is filled with the folders (of char *). Returns a file descriptor, or -errno. */
int lab_image_make(const char *modules, char **command, GPtrArray *folders, struct ls_error *err);

#endif
