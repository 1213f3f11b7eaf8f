/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/traced.h"

#include <string.h>

#include "tools/diff/recorded/recorded.h"
#include "tools/diff/suite.h"

#define SUFFIX ".trace"

/* --- tests of what there is --- */

static int find_case(const char *name, GPtrArray *tests, struct ls_error *err)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	bool found = false;
	int ret = suite_load(all, err);

	for (guint i = 0; i < all->len; i++) {
		struct diff_case *test = g_ptr_array_index(all, i);

		if (!found && !strcmp(test->name, name)) {
			g_ptr_array_add(tests, test);
			found = true;
		} else {
			diff_case_free(test);
		}
	}
	return ret || found
		       ? ret
		       : ls_error_set(err, -ENOENT, "the suite has no case '%s' any more", name);
}

static int add_traced(const char *path, GPtrArray *tests, const struct diff_options *options,
		      struct ls_error *err)
{
	struct recorded *recorded = recorded_open(path, options, err);
	struct diff_case *test;
	const char *name;

	if (!recorded)
		return err->code;
	name = recorded_case(recorded);
	if (name) {
		find_case(name, tests, err);
	} else {
		test = g_new0(struct diff_case, 1);
		test->name = g_path_get_basename(path);
		if (g_str_has_suffix(test->name, SUFFIX))
			test->name[strlen(test->name) - strlen(SUFFIX)] = '\0';
		g_ptr_array_add(tests, test);
	}
	recorded_close(recorded);
	if (!err->code)
		((struct diff_case *)g_ptr_array_index(tests, tests->len - 1))->trace =
			g_strdup(path);
	return err->code;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int add_folder(const char *path, GPtrArray *tests, const struct diff_options *options,
		      struct ls_error *err)
{
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		if (g_str_has_suffix(name, SUFFIX))
			g_ptr_array_add(files, g_build_filename(path, name, NULL));
	g_ptr_array_sort(files, compare_names);
	for (guint i = 0; i < files->len && !err->code; i++)
		add_traced(g_ptr_array_index(files, i), tests, options, err);
	return err->code || tests->len
		       ? err->code
		       : ls_error_set(err, -ENOENT, "there is no trace in '%s'", path);
}

/* --- traces of the tests --- */

static int give_traces(const char *path, bool folder, GPtrArray *tests, struct ls_error *err)
{
	if (!folder && tests->len > 1)
		return ls_error_set(err, -EINVAL,
				    "'%s' is the trace of one case; name a folder with CASE%s of "
				    "each",
				    path, SUFFIX);
	for (guint i = 0; i < tests->len; i++) {
		struct diff_case *test = g_ptr_array_index(tests, i);
		g_autofree char *file = g_strconcat(test->name, SUFFIX, NULL);

		test->trace = folder ? g_build_filename(path, file, NULL) : g_strdup(path);
	}
	return 0;
}

static int adopt(struct diff_case *test, struct diff_options *options, char **about,
		 struct ls_error *err)
{
	struct recorded *recorded = recorded_open(test->trace, options, err);

	if (!recorded)
		return err->code;
	if (!*about)
		*about = g_strdup_printf("%s, %s", recorded_engine(recorded),
					 recorded_version(recorded));
	recorded_adopt(recorded, options, test, err);
	recorded_close(recorded);
	return err->code;
}

int traced_collect(const char *path, GPtrArray *tests, struct diff_options *options, char **about,
		   struct ls_error *err)
{
	bool folder = g_file_test(path, G_FILE_TEST_IS_DIR);

	if (tests->len)
		give_traces(path, folder, tests, err);
	else if (folder)
		add_folder(path, tests, options, err);
	else
		add_traced(path, tests, options, err);
	for (guint i = 0; i < tests->len && !err->code; i++)
		adopt(g_ptr_array_index(tests, i), options, about, err);
	return err->code;
}
