/* SPDX-License-Identifier: Apache-2.0 */
/* Trace files: written, read back, sought in, cut off by a kill, damaged. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/check.h"
#include "tests/unit/traces/records.h"
#include "traces/reader.h"
#include "traces/writer.h"

#define VCPUS 2

static char path[] = "/tmp/test_trace.XXXXXX";

static struct trace_writer *open_writer(uint64_t keep)
{
	const struct trace_writer_config config = {
		.path = path,
		.vcpus = VCPUS,
		.events = UINT64_MAX,
		.keep = keep,
		.text = "engine test\nstate RAX\nstate RCX\n",
	};
	struct ls_error err = {0};
	struct trace_writer *writer = trace_writer_open(&config, &err);

	CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
	return writer;
}

static struct records begin(unsigned int vcpu)
{
	return (struct records){.seed = vcpu + 1, .rip = 0x1000 * (vcpu + 1)};
}

static void put(struct ls_trace_sink *sink, struct records *records)
{
	uint64_t *record = ls_trace_room(sink);

	records_next(records, record);
	sink->at += LS_TRACE_WORDS(record[0]);
}

static void write_records(struct trace_writer *writer, unsigned int vcpu, unsigned int n)
{
	struct records records = begin(vcpu);

	while (n--)
		put(trace_writer_sink(writer, vcpu), &records);
}

/* Reads all of a vCPU's; how many are as they were written, from the first on. */
static unsigned int read_records(struct trace_reader *reader, unsigned int vcpu)
{
	struct trace_cursor *cursor = trace_cursor_open(reader, NULL);
	struct records records = begin(vcpu);
	uint64_t expected[LS_TRACE_RECORD_MAX];
	const uint64_t *record;
	unsigned int equal = 0;

	for (size_t n = 0; n < trace_reader_chunks(reader); n++) {
		if (trace_reader_chunk(reader, n)->vcpu != vcpu)
			continue;
		if (trace_cursor_chunk(cursor, n, NULL))
			break;
		while ((record = trace_cursor_next(cursor, NULL))) {
			if (LS_TRACE_EVENT(record[0]) == TRACE_INSTRUCTION &&
			    (LS_TRACE_FLAGS(record[0]) & LS_TRACE_SNAPSHOT))
				continue;
			records_next(&records, expected);
			if (!records_equal(record, expected))
				break;
			equal++;
		}
	}
	trace_cursor_close(cursor);
	return equal;
}

static void write_file(unsigned int n, uint64_t keep)
{
	struct trace_writer *writer = open_writer(keep);

	for (unsigned int vcpu = 0; vcpu < VCPUS; vcpu++)
		write_records(writer, vcpu, n);
	CHECK_EQUAL(trace_writer_close(writer, NULL), 0);
}

static struct trace_reader *open_reader(void)
{
	struct ls_error err = {0};
	struct trace_reader *reader = trace_reader_open(path, &err);

