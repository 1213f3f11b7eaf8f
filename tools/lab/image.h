/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lab's initramfs: this very program and its shared libraries where they are here, the modules,
 * and every file that the command names, at its own path.
 */
#ifndef LOCKSTEP_TOOLS_LAB_IMAGE_H
#define LOCKSTEP_TOOLS_LAB_IMAGE_H

#include <glib.h>

#include <lockstep/error.h>

#define LAB_FOLDER  "/lab"
#define LAB_PROGRAM LAB_FOLDER "/lockstep"
/* Strings, each with its zero: folders whose new files are wanted back, the first of them the
 * working folder; an empty one; the environment; an empty one; the command, a path or a
 * word of lockstep's, and its arguments. */
#define LAB_COMMAND "/lab/command"
#define LAB_MODULE  "/lab/modules/%u.ko" /* from 0, in the order of loading */

/* @with: more files, or folders with all in them; NULL: none. @folders is filled with the folders
 * (of char *). Returns a file descriptor, or -errno. */
int lab_image_make(const char *modules, char **command, char **with, GPtrArray *folders,
		   struct ls_error *err);

#endif
