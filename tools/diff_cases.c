/* SPDX-License-Identifier: Apache-2.0 */
/* What 'lockstep diff' compares: cases of the suite, and payloads. */
#include <errno.h>
#include <string.h>

#include "tools/diff/choose.h"
#include "tools/diff/suite.h"
#include "tools/diff_options.h"
#include "tools/json.h"
#include "tools/size.h"

static bool case_wanted(const struct diff_command *d, const struct diff_case *test)
{
	if (d->suite || (d->list && !d->cases))
		return true;
	for (char **name = d->cases; name && *name; name++)
		if (!strcmp(*name, test->name) || !strcmp(*name, test->theme))
			return true;
	return false;
}

static int check_name(const char *name, const GPtrArray *all, struct ls_error *err)
{
	for (guint i = 0; i < all->len; i++) {
		const struct diff_case *test = g_ptr_array_index(all, i);

		if (!strcmp(name, test->name) || !strcmp(name, test->theme))
			return 0;
	}
	return ls_error_set(err, -ENOENT,
			    "no case or theme '%s'; 'lockstep diff --list' names them", name);
}

static int add_suite(struct diff_command *d, struct ls_error *err)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	int rc = suite_load(all, err);

	for (char **name = d->cases; name && *name && !rc; name++)
		rc = check_name(*name, all, err);
	for (guint i = 0; i < all->len; i++) {
		struct diff_case *test = g_ptr_array_index(all, i);

		if (case_wanted(d, test))
			g_ptr_array_add(d->tests, test);
		else
			diff_case_free(test);
	}
	return rc;
}

static int add_payload(struct diff_command *d, const char *path, uint64_t vcpus,
		       struct ls_error *err)
{
	struct diff_case *test = g_new0(struct diff_case, 1);

	test->name = g_path_get_basename(path);
	test->image = g_strdup(path);
	test->append = g_strdup(d->append);
	test->vcpus = (unsigned int)vcpus;
	g_ptr_array_add(d->tests, test);
	return diff_payload_is_user(path, &test->user, err);
}

int diff_collect(struct diff_command *d, struct ls_error *err)
{
	uint64_t vcpus = d->trace ? 0 : 1; /* a trace knows */
	int rc = 0;

	d->tests = g_ptr_array_new_with_free_func((GDestroyNotify)diff_case_free);
	if (d->smp && (number_parse(d->smp, MACHINE_MAX_VCPUS, &vcpus) || !vcpus))
		return ls_error_set(err, -EINVAL, "--smp %s: say a number from 1 to %d", d->smp,
				    MACHINE_MAX_VCPUS);
	if (d->suite || d->cases || d->list)
		rc = add_suite(d, err);
	for (char **path = d->payloads; path && *path && !rc; path++)
		rc = add_payload(d, *path, vcpus, err);
	if (!rc && !d->tests->len && !d->trace)
		rc = ls_error_set(err, -EINVAL,
				  "say what to compare: --suite, --case or a payload");
	return rc;
}

static void list_json(const struct diff_command *d)
{
	g_autoptr(GString) text = g_string_new("[");

	for (guint i = 0; i < d->tests->len; i++) {
		const struct diff_case *test = g_ptr_array_index(d->tests, i);

		g_string_append(text, i ? ",\n {\"theme\": " : "\n {\"theme\": ");
		json_append_string(text, test->theme ? test->theme : "");
		g_string_append(text, ", \"case\": ");
		json_append_string(text, test->name);
		g_string_append(text, ", \"purpose\": ");
		json_append_string(text, test->purpose ? test->purpose : "");
		g_string_append_c(text, '}');
	}
	printf("%s\n]\n", text->str);
}

void diff_list(const struct diff_command *d)
{
	if (d->json) {
		list_json(d);
		return;
	}
	for (guint i = 0; i < d->tests->len; i++) {
		const struct diff_case *test = g_ptr_array_index(d->tests, i);

		printf("%-12s %-28s %s\n", test->theme ? test->theme : "", test->name,
		       test->purpose ? test->purpose : "");
	}
}

/* Two cases of one name would be one file. */
static int diff_check_names(const struct diff_command *d, struct ls_error *err)
{
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < d->tests->len; i++) {
		const struct diff_case *test = g_ptr_array_index(d->tests, i);

		if (!g_hash_table_add(names, test->name))
			return ls_error_set(
				err, -EINVAL,
				"two payloads are named '%s': their traces would be one",
				test->name);
	}
	return 0;
}

int diff_make_folders(const struct diff_command *d, struct ls_error *err)
{
	static const char *const sides[] = {"ref", "dut"};

	if (!d->save)
		return 0;
	for (size_t i = 0; i < G_N_ELEMENTS(sides); i++) {
		g_autofree char *path = g_build_filename(d->save, sides[i], NULL);

		if (g_mkdir_with_parents(path, 0777))
			return ls_error_set(err, -errno, "cannot make the folder '%s': %s", path,
					    g_strerror(errno));
	}
	return diff_check_names(d, err);
}
