/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/ftrace/export.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "traces/ftrace/ring.h"
#include "traces/ftrace/rows.h"

#define FIRST_ID 1000u

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* One vCPU's. */
struct stream {
	struct ring ring;
	u64 offset; /* of the guest's time from the number of instructions */
	struct ftrace_context context;
};

struct ftrace_export {
	unsigned int vcpus;
	struct stream stream[];
};

/* --- records --- */

/* Between entries and exits, which have the guest's time, an instruction takes a nanosecond. */
static u64 time_of(struct stream *stream, const u64 *record)
{
	u64 time;

	if (trace_record_time(record, &time))
		stream->offset = time - record[1];
	return record[1] + stream->offset;
}

int ftrace_export_add(struct ftrace_export *export, unsigned int vcpu, const u64 *record)
{
	struct stream *stream = &export->stream[vcpu];
	unsigned int event = LS_TRACE_EVENT(record[0]);
	u64 fields[32] = {0};
	size_t size = 8 * (size_t)(LS_TRACE_WORDS(record[0]) - 2);
	u64 time;
	int ret = 0;

	if (event == TRACE_INSTRUCTION || vcpu >= export->vcpus)
		return 0;
	/* An older file's may be fewer. */
	memcpy(fields, record + 2, size < sizeof(fields) ? size : sizeof(fields));
	time = time_of(stream, record);
	if (event == TRACE_ENGINE_ENTRY)
		stream->context.rip = record[2];
	for (unsigned int n = 0; n < ftrace_row_count && !ret; n++) {
		u64 bytes[32] = {0};
		struct ftrace_common common = {.common_type = (u16)(FIRST_ID + n),
					       .common_pid = (int)vcpu + 1};
		struct ftrace_layout layout;

		if (ftrace_row[n].event != event)
			continue;
		ftrace_row[n].describe(&layout);
		ftrace_row[n].fill(bytes, fields, &stream->context);
		memcpy(bytes, &common, sizeof(common));
		ret = ring_add(&stream->ring, time, bytes, layout.size);
	}
	return ret;
}

struct ftrace_export *ftrace_export_create(unsigned int vcpus)
{
	struct ftrace_export *export =
		calloc(1, sizeof(*export) + vcpus * sizeof(export->stream[0]));

	if (!export)
		return NULL;
	export->vcpus = vcpus;
	for (unsigned int n = 0; n < vcpus; n++)
		export->stream[n].context.vcpu = n;
	return export;
}

void ftrace_export_destroy(struct ftrace_export *export)
{
	for (unsigned int n = 0; n < export->vcpus; n++)
		free(export->stream[n].ring.bytes);
	free(export);
}

/* --- the file --- */

static const char header_page[] = "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
				  "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
				  "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
				  "\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;\n";

static const char header_event[] = "# compressed entry header\n"
				   "\ttype_len    :    5 bits\n"
				   "\ttime_delta  :   27 bits\n"
				   "\tarray       :   32 bits\n\n"
				   "\tpadding     : type == 29\n"
				   "\ttime_extend : type == 30\n"
				   "\ttime_stamp : type == 31\n"
				   "\tdata max type_len  == 28\n";

static const char common_fields[] =
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n";

static void put32(FILE *to, u32 value)
{
	fwrite(&value, sizeof(value), 1, to);
}

static void put64(FILE *to, u64 value)
{
	fwrite(&value, sizeof(value), 1, to);
}

/* As the kernel names them. */
static const char *type_name(const char *type)
{
	return !strcmp(type, "ulong") ? "unsigned long" : type;
}

static void put_format(FILE *to, const struct ftrace_row *row)
{
	struct ftrace_layout layout;
	char *text = NULL;
	size_t size = 0;
	FILE *into = open_memstream(&text, &size);

	if (!into)
		return;
	row->describe(&layout);
	fprintf(into, "name: %s\nID: %u\nformat:\n%s", row->name,
		FIRST_ID + (unsigned int)(row - ftrace_row), common_fields);
	for (unsigned int n = 0; n < layout.fields; n++)
		fprintf(into, "\tfield:%s %s;\toffset:%zu;\tsize:%zu;\tsigned:%d;\n",
			type_name(layout.field[n].type), layout.field[n].name,
			layout.field[n].offset, layout.field[n].size, layout.field[n].is_signed);
	fprintf(into, "\nprint fmt: %s\n", row->print);
	fclose(into);
	put64(to, size);
	fwrite(text, 1, size, to);
	free(text);
}

static void put_formats(FILE *to)
{
	put32(to, 0); /* of ftrace itself */
	put32(to, 1); /* system */
	fwrite("kvm", 1, 4, to);
	put32(to, ftrace_row_count);
	for (unsigned int n = 0; n < ftrace_row_count; n++)
		put_format(to, &ftrace_row[n]);
}

/* The names of the threads: a line "PID NAME" each. */
static void put_names(FILE *to, unsigned int vcpus)
{
	char *text = NULL;
	size_t size = 0;
	FILE *into = open_memstream(&text, &size);

	if (!into)
		return;
	for (unsigned int n = 0; n < vcpus; n++)
		fprintf(into, "%u vcpu-%u\n", n + 1, n);
	fclose(into);
	put64(to, size);
	fwrite(text, 1, size, to);
	free(text);
}

static u64 align(u64 offset)
{
	return (offset + RING_PAGE - 1) & ~(u64)(RING_PAGE - 1);
}

/* @at: so many bytes come before it. */
static void put_streams(FILE *to, const struct ftrace_export *export, u64 at)
{
	u64 offset = at + 10 + 16 * (u64) export->vcpus, start = align(offset), before = 0;
	static const u8 zeros[RING_PAGE];

	fwrite("flyrecord", 1, 10, to);
	for (unsigned int n = 0; n < export->vcpus; n++) {
		put64(to, start + before);
		put64(to, export->stream[n].ring.used);
		before += export->stream[n].ring.used;
	}
	fwrite(zeros, 1, start - offset, to);
	for (unsigned int n = 0; n < export->vcpus; n++)
		fwrite(export->stream[n].ring.bytes, 1, export->stream[n].ring.used, to);
}

static void put_head(FILE *to, const struct ftrace_export *export)
{
	static const char magic[] = "\027\010\104tracing6";

	fwrite(magic, 1, sizeof(magic), to);
	fputc(0, to); /* little-endian */
	fputc(8, to); /* size of a long */
	put32(to, RING_PAGE);
	fwrite("header_page", 1, 12, to);
	put64(to, sizeof(header_page) - 1);
	fwrite(header_page, 1, sizeof(header_page) - 1, to);
	fwrite("header_event", 1, 13, to);
	put64(to, sizeof(header_event) - 1);
	fwrite(header_event, 1, sizeof(header_event) - 1, to);
	put_formats(to);
	put32(to, 0); /* kallsyms */
	put32(to, 0); /* printk formats */
	put_names(to, export->vcpus);
	put32(to, export->vcpus);
}

/* A pipe does not say how far it is: the head's size is known from memory. */
int ftrace_export_write(struct ftrace_export *export, FILE *to)
{
	char *bytes = NULL;
	size_t size = 0;
	FILE *head = open_memstream(&bytes, &size);

	if (!head)
		return -ENOMEM;
	put_head(head, export);
	if (!fclose(head)) {
		fwrite(bytes, 1, size, to);
		put_streams(to, export, size);
	}
	free(bytes);
	return fflush(to) || ferror(to) ? -EIO : 0;
}
