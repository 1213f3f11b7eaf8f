/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lockstep diff --dut trace:FILE: a trace of the engine itself is equal, and one with a single
 * changed record is different exactly there.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/tools/changed_trace.h"
#include "tests/unit/tools/diff_guest.h"
#include "tools/diff/compare.h"
#include "tools/diff/side/side.h"
#include "traces/events.h"

enum change { NOTHING, FLAG, RIP, MEMORY, LINE, EXIT_VALUE, MISSING, TORN };

static struct {
	char *folder, *image, *trace, *changed;
	uint64_t events; /* of the whole run */
} run;

/* --- comparisons --- */

static struct diff_result *compare(bool step, const char *save, char *trace)
{
	static struct diff_case test = {.name = (char *)"guest", .vcpus = 1};
	static struct diff_options options;
	bool expected[64] = {false}, quirk[64] = {false};
	const struct diff_used used = {expected, quirk};

	test.image = run.image;
	test.trace = trace;
	options = (struct diff_options){
		.engine = {&ls_engine_sim, trace ? NULL : &ls_engine_sim},
		.cpu = (char *)"intel",
		.memory = 2 << 20,
		.step = step,
		.seconds = 20,
		.save = save,
		.command = (char *)"",
	};
	return diff_compare(&options, &test, &used);
}

static void record(bool step)
{
	struct diff_result *result = compare(step, run.folder, NULL);

	CU_ASSERT_EQUAL(result->verdict, DIFF_EQUAL);
	run.events = result->events;
	diff_result_free(result);
}

/* --- a trace with one record changed --- */

static uint64_t column_of(struct trace_view *view, const char *name)
{
	const char *row;
	unsigned int n = 0;

	while ((row = trace_reader_text(view->reader, "compared", n)) && strcmp(row, name))
		n++;
	CU_ASSERT_PTR_NOT_NULL_FATAL(row);
	return n;
}

/* What the column holds up to the record, kept in @value. */
static void follow(const uint64_t *record, uint64_t column, uint64_t *value)
{
	const struct trace_fields_COMPARED *from = (const void *)(record + 2);
	const uint64_t *pair = (const uint64_t *)(from + 1);

	for (uint64_t n = 0; n < from->size / 16; n++)
		if (pair[2 * n] == column)
			*value = pair[2 * n + 1];
}

/* One more pair at the record's end. */
static void change_register(uint64_t *record, uint64_t column, uint64_t value)
{
	struct trace_fields_COMPARED *fields = (void *)(record + 2);
	uint64_t *end = record + LS_TRACE_WORDS(record[0]);

	end[0] = column;
	end[1] = value;
	fields->size += 16;
	record[0] = LS_TRACE_HEAD(TRACE_COMPARED, 0, LS_TRACE_WORDS(record[0]) + 2);
}

static void change(uint64_t *record, enum change change, uint64_t column, uint64_t value)
{
	struct trace_fields_COMPARED *fields = (void *)(record + 2);

	switch (change) {
	case FLAG:
		change_register(record, column, value ^ 1);
		break;
	case RIP:
		change_register(record, column, value + 1);
		break;
	case MEMORY:
	case LINE:
		fields->memory ^= 1;
		break;
	case EXIT_VALUE:
		fields->value ^= 1;
		break;
	default:
		break;
	}
}

struct one_change {
	enum change what;
	uint64_t at, value; /* value: of the register that is changed, so far */
	uint64_t line;      /* the address of the line that is changed */
};

/* The first byte of the first line from the event `at` on, whose hash is changed, too. */
static void change_line(struct one_change *one, uint64_t *record)
{
	if (one->what != LINE || record[1] < one->at || one->line)
		return;
	one->line = record[2];
	one->at = record[1];
	record[4] ^= 1;
}

static enum changed change_one(void *opaque, struct trace_view *view, uint64_t *record)
{
	struct one_change *one = opaque;
	uint64_t column = column_of(view, one->what == RIP ? "RIP" : "RFLAGS");

	if (LS_TRACE_EVENT(record[0]) == TRACE_COMPARED_LINE) {
		change_line(one, record);
		return CHANGED_KEEP;
	}
	follow(record, column, &one->value);
	if (record[1] != one->at || (one->what == LINE && !one->line))
		return CHANGED_KEEP;
	change(record, one->what, column, one->value);
	return one->what == TORN      ? CHANGED_STOP
	       : one->what == MISSING ? CHANGED_DROP
				      : CHANGED_KEEP;
}

static void make_changed(enum change what, uint64_t at)
{
	changed_trace(run.trace, run.changed, NULL, change_one,
		      &(struct one_change){.what = what, .at = at});
}

static void expect_found(enum change what, uint64_t at, const char *words)
{
	struct diff_result *result;

	make_changed(what, at);
	result = compare(true, NULL, run.changed);
	CU_ASSERT_EQUAL(result->verdict, DIFF_DIFFERENT);
	CHECK_EQUAL(result->events, at);
	CHECK_ROW(result->text && strstr(result->text, words), "'%s' does not say '%s'",
		  result->text, words);
	CU_ASSERT_TRUE(result->values->len > 0);
	diff_result_free(result);
}

