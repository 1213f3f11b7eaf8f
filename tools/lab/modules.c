/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/lab/modules.h"

#include <stdbool.h>
#include <string.h>

/* The kernel takes kvm-amd and kvm_amd for the same name. */
static bool module_is(const char *file, const char *name)
{
	for (; *name; name++, file++) {
		if (*file != *name && !(strchr("-_", *file) && strchr("-_", *name) && *file))
			return false;
	}
	return !strcmp(file, ".ko");
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

/* The .modinfo section holds strings, key=value; this one is a list with commas. */
static char **module_needs(const char *file, struct ls_error *err)
{
	static const char key[] = "\0depends="; /* a string begins behind the end of another */
	g_autoptr(GError) error = NULL;
	g_autofree char *bytes = NULL;
	const char *at;
	gsize length;

	if (!g_file_get_contents(file, &bytes, &length, &error)) {
		ls_error_set(err, -EIO, "%s", error->message);
		return NULL;
	}
	at = memmem(bytes, length, key, sizeof(key) - 1);
	return g_strsplit(at ? at + sizeof(key) - 1 : "", ",", 0);
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
