/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/snapshot_info.h"

#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "machine/image.h"
#include "machine/snapshot.h"
#include "tools/json.h"
#include "tools/log.h"
#include "tools/tool.h"

struct row {
	char *name, *value;
};

static void add_row(GPtrArray *rows, const char *name, char *value)
{
	struct row *row = g_new(struct row, 1);

	*row = (struct row){g_strdup(name), value};
	g_ptr_array_add(rows, row);
}

static void free_row(void *opaque)
{
	struct row *row = opaque;

	g_free(row->name);
	g_free(row->value);
	g_free(row);
}

static GPtrArray *make_rows(const struct snapshot *snapshot)
{
	const struct machine_image *image = snapshot_image(snapshot);
	GPtrArray *rows = g_ptr_array_new_with_free_func(free_row);
	const struct snapshot_range *ranges;
	unsigned int count = snapshot_ranges(snapshot, &ranges);
	const char *name, *value;

	add_row(rows, "version", g_strdup_printf("%d", SNAPSHOT_VERSION));
	add_row(rows, "engine", g_strdup(image->engine));
	add_row(rows, "time-ns", g_strdup_printf("%" PRIu64, image->time));
	add_row(rows, "file-bytes", g_strdup_printf("%" PRIu64, snapshot_data_size(snapshot)));
	for (unsigned int i = 0; i < count; i++) {
		g_autofree char *range = g_strdup_printf("range%u", i);

		add_row(rows, range,
			g_strdup_printf("0x%" PRIx64 "-0x%" PRIx64, ranges[i].gpa,
					ranges[i].gpa + ranges[i].size - 1));
	}
	for (unsigned int n = 0; (name = snapshot_item(snapshot, n, &value)); n++)
		add_row(rows, name, g_strdup(value));
	return rows;
}

static void print_rows(const GPtrArray *rows, bool json)
{
	g_autoptr(GString) text = g_string_new(json ? "{" : "");

	for (guint i = 0; i < rows->len; i++) {
		const struct row *row = g_ptr_array_index(rows, i);

		if (!json) {
			g_string_append_printf(text, "%-16s %s\n", row->name, row->value);
			continue;
		}
		g_string_append(text, i ? ", " : "");
		json_append_string(text, row->name);
		g_string_append(text, ": ");
		json_append_string(text, row->value);
	}
	g_string_append(text, json ? "}\n" : "");
	fputs(text->str, stdout);
}

int snapshot_info(int argc, char **argv)
{
	gboolean json = FALSE, verify = FALSE;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "As JSON", NULL},
		{"verify", 0, 0, G_OPTION_ARG_NONE, &verify, "Check the guest's memory, too", NULL},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new("FILE");
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) rows = NULL;
	struct ls_error err = {0};
	struct snapshot *snapshot;
	int rc = 0;

	g_set_prgname("lockstep snapshot info");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error) || argc != 2) {
		log_failure("%s; see 'lockstep snapshot --help'",
			    error ? error->message : "say one file");
		return TOOL_EXIT_USAGE;
	}
	snapshot = snapshot_open(argv[1], &err);
	if (snapshot && verify)
		rc = snapshot_verify(snapshot, NULL, &err);
	if (!snapshot || rc) {
		log_failure("%s", err.text);
		snapshot_close(snapshot);
		return TOOL_EXIT_FAILURE;
	}
	rows = make_rows(snapshot);
	print_rows(rows, json);
	snapshot_close(snapshot);
	return TOOL_EXIT_OK;
}