/* --- the tests --- */

static void equal_to_itself(void)
{
	struct diff_result *result;

	for (int step = 0; step < 2; step++) {
		record(step);
		result = compare(step, NULL, run.trace);
		CU_ASSERT_EQUAL(result->verdict, DIFF_EQUAL);
		CHECK_EQUAL(result->events, run.events);
		diff_result_free(result);
	}
	CU_ASSERT_TRUE(run.events > 200);
	/* And what the copying of these tests leaves as it was. */
	make_changed(NOTHING, 0);
	result = compare(true, NULL, run.changed);
	CU_ASSERT_EQUAL(result->verdict, DIFF_EQUAL);
	diff_result_free(result);
}

static void change_is_found(void)
{
	record(true);
	for (uint64_t at = 3; at < run.events; at += run.events / 5) {
		expect_found(FLAG, at, "RFLAGS differs");
		expect_found(RIP, at, "RIP differs");
		expect_found(MEMORY, at, "memory differs");
		expect_found(MISSING, at, "an event that is missing on trace");
		expect_found(TORN, at, "no more events on trace");
	}
	/* The last is the run's end. */
	expect_found(EXIT_VALUE, run.events - 1, "step on sim, step, DR6 0x1 on trace");
	expect_found(TORN, run.events, "no more events on trace");
}

/* The byte that differs is named, by its address and with both values. */
static void byte_is_found(void)
{
	struct one_change one = {.what = LINE, .at = 100};
	const struct diff_value *value;
	g_autofree char *words = NULL;
	struct diff_result *result;

	record(true);
	changed_trace(run.trace, run.changed, NULL, change_one, &one);
	CU_ASSERT_TRUE_FATAL(one.line);
	result = compare(true, NULL, run.changed);
	words = g_strdup_printf("memory at 0x%" PRIx64 " differs", one.line);
	CU_ASSERT_EQUAL(result->verdict, DIFF_DIFFERENT);
	CHECK_EQUAL(result->events, one.at);
	CHECK_ROW(!g_strcmp0(result->text, words), "'%s', not '%s'", result->text, words);
	CU_ASSERT_TRUE_FATAL(result->values->len > 0);
	value = g_ptr_array_index(result->values, 0);
	CHECK_EQUAL(value->value[0] ^ value->value[1], 1);
	diff_result_free(result);
}

static void expect_refused(const char *words)
{
	struct diff_result *result = compare(true, NULL, run.changed);

	CU_ASSERT_EQUAL(result->verdict, DIFF_FAILED);
	CHECK_ROW(result->text && strstr(result->text, words), "'%s' does not say '%s'",
		  result->text, words);
	CU_ASSERT_TRUE(result->text && !strchr(result->text, '\n'));
	diff_result_free(result);
}

static void damage_is_refused(void)
{
	g_autofree char *bytes = NULL;
	gsize size;

	record(true);
	CU_ASSERT_TRUE_FATAL(g_file_get_contents(run.trace, &bytes, &size, NULL));
	bytes[size / 2] ^= 0x10;
	g_file_set_contents(run.changed, bytes, (gssize)size, NULL);
	expect_refused("no whole trace");
	g_file_set_contents(run.changed, bytes, 30, NULL);
	expect_refused("no whole trace");
}

static int prepare(void)
{
	static const char *const sides[] = {"ref", "dut"};

	run.folder = g_dir_make_tmp("recorded-XXXXXX", NULL);
	run.image = g_build_filename(run.folder, "guest", NULL);
	run.changed = g_build_filename(run.folder, "changed", NULL);
	run.trace = g_build_filename(run.folder, "dut", "guest.trace", NULL);
	for (int side = 0; side < 2; side++) {
		g_autofree char *path = g_build_filename(run.folder, sides[side], NULL);

		if (g_mkdir(path, 0700))
			return -1;
	}
	return g_file_set_contents(run.image, diff_guest_start, (gssize)diff_guest_size(), NULL)
		       ? 0
		       : -1;
}

static void clean_up(void)
{
	static const char *const names[] = {
		"guest", "changed", "ref/guest.trace", "dut/guest.trace", "ref", "dut", ""};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(run.folder, names[i], NULL);

		g_remove(path);
	}
	g_free(run.folder);
	g_free(run.image);
	g_free(run.changed);
	g_free(run.trace);
}

static void all(void)
{
	CU_ASSERT_EQUAL_FATAL(prepare(), 0);
	equal_to_itself();
	change_is_found();
	byte_is_found();
	damage_is_refused();
	clean_up();
}

static CU_TestInfo tests[] = {
	{"a trace is equal to its engine, and different where it was changed", all},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("tools: the comparison with a trace", tests)