	if (!reader)
		fprintf(stderr, "%s\n", err.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
	return reader;
}

static void test_whole(void)
{
	struct trace_reader *reader;

	write_file(5000, 0);
	reader = open_reader();
	CU_ASSERT_FALSE(trace_reader_unfinished(reader));
	CU_ASSERT_STRING_EQUAL(trace_reader_text(reader, "engine", 0), "test");
	CU_ASSERT_STRING_EQUAL(trace_reader_text(reader, "state", 1), "RCX");
	CU_ASSERT_PTR_NULL(trace_reader_text(reader, "state", 2));
	for (unsigned int vcpu = 0; vcpu < VCPUS; vcpu++)
		CHECK_EQUAL(read_records(reader, vcpu), 5000);
	trace_reader_close(reader);
}

static char *slurp(size_t *size)
{
	struct stat status;
	int fd = open(path, O_RDONLY);
	char *bytes;

	fstat(fd, &status);
	*size = (size_t)status.st_size;
	bytes = malloc(*size + 1);
	CHECK_EQUAL(read(fd, bytes, *size), *size);
	close(fd);
	return bytes;
}

static void spill(const char *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	CHECK_EQUAL(write(fd, bytes, size), size);
	close(fd);
}

static void test_twice_the_same(void)
{
	size_t size[2];
	char *bytes[2];

	for (int i = 0; i < 2; i++) {
		write_file(30000, 0);
		bytes[i] = slurp(&size[i]);
	}
	CHECK_EQUAL(size[0], size[1]);
	CU_ASSERT_TRUE(!memcmp(bytes[0], bytes[1], size[0]));
	free(bytes[0]);
	free(bytes[1]);
}

/* Chunks are found by vCPU, number of instructions and event, and tell how many of these they have.
 */
static void test_seek(void)
{
	struct trace_reader *reader;
	uint64_t all = 0;
	size_t n, found;

	write_file(600000, 0);
	reader = open_reader();
	CU_ASSERT_TRUE_FATAL(trace_reader_chunks(reader) >= 6);
	found = trace_reader_seek(reader, 0, 1, 400000, UINT64_MAX);
	CU_ASSERT_TRUE_FATAL(found < trace_reader_chunks(reader));
	CHECK_EQUAL(trace_reader_chunk(reader, found)->vcpu, 1);
	CU_ASSERT_TRUE(trace_reader_chunk(reader, found)->first <= 400000);
	CU_ASSERT_TRUE(trace_reader_chunk(reader, found)->last >= 400000);
	CHECK_EQUAL(trace_reader_seek(reader, 0, 0, 0, UINT64_C(1) << 63),
		    trace_reader_chunks(reader));
	for (n = 0; n < trace_reader_chunks(reader); n++)
		for (unsigned int event = 0; event < TRACE_EVENTS; event++)
			all += trace_reader_number(reader, n, event);
	/* a snapshot more in each chunk */
	CHECK_EQUAL(all, 1200000 + trace_reader_chunks(reader));
	trace_reader_close(reader);
}

/* A ring of @keep records keeps at least these, the run's last, and at most @most. */
static void check_ring(uint64_t keep, uint64_t most)
{
	struct trace_reader *reader;
	uint64_t records = 0, last = 0;
	struct records run = begin(1);
	uint64_t record[LS_TRACE_RECORD_MAX];

	write_file(100000, keep);
	reader = open_reader();
	for (size_t n = 0; n < trace_reader_chunks(reader); n++) {
		records += trace_reader_chunk(reader, n)->records;
		last = trace_reader_chunk(reader, n)->last;
	}
	for (int i = 0; i < 100000; i++)
		records_next(&run, record);
	CU_ASSERT_TRUE(records >= keep && records <= most);
	CHECK_EQUAL(last, record[1]);
	trace_reader_close(reader);
}

/* Chunks are dropped whole, and hold 1024 records at least. */
static void test_ring(void)
{
	check_ring(10000, 15000);
	check_ring(1, 2048);
	check_ring(3, 2048);
}

/* A run that is killed leaves all chunks that were full: nothing but what was in the making is
 * lost. */
static void test_killed(void)
{
	struct trace_reader *reader;
	unsigned int records;
	int status;
	pid_t child = fork();

	if (!child) {
		struct trace_writer *writer = open_writer(0);

		write_records(writer, 0, 1200000);
		sleep(1); /* the thread catches up */
		raise(SIGKILL);
	}
	waitpid(child, &status, 0);
	CU_ASSERT_TRUE_FATAL(WIFSIGNALED(status));
	reader = open_reader();
	CU_ASSERT_TRUE(trace_reader_unfinished(reader));
	records = read_records(reader, 0);
	/* less one chunk, and what the last buffer had */
	CU_ASSERT_TRUE(records > 1200000 - (1 << 18) - (1 << 16));
	trace_reader_close(reader);
}

/* Cut anywhere, the whole chunks before are read. */
static void test_cut_off(void)
{
	struct trace_reader *reader;
	size_t size, chunks;
	char *bytes;

	write_file(300000, 0);
	bytes = slurp(&size);
	reader = open_reader();
	chunks = trace_reader_chunks(reader);
	trace_reader_close(reader);
	spill(bytes, size - 1);
	reader = open_reader();
	CU_ASSERT_TRUE(trace_reader_unfinished(reader));
	CHECK_EQUAL(trace_reader_chunks(reader), chunks);
	CHECK_EQUAL(read_records(reader, 0), 300000);
	trace_reader_close(reader);
	spill(bytes, size / 2);
	reader = open_reader();
	CU_ASSERT_TRUE(trace_reader_chunks(reader) >= 1);
	CU_ASSERT_TRUE(trace_reader_chunks(reader) < chunks);
	CU_ASSERT_TRUE(read_records(reader, 0) > 1 << 17);
	trace_reader_close(reader);
	free(bytes);
}

/* One changed byte anywhere is noticed, or is in the index, which is then done without. */
static void test_damaged(void)
{
	size_t size;
	char *bytes;

	write_file(3000, 0);
	bytes = slurp(&size);
	for (size_t at = 0; at < size; at += 41) {
		struct ls_error err = {0};
		struct trace_reader *reader;
		struct trace_cursor *cursor;
		unsigned int records = 0;

		bytes[at] ^= 0x10;
		spill(bytes, size);
		bytes[at] ^= 0x10;
		reader = trace_reader_open(path, &err);
		if (!reader) {
			CU_ASSERT_TRUE(err.code && strstr(err.text, path));
			continue;
		}
		cursor = trace_cursor_open(reader, &err);
		for (size_t n = 0; n < trace_reader_chunks(reader); n++)
			if (!trace_cursor_chunk(cursor, n, &err))
				while (trace_cursor_next(cursor, &err))
					records++;
		CHECK_ROW(err.code || trace_reader_unfinished(reader), "byte %zu of %zu", at, size);
		CU_ASSERT_TRUE(err.code || records <= 6002);
		trace_cursor_close(cursor);
		trace_reader_close(reader);
	}
	free(bytes);
}

static void test_not_a_trace(void)
{
	struct ls_error err = {0};

	spill("#!/bin/sh\necho this is no trace at all\n", 38);
	CU_ASSERT_PTR_NULL(trace_reader_open(path, &err));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "does not begin as one"));
	err.code = 0;
	spill("", 0);
	CU_ASSERT_PTR_NULL(trace_reader_open(path, &err));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "empty"));
	err.code = 0;
	CU_ASSERT_PTR_NULL(trace_reader_open("/nowhere/at/all", &err));
	CHECK_EQUAL(err.code, -ENOENT);
}

