/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KVM's IRQ routing table (KVM_SET_GSI_ROUTING): from a GSI to pins of the chips, or to an MSI.
 */
#ifndef LOCKSTEP_APIC_ROUTING_H
#define LOCKSTEP_APIC_ROUTING_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct apic_bus;
struct ioapic;
struct pic;

#define IRQ_ROUTING_MAX 4096u /* entries and GSIs, as KVM_CAP_IRQ_ROUTING says */

/* Who drives a line; the line is the OR of all. */
enum irq_source {
	IRQ_SOURCE_USER = 0, /* KVM_IRQ_LINE */
	IRQ_SOURCE_PIT = 1,
	IRQ_SOURCE_DEVICE = 2, /* models beside the engine's chips */
};

/* Where entries lead. pic and ioapic may be NULL; entries to them are then ignored. */
struct irq_targets {
	struct pic *pic;
	struct ioapic *ioapic;
	struct apic_bus *bus;
	bool msi_ids32; /* KVM_X2APIC_API_USE_32BIT_IDS */
};

struct irq_routing {
	struct kvm_irq_routing_entry *entries; /* the owner's storage; sorted by GSI */
	size_t capacity;
	size_t count;
	struct irq_targets targets;
};

/* Empty. @storage has room for @capacity entries (IRQ_ROUTING_MAX takes any legal table). */
void irq_routing_init(struct irq_routing *routing, struct kvm_irq_routing_entry *storage,
		      size_t capacity, const struct irq_targets *targets);

/* KVM_SET_GSI_ROUTING: replaces the table. -EINVAL (the table stays) for an unknown type or
 * flag, a pin or GSI out of range, two entries of one GSI on one chip or beside an MSI, more
 * than IRQ_ROUTING_MAX; -E2BIG for more than the storage. */
int irq_routing_set(struct irq_routing *routing, const struct kvm_irq_routing_entry *entries,
		    size_t count);

/* The PC's map, as user spaces set it up: GSI 0-15 to PIC and I/O APIC alike but for GSI 0, on
 * I/O APIC pin 2 (ACPI's usual override), and GSI 2 (the cascade), nowhere; 16-23 to the I/O
 * APIC. */
void irq_routing_set_default(struct irq_routing *routing);

/* What KVM_CREATE_IRQCHIP itself installs: every GSI to the pin of its number. */
void irq_routing_set_identity(struct irq_routing *routing);

/* Drives @gsi on behalf of @source. Returns as KVM_IRQ_LINE_STATUS: > 0 delivered, 0 coalesced,
 * < 0 ignored or not routed. An MSI is sent at level 1 only. */
int irq_routing_set_line(struct irq_routing *routing, uint32_t gsi, enum irq_source source,
			 bool level);

/* KVM_SIGNAL_MSI, and a device's own MSI: number of local APICs reached, 0 coalesced,
 * < 0 nobody there. */
int irq_routing_send_msi(const struct irq_targets *targets, uint64_t address, uint32_t data);

#endif
