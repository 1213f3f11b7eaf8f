/* SPDX-License-Identifier: Apache-2.0 */
/* The PC's timer: ports, channel 0's interrupt, KVM's state. */
#include "apic/pit.h"

#include <errno.h>
#include <string.h>

#include "apic/pit_channel.h"

#define NS 1000000000ull

/* Both round towards 0 and away from it such that ns_to_ticks(ticks_to_ns(t)) is t. Negative
 * times occur in KVM's state only. */
static int64_t ns_to_ticks(int64_t ns)
{
	return (__int128)ns * PIT_HZ / (int64_t)NS;
}

/* The first ns of the tick. */
static int64_t ticks_to_ns(int64_t ticks)
{
	__int128 scaled = (__int128)ticks * (int64_t)NS;

	return (scaled + (ticks < 0 ? 1 - (int64_t)PIT_HZ : (int64_t)PIT_HZ - 1)) / PIT_HZ;
}

/* --- channel 0's interrupt --- */

static void set_irq(struct pit *pit, int64_t tick)
{
	bool level = pit_channel_out(&pit->channels[0], tick);

	if (pit->flags & KVM_PIT_FLAGS_HPET_LEGACY)
		level = false;
	if (level == pit->irq_level)
		return;
	pit->irq_level = level;
	pit->ops->irq(pit->opaque, level);
}

static void step(struct pit *pit, int64_t tick)
{
	pit_channel_sync(&pit->channels[0], tick);
	set_irq(pit, tick);
	pit->edge = pit_channel_next_change(&pit->channels[0], tick);
}

/* Brings OUT of channel 0 to @tick through the changes on its way: mode 2's low pulse lasts one
 * tick and must not be missed. Further back than two cycles, they would only coalesce. */
static void advance(struct pit *pit, int64_t tick)
{
	unsigned int i;

	for (i = 0; i < 4 && pit->edge <= tick; i++)
		step(pit, pit->edge);
	step(pit, tick);
	if (pit->edge == PIT_NEVER)
		pit->clock->disarm(pit->clock, &pit->timer);
	else
		pit->clock->arm(pit->clock, &pit->timer, ticks_to_ns(pit->edge));
}

static void timer_expired(struct ls_timer *timer, uint64_t now)
{
	advance(timer->opaque, ns_to_ticks(now));
}

/* Everything up to now; the tick it is. */
static int64_t synchronise(struct pit *pit)
{
	int64_t tick = ns_to_ticks(pit->clock->now(pit->clock));
	unsigned int i;

	advance(pit, tick);
	for (i = 1; i < 3; i++)
		pit_channel_sync(&pit->channels[i], tick);
	return tick;
}

/* --- ports --- */

static void write_control(struct pit *pit, int64_t tick, uint8_t value)
{
	unsigned int which = value >> 6, i;

	if (which < 3 && (value & 0x30)) {
		pit_channel_control(&pit->channels[which], value);
		return;
	}
	if (which < 3) {
		pit_channel_latch_count(&pit->channels[which], tick);
		return;
	}
	for (i = 0; i < 3; i++) { /* read-back; both latch bits are active low */
		if (!(value >> (i + 1) & 1))
			continue;
		if (!(value & 0x20))
			pit_channel_latch_count(&pit->channels[i], tick);
		if (!(value & 0x10))
			pit_channel_latch_status(&pit->channels[i], tick);
	}
}

static uint8_t read_port61(const struct pit *pit, int64_t tick)
{
	/* The refresh toggle changes with each of channel 1's requests, 15.085 us apart. */
	uint64_t refresh = pit->clock->now(pit->clock) / 15085;

	return pit->channels[2].gate | pit->speaker << 1 | (refresh & 1) << 4 |
	       pit_channel_out(&pit->channels[2], tick) << 5;
}

bool pit_read(struct pit *pit, uint16_t port, uint8_t *value)
{
	int64_t tick;

	if (port != 0x61 && (port & ~3) != 0x40)
		return false;
	tick = synchronise(pit);
	if (port == 0x61)
		*value = read_port61(pit, tick);
	else if (port == 0x43) /* write-only */
		*value = 0;
	else
		*value = pit_channel_read(&pit->channels[port & 3], tick);
	return true;
}

bool pit_write(struct pit *pit, uint16_t port, uint8_t value)
{
	int64_t tick;

	if (port != 0x61 && (port & ~3) != 0x40)
		return false;
	tick = synchronise(pit);
	if (port == 0x61) {
		pit->speaker = value & 2;
		pit_channel_set_gate(&pit->channels[2], tick, value & 1);
	} else if (port == 0x43) {
		write_control(pit, tick, value);
	} else {
		pit_channel_write(&pit->channels[port & 3], tick, value);
	}
	advance(pit, tick);
	return true;
}

