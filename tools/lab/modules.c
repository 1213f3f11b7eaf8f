/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/lab/modules.h"

#include <stdbool.h>
#include <string.h>

/* What follows the name in @text; NULL if it does not begin with that. The kernel takes kvm-amd and
 * kvm_amd for the same. */
static const char *behind_name(const char *text, const char *name)
{
	for (; *name; name++, text++) {
		if (*text != *name && !(strchr("-_", *text) && strchr("-_", *name) && *text))
			return NULL;
	}
	return text;
}

static bool module_is(const char *file, const char *name)
{
	const char *rest = behind_name(file, name);

	return rest && !strcmp(rest, ".ko");
}

static char *module_file(const char *folder, const char *name)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	char *found = NULL;
	const char *entry;

	while (dir && !found && (entry = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(folder, entry, NULL);

		if (module_is(entry, name))
			found = g_steal_pointer(&path);
		else if (!strchr(entry, '.'))
			found = module_file(path, name);
	}
	return found;
}

/* The .modinfo section holds strings, key=value, each of which begins behind the end of another. */
const char *lab_module_info(const char *bytes, gsize length, const char *key)
{
	g_autofree char *wanted = g_strdup_printf("0%s=", key);
	size_t size = strlen(wanted);
	const char *at;

	wanted[0] = 0;
	at = memmem(bytes, length, wanted, size);
	return at ? at + size : NULL;
}

char *lab_module_parameters(const char *line, const char *name)
{
	g_autoptr(GString) found = g_string_new(NULL);
	g_auto(GStrv) words = g_strsplit_set(line, " \n", 0);
	const char *rest;

	for (char **word = words; *word; word++) {
		rest = behind_name(*word, name);
		if (rest && *rest == '.')
			g_string_append_printf(found, "%s ", rest + 1);
	}
	return g_string_free(g_steal_pointer(&found), FALSE);
}

/* A list with commas. */
static char **module_needs(const char *file, struct ls_error *err)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *bytes = NULL;
	const char *at;
	gsize length;

	if (!g_file_get_contents(file, &bytes, &length, &error)) {
		ls_error_set(err, -EIO, "%s", error->message);
		return NULL;
	}
	at = lab_module_info(bytes, length, "depends");
	return g_strsplit(at ? at : "", ",", 0);
}

static bool module_listed(const GPtrArray *files, const char *file)
{
	guint i;

	for (i = 0; i < files->len; i++) {
		if (!strcmp(g_ptr_array_index(files, i), file))
			return true;
	}
	return false;
}

int lab_modules_find(const char *folder, const char *name, GPtrArray *files, struct ls_error *err)
{
	g_autofree char *file = module_file(folder, name);
	g_auto(GStrv) needs = NULL;
	int rc = 0;
	char **need;

	if (!file)
		return ls_error_set(err, -ENOENT, "there is no %s.ko in '%s'; say --modules", name,
				    folder);
	if (module_listed(files, file))
		return 0;
	needs = module_needs(file, err);
	if (!needs)
		return err->code;
	for (need = needs; *need && !rc; need++)
		rc = **need ? lab_modules_find(folder, *need, files, err) : 0;
	if (!rc)
		g_ptr_array_add(files, g_steal_pointer(&file));
	return rc;
}