/* KVM_RUN and memory slots are seen on every engine; what happens between two exits only by one
 * that interprets. */
static void engines_have_their_events(void)
{
	uint64_t sim = trace_engine_events("sim"), kvm = trace_engine_events("kvm");

	CU_ASSERT_TRUE(sim >> TRACE_INSTRUCTION & sim >> TRACE_ENGINE_EXIT & 1);
	CU_ASSERT_TRUE(kvm >> TRACE_ENGINE_EXIT & kvm >> TRACE_MEMORY_SLOT & 1);
	CU_ASSERT_FALSE(kvm >> TRACE_INSTRUCTION & 1);
	CU_ASSERT_EQUAL(trace_engine_events("nothing"), 0);
}

/* Where an event has the guest's time; an older file's had none. */
static void time_is_of_the_record(void)
{
	struct {
		uint64_t head[2];
		struct trace_fields_VM_EXIT fields;
	} record = {{LS_TRACE_HEAD(TRACE_VM_EXIT, 0, sizeof(record) / 8), 100}, {.time = 250}};
	uint64_t time;

	CU_ASSERT_TRUE(trace_record_time(record.head, &time));
	CU_ASSERT_EQUAL(time, 250);
	record.head[0] = LS_TRACE_HEAD(TRACE_VM_EXIT, 0, sizeof(record) / 8 - 1);
	CU_ASSERT_FALSE(trace_record_time(record.head, &time));
	record.head[0] = LS_TRACE_HEAD(TRACE_APIC_TIMER, 0, 4);
	CU_ASSERT_FALSE(trace_record_time(record.head, &time));
}

static CU_TestInfo tests[] = {
	{"what was written is read", test_whole},
	{"the same records give the same file", test_twice_the_same},
	{"seeking", test_seek},
	{"a ring", test_ring},
	{"a killed run", test_killed},
	{"a file that was cut off", test_cut_off},
	{"a damaged file", test_damaged},
	{"no trace at all", test_not_a_trace},
	{"engines have their events", engines_have_their_events},
	{"time is of the record", time_is_of_the_record},
	CU_TEST_INFO_NULL,
};

static void make_path(void) __attribute__((constructor));
static void make_path(void)
{
	close(mkstemp(path));
}
static void remove_path(void) __attribute__((destructor));
static void remove_path(void)
{
	unlink(path);
}

CHECK_MAIN("trace files", tests)
