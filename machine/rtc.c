/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Motorola MC146818A data sheet. Nothing ticks: time is computed when it is read, and one
 * timer is armed for the next event that can raise IRQ 8. Flags of events that nobody is
 * interrupted by are found when register C is read.
 *
 * Time is that of the divider chain, in ns: guest time plus a phase below a second. Its whole
 * seconds count the calendar on from `calendar`, which may be any date that the registers hold.
 */
#include "machine/rtc.h"

#include <stdlib.h>

#include "machine/chips.h"
#include "machine/internal.h"
#include "machine/pm.h"
#include "machine/rtc_time.h"
#include "record/record.h"

#define SECOND 1000000000ull
/* UIP rises 244 us before an update, which takes 1984 us; registers are safe to read while it
 * is clear. */
#define UPDATE_NS 2228000

enum {
	REG_SECOND,
	REG_SECOND_ALARM,
	REG_MINUTE,
	REG_MINUTE_ALARM,
	REG_HOUR,
	REG_HOUR_ALARM,
	REG_WEEKDAY,
	REG_DAY,
	REG_MONTH,
	REG_YEAR,
	REG_A,
	REG_B,
	REG_C,
	REG_D,
};

#define A_UIP         0x80
#define A_DIVIDER     0x70
#define A_DIVIDER_32K 0x20
#define A_RATE        0x0f
#define B_SET         0x80
#define B_PERIODIC    0x40 /* also the flags' places in C */
#define B_ALARM       0x20
#define B_UPDATE      0x10
#define B_BINARY      0x04
#define B_24_HOURS    0x02
#define C_IRQ         0x80
#define D_VALID       0x80
#define HOUR_PM       0x80
#define ALARM_ANY     0xc0 /* 11xxxxxx: matches every value */

struct rtc {
	struct machine *machine;
	struct irq_wire wire;
	struct ls_timer timer;
	uint8_t index;
	uint8_t cmos[RTC_CMOS_SIZE]; /* time registers in it are current only while halted */
	bool halted;                 /* SET, or the divider is held in reset */
	uint64_t phase;              /* ns, below SECOND */
	int64_t calendar;            /* Unix seconds at second 0 of the chain */
	uint64_t seen;               /* chain time up to which flags in C are complete */
};

static uint64_t rtc_now(const struct rtc *rtc)
{
	return rtc->machine->clock->now(rtc->machine->clock) + rtc->phase;
}

static int64_t rtc_calendar_at(const struct rtc *rtc, uint64_t at)
{
	return rtc->calendar + (int64_t)(at / SECOND);
}

static uint8_t rtc_encode(const struct rtc *rtc, int value)
{
	if (rtc->cmos[REG_B] & B_BINARY)
		return (uint8_t)value;
	return (uint8_t)(value / 10 << 4 | value % 10);
}

static int rtc_decode(const struct rtc *rtc, uint8_t value)
{
	if (rtc->cmos[REG_B] & B_BINARY)
		return value;
	return (value >> 4) * 10 + (value & 15);
}

static uint8_t rtc_encode_hour(const struct rtc *rtc, int hour)
{
	if (rtc->cmos[REG_B] & B_24_HOURS)
		return rtc_encode(rtc, hour);
	return (uint8_t)(rtc_encode(rtc, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOUR_PM : 0));
}

static int rtc_decode_hour(const struct rtc *rtc, uint8_t value)
{
	int hour;

	if (rtc->cmos[REG_B] & B_24_HOURS)
		return rtc_decode(rtc, value);
	hour = rtc_decode(rtc, value & (uint8_t)~HOUR_PM) % 12;
	return value & HOUR_PM ? hour + 12 : hour;
}

/* Writes the time registers as they show @seconds. */
static void rtc_latch(struct rtc *rtc, int64_t seconds)
{
	struct rtc_time time;

	rtc_time_from_seconds(&time, seconds);
	rtc->cmos[REG_SECOND] = rtc_encode(rtc, time.second);
	rtc->cmos[REG_MINUTE] = rtc_encode(rtc, time.minute);
	rtc->cmos[REG_HOUR] = rtc_encode_hour(rtc, time.hour);
	rtc->cmos[REG_WEEKDAY] = rtc_encode(rtc, time.weekday);
	rtc->cmos[REG_DAY] = rtc_encode(rtc, time.day);
	rtc->cmos[REG_MONTH] = rtc_encode(rtc, time.month);
	rtc->cmos[REG_YEAR] = rtc_encode(rtc, time.year % 100);
	rtc->cmos[RTC_CMOS_CENTURY] = rtc_encode(rtc, time.year / 100);
}

