/* SPDX-License-Identifier: Apache-2.0 */
/* lockstep trace stat: exits by reason with counts and times, as `perf kvm stat` prints them; and
 * how many of each event there are. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cmd_trace.h"
#include "tools/json.h"
#include "tools/log.h"
#include "tools/output.h"
#include "tools/tool.h"
#include "tools/trace_names.h"
#include "tools/trace_view.h"

#define VCPUS_MAX 256
#define LEVELS    4

enum kind { KIND_ENGINE, KIND_VMX, KIND_SVM, KINDS };

static const struct {
	const char *key, *title;
} kinds[KINDS] = {
	{"engine", "exits of the engine"},
	{"vmx", "VM exits (VMX) from level"},
	{"svm", "VM exits (SVM) from level"},
};

/* Exits of one reason. */
struct row {
	enum kind kind;
	uint64_t level; /* of the guest; 0 for exits of the engine */
	uint64_t reason, samples;
	uint64_t timed, time, least, most; /* from the exit to the next entry, in ns */
	double squares;                    /* sum of those of the times */
};

/* The exit that a vCPU's next entry ends. */
struct open_exit {
	struct row *row;
	uint64_t time;
};

struct stat {
	struct trace_view view;
	gboolean json;
	char *key;
	GPtrArray *rows;
	uint64_t events[LS_TRACE_EVENTS_MAX];
	struct open_exit engine[VCPUS_MAX], guest[VCPUS_MAX][LEVELS];
};

static bool is_of(const struct row *row, enum kind kind, uint64_t level)
{
	return row->kind == kind && row->level == level;
}

static struct row *row_of(struct stat *stat, enum kind kind, uint64_t level, uint64_t reason)
{
	struct row *row;

	for (guint i = 0; i < stat->rows->len; i++) {
		row = g_ptr_array_index(stat->rows, i);
		if (is_of(row, kind, level) && row->reason == reason)
			return row;
	}
	row = g_new0(struct row, 1);
	row->kind = kind;
	row->level = level;
	row->reason = reason;
	row->least = UINT64_MAX;
	g_ptr_array_add(stat->rows, row);
	return row;
}

static void exit_begins(struct open_exit *open, struct row *row, uint64_t time)
{
	row->samples++;
	open->row = row;
	open->time = time;
}

static void exit_ends(struct open_exit *open, uint64_t time)
{
	struct row *row = open->row;
	uint64_t took = time - open->time;

	if (!row)
		return;
	row->timed++;
	row->time += took;
	row->squares += (double)took * (double)took;
	row->least = MIN(row->least, took);
	row->most = MAX(row->most, took);
	open->row = NULL;
}

/* What was imported from a host has nanoseconds where others have instructions. */
static uint64_t time_of(const uint64_t *record)
{
	uint64_t time;

	return trace_record_time(record, &time) ? time : record[1];
}

static void stat_add(struct stat *stat, unsigned int vcpu, const uint64_t *record)
{
	unsigned int event = LS_TRACE_EVENT(record[0]) % LS_TRACE_EVENTS_MAX;
	const struct trace_fields_ENGINE_EXIT *engine = (const void *)(record + 2);
	const struct trace_fields_VM_ENTRY *entry = (const void *)(record + 2);
	const struct trace_fields_VM_EXIT *guest = (const void *)(record + 2);

	stat->events[event]++;
	vcpu %= VCPUS_MAX;
	switch (event) {
	case TRACE_ENGINE_ENTRY:
		exit_ends(&stat->engine[vcpu],
			  ((const struct trace_fields_ENGINE_ENTRY *)(record + 2))->time);
		break;
	case TRACE_ENGINE_EXIT:
		exit_begins(&stat->engine[vcpu], row_of(stat, KIND_ENGINE, 0, engine->reason),
			    engine->time);
		break;
	case TRACE_VM_ENTRY:
		exit_ends(&stat->guest[vcpu][entry->level % LEVELS], time_of(record));
		break;
	case TRACE_VM_EXIT:
		exit_begins(&stat->guest[vcpu][guest->level % LEVELS],
			    row_of(stat, guest->vendor ? KIND_SVM : KIND_VMX, guest->level % LEVELS,
				   guest->reason),
			    time_of(record));
		break;
	default:
		break;
	}
}

static double average(const struct row *row)
{
	return row->timed ? (double)row->time / (double)row->timed : 0;
}

/* Of the average, in per cent of it, as perf's util/stat.c has it: the variance of the samples by
 * their number. */
static double deviation(const struct row *row)
{
	double n = (double)row->timed, mean = average(row);
	double variance = n > 1 ? (row->squares - n * mean * mean) / (n - 1) : 0;

	return mean > 0 && variance > 0 ? 100 * sqrt(variance / n) / mean : 0;
}

static int by_samples(const void *a, const void *b)
{
	const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;

	if (x->samples != y->samples)
		return x->samples < y->samples ? 1 : -1;
	return x->reason < y->reason ? -1 : x->reason > y->reason;
}

static int by_time(const void *a, const void *b)
{
	double x = average(*(struct row *const *)a), y = average(*(struct row *const *)b);

	return x < y ? 1 : x > y ? -1 : by_samples(a, b);
}

