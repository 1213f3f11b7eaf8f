/* SPDX-License-Identifier: Apache-2.0 */
/* lockstep trace diff: where two traces first differ, with what came before. */
#include <stdio.h>
#include <string.h>

#include "tools/cmd_trace.h"
#include "tools/log.h"
#include "tools/output.h"
#include "tools/tool.h"
#include "tools/trace_print.h"
#include "traces/events.h"

#define CONTEXT      8
#define DIFF_DIFFERS 1
#define DIFF_FAILED  2

struct diff {
	struct trace_view view[2];
	const char *path[2];
	struct trace_printer *printer;
	/* The last records that were equal, a ring, and how the vCPU decoded at each. */
	uint64_t (*before)[LS_TRACE_RECORD_MAX];
	unsigned int code_bits[CONTEXT];
	uint64_t equal;
	struct ls_error err;
};

static void diff_print(struct diff *diff, char mark, int side, unsigned int vcpu,
		       const uint64_t *record)
{
	g_autoptr(GString) line = g_string_new(NULL);

	if (record)
		trace_print_text(diff->printer, &diff->view[side], line, vcpu, record);
	else
		g_string_append(line, "(no more records)");
	printf("%c %s\n", mark, line->str);
}

static void diff_report(struct diff *diff, unsigned int vcpu, const uint64_t *const record[2])
{
	uint64_t n = diff->equal > CONTEXT ? diff->equal - CONTEXT : 0;
	unsigned int bits = diff->view[0].code_bits;

	progress_clear(&diff->view[0].progress);
	printf("--- %s\n+++ %s\nvCPU %u: %" G_GUINT64_FORMAT " records are equal, then\n",
	       diff->path[0], diff->path[1], vcpu, diff->equal);
	for (; n < diff->equal; n++) {
		diff->view[0].code_bits = diff->code_bits[n % CONTEXT];
		diff_print(diff, ' ', 0, vcpu, diff->before[n % CONTEXT]);
	}
	diff->view[0].code_bits = bits;
	for (int side = 0; side < 2; side++)
		diff_print(diff, side ? '+' : '-', side, vcpu, record[side]);
}

static void diff_remember(struct diff *diff, const uint64_t *record)
{
	memcpy(diff->before[diff->equal % CONTEXT], record, 8 * LS_TRACE_WORDS(record[0]));
	diff->code_bits[diff->equal++ % CONTEXT] = diff->view[0].code_bits;
}

static bool diff_equal(const uint64_t *a, const uint64_t *b)
{
	return a && b && a[0] == b[0] && !memcmp(a, b, 8 * LS_TRACE_WORDS(a[0]));
}

/* True if the vCPU's records are the same in both, to the end. */
static bool diff_vcpu(struct diff *diff, unsigned int vcpu)
{
	const uint64_t *record[2];
	unsigned int of;

	diff->equal = 0;
	for (int side = 0; side < 2; side++)
		trace_view_rewind(&diff->view[side], vcpu);
	for (;;) {
		for (int side = 0; side < 2; side++)
			if (!trace_view_next(&diff->view[side], &of, &record[side], &diff->err))
				record[side] = NULL;
		if (diff->err.code || (!record[0] && !record[1]))
			return true;
		if (!diff_equal(record[0], record[1])) {
			diff_report(diff, vcpu, record);
			return false;
		}
		diff_remember(diff, record[0]);
	}
}

static int diff_run(struct diff *diff)
{
	unsigned int vcpus;
	bool same = true;

	diff->view[0].long_work = true;
	for (int side = 0; side < 2; side++)
		if (trace_view_open(&diff->view[side], diff->path[side], &diff->err))
			return DIFF_FAILED;
	vcpus = MAX(trace_view_vcpus(&diff->view[0]), trace_view_vcpus(&diff->view[1]));
	for (unsigned int vcpu = 0; vcpu < vcpus && same && !diff->err.code; vcpu++)
		same = diff_vcpu(diff, vcpu);
	output_flush_stdout(&diff->err);
	return diff->err.code ? DIFF_FAILED : same ? TOOL_EXIT_OK : DIFF_DIFFERS;
}

/* Both sides are asked for the same records. */
static void diff_share_options(struct diff *diff)
{
	diff->view[1].from_text = g_strdup(diff->view[0].from_text);
	diff->view[1].to_text = g_strdup(diff->view[0].to_text);
	diff->view[1].events_text = g_strdup(diff->view[0].events_text);
	diff->view[1].vcpu_text = g_strdup(diff->view[0].vcpu_text);
	diff->view[1].limit_text = g_strdup(diff->view[0].limit_text);
	diff->view[1].level_text = g_strdup(diff->view[0].level_text);
	diff->view[1].symbol_files = g_strdupv(diff->view[0].symbol_files);
}

int trace_diff(int argc, char **argv)
{
	struct diff diff = {0};
	const GOptionEntry entries[] = {TRACE_VIEW_OPTIONS(&diff.view[0]), G_OPTION_ENTRY_NULL};
	g_autoptr(GOptionContext) context = g_option_context_new("FILE FILE");
	g_autoptr(GError) error = NULL;
	int status = DIFF_FAILED;

	g_set_prgname("lockstep trace diff");
	g_option_context_set_description(
		context, "Exit status: 0 the traces are equal, 1 they differ, 2 trouble.");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		log_failure("%s; see 'lockstep trace diff --help'", error->message);
	} else if (argc != 3) {
		log_failure("say which two files; see 'lockstep trace diff --help'");
	} else {
		diff_share_options(&diff);
		diff.path[0] = argv[1];
		diff.path[1] = argv[2];
		diff.printer = trace_printer_create(false);
		diff.before = g_malloc(CONTEXT * sizeof(diff.before[0]));
		status = diff_run(&diff);
		if (diff.err.code)
			log_failure("%s", diff.err.text);
		g_free(diff.before);
		trace_printer_destroy(diff.printer);
	}
	for (int side = 0; side < 2; side++)
		trace_view_close(&diff.view[side]);
	return status;
}
