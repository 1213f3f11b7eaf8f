/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interrupt bus of one VM: what ICR, I/O APIC and MSI send, and which local APICs get it
 * (SDM 3A:11.6 "Issuing Interprocessor Interrupts", 11.12.10 for x2APIC logical destinations).
 *
 * Nothing here locks: the owner holds the VM's lock around every call.
 */
#ifndef LOCKSTEP_APIC_BUS_H
#define LOCKSTEP_APIC_BUS_H

#include <stdbool.h>
#include <stdint.h>

struct lapic;

/* Delivery modes as ICR, redirection entries and MSI data encode them (SDM 3A:11.6.1). */
enum apic_delivery_mode {
	APIC_FIXED = 0,
	APIC_LOWEST = 1,
	APIC_SMI = 2,
	APIC_RESERVED = 3, /* remote read on some processors; never delivered */
	APIC_NMI = 4,
	APIC_INIT = 5,
	APIC_SIPI = 6,
	APIC_EXTINT = 7,
};

enum apic_dest_mode { APIC_PHYSICAL = 0, APIC_LOGICAL = 1 };

enum apic_shorthand {
	APIC_SHORTHAND_NONE = 0,
	APIC_SHORTHAND_SELF = 1,
	APIC_SHORTHAND_ALL = 2,
	APIC_SHORTHAND_OTHERS = 3,
};

struct apic_message {
	uint8_t vector;
	uint8_t delivery_mode; /* enum apic_delivery_mode */
	uint8_t trigger_level; /* 0 edge, 1 level */
	uint8_t dest_mode;     /* enum apic_dest_mode */
	uint8_t shorthand;     /* enum apic_shorthand */
	bool assert;           /* false only for a level de-assert, which is dropped */
	bool redirect;         /* MSI redirection hint: one target, as for lowest priority */
	bool wide;             /* 32-bit destination: 0xFF is no broadcast to x2APICs */
	uint32_t destination;
};

#define APIC_BUS_MAX     1024u
#define APIC_BROADCAST   0xffu
#define X2APIC_BROADCAST 0xffffffffu

struct apic_bus_ops {
	/* A level-triggered vector was ended and its broadcast not suppressed: hand it to
	 * ioapic_eoi() (or to user space, KVM_EXIT_IOAPIC_EOI). May be NULL. */
	void (*eoi)(void *opaque, uint8_t vector);
};

struct apic_bus {
	struct lapic *lapics[APIC_BUS_MAX]; /* in order of creation: [0, count) */
	unsigned int count;
	bool wide_devices; /* KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK: see apic_bus_send_device */
	const struct apic_bus_ops *ops;
	void *opaque;
};

void apic_bus_init(struct apic_bus *bus, const struct apic_bus_ops *ops, void *opaque);

/* Adds a local APIC (lapic_init does not); it must stay until apic_bus_remove. -ENOSPC. */
int apic_bus_add(struct apic_bus *bus, struct lapic *lapic);
void apic_bus_remove(struct apic_bus *bus, struct lapic *lapic);

/*
 * Delivers @message. @sender is the sending local APIC, NULL for a device (then shorthands
 * other than "none" mean nothing and are ignored). Returns the number of local APICs that
 * took it: 0 if none did; a fixed vector that was already pending counts as taken unless
 * @coalesced is given, which is then set if no target's IRR bit was new.
 *
 * Lowest priority picks, among the matching software-enabled APICs, those of the lowest TPR
 * class (bits 7:4), and of these, in order of creation, number "vector modulo how many". The
 * choice keeps no state, so it is the same after save and restore.
 */
int apic_bus_deliver(struct apic_bus *bus, struct lapic *sender, const struct apic_message *message,
		     bool *coalesced);

/* The same for an I/O APIC or MSI, whose destinations are @wide if bus->wide_devices is set. */
int apic_bus_send_device(struct apic_bus *bus, const struct apic_message *message, bool *coalesced);

/* True if @message addresses @target; looks at destinations and shorthand only. */
bool apic_bus_match(const struct lapic *sender, const struct lapic *target,
		    const struct apic_message *message);

/* The LINT0 wire (8259 INTR) and the LINT1 wire (NMI), which reach every processor. */
void apic_bus_set_lint(struct apic_bus *bus, unsigned int pin, bool level);

/* AVIC's doorbell of the processor with that physical APIC ID (APM 2:15.29.8.2). */
void apic_bus_ring_doorbell(struct apic_bus *bus, uint32_t id);

/* Called by a local APIC on EOI. */
void apic_bus_eoi(struct apic_bus *bus, uint8_t vector);

#endif
