/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/ftrace/import.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "traces/events.h"
#include "traces/ftrace/file.h"
#include "traces/writer.h"

#define VCPUS_MAX 256

/* --- the table --- */

#define IMPORT(name, event)                                                                        \
	static void import_##name(void *into, const struct ftrace_event *from)                     \
	{                                                                                          \
		struct trace_fields_##event *to = into;
#define FIELD(ours, theirs)    to->ours = ftrace_value(from, #theirs);
#define LESS_ONE(ours, theirs) to->ours = ftrace_value(from, #theirs) - 1;
#define VALUE(ours, value)     to->ours = value;
#define BY_VENDOR(vmx, svm, theirs)                                                                \
	*(to->vendor ? &to->svm : &to->vmx) = ftrace_value(from, #theirs);
#define IMPORT_END(name) }
#include "traces/ftrace/import.def"
#undef IMPORT
#undef FIELD
#undef LESS_ONE
#undef VALUE
#undef BY_VENDOR
#undef IMPORT_END

static const struct row {
	const char *name;
	enum trace_event event;
	size_t size;
	void (*fill)(void *into, const struct ftrace_event *from);
} rows[] = {
#define IMPORT(name, event)                                                                        \
	{#name, TRACE_##event, sizeof(struct trace_fields_##event), import_##name},
#define FIELD(ours, theirs)
#define LESS_ONE(ours, theirs)
#define VALUE(ours, value)
#define BY_VENDOR(vmx, svm, theirs)
#define IMPORT_END(name)
#include "traces/ftrace/import.def"
};

static const struct row *row_of(const char *name)
{
	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++)
		if (!strcmp(rows[n].name, name))
			return &rows[n];
	return NULL;
}

/* --- vCPUs --- */

/* The threads that are vCPUs, in the order in which they first entered a guest. */
struct threads {
	int64_t pid[VCPUS_MAX];
	unsigned int count;
};

/* UINT_MAX: the thread is none. */
static unsigned int vcpu_of(struct threads *threads, const struct ftrace_event *event)
{
	int64_t pid = (int64_t)ftrace_value(event, "common_pid");
	unsigned int n = 0;

	while (n < threads->count && threads->pid[n] != pid)
		n++;
	if (n < threads->count)
		return n;
	if (n == VCPUS_MAX ||
	    (strcmp(event->format->name, "kvm_entry") && strcmp(event->format->name, "kvm_exit")))
		return UINT32_MAX;
	threads->pid[threads->count] = pid;
	return threads->count++;
}

/* --- copying --- */

static void copy(const struct ftrace_file *file, struct trace_writer *writer,
		 struct threads *threads)
{
	uint64_t start = file->events ? file->event[0].time : 0;

	for (size_t n = 0; n < file->events; n++) {
		const struct ftrace_event *event = &file->event[n];
		const struct row *row = row_of(event->format->name);
		unsigned int vcpu = vcpu_of(threads, event);
		uint64_t fields[32] = {0};

		if (!row || vcpu == UINT32_MAX)
			continue;
		row->fill(fields, event);
		trace_emit(trace_writer_sink(writer, vcpu), row->event, 0, event->time - start,
			   fields, row->size, NULL, 0);
	}
}

/* How many there are has to be known before the first record. */
static unsigned int count_vcpus(const struct ftrace_file *file)
{
	struct threads threads = {.count = 0};

	for (size_t n = 0; n < file->events; n++)
		vcpu_of(&threads, &file->event[n]);
	return threads.count;
}

int ftrace_import(const char *from, const char *to, struct ls_error *err)
{
	struct trace_writer_config config = {.path = to, .events = UINT64_MAX};
	struct threads threads = {.count = 0};
	struct trace_writer *writer;
	struct ftrace_file file;
	char text[64];
	int ret = ftrace_file_open(&file, from, err);

	if (ret)
		return ret;
	config.vcpus = count_vcpus(&file);
	snprintf(text, sizeof(text), "engine kvm\nvcpus %u\n", config.vcpus);
	config.text = text;
	if (!config.vcpus) {
		ret = ls_error_set(err, -ENODATA,
				   "'%s' has no vCPUs; record it with 'trace-cmd record -e kvm'",
				   from);
	} else if (!(writer = trace_writer_open(&config, err))) {
		ret = -EIO;
	} else {
		copy(&file, writer, &threads);
		ret = trace_writer_close(writer, err);
	}
	ftrace_file_close(&file);
	return ret;
}
