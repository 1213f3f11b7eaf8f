/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One counter of the 8254 (data sheet 231164, "Mode definitions"). Nothing ticks: what the
 * counting element holds and what OUT is follow from the CLKs since the count was loaded.
 */
#include "apic/pit_channel.h"

static bool mode_periodic(const struct pit_channel *channel)
{
	return channel->mode == 2 || channel->mode == 3;
}

/* Modes 1 and 5 count from a trigger: the rising edge of GATE. */
static bool mode_triggered(const struct pit_channel *channel)
{
	return channel->mode == 1 || channel->mode == 5;
}

/* CLKs counted since the load. */
static int64_t elapsed(const struct pit_channel *channel, int64_t tick)
{
	return channel->stopped >= 0 ? channel->stopped : tick - channel->start;
}

/* Mode 3: CLKs for which OUT is high; one more than low for an odd count. */
static int64_t high_part(int64_t count)
{
	return (count + 1) / 2;
}

void pit_channel_sync(struct pit_channel *channel, int64_t tick)
{
	int64_t at = channel->next_load, count = channel->next_count;

	if (!count || at > tick)
		return;
	/* Mode 3 loads at either half; after the high one the low one follows. */
	if (channel->mode == 3 && channel->loaded &&
	    (at - channel->start) % channel->count == high_part(channel->count))
		at -= high_part(count);
	channel->start = at;
	channel->count = count;
	channel->next_count = 0;
	channel->loaded = true;
	channel->stopped = channel->gate || mode_triggered(channel) ? -1 : 0;
}

/* --- outputs --- */

bool pit_channel_out(const struct pit_channel *channel, int64_t tick)
{
	int64_t n = channel->count, e = elapsed(channel, tick);
	bool loaded = channel->loaded;

	switch (channel->mode) {
	case 0: /* interrupt on terminal count */
		return loaded && e >= n;
	case 1: /* retriggerable one-shot */
		return !loaded || e >= n;
	case 2: /* rate generator */
		return !loaded || !channel->gate || e % n != n - 1;
	case 3: /* square wave */
		return !loaded || !channel->gate || e % n < high_part(n);
	case 4: /* software and hardware triggered strobe */
	case 5:
		return !loaded || e != n;
	}
	return false;
}

static int64_t next_boundary(const struct pit_channel *channel, int64_t tick)
{
	int64_t n = channel->count, e = elapsed(channel, tick), phase;

	if (!channel->loaded || channel->stopped >= 0)
		return PIT_NEVER;
	switch (channel->mode) {
	case 0:
	case 1:
		return e < n ? channel->start + n : PIT_NEVER;
	case 2:
	case 3:
		if (n == 1) /* illegal; OUT stays */
			return PIT_NEVER;
		phase = channel->mode == 2 ? n - 1 : high_part(n);
		return tick + (e % n < phase ? phase : n) - e % n;
	case 4:
	case 5:
		return e < n ? channel->start + n : e == n ? tick + 1 : PIT_NEVER;
	}
	return PIT_NEVER;
}

int64_t pit_channel_next_change(const struct pit_channel *channel, int64_t tick)
{
	int64_t boundary = next_boundary(channel, tick);

	if (channel->next_count && channel->next_load < boundary)
		return channel->next_load;
	return boundary;
}

/* --- count in --- */

/* When a count written at @tick loads. */
static int64_t load_time(const struct pit_channel *channel, int64_t tick)
{
	int64_t n = channel->count, e, phase;

	if (mode_triggered(channel))
		return PIT_NEVER;
	if (!mode_periodic(channel) || !channel->loaded)
		return tick + 1;
	if (channel->stopped >= 0)
		return PIT_NEVER; /* the gate's rising edge reloads */
	/* Modes 2 and 3 finish the cycle, or half-cycle, that is under way. */
	e = (tick - channel->start) % n;
	phase = channel->mode == 3 && e < high_part(n) ? high_part(n) : n;
	return tick + phase - e;
}

static void write_count(struct pit_channel *channel, int64_t tick, unsigned int value)
{
	if (channel->bcd)
		value = (value >> 12 & 15) * 1000 + (value >> 8 & 15) * 100 +
			(value >> 4 & 15) * 10 + (value & 15);
	if (!value)
		value = channel->bcd ? 10000 : 0x10000;
	channel->next_load = load_time(channel, tick);
	channel->next_count = value;
	if (channel->mode == 0)
		channel->loaded = false; /* OUT goes low at once */
}

