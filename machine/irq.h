/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts into the engine's chips: wires through KVM_IRQ_LINE, messages through an eventfd or
 * KVM_SIGNAL_MSI. Wires have no eventfds: what lowers a device's level is an access to it, which
 * leaves the guest anyway. */
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
/* A device's message; one to any other address than 0xFEExxxxx is a write to nothing. By an eventfd
 * where the engine has them (routes.h): then it arrives at once or soon. */
void irq_send_message(struct machine *machine, uint64_t address, uint32_t data);
/* The same, there when this returns, with KVM_SIGNAL_MSI's result; -EINVAL for another address. */
int irq_send_msi(struct machine *machine, uint64_t address, uint32_t data);

#endif
