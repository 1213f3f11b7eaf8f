/* SPDX-License-Identifier: Apache-2.0 */
/* Records as text for a person, and as JSON. */
#ifndef LOCKSTEP_TOOLS_TRACE_PRINT_H
#define LOCKSTEP_TOOLS_TRACE_PRINT_H

#include "tools/trace_view.h"

struct trace_printer;

struct trace_printer *trace_printer_create(bool colour);
void trace_printer_destroy(struct trace_printer *printer);
/* Appends a line, without its end. */
void trace_print_text(struct trace_printer *printer, const struct trace_view *view, GString *text,
		      unsigned int vcpu, const uint64_t *record);
void trace_print_json(struct trace_printer *printer, const struct trace_view *view, GString *text,
		      unsigned int vcpu, const uint64_t *record);

#endif
