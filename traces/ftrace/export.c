/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/ftrace/export.h"

#include <asm/vmx.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdlib.h>

#include "traces/events.h"

#undef errno /* a field of kvm_userspace_exit */

#define PAGE       4096u
#define PAGE_HEAD  16u /* time of its first event, bytes of events */
#define FIRST_ID   1000u
#define MAX_FIELDS 8

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef unsigned long ulong;

/* What events of ftrace begin with. */
struct common {
	u16 common_type;
	u8 common_flags, common_preempt_count;
	int common_pid;
};

/* What a record alone does not say. */
struct context {
	unsigned int vcpu;
	u64 rip; /* of the last entry */
};

/* --- what hardware would have said --- */

/* What VMX would have shown KVM where the engine left for this reason. */
static u32 hardware_reason(const struct trace_fields_ENGINE_EXIT *f)
{
	switch (f->reason) {
	case KVM_EXIT_IO:
		return EXIT_REASON_IO_INSTRUCTION;
	case KVM_EXIT_MMIO:
		return EXIT_REASON_EPT_MISCONFIG;
	case KVM_EXIT_HLT:
		return EXIT_REASON_HLT;
	case KVM_EXIT_SHUTDOWN:
		return EXIT_REASON_TRIPLE_FAULT;
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		return EXIT_REASON_INTERRUPT_WINDOW;
	case KVM_EXIT_X86_RDMSR:
		return EXIT_REASON_MSR_READ;
	case KVM_EXIT_X86_WRMSR:
		return EXIT_REASON_MSR_WRITE;
	case KVM_EXIT_DEBUG:
		return EXIT_REASON_EXCEPTION_NMI;
	case KVM_EXIT_INTR:
		return EXIT_REASON_EXTERNAL_INTERRUPT;
	default:
		return EXIT_REASON_PREEMPTION_TIMER;
	}
}

/* SDM 3C:27.2.1, table 27-5. */
static u64 hardware_qualification(const struct trace_fields_ENGINE_EXIT *f)
{
	if (f->reason != KVM_EXIT_IO || !f->size)
		return 0;
	return (f->size - 1) | (f->write ? 0 : 8) | f->address << 16;
}

/* SDM 3A:6.3.1, table 6-1. */
static bool has_error_code(u64 vector)
{
	return vector < 32 && (0x227d00u >> vector & 1);
}

/* --- the table --- */

#define FTRACE(name, event, print)                                                                 \
	struct ftrace_##name {                                                                     \
		struct common common;
#define FF(type, name, value) type name;
#define FEND(name, event)                                                                          \
	}                                                                                          \
	;
#include "traces/ftrace/export.def"
#undef FTRACE
#undef FF
#undef FEND