/* --- life --- */

void pit_reset(struct pit *pit)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		pit->channels[i] = (struct pit_channel){
			.mode = 0xff,
			.next_load = PIT_NEVER,
			.stopped = -1,
			.gate = i != 2,
			.access = 3,
		};
	pit->speaker = false;
	pit->flags = 0;
	pit->edge = PIT_NEVER;
	advance(pit, ns_to_ticks(pit->clock->now(pit->clock)));
}

void pit_init(struct pit *pit, struct ls_clock *clock, const struct pit_ops *ops, void *opaque)
{
	*pit = (struct pit){.clock = clock, .ops = ops, .opaque = opaque};
	pit->timer = (struct ls_timer){
		.deadline = LS_NEVER,
		.fn = timer_expired,
		.opaque = pit,
	};
	pit_reset(pit);
}

void pit_destroy(struct pit *pit)
{
	pit->clock->disarm(pit->clock, &pit->timer);
}

/* --- KVM's state ---
 * kvm_pit_channel_state has room for one count and its load time. A count that waits for the
 * end of a cycle is told as loading at that time, so such a cycle is cut short by a restore;
 * one that waits for a trigger as a count that has run out, which a trigger restarts. */

static void get_channel(const struct pit_channel *channel, int64_t tick,
			struct kvm_pit_channel_state *state)
{
	int64_t load = channel->stopped >= 0 ? tick - channel->stopped : channel->start;
	uint32_t count = channel->loaded ? channel->count : 0;

	if (channel->next_count) {
		count = channel->next_count;
		load = channel->next_load == PIT_NEVER ? tick - 0x10001 : channel->next_load;
	}
	*state = (struct kvm_pit_channel_state){
		.count = count,
		.latched_count = channel->latched_count,
		.count_latched = channel->latched,
		.status_latched = channel->status_latched,
		.status = channel->status,
		.read_state = channel->access == 3 ? 3 + channel->read_high : channel->access,
		.write_state = channel->access == 3 ? 3 + channel->write_high : channel->access,
		.write_latch = channel->write_low,
		.rw_mode = channel->access,
		.mode = channel->mode,
		.bcd = channel->bcd,
		.gate = channel->gate,
		.count_load_time = ticks_to_ns(load),
	};
}

static void set_channel(struct pit_channel *channel, int64_t tick,
			const struct kvm_pit_channel_state *state)
{
	int64_t load = ns_to_ticks(state->count_load_time);

	*channel = (struct pit_channel){
		.next_load = PIT_NEVER,
		.stopped = -1,
		.start = load,
		.count = state->count,
		.loaded = state->count && load <= tick,
		.gate = state->gate,
		.mode = state->mode,
		.bcd = state->bcd,
		.access = state->rw_mode & 3,
		.read_high = state->read_state == 4,
		.write_high = state->write_state == 4,
		.write_low = state->write_latch,
		.latched = state->count_latched & 3,
		.latched_count = state->latched_count,
		.status_latched = state->status_latched,
		.status = state->status,
	};
	if (state->count && load > tick) {
		channel->next_count = state->count;
		channel->next_load = load;
	}
	if (channel->loaded && !channel->gate && channel->mode != 1 && channel->mode != 5)
		channel->stopped = tick - load;
}

void pit_get_state(struct pit *pit, struct kvm_pit_state2 *state)
{
	int64_t tick = synchronise(pit);
	unsigned int i;

	memset(state, 0, sizeof(*state));
	for (i = 0; i < 3; i++)
		get_channel(&pit->channels[i], tick, &state->channels[i]);
	state->flags = pit->flags | (pit->speaker ? KVM_PIT_FLAGS_SPEAKER_DATA_ON : 0);
}

int pit_set_state(struct pit *pit, const struct kvm_pit_state2 *state)
{
	int64_t tick = ns_to_ticks(pit->clock->now(pit->clock));
	unsigned int i;

	if (state->flags & ~(KVM_PIT_FLAGS_HPET_LEGACY | KVM_PIT_FLAGS_SPEAKER_DATA_ON))
		return -EINVAL;
	for (i = 0; i < 3; i++) {
		if (state->channels[i].count > 0x10000 ||
		    (state->channels[i].mode > 5 && state->channels[i].mode != 0xff))
			return -EINVAL;
	}
	for (i = 0; i < 3; i++)
		set_channel(&pit->channels[i], tick, &state->channels[i]);
	pit->flags = state->flags & KVM_PIT_FLAGS_HPET_LEGACY;
	pit->speaker = state->flags & KVM_PIT_FLAGS_SPEAKER_DATA_ON;
	pit->edge = PIT_NEVER;
	advance(pit, tick);
	return 0;
}
