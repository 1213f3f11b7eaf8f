/* SPDX-License-Identifier: Apache-2.0 */
/* What is decoded is what was encoded. */
#include "tests/unit/check.h"
#include "tests/unit/traces/records.h"
#include "traces/codec.h"

#define RECORDS 20000

struct round {
	struct codec *codec;
	struct columns columns, read;
};

static void round_open(struct round *round)
{
	*round = (struct round){.codec = codec_create()};
	CU_ASSERT_PTR_NOT_NULL_FATAL(round->codec);
}

static void round_close(struct round *round)
{
	codec_destroy(round->codec);
	columns_free(&round->columns);
}

/* Turns from writing to reading. */
static void round_turn(struct round *round)
{
	round->read = round->columns;
	for (int i = 0; i < COLUMNS; i++) {
		round->read.column[i].room = round->read.column[i].used;
		round->read.column[i].used = 0;
	}
	codec_restart(round->codec);
}

static void test_each_row(void)
{
	struct records records = {.seed = 1, .rip = 0x1000};
	uint64_t record[TRACE_EVENTS][3][LS_TRACE_RECORD_MAX] = {0}, back[LS_TRACE_RECORD_MAX];
	struct round round;

	round_open(&round);
	for (unsigned int event = 1; event < TRACE_EVENTS; event++)
		for (int i = 0; i < 3; i++) {
			records_event(&records, event, record[event][i]);
			codec_encode(round.codec, &round.columns, record[event][i]);
		}
	round_turn(&round);
	for (unsigned int event = 1; event < TRACE_EVENTS; event++)
		for (int i = 0; i < 3; i++) {
			CU_ASSERT_TRUE(codec_decode(round.codec, &round.read, back));
			CHECK_ROW(records_equal(back, record[event][i]), "event %s, number %d",
				  trace_events[event].name, i);
		}
	round_close(&round);
}

static void test_instructions(void)
{
	struct records records = {.seed = 2, .rip = 0x1000}, again = records;
	uint64_t record[LS_TRACE_RECORD_MAX], back[LS_TRACE_RECORD_MAX];
	struct round round;
	unsigned int equal = 0;

	round_open(&round);
	for (int i = 0; i < RECORDS; i++) {
		records_next(&records, record);
		codec_encode(round.codec, &round.columns, record);
	}
	CU_ASSERT_FALSE(round.columns.failed);
	round_turn(&round);
	for (int i = 0; i < RECORDS; i++) {
		records_next(&again, record);
		if (!codec_decode(round.codec, &round.read, back) || !records_equal(back, record))
			break;
		equal++;
	}
	CHECK_EQUAL(equal, RECORDS);
	for (int i = 0; i < COLUMNS; i++)
		CHECK_EQUAL(round.read.column[i].used, round.read.column[i].room);
	round_close(&round);
}

/* Straight code that counts a register costs next to nothing beside its head bytes. */
static void test_foreseen(void)
{
	uint64_t record[8] = {LS_TRACE_HEAD(TRACE_INSTRUCTION, LS_TRACE_RETIRED, 7)};
	struct round round;

	round_open(&round);
	for (uint64_t i = 0; i < 1000; i++) {
		record[1] = i;
		record[2] = 0x1000 + i % 10;
		record[4] = UINT64_C(1) << 56;
		record[5] = 1u << (i % 10);
		record[6] = i;
		codec_encode(round.codec, &round.columns, record);
	}
	CHECK_EQUAL(round.columns.column[COLUMN_HEAD].used, 1000);
	CU_ASSERT_TRUE(round.columns.column[COLUMN_RIP].used < 30);
	CU_ASSERT_TRUE(round.columns.column[COLUMN_VALUE].used < 50);
	round_close(&round);
}

/* Columns that end early, or hold anything, give an end and no more than a record's words. */
static void test_nonsense(void)
{
	static uint64_t back[LS_TRACE_RECORD_MAX + 1];
	struct records records = {.seed = 3};
	uint8_t bytes[256];

	for (int n = 0; n < 2000; n++) {
		struct columns columns = {0};
		struct codec *codec = codec_create();
		unsigned int decoded = 0;

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)records_random(&records);
		for (int i = 0; i < COLUMNS; i++)
			columns.column[i] = (struct column){.bytes = bytes, .room = sizeof(bytes)};
		back[LS_TRACE_RECORD_MAX] = 0x600d;
		while (codec_decode(codec, &columns, back)) {
			decoded++;
			CU_ASSERT_FATAL(LS_TRACE_WORDS(back[0]) <= LS_TRACE_RECORD_MAX);
		}
		CU_ASSERT_TRUE(decoded <= sizeof(bytes));
		CHECK_EQUAL(back[LS_TRACE_RECORD_MAX], 0x600d);
		codec_destroy(codec);
	}
}

static CU_TestInfo tests[] = {
	{"each row of the event table", test_each_row},
	{"instructions and events at random", test_instructions},
	{"what is foreseen is not written", test_foreseen},
	{"nonsense ends", test_nonsense},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("codec", tests)
