/* SPDX-License-Identifier: Apache-2.0 */
/* lockstep list: the engine's tables as columns or as JSON. */
#include "tools/json.h"
#include "tools/log.h"
#include "tools/tool.h"
#include "traces/events.h"

#include <stdio.h>
#include <string.h>

#include <lockstep/extension.h>

struct list_options {
	char *engine;
	gboolean json;
};

/* A table in memory: what the printers need, wherever the rows come from. */
struct list_table {
	unsigned int columns;
	const char *const *titles;
	GPtrArray *cells; /* of char *, row by row */
};

static const char *const tables[] = {"checks",   "cpuid", "cpus",        "exits",
				     "features", "msrs",  "not-offered", "opcodes",
				     "params",   "state", "vmcb-fields", "vmcs-fields"};

static const char *list_cell(const struct list_table *table, size_t row, unsigned int column)
{
	return g_ptr_array_index(table->cells, row * table->columns + column);
}

static size_t list_rows(const struct list_table *table)
{
	return table->cells->len / table->columns;
}

static void list_fill_engines(struct list_table *table)
{
	static const char *const titles[] = {"name", "summary"};
	const struct ls_engine_ops *const *engine;

	table->columns = G_N_ELEMENTS(titles);
	table->titles = titles;
	for (engine = tool_engines(); *engine; engine++) {
		g_ptr_array_add(table->cells, g_strdup((*engine)->name));
		g_ptr_array_add(table->cells, g_strdup((*engine)->summary));
	}
}

/* "sim kvm": those that can produce the event. */
static char *list_event_engines(unsigned int engines)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} names[] = {{TRACE_ENGINE_SIM, "sim"},
		     {TRACE_ENGINE_KVM, "kvm"},
		     {TRACE_ENGINE_QEMU, "qemu"},
		     {TRACE_ENGINE_NATIVE, "native"}};
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (engines & names[i].bit)
			g_string_append_printf(text, "%s%s", text->len ? " " : "", names[i].name);
	return g_string_free(text, FALSE);
}

/* "vector error_code": with units where there are some. */
static char *list_event_fields(const struct trace_event_info *info)
{
	GString *text = g_string_new(NULL);

	for (unsigned int i = 0; i < info->field_count; i++)
		g_string_append_printf(text, "%s%s%s%s%s", i ? " " : "", info->fields[i].name,
				       *info->fields[i].unit ? "(" : "", info->fields[i].unit,
				       *info->fields[i].unit ? ")" : "");
	return g_string_free(text, FALSE);
}

static void list_fill_events(struct list_table *table)
{
	static const char *const titles[] = {"name", "engines", "source", "fields", "summary"};

	table->columns = G_N_ELEMENTS(titles);
	table->titles = titles;
	for (unsigned int n = 0; n < TRACE_EVENTS; n++) {
		const struct trace_event_info *info = &trace_events[n];

		g_ptr_array_add(table->cells, g_strdup(info->name));
		g_ptr_array_add(table->cells, list_event_engines(info->engines));
		g_ptr_array_add(table->cells, g_strdup(info->source));
		g_ptr_array_add(table->cells, list_event_fields(info));
		g_ptr_array_add(table->cells, g_strdup(info->summary));
	}
}

/* Those that are no engine's. */
static const struct {
	const char *name;
	void (*fill)(struct list_table *table);
} own_tables[] = {{"engines", list_fill_engines}, {"events", list_fill_events}};

static bool list_fill_own(struct list_table *table, const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(own_tables); i++)
		if (!strcmp(own_tables[i].name, name)) {
			own_tables[i].fill(table);
			return true;
		}
	return false;
}

static bool list_fill(struct list_table *table, struct ls_engine *engine, const char *name)
{
	const struct ls_table *source = NULL;
	unsigned int column;
	size_t row;

	if (engine->ext->table)
		source = engine->ext->table(engine, name);
	if (!source || !source->columns)
		return false;
	table->columns = source->columns;
	table->titles = source->titles;
	for (row = 0; row < source->rows; row++) {
		for (column = 0; column < source->columns; column++) {
			const char *cell = source->cell(engine, row, column);

			g_ptr_array_add(table->cells, g_strdup(cell ? cell : ""));
		}
	}
	return true;
}

static void list_append_line(GString *text, const struct list_table *table, const size_t *widths,
			     const char *(*cell)(const struct list_table *, size_t, unsigned int),
			     size_t row)
{
	unsigned int column;

	for (column = 0; column < table->columns; column++) {
		const char *value = cell(table, row, column);
		size_t pad = widths[column] - g_utf8_strlen(value, -1);

		g_string_append(text, value);
		if (column + 1 < table->columns)
			g_string_append_printf(text, "%*s", (int)pad + 2, "");
	}
	while (text->len && text->str[text->len - 1] == ' ')
		g_string_truncate(text, text->len - 1);
	g_string_append_c(text, '\n');
}

