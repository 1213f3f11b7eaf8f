/* SPDX-License-Identifier: Apache-2.0 */
/* The lab's side that runs here: the machine around it, and what comes out of it. */
#ifndef LOCKSTEP_TOOLS_LAB_HOST_H
#define LOCKSTEP_TOOLS_LAB_HOST_H

#include <glib.h>
#include <stdbool.h>

#include <lockstep/error.h>

struct lab_options {
	char *host; /* qemu, or the engine of our own machine */
	char *kernel, *modules, *cpu, *memory, *append;
	int smp;
	gboolean verbose; /* the kernel's console goes to stderr */
};

/* Where tools/guest-images puts a kernel. To be freed. */
char *lab_default_kernel(void);

/* Boots @kernel over the initramfs @image and passes on what its command prints; files that it
 * changed in @folders are written here. Returns the command's exit status, or -errno. */
int lab_host_run(const struct lab_options *options, int image, const GPtrArray *folders,
		 struct ls_error *err);

#endif
