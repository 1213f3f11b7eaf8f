/* SPDX-License-Identifier: Apache-2.0 */
/* One counter of the 8254. Time is in CLK ticks; every change takes effect at the next tick. */
#ifndef LOCKSTEP_APIC_PIT_CHANNEL_H
#define LOCKSTEP_APIC_PIT_CHANNEL_H

#include "apic/pit.h"

#define PIT_NEVER INT64_MAX

/* Loads a waiting count whose time has come. Call it before everything below. */
void pit_channel_sync(struct pit_channel *channel, int64_t tick);

void pit_channel_control(struct pit_channel *channel, uint8_t control);
void pit_channel_write(struct pit_channel *channel, int64_t tick, uint8_t value);
uint8_t pit_channel_read(struct pit_channel *channel, int64_t tick);
void pit_channel_latch_count(struct pit_channel *channel, int64_t tick);
void pit_channel_latch_status(struct pit_channel *channel, int64_t tick);
void pit_channel_set_gate(struct pit_channel *channel, int64_t tick, bool gate);

bool pit_channel_out(const struct pit_channel *channel, int64_t tick);
/* The first tick after @tick at which OUT may change, or PIT_NEVER. */
int64_t pit_channel_next_change(const struct pit_channel *channel, int64_t tick);

#endif
