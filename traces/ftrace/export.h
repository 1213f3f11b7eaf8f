/* SPDX-License-Identifier: Apache-2.0 */
/* trace-cmd's trace.dat, version 6 (trace-cmd.dat.v6(5)): a vCPU is a CPU of the file. Instructions
 * and events that ftrace's kvm has no word for are left out. */
#ifndef LOCKSTEP_TRACES_FTRACE_EXPORT_H
#define LOCKSTEP_TRACES_FTRACE_EXPORT_H

#include <stdint.h>
#include <stdio.h>

struct ftrace_export;

struct ftrace_export *ftrace_export_create(unsigned int vcpus);
/* 0 or -ENOMEM. */
int ftrace_export_add(struct ftrace_export *export, unsigned int vcpu, const uint64_t *record);
/* Writes the file; 0 or -errno. */
int ftrace_export_write(struct ftrace_export *export, FILE *to);
void ftrace_export_destroy(struct ftrace_export *export);

#endif