static void reason_name(const struct row *row, char *text, size_t size)
{
	const char *name = row->kind == KIND_ENGINE
				   ? trace_kvm_exit_name(row->reason)
				   : trace_vm_exit_name(row->kind == KIND_SVM, row->reason);

	if (name)
		g_strlcpy(text, name, size);
	else
		snprintf(text, size, "0x%" PRIx64, row->reason);
}

static void print_kind(const struct stat *stat, enum kind kind, uint64_t level)
{
	uint64_t samples = 0, time = 0;
	char name[64];

	for (guint i = 0; i < stat->rows->len; i++) {
		const struct row *row = g_ptr_array_index(stat->rows, i);

		samples += is_of(row, kind, level) ? row->samples : 0;
		time += is_of(row, kind, level) ? row->time : 0;
	}
	if (!samples)
		return;
	printf(level ? "%s %" PRIu64 "\n" : "%s\n", kinds[kind].title, level);
	printf("%24s %12s %9s %9s %12s %12s %12s\n", "reason", "samples", "samples%", "time%",
	       "min ns", "max ns", "avg ns");
	for (guint i = 0; i < stat->rows->len; i++) {
		const struct row *row = g_ptr_array_index(stat->rows, i);

		if (!is_of(row, kind, level))
			continue;
		reason_name(row, name, sizeof(name));
		printf("%24s %12" PRIu64 " %8.2f%% %8.2f%% %12" PRIu64 " %12" PRIu64
		       " %12.2f ( +- %5.2f%% )\n",
		       name, row->samples, 100.0 * (double)row->samples / (double)samples,
		       time ? 100.0 * (double)row->time / (double)time : 0,
		       row->timed ? row->least : 0, row->most, average(row), deviation(row));
	}
	printf("Total samples: %" PRIu64 ", total time handled: %" PRIu64 " ns\n\n", samples, time);
}

static void print_text(const struct stat *stat)
{
	for (unsigned int kind = 0; kind < KINDS; kind++)
		for (uint64_t level = 0; level < LEVELS; level++)
			print_kind(stat, kind, level);
	printf("%24s %12s\n", "event", "records");
	for (unsigned int n = 0; n < TRACE_EVENTS; n++)
		if (stat->events[n])
			printf("%24s %12" PRIu64 "\n", trace_events[n].name, stat->events[n]);
}

static void print_json(const struct stat *stat)
{
	const char *separator = "";
	char name[64];

	printf("{\"exits\": [");
	for (guint i = 0; i < stat->rows->len; i++) {
		const struct row *row = g_ptr_array_index(stat->rows, i);

		reason_name(row, name, sizeof(name));
		printf("%s\n  {\"kind\": \"%s\", \"level\": %" PRIu64
		       ", \"reason\": \"%s\", \"samples\": %" PRIu64 ", \"time\": %" PRIu64
		       ", \"min\": %" PRIu64 ", \"max\": %" PRIu64
		       ", \"average\": %.2f, \"deviation_percent\": %.2f}",
		       i ? "," : "", kinds[row->kind].key, row->level, name, row->samples,
		       row->time, row->timed ? row->least : 0, row->most, average(row),
		       deviation(row));
	}
	printf("],\n \"events\": {");
	for (unsigned int n = 0; n < TRACE_EVENTS; n++) {
		if (!stat->events[n])
			continue;
		printf("%s\"%s\": %" PRIu64, separator, trace_events[n].name, stat->events[n]);
		separator = ", ";
	}
	printf("}}\n");
}

static int stat_run(struct stat *stat, const char *path)
{
	struct ls_error err = {0};
	const uint64_t *record;
	unsigned int vcpu;

	stat->view.long_work = true;
	if (!trace_view_open(&stat->view, path, &err))
		while (trace_view_next(&stat->view, &vcpu, &record, &err))
			stat_add(stat, vcpu, record);
	if (err.code)
		return trace_view_status(&stat->view, &err);
	g_ptr_array_sort(stat->rows, g_strcmp0(stat->key, "time") ? by_samples : by_time);
	if (stat->json)
		print_json(stat);
	else
		print_text(stat);
	output_flush_stdout(&err);
	return trace_view_status(&stat->view, &err);
}

int trace_stat(int argc, char **argv)
{
	struct stat *stat = g_new0(struct stat, 1);
	const GOptionEntry entries[] = {
		TRACE_VIEW_OPTIONS(&stat->view),
		{"key", 0, 0, G_OPTION_ARG_STRING, &stat->key,
		 "Sort by the number of exits (default), or by their average time", "sample|time"},
		{"json", 0, 0, G_OPTION_ARG_NONE, &stat->json, "Print JSON", NULL},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new("FILE");
	g_autoptr(GError) error = NULL;
	int status = TOOL_EXIT_USAGE;

	stat->rows = g_ptr_array_new_with_free_func(g_free);
	g_set_prgname("lockstep trace stat");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error))
		log_failure("%s; see 'lockstep trace stat --help'", error->message);
	else if (argc != 2)
		log_failure("say which file; see 'lockstep trace stat --help'");
	else if (stat->key && strcmp(stat->key, "sample") && strcmp(stat->key, "time"))
		log_failure("--key %s: say sample or time", stat->key);
	else
		status = stat_run(stat, argv[1]);
	g_ptr_array_unref(stat->rows);
	g_free(stat->key);
	trace_view_close(&stat->view);
	g_free(stat);
	return status;
}