static int64_t rtc_latched(const struct rtc *rtc)
{
	struct rtc_time time = {
		.second = rtc_decode(rtc, rtc->cmos[REG_SECOND]),
		.minute = rtc_decode(rtc, rtc->cmos[REG_MINUTE]),
		.hour = rtc_decode_hour(rtc, rtc->cmos[REG_HOUR]),
		.day = rtc_decode(rtc, rtc->cmos[REG_DAY]),
		.month = rtc_decode(rtc, rtc->cmos[REG_MONTH]),
		.year = rtc_decode(rtc, rtc->cmos[REG_YEAR]) +
			100 * rtc_decode(rtc, rtc->cmos[RTC_CMOS_CENTURY]),
	};

	return rtc_time_to_seconds(&time);
}

/* Brings the registers up to date before they are read or written. */
static void rtc_refresh(struct rtc *rtc)
{
	if (!rtc->halted)
		rtc_latch(rtc, rtc_calendar_at(rtc, rtc_now(rtc)));
}

/* 0: no periodic interrupt. Rates 1 and 2 are those of 8 and 9 with a 32 kHz crystal. */
static uint64_t rtc_period_ticks(const struct rtc *rtc)
{
	unsigned int rate = rtc->cmos[REG_A] & A_RATE;

	if (!rate)
		return 0;
	return 1ull << ((rate < 3 ? rate + 7 : rate) - 1);
}

/* 32768 Hz ticks of the chain until @ns, and the ns at which tick @t begins. */
static uint64_t rtc_ticks(uint64_t ns)
{
	return ns / SECOND * 32768 + ns % SECOND * 32768 / SECOND;
}

static uint64_t rtc_tick_ns(uint64_t tick)
{
	return tick / 32768 * SECOND + (tick % 32768 * SECOND + 32767) / 32768;
}

/* The chain's second of the first alarm after second @after; LS_NEVER if there is none. */
static uint64_t rtc_next_alarm(const struct rtc *rtc, uint64_t after)
{
	uint8_t hour = rtc->cmos[REG_HOUR_ALARM];
	uint8_t minute = rtc->cmos[REG_MINUTE_ALARM];
	uint8_t second = rtc->cmos[REG_SECOND_ALARM];
	int wait = rtc_time_next_alarm(rtc->calendar + (int64_t)after,
				       hour >= ALARM_ANY ? RTC_ANY : rtc_decode_hour(rtc, hour),
				       minute >= ALARM_ANY ? RTC_ANY : rtc_decode(rtc, minute),
				       second >= ALARM_ANY ? RTC_ANY : rtc_decode(rtc, second));

	return wait < 0 ? LS_NEVER : after + (uint64_t)wait;
}

/* Sets the flags of everything that happened since the last look. */
static void rtc_collect(struct rtc *rtc)
{
	uint64_t from = rtc->seen, now = rtc_now(rtc), period = rtc_period_ticks(rtc);

	if (now <= from)
		return;
	rtc->seen = now;
	if ((rtc->cmos[REG_A] & A_DIVIDER) == A_DIVIDER_32K && period &&
	    rtc_ticks(from) / period != rtc_ticks(now) / period)
		rtc->cmos[REG_C] |= B_PERIODIC;
	if (rtc->halted || from / SECOND == now / SECOND)
		return;
	rtc->cmos[REG_C] |= B_UPDATE;
	if (rtc_next_alarm(rtc, from / SECOND) <= now / SECOND)
		rtc->cmos[REG_C] |= B_ALARM;
}

/* IRQF and the wire follow the enabled flags. */
static void rtc_update_irq(struct rtc *rtc)
{
	bool up = rtc->cmos[REG_B] & rtc->cmos[REG_C] & (B_PERIODIC | B_ALARM | B_UPDATE);

	rtc->cmos[REG_C] = (uint8_t)((rtc->cmos[REG_C] & ~C_IRQ) | (up ? C_IRQ : 0));
	irq_set(rtc->machine, &rtc->wire, up);
	if (up && rtc->cmos[REG_C] & B_ALARM)
		pm_rtc_alarm(rtc->machine);
}

