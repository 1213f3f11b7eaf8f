/* SPDX-License-Identifier: Apache-2.0 */
/* lockstep trace export: other programs' formats. */
#include <stdio.h>
#include <string.h>

#include "tools/cmd_trace.h"
#include "tools/log.h"
#include "tools/output.h"
#include "tools/tool.h"
#include "tools/trace_print.h"
#include "traces/export_chrome.h"
#include "traces/ftrace/export.h"

struct export
{
	struct trace_view view;
	char *format;
	FILE *to;
	unsigned int vcpus;
	struct ls_error err;
};

/* Calls @add with every record, vCPU by vCPU. */
static void each_vcpu(struct export *export,
		      void (*add)(struct export *export, unsigned int vcpu, const uint64_t *record,
				  void *opaque),
		      void *opaque)
{
	const uint64_t *record;
	unsigned int vcpu;

	for (unsigned int n = 0; n < export->vcpus; n++) {
		trace_view_rewind(&export->view, n);
		while (!ferror(export->to) &&
		       trace_view_next(&export->view, &vcpu, &record, &export->err))
			add(export, vcpu, record, opaque);
	}
}

/* --- trace.dat --- */

static void add_ftrace(struct export *export, unsigned int vcpu, const uint64_t *record,
		       void *opaque)
{
	int ret = ftrace_export_add(opaque, vcpu, record);

	if (ret)
		ls_error_set(&export->err, ret, "no memory for the export");
}

static void write_ftrace(struct export *export)
{
	struct ftrace_export *ftrace = ftrace_export_create(export->vcpus);

	if (!ftrace) {
		ls_error_set(&export->err, -ENOMEM, "no memory for the export");
		return;
	}
	each_vcpu(export, add_ftrace, ftrace);
	ftrace_export_write(ftrace, export->to);
	ftrace_export_destroy(ftrace);
}

/* --- Chrome --- */

static void add_chrome(struct export *export, unsigned int vcpu, const uint64_t *record,
		       void *opaque)
{
	(void)export;
	chrome_export_add(opaque, vcpu, record);
}

static void write_chrome(struct export *export)
{
	struct chrome_export chrome;

	chrome_export_begin(&chrome, export->to, export->vcpus);
	each_vcpu(export, add_chrome, &chrome);
	chrome_export_end(&chrome);
}

/* --- JSON lines --- */

static void write_jsonl(struct export *export)
{
	struct trace_printer *printer = trace_printer_create(false);
	g_autoptr(GString) line = g_string_new(NULL);
	const uint64_t *record;
	unsigned int vcpu;

	while (!ferror(export->to) &&
	       trace_view_next(&export->view, &vcpu, &record, &export->err)) {
		g_string_truncate(line, 0);
		trace_print_json(printer, &export->view, line, vcpu, record);
		g_string_append_c(line, '\n');
		fwrite(line->str, 1, line->len, export->to);
	}
	trace_printer_destroy(printer);
}

/* --- the command --- */

static const struct {
	const char *name;
	void (*write)(struct export *export);
} formats[] = {
	{"trace.dat", write_ftrace},
	{"jsonl", write_jsonl},
	{"chrome", write_chrome},
};

static void export_into(struct export *export, size_t format, struct output *output)
{
	bool failed;

	export->vcpus = trace_view_vcpus(&export->view);
	export->to = fopen(output->name, "wb");
	if (!export->to) {
		ls_error_set(&export->err, -errno, "cannot write '%s': %s", output->name,
			     g_strerror(errno));
		return;
	}
	formats[format].write(export);
	failed = ferror(export->to);
	if (fclose(export->to) || failed)
		ls_error_set(&export->err, -EIO, "cannot write '%s': %s", output->name,
			     g_strerror(errno));
}

static int export_run(struct export *export, size_t format, const char *from, const char *into)
{
	struct output output;

	export->view.long_work = true;
	if (trace_view_open(&export->view, from, &export->err) ||
	    output_check_of(into, from, &export->err) || output_begin(&output, into, &export->err))
		return export->err.code;
	export_into(export, format, &output);
	return output_end(&output, &export->err);
}

static int format_find(const char *name)
{
	for (size_t i = 0; name && i < G_N_ELEMENTS(formats); i++)
		if (!strcmp(formats[i].name, name))
			return (int)i;
	return -1;
}

int trace_export(int argc, char **argv)
{
	struct export export = {0};
	const GOptionEntry entries[] = {
		{"format", 0, 0, G_OPTION_ARG_STRING, &export.format,
		 "trace-cmd's file, JSON lines, or the JSON of Chrome and Perfetto",
		 "trace.dat|jsonl|chrome"},
		TRACE_VIEW_OPTIONS(&export.view),
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new("IN OUT");
	g_autoptr(GError) error = NULL;
	int status = TOOL_EXIT_USAGE;

	g_set_prgname("lockstep trace export");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error))
		log_failure("%s; see 'lockstep trace export --help'", error->message);
	else if (format_find(export.format) < 0)
		log_failure("say --format trace.dat, jsonl or chrome");
	else if (argc != 3)
		log_failure("say which file to read, and which to write");
	else {
		export_run(&export, (size_t)format_find(export.format), argv[1], argv[2]);
		status = trace_view_status(&export.view, &export.err);
	}
	g_free(export.format);
	trace_view_close(&export.view);
	return status;
}
