/* SPDX-License-Identifier: Apache-2.0 */
/* tools/output.h: a result file appears whole or not at all; and RFC 8259's strings. */
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/check.h"
#include "tools/json.h"
#include "tools/output.h"

static char *folder;

static int folder_make(void)
{
	folder = g_dir_make_tmp("lockstep-XXXXXX", NULL);
	return folder ? 0 : -1;
}

static unsigned int folder_count(void)
{
	GDir *dir = g_dir_open(folder, 0, NULL);
	unsigned int count = 0;

	while (g_dir_read_name(dir))
		count++;
	g_dir_close(dir);
	return count;
}

static void check_content(const char *path, const char *expected)
{
	g_autofree char *content = NULL;

	CU_ASSERT_TRUE_FATAL(g_file_get_contents(path, &content, NULL, NULL));
	CU_ASSERT_STRING_EQUAL(content, expected);
}

static void a_file_is_replaced_whole(void)
{
	g_autofree char *path = g_build_filename(folder, "result", NULL);

	CHECK_EQUAL(output_check(path, NULL), 0);
	CU_ASSERT_FALSE(g_file_test(path, G_FILE_TEST_EXISTS));
	CHECK_EQUAL(output_write(path, "first", 5, NULL), 0);
	check_content(path, "first");
	CHECK_EQUAL(output_check(path, NULL), 0);
	check_content(path, "first");
	CHECK_EQUAL(output_write(path, "two", 3, NULL), 0);
	check_content(path, "two");
	/* No temporary file is left. */
	CHECK_EQUAL(folder_count(), 1);
	unlink(path);
}

static void a_path_that_cannot_be_is_said_at_once(void)
{
	g_autofree char *path = g_build_filename(folder, "nothing", "result", NULL);
	struct ls_error err = {0};

	CHECK_EQUAL(output_check(path, &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, path));
	err = (struct ls_error){0};
	CHECK_EQUAL(output_check(folder, &err), -EISDIR);
	CHECK_EQUAL(output_write(path, "x", 1, NULL), -ENOENT);
	CHECK_EQUAL(folder_count(), 0);
}

/* Neither when it is dropped nor when the program is killed in the midst of it. */
static void nothing_is_left_of_an_unfinished_file(void)
{
	g_autofree char *path = g_build_filename(folder, "result", NULL);
	struct ls_error err = {0};
	struct output output;
	pid_t child;
	int status;

	CHECK_EQUAL(output_begin(&output, path, &err), 0);
	CHECK_EQUAL(write(output.fd, "half", 4), 4);
	ls_error_set(&err, -EIO, "'%s' is broken", output.name);
	CHECK_EQUAL(output_end(&output, &err), -EIO);
	/* Its other name is nobody's business. */
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, path));
	CHECK_EQUAL(folder_count(), 0);

	child = fork();
	if (!child) {
		output_begin(&output, path, NULL);
		raise(SIGKILL);
	}
	CHECK_EQUAL(waitpid(child, &status, 0), child);
	CHECK_EQUAL(folder_count(), 0);
}

static void a_file_is_not_made_of_itself(void)
{
	g_autofree char *path = g_build_filename(folder, "input", NULL);
	g_autofree char *link = g_build_filename(folder, "link", NULL);
	struct ls_error err = {0};

	CHECK_EQUAL(output_write(path, "x", 1, NULL), 0);
	CHECK_EQUAL(symlink("input", link), 0);
	CHECK_EQUAL(output_check_of(path, path, NULL), -EINVAL);
	CHECK_EQUAL(output_check_of(link, path, &err), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, link));
	unlink(link);
	CHECK_EQUAL(output_check_of(link, path, NULL), 0);
	CHECK_EQUAL(output_check_of("/dev/null", "/dev/null", NULL), 0);
	unlink(path);
}

static void a_full_device_is_an_error(void)
{
	/* Linux's full(4): every write fails with ENOSPC. */
	CHECK_EQUAL(output_write("/dev/full", "x", 1, NULL), -ENOSPC);
	CHECK_EQUAL(output_write("/dev/null", "x", 1, NULL), 0);
}

/* RFC 8259, section 7: quotation mark, reverse solidus and U+0000 to U+001F are escaped. */
static void json_strings_are_escaped(void)
{
	GString *text = g_string_new(NULL);

	json_append_string(text, "a\"b\\c\n\x1f/\xc3\xbc");
	CU_ASSERT_STRING_EQUAL(text->str, "\"a\\\"b\\\\c\\u000a\\u001f/\xc3\xbc\"");
	g_string_truncate(text, 0);
	/* 8.1: JSON text is UTF-8; a stray byte is U+FFFD. */
	json_append_string(text, "\xff");
	CU_ASSERT_STRING_EQUAL(text->str, "\"\xef\xbf\xbd\"");
	g_string_free(text, TRUE);
}

static void folder_remove(void)
{
	CHECK_EQUAL(g_rmdir(folder), 0);
	g_free(folder);
}

static void folder_is_made(void)
{
	CU_ASSERT_EQUAL_FATAL(folder_make(), 0);
}

static CU_TestInfo tests[] = {
	{"a folder is made", folder_is_made},
	{"a file is replaced whole", a_file_is_replaced_whole},
	{"a path that cannot be is said at once", a_path_that_cannot_be_is_said_at_once},
	{"nothing is left of an unfinished file", nothing_is_left_of_an_unfinished_file},
	{"a file is not made of itself", a_file_is_not_made_of_itself},
	{"a full device is an error", a_full_device_is_an_error},
	{"JSON strings are escaped", json_strings_are_escaped},
	{"the folder is left empty", folder_remove},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("tools: result files and JSON", tests)