static void rtc_arm(struct rtc *rtc)
{
	struct ls_clock *clock = rtc->machine->clock;
	uint8_t enabled = rtc->cmos[REG_B];
	uint64_t period = rtc_period_ticks(rtc);
	uint64_t now = rtc_now(rtc), second = now / SECOND, next = LS_NEVER;

	if (enabled & B_PERIODIC && period && (rtc->cmos[REG_A] & A_DIVIDER) == A_DIVIDER_32K)
		next = rtc_tick_ns((rtc_ticks(now) / period + 1) * period);
	if (!rtc->halted && enabled & B_UPDATE && (second + 1) * SECOND < next)
		next = (second + 1) * SECOND;
	if (!rtc->halted && enabled & B_ALARM) {
		uint64_t alarm = rtc_next_alarm(rtc, second);

		if (alarm != LS_NEVER && alarm * SECOND < next)
			next = alarm * SECOND;
	}
	if (next == LS_NEVER)
		clock->disarm(clock, &rtc->timer);
	else
		clock->arm(clock, &rtc->timer, next - rtc->phase);
}

static void rtc_fire(struct ls_timer *timer, uint64_t now)
{
	struct rtc *rtc = timer->opaque;

	(void)now;
	rtc_collect(rtc);
	rtc_update_irq(rtc);
	rtc_arm(rtc);
}

/* The registers show @seconds from now on. */
static void rtc_set_calendar(struct rtc *rtc, int64_t seconds)
{
	rtc->calendar = seconds - (int64_t)(rtc_now(rtc) / SECOND);
}

/* After A or B changed: the divider stops and starts. Halting keeps the chain running: only
 * the registers stand still. */
static void rtc_set_halted(struct rtc *rtc, bool was_in_reset)
{
	bool in_reset = (rtc->cmos[REG_A] & A_DIVIDER) != A_DIVIDER_32K;
	bool was_halted = rtc->halted;

	/* The first update comes half a second after the divider is released (MC146818A,
	 * "divider control"). */
	if (was_in_reset && !in_reset) {
		rtc->phase = (rtc->phase + SECOND + SECOND / 2 - rtc_now(rtc) % SECOND) % SECOND;
		rtc->seen = rtc_now(rtc);
	}
	rtc->halted = in_reset || rtc->cmos[REG_B] & B_SET;
	if (was_halted && !rtc->halted)
		rtc_set_calendar(rtc, rtc_latched(rtc));
}

static bool rtc_is_time(unsigned int index)
{
	return (index <= REG_YEAR && index != REG_SECOND_ALARM && index != REG_MINUTE_ALARM &&
		index != REG_HOUR_ALARM) ||
	       index == RTC_CMOS_CENTURY;
}

static void rtc_write_time(struct rtc *rtc, unsigned int index, uint8_t value)
{
	rtc->cmos[index] = value;
	/* The weekday is a counter of its own on the chip; here it follows the date. */
	if (!rtc->halted && index != REG_WEEKDAY)
		rtc_set_calendar(rtc, rtc_latched(rtc));
}

static void rtc_write_register(struct rtc *rtc, unsigned int index, uint8_t value)
{
	bool in_reset = (rtc->cmos[REG_A] & A_DIVIDER) != A_DIVIDER_32K;

	rtc_collect(rtc);
	rtc_refresh(rtc);
	if (rtc_is_time(index)) {
		rtc_write_time(rtc, index, value);
	} else if (index == REG_A) {
		rtc->cmos[REG_A] = value & (uint8_t)~A_UIP;
		rtc_set_halted(rtc, in_reset);
	} else if (index == REG_B) {
		/* SET clears the update interrupt's enable (MC146818A, register B). */
		rtc->cmos[REG_B] = value & B_SET ? value & (uint8_t)~B_UPDATE : value;
		rtc_set_halted(rtc, in_reset);
		rtc_refresh(rtc); /* in the new format */
	} else if (index != REG_C && index != REG_D) {
		rtc->cmos[index] = value;
	}
	rtc_update_irq(rtc);
	rtc_arm(rtc);
}

static bool rtc_updating(const struct rtc *rtc)
{
	return !rtc->halted && rtc_now(rtc) % SECOND >= SECOND - UPDATE_NS;
}

static uint8_t rtc_read_register(struct rtc *rtc, unsigned int index)
{
	uint8_t value;

	switch (index) {
	case REG_A:
		return (uint8_t)(rtc->cmos[REG_A] | (rtc_updating(rtc) ? A_UIP : 0));
	case REG_C:
		rtc_collect(rtc);
		rtc_update_irq(rtc);
		value = rtc->cmos[REG_C];
		rtc->cmos[REG_C] = 0;
		rtc_update_irq(rtc);
		return value;
	case REG_D:
		return D_VALID;
	default:
		rtc_refresh(rtc);
		return rtc->cmos[index];
	}
}

static uint64_t rtc_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct rtc *rtc = opaque;

	(void)size;
	return offset ? rtc_read_register(rtc, rtc->index) : 0xff; /* the index cannot be read */
}

