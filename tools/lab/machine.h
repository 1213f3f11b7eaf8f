/* SPDX-License-Identifier: Apache-2.0 */
/* The machine that the lab's kernel boots on: QEMU's, or our own on one of the engines. */
#ifndef LOCKSTEP_TOOLS_LAB_MACHINE_H
#define LOCKSTEP_TOOLS_LAB_MACHINE_H

#include "tools/lab/host.h"

#define LAB_HOST_QEMU "qemu"

/* For messages. */
const char *lab_machine_name(const struct lab_options *options);
/* Its command line; @image, @console and @channel are descriptors of it. */
char **lab_machine_arguments(const struct lab_options *options, int image, int console,
			     int channel);
/* In the process that is to be the machine: gives it what that command line names. */
void lab_machine_connect(const struct lab_options *options, int channel, int console);

#endif
