/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 8254 timer (Intel data sheet 231164) at ports 0x40-0x43 and the system control port 0x61.
 * Channel 0 drives IRQ 0; channel 1's refresh is port 0x61's toggle bit; channel 2 has its
 * gate and output there.
 */
#ifndef LOCKSTEP_APIC_PIT_H
#define LOCKSTEP_APIC_PIT_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include <lockstep/clock.h>

#define PIT_HZ 1193182u

struct pit_ops {
	/* OUT of channel 0 has changed: irq_routing_set_line(…, GSI 0, …). */
	void (*irq)(void *opaque, bool level);
};

struct pit_channel {
	uint32_t count;      /* counts of this cycle: 1-65536, decimal 1-10000 as a number */
	uint32_t next_count; /* written, not yet loaded; 0 if none */
	int64_t next_load;   /* CLK tick at which next_count loads; INT64_MAX: at a trigger */
	int64_t start;       /* CLK tick at which count was loaded */
	int64_t stopped;     /* CLKs counted when the gate stopped it; -1 while counting */
	bool loaded;         /* a count has been loaded since the control word */
	bool gate;
	uint8_t mode; /* 0-5; 0xff before the first control word */
	bool bcd;
	uint8_t access;  /* RW bits of the control word: 1 low, 2 high, 3 low then high */
	bool write_high; /* access 3: the high byte is next */
	bool read_high;
	uint8_t write_low; /* the low byte, kept for the high one */
	uint8_t latched;   /* bytes of latched_count left to read, coded as access */
	uint16_t latched_count;
	bool status_latched;
	uint8_t status;
};

struct pit {
	struct pit_channel channels[3];
	bool speaker;   /* port 0x61 bit 1 */
	uint32_t flags; /* KVM_PIT_FLAGS_HPET_LEGACY: channel 0 raises no IRQ */
	bool irq_level; /* as last told to ops->irq */
	int64_t edge;   /* CLK tick of channel 0's next change; INT64_MAX if none */
	struct ls_timer timer;
	struct ls_clock *clock;
	const struct pit_ops *ops;
	void *opaque;
};

void pit_init(struct pit *pit, struct ls_clock *clock, const struct pit_ops *ops, void *opaque);
void pit_reset(struct pit *pit);
/* Disarms the timer. */
void pit_destroy(struct pit *pit);

/* One byte. False if @port is none of 0x40-0x43 and 0x61. */
bool pit_read(struct pit *pit, uint16_t port, uint8_t *value);
bool pit_write(struct pit *pit, uint16_t port, uint8_t value);

/* KVM_GET_PIT2, KVM_SET_PIT2 (KVM_GET_PIT and KVM_SET_PIT carry the channels alone). Load times
 * are in ns of the VM's clock. */
void pit_get_state(struct pit *pit, struct kvm_pit_state2 *state);
int pit_set_state(struct pit *pit, const struct kvm_pit_state2 *state); /* -EINVAL */

#endif