void pit_channel_write(struct pit_channel *channel, int64_t tick, uint8_t value)
{
	switch (channel->access) {
	case 1:
		write_count(channel, tick, value);
		return;
	case 2:
		write_count(channel, tick, value << 8);
		return;
	case 3:
		if (channel->write_high) {
			write_count(channel, tick, value << 8 | channel->write_low);
		} else {
			channel->write_low = value;
			/* In mode 0 the first byte stops the count. */
			if (channel->mode == 0) {
				channel->loaded = false;
				channel->next_count = 0;
			}
		}
		channel->write_high = !channel->write_high;
	}
}

void pit_channel_control(struct pit_channel *channel, uint8_t control)
{
	bool gate = channel->gate;
	uint8_t mode = control >> 1 & 7;

	*channel = (struct pit_channel){
		.count = channel->count,
		.next_load = PIT_NEVER,
		.stopped = -1,
		.gate = gate,
		.access = control >> 4 & 3,
		.mode = mode > 5 ? mode - 4 : mode, /* bit 2 does not matter in 2 and 3 */
		.bcd = control & 1,
	};
}

void pit_channel_set_gate(struct pit_channel *channel, int64_t tick, bool gate)
{
	int64_t e = elapsed(channel, tick);

	if (gate == channel->gate)
		return;
	channel->gate = gate;
	if (gate && (mode_periodic(channel) || mode_triggered(channel))) {
		/* Reloads, if there is a count; OUT of modes 2 and 3 is high until then. */
		if (!channel->next_count && channel->loaded)
			channel->next_count = channel->count;
		channel->next_load = tick + 1;
		if (mode_periodic(channel))
			channel->loaded = false;
	} else if (gate) {
		if (channel->loaded && channel->stopped >= 0)
			channel->start = tick - channel->stopped;
		channel->stopped = -1;
	} else if (!mode_triggered(channel) && channel->loaded) {
		channel->stopped = e;
		/* A reload at the end of a cycle that will not end waits for the gate. */
		if (mode_periodic(channel) && channel->next_count)
			channel->next_load = PIT_NEVER;
	}
}

/* --- count and status out --- */

static uint16_t to_bcd(unsigned int value)
{
	return value / 1000 % 10 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 | value % 10;
}

/* The counting element. Before a load it holds what it did; 0 will do. */
static uint16_t current_count(const struct pit_channel *channel, int64_t tick)
{
	int64_t n = channel->count, e = elapsed(channel, tick), value;
	int64_t wrap = channel->bcd ? 10000 : 0x10000;

	if (!channel->loaded)
		return 0;
	switch (channel->mode) {
	case 2:
		value = n - e % n;
		break;
	case 3: /* counts by two, an odd count from one less */
		e %= n;
		if (e >= high_part(n))
			e -= high_part(n);
		value = (n & ~1) - 2 * e;
		break;
	default: /* goes on below 0 */
		value = (n - e) % wrap;
		if (value < 0)
			value += wrap;
	}
	return channel->bcd ? to_bcd(value) : value;
}

void pit_channel_latch_count(struct pit_channel *channel, int64_t tick)
{
	if (channel->latched)
		return; /* the first latch stays until it is read */
	channel->latched_count = current_count(channel, tick);
	channel->latched = channel->access;
}

void pit_channel_latch_status(struct pit_channel *channel, int64_t tick)
{
	bool null_count = channel->next_count || !channel->loaded;

	if (channel->status_latched)
		return;
	channel->status = pit_channel_out(channel, tick) << 7 | null_count << 6 |
			  channel->access << 4 | (channel->mode & 7) << 1 | channel->bcd;
	channel->status_latched = true;
}

static uint8_t read_latched(struct pit_channel *channel)
{
	bool low = channel->latched & 1;

	channel->latched &= low ? 2 : 0;
	return low ? channel->latched_count : channel->latched_count >> 8;
}

uint8_t pit_channel_read(struct pit_channel *channel, int64_t tick)
{
	uint16_t count;
	bool high;

	if (channel->status_latched) {
		channel->status_latched = false;
		return channel->status;
	}
	if (channel->latched)
		return read_latched(channel);
	count = current_count(channel, tick);
	high = channel->access == 2 || (channel->access == 3 && channel->read_high);
	if (channel->access == 3)
		channel->read_high = !channel->read_high;
	return high ? count >> 8 : count;
}