static const char *list_title(const struct list_table *table, size_t row, unsigned int column)
{
	(void)row;
	return table->titles[column];
}

static void list_append_columns(GString *text, const struct list_table *table)
{
	g_autofree size_t *widths = g_new0(size_t, table->columns);
	size_t row, rows = list_rows(table);
	unsigned int column;

	for (column = 0; column < table->columns; column++) {
		widths[column] = g_utf8_strlen(table->titles[column], -1);
		for (row = 0; row < rows; row++) {
			size_t width = g_utf8_strlen(list_cell(table, row, column), -1);

			widths[column] = MAX(widths[column], width);
		}
	}
	list_append_line(text, table, widths, list_title, 0);
	for (row = 0; row < rows; row++)
		list_append_line(text, table, widths, list_cell, row);
}

static void list_append_json(GString *text, const struct list_table *table)
{
	size_t row, rows = list_rows(table);
	unsigned int column;

	g_string_append(text, "[");
	for (row = 0; row < rows; row++) {
		g_string_append(text, row ? ",\n {" : "\n {");
		for (column = 0; column < table->columns; column++) {
			if (column)
				g_string_append(text, ", ");
			json_append_string(text, table->titles[column]);
			g_string_append(text, ": ");
			json_append_string(text, list_cell(table, row, column));
		}
		g_string_append_c(text, '}');
	}
	g_string_append(text, "\n]\n");
}

static int list_print(const struct list_table *table, bool json)
{
	g_autoptr(GString) text = g_string_new(NULL);

	if (json)
		list_append_json(text, table);
	else
		list_append_columns(text, table);
	if (fwrite(text->str, 1, text->len, stdout) == text->len && !fflush(stdout))
		return TOOL_EXIT_OK;
	log_failure("cannot write the table to standard output: %s", g_strerror(errno));
	return TOOL_EXIT_FAILURE;
}

static int list_run(const struct list_options *options, const char *name)
{
	const struct ls_engine_ops *ops = tool_engine_find(options->engine);
	struct list_table table = {.cells = g_ptr_array_new_with_free_func(g_free)};
	struct ls_engine *engine = NULL;
	struct ls_error err = {0};
	int status = TOOL_EXIT_FAILURE;

	if (!ops) {
		log_failure("unknown engine '%s'; 'lockstep list engines' names them",
			    options->engine);
		status = TOOL_EXIT_USAGE;
	} else if (list_fill_own(&table, name)) {
		status = list_print(&table, options->json);
	} else if (!(engine = ops->open(&err))) {
		log_failure("%s", err.text);
	} else if (!list_fill(&table, engine, name)) {
		log_failure("engine '%s' has no table of %s", ops->name, name);
	} else {
		status = list_print(&table, options->json);
	}
	if (engine)
		ops->close(engine, LS_SYSTEM);
	g_ptr_array_unref(table.cells);
	return status;
}

static bool list_knows(const char *name)
{
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(tables); i++) {
		if (!strcmp(tables[i], name))
			return true;
	}
	for (i = 0; i < G_N_ELEMENTS(own_tables); i++) {
		if (!strcmp(own_tables[i].name, name))
			return true;
	}
	return false;
}

/* "checks|cpuid|…" */
static char *list_names(const char *separator)
{
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
		g_string_append_printf(text, "%s%s", tables[i], separator);
	for (size_t i = 0; i < G_N_ELEMENTS(own_tables); i++)
		g_string_append_printf(text, "%s%s", i ? separator : "", own_tables[i].name);
	return g_string_free(text, FALSE);
}

int cmd_list(int argc, char **argv)
{
	struct list_options options = {0};
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &options.json, "Print JSON: an array of objects",
		 NULL},
		{"engine", 0, 0, G_OPTION_ARG_STRING, &options.engine, "Whose tables (default sim)",
		 "NAME"},
		G_OPTION_ENTRY_NULL,
	};
	g_autofree char *choice = list_names("|"), *names = list_names(", ");
	g_autoptr(GOptionContext) context = g_option_context_new(choice);
	g_autoptr(GError) error = NULL;
	int status = TOOL_EXIT_USAGE;

	g_set_prgname("lockstep list");
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_summary(context, "Prints one of the tables behind an engine.");
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		log_failure("%s; see 'lockstep list --help'", error->message);
	} else if (argc != 2) {
		log_failure("%s; see 'lockstep list --help'",
			    argc < 2 ? "say which table" : "one table at a time");
	} else if (!list_knows(argv[1])) {
		log_failure("unknown table '%s'; there are %s", argv[1], names);
	} else {
		if (!options.engine)
			options.engine = g_strdup("sim");
		status = list_run(&options, argv[1]);
	}
	g_free(options.engine);
	return status;
}
