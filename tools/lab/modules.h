/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel modules that the lab loads, in the order that their dependencies want. */
#ifndef LOCKSTEP_TOOLS_LAB_MODULES_H
#define LOCKSTEP_TOOLS_LAB_MODULES_H

#include <glib.h>

#include <lockstep/error.h>

/* Appends the files of module @name and of what it needs, deepest first, to @files (of char *),
 * each once. @folder: a kernel's tree of modules. */
int lab_modules_find(const char *folder, const char *name, GPtrArray *files, struct ls_error *err);

/* What the module in @bytes says under @key in its .modinfo; NULL: nothing. */
const char *lab_module_info(const char *bytes, gsize length, const char *key);

/* The module's parameters in the kernel's command line, "NAME.KEY=VALUE ...", as modprobe takes
 * them. To be freed. */
char *lab_module_parameters(const char *line, const char *name);

#endif
