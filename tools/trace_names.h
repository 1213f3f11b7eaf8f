/* SPDX-License-Identifier: Apache-2.0 */
/* Values of fields by their types: numbers, addresses, names of exits and vectors. */
#ifndef LOCKSTEP_TOOLS_TRACE_NAMES_H
#define LOCKSTEP_TOOLS_TRACE_NAMES_H

#include <glib.h>
#include <stdbool.h>

#include "traces/events.h"

/* NULL: it has none. */
const char *trace_kvm_exit_name(uint64_t reason);
/* VMX's basic exit reason, or SVM's EXITCODE. */
const char *trace_vm_exit_name(bool svm, uint64_t reason);
const char *trace_vector_name(uint64_t vector);
void trace_append_value(GString *text, const struct trace_field *field, uint64_t value);
/* A number where JSON's are exact, else a string. */
void trace_append_json_value(GString *text, const struct trace_field *field, uint64_t value);

#endif
