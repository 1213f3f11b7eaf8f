/* SPDX-License-Identifier: Apache-2.0 */
/*
 * I/O APIC with 24 inputs (Intel 82093AA; ICH9 10.5 "APIC registers"). Input polarity is the
 * board's business: a level here is "asserted", the entry's polarity bit is kept and ignored.
 */
#ifndef LOCKSTEP_APIC_IOAPIC_H
#define LOCKSTEP_APIC_IOAPIC_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "apic/bus.h"

#define IOAPIC_PINS         KVM_IOAPIC_NUM_PINS
#define IOAPIC_BASE_DEFAULT 0xfec00000ull
#define IOAPIC_SIZE         0x100u

#define IOAPIC_VERSION_82093AA 0x11u /* what KVM's is */
#define IOAPIC_VERSION_ICH     0x20u /* adds the EOI register at offset 0x40 */

struct ioapic_ops {
	/* Sends; returns how many local APICs took it (apic_bus_send_device). @coalesced as
	 * there. Above the seam: apic_message_to_msi() and KVM_SIGNAL_MSI. */
	int (*deliver)(void *opaque, const struct apic_message *message, bool *coalesced);
};

struct ioapic {
	uint64_t base;
	uint8_t version;
	uint8_t select; /* IOREGSEL */
	uint32_t id;    /* bits 27:24 */
	uint32_t irr;   /* asserted pins */
	uint64_t entries[IOAPIC_PINS];
	uint32_t sources[IOAPIC_PINS]; /* who asserts the pin: a bit for each source */
	const struct ioapic_ops *ops;
	void *opaque;
};

/* @version: IOAPIC_VERSION_*. */
void ioapic_init(struct ioapic *ioapic, uint8_t version, const struct ioapic_ops *ops,
		 void *opaque);
/* All entries masked; the pins keep their levels. */
void ioapic_reset(struct ioapic *ioapic);

static inline bool ioapic_claims(const struct ioapic *ioapic, uint64_t gpa)
{
	return gpa - ioapic->base < IOAPIC_SIZE;
}

/* Accesses to the page, @offset below IOAPIC_SIZE: registers are 32 bits at 0x00 (select), 0x10
 * (window) and 0x40 (EOI). A narrower read returns the low bytes, a wider one zeros above;
 * a write of 1, 2 or 4 bytes is taken as that many bits, of 8 as its low 32. Elsewhere: 0. */
void ioapic_mmio_read(struct ioapic *ioapic, uint32_t offset, void *data, unsigned int len);
void ioapic_mmio_write(struct ioapic *ioapic, uint32_t offset, const void *data, unsigned int len);

/*
 * @source (below 32) drives @pin; the pin is asserted while any source does. Returns as
 * KVM_IRQ_LINE_STATUS: > 0 local APICs reached, 0 coalesced, < 0 ignored (masked); 1 for a
 * de-assertion.
 */
int ioapic_set_irq(struct ioapic *ioapic, unsigned int pin, unsigned int source, bool level);

/* EOI broadcast: ends level-triggered entries with that vector and re-sends those whose pin is
 * still asserted. */
void ioapic_eoi(struct ioapic *ioapic, uint8_t vector);

/* True if an unmasked, level-triggered entry (or one waiting for EOI) has @vector: what a split
 * irqchip must exit for. */
bool ioapic_handles_vector(const struct ioapic *ioapic, uint8_t vector);

/* KVM_GET_IRQCHIP, KVM_SET_IRQCHIP (KVM_IRQCHIP_IOAPIC). Set re-sends what is due. */
void ioapic_get_state(const struct ioapic *ioapic, struct kvm_ioapic_state *state);
void ioapic_set_state(struct ioapic *ioapic, const struct kvm_ioapic_state *state);

#endif
