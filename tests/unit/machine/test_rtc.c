/* SPDX-License-Identifier: Apache-2.0 */
/* Motorola MC146818A data sheet; CMOS memory as SeaBIOS reads it (src/rtc.h, src/fw/paravirt.c).
 * Guest time 0 is 2026-01-01 00:00:00, a Thursday. */
#include "fake_engine.h"
#include "machine/rtc_time.h"
#include "tests/unit/check.h"

#define SECOND 1000000000ull

enum {
	SECONDS,
	SECONDS_ALARM,
	MINUTES,
	MINUTES_ALARM,
	HOURS,
	HOURS_ALARM,
	WEEKDAY,
	DAY,
	MONTH,
	YEAR,
	A,
	B,
	C,
	D,
	CENTURY = 0x32,
};

static uint8_t get(struct machine *machine, uint8_t index)
{
	out8(machine, 0x70, index);
	return in8(machine, 0x71);
}

static void set(struct machine *machine, uint8_t index, uint8_t value)
{
	out8(machine, 0x70, index);
	out8(machine, 0x71, value);
}

static void test_epoch(void)
{
	struct machine *machine = fake_machine();

	CHECK_EQUAL(get(machine, B), 0x02); /* BCD, 24 hours */
	CHECK_EQUAL(get(machine, D), 0x80); /* VRT */
	CHECK_EQUAL(get(machine, CENTURY), 0x20);
	CHECK_EQUAL(get(machine, YEAR), 0x26);
	CHECK_EQUAL(get(machine, MONTH), 0x01);
	CHECK_EQUAL(get(machine, DAY), 0x01);
	CHECK_EQUAL(get(machine, WEEKDAY), 5); /* Sunday is 1 */
	CHECK_EQUAL(get(machine, HOURS), 0);
	fake_advance(fake_of(machine), (45 * 86400 + 13 * 3600 + 47 * 60 + 59) * SECOND);
	CHECK_EQUAL(get(machine, MONTH), 0x02);
	CHECK_EQUAL(get(machine, DAY), 0x15);
	CHECK_EQUAL(get(machine, HOURS), 0x13);
	CHECK_EQUAL(get(machine, MINUTES), 0x47);
	CHECK_EQUAL(get(machine, SECONDS), 0x59);
	machine_destroy(machine);
}

/* Data mode and 24/12 (register B; table of the time, calendar and alarm formats). */
static void test_formats(void)
{
	struct machine *machine = fake_machine();

	fake_advance(fake_of(machine), 13 * 3600 * SECOND + 59 * SECOND);
	set(machine, B, 0x06);
	CHECK_EQUAL(get(machine, HOURS), 13);
	CHECK_EQUAL(get(machine, SECONDS), 59);
	set(machine, B, 0x04);
	CHECK_EQUAL(get(machine, HOURS), 0x81); /* 1 PM */
	set(machine, B, 0x00);
	CHECK_EQUAL(get(machine, HOURS), 0x81);
	fake_advance(fake_of(machine), 24 * 3600 * SECOND);
	CHECK_EQUAL(get(machine, HOURS), 0x12); /* midnight is 12 AM */
	fake_advance(fake_of(machine), 36 * 3600 * SECOND);
	CHECK_EQUAL(get(machine, HOURS), 0x92);
	machine_destroy(machine);
}

/* UIP: 244 us ahead of the update, which takes 1984 us. */
static void test_update_in_progress(void)
{
	struct machine *machine = fake_machine();
	struct fake_engine *fake = fake_of(machine);

	CHECK_EQUAL(get(machine, A), 0x26);
	fake_advance(fake, SECOND - 2228000 - 1000);
	CHECK_EQUAL(get(machine, A) & 0x80, 0);
	fake_advance(fake, SECOND - 2228000 + 1000);
	CHECK_EQUAL(get(machine, A) & 0x80, 0x80);
	CHECK_EQUAL(get(machine, SECONDS), 0);
	fake_advance(fake, SECOND);
	CHECK_EQUAL(get(machine, A) & 0x80, 0);
	CHECK_EQUAL(get(machine, SECONDS), 1);
	machine_destroy(machine);
}

static void test_update_interrupt(void)
{
	struct machine *machine = fake_machine();
	struct fake_engine *fake = fake_of(machine);

	set(machine, B, 0x12);
	for (unsigned int i = 1; i <= 3; i++) {
		fake_advance(fake, i * SECOND - 1);
		CHECK_EQUAL(fake->level[8], 0);
		fake_advance(fake, i * SECOND);
		CHECK_EQUAL(fake->level[8], 1);
		CHECK_EQUAL(get(machine, C) & 0x90, 0x90); /* IRQF and UF */
		CHECK_EQUAL(fake->level[8], 0);            /* reading C clears all */
		CHECK_EQUAL(get(machine, C), 0);
	}
	machine_destroy(machine);
}

