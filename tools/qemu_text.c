/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU's comma-separated properties, and the small readers around them. */
#include "tools/qemu_front.h"

#include <stdio.h>
#include <string.h>

static void qemu_property_free(gpointer data)
{
	struct qemu_property *property = data;

	g_free(property->key);
	g_free(property->value);
	g_free(property);
}

/* Reads up to the next single comma; ",," stands for one. */
static char *qemu_next_part(const char **text)
{
	GString *part = g_string_new(NULL);
	const char *c = *text;

	for (; *c; c++) {
		if (*c == ',' && *++c != ',')
			break;
		g_string_append_c(part, *c);
	}
	*text = c;
	return g_string_free(part, FALSE);
}

GPtrArray *qemu_properties(const char *text)
{
	GPtrArray *properties = g_ptr_array_new_with_free_func(qemu_property_free);

	while (*text) {
		g_autofree char *part = qemu_next_part(&text);
		struct qemu_property *property = g_new0(struct qemu_property, 1);
		char *equals = strchr(part, '=');

		property->has_value = equals != NULL;
		property->key = equals ? g_strndup(part, equals - part) : g_strdup(part);
		property->value = g_strdup(equals ? equals + 1 : "on");
		g_ptr_array_add(properties, property);
	}
	return properties;
}

const char *qemu_property(const GPtrArray *properties, const char *key)
{
	guint i;

	for (i = 0; i < properties->len; i++) {
		const struct qemu_property *property = g_ptr_array_index(properties, i);

		if (!strcmp(property->key, key))
			return property->value;
	}
	return NULL;
}

bool qemu_truth(const char *value)
{
	return !strcmp(value, "on") || !strcmp(value, "yes") || !strcmp(value, "true") ||
	       !strcmp(value, "y");
}

const char *qemu_keep(struct qemu_front *front, char *text)
{
	g_ptr_array_add(front->strings, text);
	return text;
}

bool qemu_is_query(const char *text)
{
	return !strcmp(text, "?") || !strcmp(text, "help");
}

/* Multiboot 1, section 3.1: the header is 4-byte aligned within the first 8 KiB, and its first
 * three words add up to 0. */
bool qemu_is_multiboot(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint32_t words[2048];
	size_t n, i;

	if (!file)
		return false;
	n = fread(words, sizeof(words[0]), G_N_ELEMENTS(words), file);
	fclose(file);
	for (i = 0; i + 3 <= n; i++) {
		if (words[i] == 0x1badb002 && words[i] + words[i + 1] + words[i + 2] == 0)
			return true;
	}
	return false;
}
