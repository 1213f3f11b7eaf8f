/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/json.h"

void json_append_string(GString *text, const char *value)
{
	/* JSON is UTF-8; a stray byte becomes the replacement character. */
	g_autofree char *valid = g_utf8_make_valid(value, -1);
	const char *c;

	g_string_append_c(text, '"');
	for (c = valid; *c; c++) {
		if (*c == '"' || *c == '\\')
			g_string_append_printf(text, "\\%c", *c);
		else if ((unsigned char)*c < 0x20)
			g_string_append_printf(text, "\\u%04x", *c);
		else
			g_string_append_c(text, *c);
	}
	g_string_append_c(text, '"');
}