/* Periodic rates (table of register A): RS=6 is 1024 Hz, RS=15 2 Hz, RS=3 8192 Hz. */
static void test_periodic_interrupt(void)
{
	static const struct {
		uint8_t rate;
		unsigned int hertz;
	} rates[] = {{15, 2}, {6, 1024}, {3, 8192}, {1, 256}, {2, 128}};

	for (unsigned int i = 0; i < 5; i++) {
		struct machine *machine = fake_machine();
		struct fake_engine *fake = fake_of(machine);
		unsigned int count = 0;

		set(machine, A, 0x20 | rates[i].rate);
		set(machine, B, 0x42);
		while (fake_first(fake) && fake_first(fake)->deadline <= SECOND) {
			fake_advance(fake, fake_first(fake)->deadline);
			if (get(machine, C) & 0x40)
				count++;
		}
		CHECK_EQUAL(count, rates[i].hertz);
		machine_destroy(machine);
	}
}

/* Flags are set whether or not their interrupt is enabled. */
static void test_flags_without_interrupt(void)
{
	struct machine *machine = fake_machine();
	struct fake_engine *fake = fake_of(machine);

	CHECK_EQUAL(get(machine, C), 0);
	fake_advance(fake, SECOND / 1000);
	CHECK_EQUAL(get(machine, C), 0x40); /* 1024 Hz has passed, no second has */
	fake_advance(fake, SECOND);
	CHECK_EQUAL(get(machine, C) & 0x50, 0x50);
	CHECK_EQUAL(fake->rises[8], 0);
	machine_destroy(machine);
}

static void test_alarm(void)
{
	struct machine *machine = fake_machine();
	struct fake_engine *fake = fake_of(machine);

	set(machine, HOURS_ALARM, 0x01);
	set(machine, MINUTES_ALARM, 0x02);
	set(machine, SECONDS_ALARM, 0x03);
	set(machine, B, 0x22);
	fake_advance(fake, 3723 * SECOND - 1);
	CHECK_EQUAL(fake->level[8], 0);
	fake_advance(fake, 3723 * SECOND);
	CHECK_EQUAL(fake->level[8], 1);
	CHECK_EQUAL(get(machine, C) & 0xa0, 0xa0);
	/* "Don't care" codes C0-FF: hour and minute, so once a minute. */
	set(machine, HOURS_ALARM, 0xc0);
	set(machine, MINUTES_ALARM, 0xff);
	fake_advance(fake, 3783 * SECOND - 1);
	CHECK_EQUAL(fake->level[8], 0);
	fake_advance(fake, 3783 * SECOND);
	CHECK_EQUAL(fake->level[8], 1);
	machine_destroy(machine);
}

/* SET stops the update; the new time starts when it is cleared. SET clears UIE. */
static void test_set(void)
{
	struct machine *machine = fake_machine();
	struct fake_engine *fake = fake_of(machine);

	set(machine, B, 0x92);
	CHECK_EQUAL(get(machine, B), 0x82);
	set(machine, YEAR, 0x99);
	set(machine, CENTURY, 0x19);
	set(machine, MONTH, 0x12);
	set(machine, DAY, 0x31);
	set(machine, HOURS, 0x23);
	set(machine, MINUTES, 0x59);
	set(machine, SECONDS, 0x58);
	fake_advance(fake, 10 * SECOND);
	CHECK_EQUAL(get(machine, SECONDS), 0x58);
	set(machine, B, 0x02);
	CHECK_EQUAL(get(machine, SECONDS), 0x58);
	fake_advance(fake, 12 * SECOND);
	CHECK_EQUAL(get(machine, SECONDS), 0x00);
	CHECK_EQUAL(get(machine, DAY), 0x01);
	CHECK_EQUAL(get(machine, YEAR), 0x00);
	CHECK_EQUAL(get(machine, CENTURY), 0x20);
	CHECK_EQUAL(get(machine, WEEKDAY), 7); /* a Saturday */
	machine_destroy(machine);
}

/* When the divider is released, the first update comes half a second later. */
static void test_divider(void)
{
	struct machine *machine = fake_machine();
	struct fake_engine *fake = fake_of(machine);

	set(machine, A, 0x76);
	fake_advance(fake, 5 * SECOND + SECOND / 4);
	CHECK_EQUAL(get(machine, SECONDS), 0);
	set(machine, A, 0x26);
	fake_advance(fake, 5 * SECOND + SECOND / 4 + SECOND / 2 - 1);
	CHECK_EQUAL(get(machine, SECONDS), 0);
	fake_advance(fake, 5 * SECOND + SECOND / 4 + SECOND / 2);
	CHECK_EQUAL(get(machine, SECONDS), 1);
	machine_destroy(machine);
}

