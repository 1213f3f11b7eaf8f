/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace.dat (version 6 or 7) that trace-cmd recorded of KVM on a real host, as a trace. A host
 * counts no instructions of its guests: records have the nanoseconds since the first event in their
 * place. A thread that enters guests is a vCPU; where the kernel names the vCPU, that one.
 */
#ifndef LOCKSTEP_TRACES_FTRACE_IMPORT_H
#define LOCKSTEP_TRACES_FTRACE_IMPORT_H

#include <lockstep/error.h>

int ftrace_import(const char *from, const char *to, struct ls_error *err);

#endif
