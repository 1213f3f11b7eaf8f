/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/msr_names.h"

#include <glib.h>
#include <string.h>

#include <lockstep/extension.h>

#include "tools/tool.h"

struct msr_names {
	GHashTable *name; /* by number */
};

static unsigned int column(const struct ls_table *table, const char *title)
{
	unsigned int n = 0;

	while (n < table->columns && strcmp(table->titles[n], title))
		n++;
	return n;
}

static void add_rows(struct msr_names *names, struct ls_engine *engine,
		     const struct ls_table *table)
{
	unsigned int number = column(table, "number"), name = column(table, "name");

	for (size_t row = 0; row < table->rows && number < table->columns && name < table->columns;
	     row++) {
		uint64_t value = g_ascii_strtoull(table->cell(engine, row, number), NULL, 0);

		g_hash_table_insert(names->name, GSIZE_TO_POINTER(value),
				    g_strdup(table->cell(engine, row, name)));
	}
}

struct msr_names *msr_names_create(void)
{
	struct msr_names *names = g_new0(struct msr_names, 1);
	struct ls_engine *engine = tool_engine_find("sim")->open(NULL);
	const struct ls_table *table = engine ? engine->ext->table(engine, "msrs") : NULL;

	names->name = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	if (table)
		add_rows(names, engine, table);
	if (engine)
		engine->ops->close(engine, LS_SYSTEM);
	return names;
}

void msr_names_destroy(struct msr_names *names)
{
	g_hash_table_unref(names->name);
	g_free(names);
}

const char *msr_name(const struct msr_names *names, uint64_t number)
{
	return g_hash_table_lookup(names->name, GSIZE_TO_POINTER(number));
}
