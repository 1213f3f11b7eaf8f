/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lockstep diff --dut trace:FILE of what `lockstep run --trace` recorded, instruction by
 * instruction and exit by exit, and of exits of a host's processor as trace-cmd has them: equal to
 * the engine itself, and different at the record that was changed.
 */
#include <asm/vmx.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "tests/unit/tools/changed_trace.h"
#include "tests/unit/tools/diff_guest.h"
#include "tools/diff/compare.h"
#include "tools/diff/suite.h"
#include "tools/trace_run.h"
#include "tools/traced_run.h"
#include "traces/events.h"
#include "traces/record.h"

static struct {
	char *folder, *image, *trace, *changed;
	GPtrArray *cases;
} files;

/* --- runs and comparisons --- */

/* As `lockstep run --payload IMAGE --append TEXT --trace FILE` does. */
static void run(const char *image, const char *append)
{
	char *words[] = {(char *)"lockstep run", (char *)"--payload", (char *)image,
			 (char *)"--append", (char *)append};
	g_autofree char *arguments = g_strdup_printf(
		"argument --payload\nargument %s\nargument --append\nargument %s\n", image, append);
	struct trace_spec spec = {.path = files.trace, .events = trace_usual_events()};
	struct traced_run traced = {0};
	struct machine_result result;
	struct trace_writer *writer;
	struct machine *machine;
	struct ls_error err = {0};

	CU_ASSERT_EQUAL_FATAL(traced_run_make(&traced, 5, words, &err), 0);
	machine = machine_create(&traced.session.config, &err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(machine);
	writer = trace_run_begin(&spec, machine, arguments, &err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
	CU_ASSERT_EQUAL(machine_run(machine, &result, &err), 0);
	CU_ASSERT_EQUAL(trace_run_end(writer, machine, &err), 0);
	machine_destroy(machine);
	traced_run_free(&traced);
}

static struct diff_result *compare(bool step, const struct diff_case *like, char *trace)
{
	static struct diff_case test;
	static char *cpu;
	struct diff_options options;
	bool expected[64] = {false}, quirk[64] = {false};
	const struct diff_used used = {expected, quirk};

	g_free(cpu);
	cpu = g_strdup("intel");
	test = *like;
	test.trace = trace;
	options = (struct diff_options){.engine = {&ls_engine_sim, NULL},
					.cpu = cpu,
					.step = step,
					.seconds = 20,
					.command = (char *)""};
	return diff_compare(&options, &test, &used);
}

static struct diff_case guest(void)
{
	return (struct diff_case){.name = (char *)"guest", .image = files.image};
}

static void expect(struct diff_result *result, enum diff_verdict verdict, uint64_t events,
		   const char *words)
{
	CU_ASSERT_EQUAL(result->verdict, verdict);
	if (events)
		CHECK_EQUAL(result->events, events);
	if (words)
		CHECK_ROW(result->text && strstr(result->text, words), "'%s' does not say '%s'",
			  result->text, words);
	else
		CHECK_ROW(!result->text, "%s", result->text);
	diff_result_free(result);
}

/* --- one change --- */

enum change { REGISTER, RIP, STORED, MISSING, TORN, NO_EXCEPTION, EXIT_VALUE };

struct one_change {
	enum change what;
	uint64_t from; /* the first record from this count on for which it can be made */
	bool done;
	uint64_t at; /* where that was */
};

static bool is_instruction(const uint64_t *record)
{
	return LS_TRACE_EVENT(record[0]) == TRACE_INSTRUCTION &&
	       (LS_TRACE_FLAGS(record[0]) & LS_TRACE_RETIRED);
}

static bool can(enum change what, const uint64_t *record)
{
	struct trace_instruction insn;

	if (what == NO_EXCEPTION)
		return LS_TRACE_EVENT(record[0]) == TRACE_EXCEPTION;
	if (what == EXIT_VALUE)
		return LS_TRACE_EVENT(record[0]) == TRACE_ENGINE_EXIT;
	if (!is_instruction(record))
		return false;
	trace_instruction_parse(record, &insn);
	return what == REGISTER ? insn.changed & 0xffff : what != STORED || insn.stores;
}

static void make(enum change what, uint64_t *record)
{
	struct trace_fields_ENGINE_EXIT *exit = (void *)(record + 2);
	struct trace_instruction insn;

	trace_instruction_parse(record, &insn);
	if (what == REGISTER)
		record[LS_TRACE_INSTRUCTION_WORDS] ^= 1;
	else if (what == RIP)
		record[2]++;
	else if (what == STORED)
		record[insn.store - record + 2] ^= 1;
	else if (what == EXIT_VALUE)
		exit->value ^= 1;
}

static enum changed change_one(void *opaque, struct trace_view *view, uint64_t *record)
{
	struct one_change *one = opaque;

	(void)view;
	if (one->done || record[1] < one->from || !can(one->what, record))
		return CHANGED_KEEP;
	one->done = true;
	one->at = record[1];
	make(one->what, record);
	return one->what == TORN                                   ? CHANGED_STOP
	       : one->what == MISSING || one->what == NO_EXCEPTION ? CHANGED_DROP
								   : CHANGED_KEEP;
}

static void expect_found(enum change what, uint64_t from, const char *words)
{
	struct one_change one = {.what = what, .from = from};
	struct diff_case test = guest();

	changed_trace(files.trace, files.changed, NULL, change_one, &one);
	CU_ASSERT_TRUE(one.done);
	expect(compare(what != EXIT_VALUE, &test, files.changed), DIFF_DIFFERENT,
	       what == EXIT_VALUE ? 1 : one.at + 1, words);
}

/* --- the tests --- */

static void by_instruction(void)
{
	struct diff_case test = guest();

	run(files.image, "a");
	expect(compare(true, &test, files.trace), DIFF_EQUAL, 0, NULL);
	for (uint64_t from = 0; from < 230; from += 37) {
		expect_found(REGISTER, from, "differs");
		expect_found(RIP, from, "instruction at differs");
		expect_found(STORED, from, "memory 0x");
		expect_found(MISSING, from, ""); /* by whatever comes next */
		expect_found(TORN, from, "no more events on trace");
	}
	expect_found(NO_EXCEPTION, 0, "exception on sim");
}

static void by_exit(void)
{
	struct diff_case test = guest();

	run(files.image, "a");
	expect(compare(false, &test, files.trace), DIFF_EQUAL, 2, NULL);
	expect_found(EXIT_VALUE, 0, "0x0 on sim, write of 1 byte to port 0xf4: 0x1 on trace");
}

/* --- a host --- */

struct host {
	uint64_t wrong; /* exit with another RIP, from 1 on */
	uint64_t exits;
	uint64_t next; /* behind the last instruction */
	bool ends;     /* with the exit of the write that ended the run */
};

static uint64_t reason_of(const struct trace_instruction *insn)
{
	const uint8_t *code = insn->bytes;

	code += *code == 0x66;
	if (code[0] == 0x0f && code[1] == 0xa2)
		return EXIT_REASON_CPUID;
	if (code[0] == 0xf4)
		return EXIT_REASON_HLT;
	return (code[0] & 0xf4) == 0xe4 ? EXIT_REASON_IO_INSTRUCTION : UINT64_MAX;
}

static enum changed put_exit(struct host *host, uint64_t *record, uint64_t reason, uint64_t rip)
{
	const struct trace_fields_VM_EXIT exit = {
		.level = 1, .reason = reason, .rip = rip + (++host->exits == host->wrong)};

	memcpy(record + 2, &exit, sizeof(exit));
	record[0] = LS_TRACE_HEAD(TRACE_VM_EXIT, 0, 2 + sizeof(exit) / 8);
	return CHANGED_KEEP;
}

/* The exits that VMX takes at IN, OUT, CPUID and HLT (SDM 3C:26.1.2, 26.1.3), in place of their
 * records, as kvm_exit tells them. */
static enum changed as_host(void *opaque, struct trace_view *view, uint64_t *record)
{
	const struct trace_fields_ENGINE_EXIT *end = (const void *)(record + 2);
	struct host *host = opaque;
	struct trace_instruction insn;
	uint64_t reason;

	(void)view;
	if (host->ends && LS_TRACE_EVENT(record[0]) == TRACE_ENGINE_EXIT && end->address == 0xf4)
		return put_exit(host, record, EXIT_REASON_IO_INSTRUCTION, host->next);
	if (!is_instruction(record))
		return CHANGED_DROP;
	trace_instruction_parse(record, &insn);
	host->next = insn.rip + insn.length;
	reason = reason_of(&insn);
	return reason == UINT64_MAX ? CHANGED_DROP : put_exit(host, record, reason, insn.rip);
}

static const struct diff_case *find_case(const char *name)
{
	for (guint i = 0; i < files.cases->len; i++) {
		const struct diff_case *test = g_ptr_array_index(files.cases, i);

		if (!strcmp(test->name, name))
			return test;
	}
	return NULL;
}

/* @after: events behind the last that is in the trace, or up to the wrong one. */
static void expect_host(const struct diff_case *test, struct host *host, enum diff_verdict verdict,
			uint64_t after, const char *words)
{
	changed_trace(files.trace, files.changed, "engine kvm\nvcpus 1\n", as_host, host);
	expect(compare(false, test, files.changed), verdict,
	       host->wrong ? host->wrong : host->exits + after, words);
}

static void by_host(void)
{
	const struct diff_case *test = find_case("divide_by_zero");
	struct diff_case plain;
	struct host host;

	CU_ASSERT_PTR_NOT_NULL_FATAL(test);
	run(test->image, test->append);
	plain = (struct diff_case){
		.name = test->name, .image = test->image, .append = test->append};
	host = (struct host){.ends = true};
	expect_host(&plain, &host, DIFF_EQUAL, 1, NULL);
	CU_ASSERT_TRUE(host.exits > 5);
	host = (struct host){.ends = true, .wrong = host.exits / 2};
	expect_host(&plain, &host, DIFF_DIFFERENT, 0, "exit of the processor, reason 30");
	host = (struct host){.ends = false};
	expect_host(&plain, &host, DIFF_DIFFERENT, 1, "no more events on trace");
}

static void refused(void)
{
	struct diff_case test = guest();

	run(files.image, "a");
	test.append = (char *)"other";
	expect(compare(true, &test, files.trace), DIFF_FAILED, 0, "brings its machine");
}

static int prepare(void)
{
	struct ls_error err = {0};

	files.folder = g_dir_make_tmp("recorded-XXXXXX", NULL);
	files.image = g_build_filename(files.folder, "guest", NULL);
	files.changed = g_build_filename(files.folder, "changed", NULL);
	files.trace = g_build_filename(files.folder, "trace", NULL);
	files.cases = g_ptr_array_new_with_free_func((GDestroyNotify)diff_case_free);
	return g_file_set_contents(files.image, diff_guest_start, (gssize)diff_guest_size(), NULL)
		       ? suite_load(files.cases, &err)
		       : -1;
}

static void clean_up(void)
{
	g_remove(files.image);
	g_remove(files.changed);
	g_remove(files.trace);
	g_remove(files.folder);
	g_free(files.image);
	g_free(files.changed);
	g_free(files.trace);
	g_free(files.folder);
	g_ptr_array_unref(files.cases);
}

static void all(void)
{
	CU_ASSERT_EQUAL_FATAL(prepare(), 0);
	by_instruction();
	by_exit();
	by_host();
	refused();
	clean_up();
}

static CU_TestInfo tests[] = {
	{"a run's trace is equal to its engine, and different where it was changed", all},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("tools: the comparison with a run's trace", tests)