/* The registers hold any year from 0 to 9999, and count on from there. */
static void test_far_years(void)
{
	static const struct {
		uint8_t century, year, next_century, next_year;
	} rows[] = {{0x00, 0x26, 0x00, 0x27}, {0x19, 0x69, 0x19, 0x70}, {0x99, 0x98, 0x99, 0x99}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct machine *machine = fake_machine();

		set(machine, CENTURY, rows[i].century);
		set(machine, YEAR, rows[i].year);
		set(machine, MONTH, 0x12);
		set(machine, DAY, 0x31);
		set(machine, HOURS, 0x23);
		set(machine, MINUTES, 0x59);
		set(machine, SECONDS, 0x58);
		set(machine, HOURS_ALARM, 0x00);
		set(machine, MINUTES_ALARM, 0x00);
		set(machine, SECONDS_ALARM, 0x00);
		set(machine, B, 0x22);
		fake_advance(fake_of(machine), 2 * SECOND - 1);
		CHECK_EQUAL(get(machine, YEAR), rows[i].year);
		CHECK_EQUAL(get(machine, C) & 0xa0, 0x00);
		fake_advance(fake_of(machine), 2 * SECOND);
		CHECK_EQUAL(get(machine, C) & 0xa0, 0xa0); /* the alarm, at midnight */
		CHECK_EQUAL(get(machine, CENTURY), rows[i].next_century);
		CHECK_EQUAL(get(machine, YEAR), rows[i].next_year);
		CHECK_EQUAL(get(machine, DAY), 0x01);
		CHECK_EQUAL(get(machine, SECONDS), 0x00);
		machine_destroy(machine);
	}
}

static void test_cmos_memory(void)
{
	struct machine_config config = fake_config();
	struct machine *machine;

	config.memory = 5ull << 30;
	machine = machine_create(&config, NULL);
	/* KiB above 1 MiB, at most 0xffff; 64 KiB units above 16 MiB; the same above 4 GiB. */
	CHECK_EQUAL(get(machine, 0x30) | get(machine, 0x31) << 8, 0xffff);
	CHECK_EQUAL(get(machine, 0x34) | get(machine, 0x35) << 8, (3072 - 16) * 16);
	CHECK_EQUAL(get(machine, 0x5b) | get(machine, 0x5c) << 8 | get(machine, 0x5d) << 16,
		    2048 * 16);
	set(machine, 0x40, 0x5a); /* plain memory */
	CHECK_EQUAL(get(machine, 0x40), 0x5a);
	CHECK_EQUAL(get(machine, 0xc0), 0x5a); /* bit 7 of the index masks NMI */
	machine_destroy(machine);
}

static void test_calendar(void)
{
	struct rtc_time time;

	rtc_time_from_seconds(&time, 951782400); /* 2000-02-29 00:00:00, a Tuesday */
	CHECK_EQUAL(time.year, 2000);
	CHECK_EQUAL(time.month, 2);
	CHECK_EQUAL(time.day, 29);
	CHECK_EQUAL(time.weekday, 3);
	CHECK_EQUAL(rtc_time_to_seconds(&time), 951782400);
	/* 12:00:00 is 43200 s into a day. */
	CHECK_EQUAL(rtc_time_next_alarm(0, 12, 0, 0), 43200);
	CHECK_EQUAL(rtc_time_next_alarm(43200, 12, 0, 0), 86400);
	CHECK_EQUAL(rtc_time_next_alarm(100, RTC_ANY, RTC_ANY, RTC_ANY), 1);
	CHECK_EQUAL(rtc_time_next_alarm(3600, RTC_ANY, 30, 5), 1805);
	CHECK_EQUAL(rtc_time_next_alarm(-1, 0, 0, 0), 1);  /* 1969-12-31 23:59:59 */
	CHECK_EQUAL(rtc_time_next_alarm(0, 24, 0, 0), -1); /* never */
}

static CU_TestInfo tests[] = {
	{"shows the epoch plus guest time", test_epoch},
	{"binary, BCD, 12 and 24 hours", test_formats},
	{"UIP and the second's end", test_update_in_progress},
	{"update-ended interrupt", test_update_interrupt},
	{"periodic interrupt rates", test_periodic_interrupt},
	{"flags without interrupts", test_flags_without_interrupt},
	{"alarm and its don't-care codes", test_alarm},
	{"SET stops and sets the time", test_set},
	{"divider reset", test_divider},
	{"years far from now", test_far_years},
	{"CMOS memory sizes", test_cmos_memory},
	{"calendar and alarm arithmetic", test_calendar},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("machine/rtc", tests)