#define FTRACE(name, event, print)                                                                 \
	static void fill_##name(struct ftrace_##name *to, const struct trace_fields_##event *f,    \
				const struct context *x)                                           \
	{                                                                                          \
		(void)f, (void)x;
#define FF(type, name, value) to->name = (type)(value);
#define FEND(name, event)     }
#include "traces/ftrace/export.def"
#undef FTRACE
#undef FF
#undef FEND

struct row_field {
	const char *type, *name;
	size_t offset, size;
	bool is_signed;
};

/* An event's format as the file describes it. */
struct format {
	size_t size;
	unsigned int fields;
	struct row_field field[MAX_FIELDS];
};

#define FTRACE(name, event, print)                                                                 \
	static void describe_##name(struct format *to)                                             \
	{                                                                                          \
		typedef struct ftrace_##name here;                                                 \
		to->fields = 0;                                                                    \
		to->size = sizeof(here);
#define FF(type_, name_, value)                                                                    \
	to->field[to->fields++] =                                                                  \
		(struct row_field){.type = #type_,                                                 \
				   .name = #name_,                                                 \
				   .offset = offsetof(here, name_),                                \
				   .size = sizeof(((here *)0)->name_),                             \
				   .is_signed = (type_)-1 < (type_)1 && sizeof(type_) > 1};
#define FEND(name, event) }
#include "traces/ftrace/export.def"
#undef FTRACE
#undef FF
#undef FEND

#define FTRACE(name, event, print)                                                                 \
	static void fill_any_##name(void *to, const void *fields, const struct context *x)         \
	{                                                                                          \
		fill_##name(to, fields, x);                                                        \
	}
#define FF(type, name, value)
#define FEND(name, event)
#include "traces/ftrace/export.def"
#undef FTRACE
#undef FF
#undef FEND

static const struct row {
	const char *name, *print;
	enum trace_event event;
	size_t fields_size; /* of the record */
	void (*fill)(void *to, const void *fields, const struct context *x);
	void (*describe)(struct format *to);
} rows[] = {
#define FTRACE(name, event, print)                                                                 \
	{#name,           print,          TRACE_##event, sizeof(struct trace_fields_##event),      \
	 fill_any_##name, describe_##name},
#define FF(type, name, value)
#define FEND(name, event)
#include "traces/ftrace/export.def"
#undef FTRACE
#undef FF
#undef FEND
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* --- pages of a ring buffer, as the kernel fills them --- */

/* One vCPU's pages, the last one in the making. */
struct stream {
	u8 *bytes;
	size_t used, room; /* whole pages */
	size_t fill;       /* of the last one */
	u64 time;          /* of the last event */
	u64 offset;        /* of the guest's time from the number of instructions */
	struct context context;
};

struct ftrace_export {
	unsigned int vcpus;
	struct stream stream[];
};

/* kernel/trace/ring_buffer.c: type_len in bits 4:0, time_delta above. */
#define TYPE_TIME_EXTEND 30u
#define DELTA_BITS       27u

static u8 *last_page(struct stream *stream)
{
	return stream->bytes + stream->used - PAGE;
}

static bool add_page(struct stream *stream, u64 time)
{
	if (stream->used == stream->room) {
		size_t room = 2 * stream->room + 16 * PAGE;
		u8 *bytes = realloc(stream->bytes, room);

		if (!bytes)
			return false;
		stream->bytes = bytes;
		stream->room = room;
	}
	stream->used += PAGE;
	stream->fill = 0;
	stream->time = time;
	memset(last_page(stream), 0, PAGE);
	memcpy(last_page(stream), &time, sizeof(time));
	return true;
}

static void append(struct stream *stream, const void *bytes, size_t size)
{
	u64 commit = stream->fill + size;

	memcpy(last_page(stream) + PAGE_HEAD + stream->fill, bytes, size);
	memcpy(last_page(stream) + 8, &commit, sizeof(commit));
	stream->fill = commit;
}

static int add_event(struct stream *stream, u64 time, const void *event, size_t size)
{
	size_t words = (size + 3) / 4;
	u32 head[2];

	if (time < stream->time)
		time = stream->time;
	if ((!stream->used || stream->fill + 12 + 4 * words > PAGE - PAGE_HEAD) &&
	    !add_page(stream, time))
		return -ENOMEM;
	if ((time - stream->time) >> DELTA_BITS) {
		head[0] = TYPE_TIME_EXTEND | (u32)(time - stream->time) << (32 - DELTA_BITS);
		head[1] = (u32)((time - stream->time) >> DELTA_BITS);
		append(stream, head, sizeof(head));
		stream->time = time;
	}
	head[0] = (u32)words | (u32)(time - stream->time) << (32 - DELTA_BITS);
	append(stream, head, sizeof(head[0]));
	append(stream, event, 4 * words);
	stream->time = time;
	return 0;
}

/* --- records --- */

/* Between entries and exits, which have the guest's time, an instruction takes a nanosecond. */
static u64 time_of(struct stream *stream, const u64 *record)
{
	u64 time = 0;

	if (LS_TRACE_EVENT(record[0]) == TRACE_ENGINE_ENTRY)
		time = ((const struct trace_fields_ENGINE_ENTRY *)(record + 2))->time;
	else if (LS_TRACE_EVENT(record[0]) == TRACE_ENGINE_EXIT)
		time = ((const struct trace_fields_ENGINE_EXIT *)(record + 2))->time;
	else
		return record[1] + stream->offset;
	stream->offset = time - record[1];
	return time;
}

int ftrace_export_add(struct ftrace_export *export, unsigned int vcpu, const u64 *record)
{
	struct stream *stream = &export->stream[vcpu];
	unsigned int event = LS_TRACE_EVENT(record[0]);
	size_t size = 8 * (size_t)(LS_TRACE_WORDS(record[0]) - 2);
	u64 time;
	int ret = 0;

	if (event == TRACE_INSTRUCTION || vcpu >= export->vcpus)
		return 0;
	time = time_of(stream, record);
	if (event == TRACE_ENGINE_ENTRY)
		stream->context.rip = record[2];
	for (size_t n = 0; n < ROWS && !ret; n++) {
		u64 bytes[32] = {0};
		struct common common = {.common_type = (u16)(FIRST_ID + n),
					.common_pid = (int)vcpu + 1};
		struct format format;

		if (rows[n].event != event || size < rows[n].fields_size)
			continue;
		rows[n].describe(&format);
		rows[n].fill(bytes, record + 2, &stream->context);
		memcpy(bytes, &common, sizeof(common));
		ret = add_event(stream, time, bytes, format.size);
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
		free(export->stream[n].bytes);
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

static void put_format(FILE *to, const struct row *row)
{
	struct format format;
	char *text = NULL;
	size_t size = 0;
	FILE *into = open_memstream(&text, &size);

	if (!into)
		return;
	row->describe(&format);
	fprintf(into, "name: %s\nID: %u\nformat:\n%s", row->name,
		FIRST_ID + (unsigned int)(row - rows), common_fields);
	for (unsigned int n = 0; n < format.fields; n++)
		fprintf(into, "\tfield:%s %s;\toffset:%zu;\tsize:%zu;\tsigned:%d;\n",
			type_name(format.field[n].type), format.field[n].name,
			format.field[n].offset, format.field[n].size, format.field[n].is_signed);
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
	put32(to, ROWS);
	for (size_t n = 0; n < ROWS; n++)
		put_format(to, &rows[n]);
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
	return (offset + PAGE - 1) & ~(u64)(PAGE - 1);
}

static void put_streams(FILE *to, const struct ftrace_export *export)
{
	u64 offset = (u64)ftell(to) + 10 + 16 * (u64) export->vcpus, start = align(offset);
	static const u8 zeros[PAGE];

	fwrite("flyrecord", 1, 10, to);
	for (unsigned int n = 0, at = 0; n < export->vcpus; n++, at = 0) {
		u64 before = 0;

		for (; at < n; at++)
			before += export->stream[at].used;
		put64(to, start + before);
		put64(to, export->stream[n].used);
	}
	fwrite(zeros, 1, start - offset, to);
	for (unsigned int n = 0; n < export->vcpus; n++)
		fwrite(export->stream[n].bytes, 1, export->stream[n].used, to);
}

int ftrace_export_write(struct ftrace_export *export, FILE *to)
{
	static const char magic[] = "\027\010\104tracing6";

	fwrite(magic, 1, sizeof(magic), to);
	fputc(0, to); /* little-endian */
	fputc(8, to); /* size of a long */
	put32(to, PAGE);
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
	put_streams(to, export);
	return fflush(to) || ferror(to) ? -EIO : 0;
}
