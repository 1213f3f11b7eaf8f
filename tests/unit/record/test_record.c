/* SPDX-License-Identifier: Apache-2.0 */
/* record/record.h: what was written is read back by name, and nothing else is taken for it. */
#include <string.h>

#include "record/record.h"
#include "tests/unit/check.h"

struct inner {
	uint16_t word;
	bool flag;
};

struct outer {
	uint32_t kind; /* what it is */
	uint8_t bytes[5];
	uint8_t left_out;
	struct inner each[3];
	struct ls_timer timer;
};

static const struct record_field inner_fields[] = {
	RECORD_FIELD(struct inner, word),
	RECORD_FIELD(struct inner, flag),
};
static const struct record_table inner_table = {
	.name = "inner", .version = 1, RECORD_FIELDS(inner_fields)};

static int outer_loaded(void *object, struct ls_error *err)
{
	(void)object;
	(void)err;
	return 0;
}

static const struct record_field outer_fields[] = {
	RECORD_FIELD_SAME(struct outer, kind),
	RECORD_FIELD(struct outer, bytes),
	RECORD_FIELD_EACH(struct outer, each, &inner_table),
	RECORD_FIELD_TIMER(struct outer, timer),
};
static const struct record_table outer_table = {
	.name = "outer", .version = 7, RECORD_FIELDS(outer_fields), .loaded = outer_loaded};

/* A clock that notes what is asked of it. */
static struct {
	uint64_t deadline, sequence;
	unsigned int restored, disarmed;
} asked;

static void note_restore(struct ls_clock *clock, struct ls_timer *timer, uint64_t deadline,
			 uint64_t sequence)
{
	(void)clock;
	timer->deadline = asked.deadline = deadline;
	timer->sequence = asked.sequence = sequence;
	asked.restored++;
}

static void note_disarm(struct ls_clock *clock, struct ls_timer *timer)
{
	(void)clock;
	timer->deadline = LS_NEVER;
	asked.disarmed++;
}

static struct ls_clock noting = {.restore = note_restore, .disarm = note_disarm};

static struct outer example(void)
{
	return (struct outer){
		.kind = 3,
		.bytes = {1, 2, 3, 4, 5},
		.left_out = 9,
		.each = {{10, true}, {20, false}, {30, true}},
		.timer = {.deadline = 1000, .sequence = 4},
	};
}

static int decode(const struct record_buffer *from, size_t size, const struct record_table *table,
		  struct outer *to, struct ls_error *err)
{
	struct record_reader reader = {from->bytes, size};

	*err = (struct ls_error){0};
	return record_decode(&reader, table, to, &noting, err);
}

static void test_there_and_back(void)
{
	struct outer from = example(), to = {.kind = 3, .left_out = 1};
	struct record_buffer buffer = {0};
	struct ls_error err;

	memset(&asked, 0, sizeof(asked));
	record_encode(&buffer, &outer_table, &from);
	CHECK_EQUAL(decode(&buffer, buffer.size, &outer_table, &to, &err), 0);
	CU_ASSERT(!memcmp(to.bytes, from.bytes, sizeof(to.bytes)));
	CHECK_EQUAL(to.left_out, 1); /* not a field */
	for (int n = 0; n < 3; n++) {
		CHECK_EQUAL(to.each[n].word, from.each[n].word);
		CHECK_EQUAL(to.each[n].flag, from.each[n].flag);
	}
	CHECK_EQUAL(asked.restored, 1);
	CHECK_EQUAL(asked.deadline, 1000);
	CHECK_EQUAL(asked.sequence, 4);
	from.timer.deadline = LS_NEVER;
	buffer.size = 0;
	record_encode(&buffer, &outer_table, &from);
	CHECK_EQUAL(decode(&buffer, buffer.size, &outer_table, &to, &err), 0);
	CHECK_EQUAL(asked.restored, 1); /* a timer that wasn't armed isn't now */
	CHECK_EQUAL(to.timer.deadline, LS_NEVER);
	record_buffer_free(&buffer);
}

/* Whatever is cut off the end, it is noticed. */
static void test_truncated(void)
{
	struct outer from = example(), to = {.kind = 3};
	struct record_buffer buffer = {0};
	struct ls_error err;

	record_encode(&buffer, &outer_table, &from);
	for (size_t size = 0; size < buffer.size; size++) {
		CHECK_EQUAL(decode(&buffer, size, &outer_table, &to, &err), -EINVAL);
		CU_ASSERT(err.text[0]);
	}
	record_buffer_free(&buffer);
}

static void refuse(const struct record_table *table, uint32_t kind, const char *line)
{
	struct outer from = example(), to = {.kind = kind};
	struct record_buffer buffer = {0};
	struct ls_error err;

	record_encode(&buffer, &outer_table, &from);
	CHECK_EQUAL(decode(&buffer, buffer.size, table, &to, &err), -EINVAL);
	CU_ASSERT_STRING_EQUAL(err.text, line);
	record_buffer_free(&buffer);
}

/* One line says what doesn't fit. */
static void test_refused(void)
{
	static const struct record_field renamed[] = {
		RECORD_FIELD_SAME(struct outer, kind),
		RECORD_FIELD(struct outer, left_out),
		RECORD_FIELD_EACH(struct outer, each, &inner_table),
		RECORD_FIELD_TIMER(struct outer, timer),
	};
	static const struct record_field grown[] = {
		RECORD_FIELD_SAME(struct outer, kind),
		{.name = "bytes", .kind = RECORD_BYTES, .size = 6, .count = 1},
		RECORD_FIELD_EACH(struct outer, each, &inner_table),
		RECORD_FIELD_TIMER(struct outer, timer),
	};
	struct record_table table = outer_table;

	refuse(&outer_table, 4, "'kind' of outer is another here");
	table.version = 8;
	refuse(&table, 3, "the state of outer is of version 7, and here it is 8");
	table = outer_table;
	table.name = "other";
	refuse(&table, 3, "there is the state of outer where other's should be");
	table = outer_table;
	table.count = 3;
	refuse(&table, 3, "the state of outer has 4 fields, and here 3");
	table = outer_table;
	table.fields = renamed;
	refuse(&table, 3, "'bytes' of outer is not known here");
	table.fields = grown;
	refuse(&table, 3, "'bytes' of outer has 5 bytes, and here 6");
}

static CU_TestInfo tests[] = {
	{"there and back", test_there_and_back},
	{"truncated", test_truncated},
	{"refused", test_refused},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("record", tests)
