/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts into the engine's chips: wires through KVM_IRQ_LINE, messages through
 * KVM_SIGNAL_MSI. */
#ifndef LOCKSTEP_MACHINE_IRQ_H
#define LOCKSTEP_MACHINE_IRQ_H

#include <stdbool.h>
#include <stdint.h>

struct machine;

#define IRQ_GSI_COUNT 24

/* The GSIs of this PC (the MADT and the DSDT say the same to the guest). */
enum {
	IRQ_GSI_KEYBOARD = 1,
	IRQ_GSI_COM1 = 4,
	IRQ_GSI_RTC = 8,
	IRQ_GSI_SCI = 9,
	IRQ_GSI_MOUSE = 12,
	IRQ_GSI_PCI = 16, /* INTA..INTD of slot s, pin p (0..3): 16 + (s + p) % 4; level, low */
};

/* One device's end of a wire. Several may share a GSI: the line is up while any is. Embed it
 * zeroed with @gsi set. */
struct irq_wire {
	unsigned int gsi;
	bool level;
};

/* Under the machine lock. */
void irq_set(struct machine *machine, struct irq_wire *wire, bool level);
/* Up and down again: an edge. */
void irq_pulse(struct machine *machine, struct irq_wire *wire);
/* Returns -EINVAL for an address outside 0xFEExxxxx. */
int irq_send_msi(struct machine *machine, uint64_t address, uint32_t data);

#endif