static void rtc_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct rtc *rtc = opaque;

	(void)size;
	if (offset)
		rtc_write_register(rtc, rtc->index, (uint8_t)value);
	else
		rtc->index = value & 0x7f; /* bit 7 masks NMI: nothing here raises one */
}

uint8_t rtc_cmos_read(const struct rtc *rtc, unsigned int index)
{
	return rtc->cmos[index % RTC_CMOS_SIZE];
}

void rtc_cmos_write(struct rtc *rtc, unsigned int index, uint8_t value)
{
	rtc->cmos[index % RTC_CMOS_SIZE] = value;
}

/* RESET clears the enables and flags and leaves time and memory alone (battery). */
static void rtc_reset(void *opaque)
{
	struct rtc *rtc = opaque;

	rtc->cmos[REG_B] &= (uint8_t) ~(B_PERIODIC | B_ALARM | B_UPDATE);
	rtc->cmos[REG_C] = 0;
	rtc_update_irq(rtc);
	rtc_arm(rtc);
}

/* Where firmware looks for the memory size when it has no better source: KiB from 1 MiB
 * (at most 64 MiB - 1 KiB), 64 KiB units from 16 MiB and from 4 GiB. */
static void rtc_set_memory(struct rtc *rtc)
{
	uint64_t low = machine_memory_low(rtc->machine);
	uint64_t high = machine_memory_high(rtc->machine) >> 16;
	uint64_t above_1m = low > 1 << 20 ? (low - (1 << 20)) >> 10 : 0;
	uint64_t above_16m = low > 16 << 20 ? (low - (16 << 20)) >> 16 : 0;

	if (above_1m > 0xffff)
		above_1m = 0xffff;
	rtc->cmos[0x15] = 640 & 0xff;
	rtc->cmos[0x16] = 640 >> 8;
	rtc->cmos[0x17] = rtc->cmos[0x30] = (uint8_t)above_1m;
	rtc->cmos[0x18] = rtc->cmos[0x31] = (uint8_t)(above_1m >> 8);
	rtc->cmos[0x34] = (uint8_t)above_16m;
	rtc->cmos[0x35] = (uint8_t)(above_16m >> 8);
	rtc->cmos[0x5b] = (uint8_t)high;
	rtc->cmos[0x5c] = (uint8_t)(high >> 8);
	rtc->cmos[0x5d] = (uint8_t)(high >> 16);
	rtc->cmos[0x5f] = (uint8_t)(rtc->machine->vcpu_count - 1);
}

static const struct record_field rtc_fields[] = {
	RECORD_FIELD(struct rtc, wire.level), RECORD_FIELD_TIMER(struct rtc, timer),
	RECORD_FIELD(struct rtc, index),      RECORD_FIELD(struct rtc, cmos),
	RECORD_FIELD(struct rtc, halted),     RECORD_FIELD(struct rtc, phase),
	RECORD_FIELD(struct rtc, calendar),   RECORD_FIELD(struct rtc, seen),
};
static const struct record_table rtc_table = {
	.name = "rtc", .version = 1, RECORD_FIELDS(rtc_fields)};

static const struct bus_ops rtc_ops = {.read = rtc_read, .write = rtc_write, .widest = 1};

int rtc_create(struct machine *machine, struct ls_error *err)
{
	struct rtc *rtc = calloc(1, sizeof(*rtc));
	struct bus_region region = {
		.name = "RTC", .base = 0x70, .size = 2, .ops = &rtc_ops, .opaque = rtc};
	struct machine_device device = {.name = "rtc",
					.state = &rtc_table,
					.reset = rtc_reset,
					.destroy = free,
					.opaque = rtc};

	if (!rtc)
		return ls_error_set(err, -ENOMEM, "no memory for the RTC");
	rtc->machine = machine;
	rtc->wire.gsi = IRQ_GSI_RTC;
	rtc->timer = (struct ls_timer){.deadline = LS_NEVER, .fn = rtc_fire, .opaque = rtc};
	rtc->calendar = machine->config.epoch;
	rtc->cmos[REG_A] = A_DIVIDER_32K | 6; /* 1024 Hz, as a BIOS leaves it */
	rtc->cmos[REG_B] = B_24_HOURS;
	rtc->cmos[0x14] = 0x02; /* equipment: an FPU */
	rtc->cmos[0x3d] = 0x32; /* boot order: hard disk, CD-ROM, */
	rtc->cmos[0x38] = 0x10; /* diskette */
	rtc_set_memory(rtc);
	rtc_refresh(rtc);
	machine->rtc = rtc;
	return chip_add(machine, &device, &region, 1, err);
}
