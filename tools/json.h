/* SPDX-License-Identifier: Apache-2.0 */
/* JSON text. */
#ifndef LOCKSTEP_TOOLS_JSON_H
#define LOCKSTEP_TOOLS_JSON_H

#include <glib.h>

/* Appends @value as a JSON string (RFC 8259, section 7), quotes included. */
void json_append_string(GString *text, const char *value);

#endif
