/* SPDX-License-Identifier: Apache-2.0 */
/* The GSI table (Documentation/virt/kvm/api.rst 4.52 KVM_SET_GSI_ROUTING). */
#include "apic/routing.h"

#include <errno.h>

#include "apic/bus.h"
#include "apic/ioapic.h"
#include "apic/msi.h"
#include "apic/pic.h"

void irq_routing_init(struct irq_routing *routing, struct kvm_irq_routing_entry *storage,
		      size_t capacity, const struct irq_targets *targets)
{
	*routing = (struct irq_routing){
		.entries = storage,
		.capacity = capacity,
		.targets = *targets,
	};
}

/* --- the table --- */

static int check_entry(const struct irq_routing *routing, const struct kvm_irq_routing_entry *entry)
{
	static const unsigned int pins[KVM_NR_IRQCHIPS] = {
		[KVM_IRQCHIP_PIC_MASTER] = 8,
		[KVM_IRQCHIP_PIC_SLAVE] = 8,
		[KVM_IRQCHIP_IOAPIC] = IOAPIC_PINS,
	};
	uint32_t chip = entry->u.irqchip.irqchip;

	if (entry->gsi >= IRQ_ROUTING_MAX)
		return -EINVAL;
	switch (entry->type) {
	case KVM_IRQ_ROUTING_IRQCHIP:
		if (entry->flags || chip >= KVM_NR_IRQCHIPS || entry->u.irqchip.pin >= pins[chip])
			return -EINVAL;
		return 0;
	case KVM_IRQ_ROUTING_MSI:
		/* With 32-bit IDs the upper address is destination bits 31:8, and nothing below. */
		if (routing->targets.msi_ids32 && (entry->u.msi.address_hi & 0xff))
			return -EINVAL;
		return entry->flags & ~KVM_MSI_VALID_DEVID ? -EINVAL : 0;
	}
	return -EINVAL;
}

/* A GSI reaches each chip once at most, and an MSI only alone. */
static bool conflicts(const struct kvm_irq_routing_entry *a, const struct kvm_irq_routing_entry *b)
{
	return a->gsi == b->gsi &&
	       (a->type == KVM_IRQ_ROUTING_MSI || b->type == KVM_IRQ_ROUTING_MSI ||
		a->u.irqchip.irqchip == b->u.irqchip.irqchip);
}

static bool table_conflicts(const struct kvm_irq_routing_entry *entries, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++) {
		if (conflicts(&entries[j], &entries[i]))
			return true;
	}
	return false;
}

/* Keeps the order of GSIs, and of a GSI's entries. */
static void insert(struct irq_routing *routing, const struct kvm_irq_routing_entry *entry)
{
	size_t i = routing->count++;

	for (; i && routing->entries[i - 1].gsi > entry->gsi; i--)
		routing->entries[i] = routing->entries[i - 1];
	routing->entries[i] = *entry;
}

int irq_routing_set(struct irq_routing *routing, const struct kvm_irq_routing_entry *entries,
		    size_t count)
{
	size_t i;

	if (count > IRQ_ROUTING_MAX)
		return -EINVAL;
	if (count > routing->capacity)
		return -E2BIG;
	for (i = 0; i < count; i++) {
		if (check_entry(routing, &entries[i]) || table_conflicts(entries, i))
			return -EINVAL;
	}
	routing->count = 0;
	for (i = 0; i < count; i++)
		insert(routing, &entries[i]);
	return 0;
}

static void add_pin(struct irq_routing *routing, uint32_t gsi, uint32_t chip, uint32_t pin)
{
	struct kvm_irq_routing_entry entry = {
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = {.irqchip = chip, .pin = pin},
	};

	if (routing->count < routing->capacity)
		insert(routing, &entry);
}

static void add_pic_pin(struct irq_routing *routing, uint32_t gsi)
{
	add_pin(routing, gsi, gsi < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE, gsi % 8);
}

void irq_routing_set_default(struct irq_routing *routing)
{
	uint32_t gsi;

	routing->count = 0;
	for (gsi = 0; gsi < IOAPIC_PINS; gsi++) {
		if (gsi == 2)
			continue;
		if (gsi < 16)
			add_pic_pin(routing, gsi);
		add_pin(routing, gsi, KVM_IRQCHIP_IOAPIC, gsi ? gsi : 2);
	}
}

void irq_routing_set_identity(struct irq_routing *routing)
{
	uint32_t gsi;

	routing->count = 0;
	for (gsi = 0; gsi < IOAPIC_PINS; gsi++) {
		if (gsi < 16)
			add_pic_pin(routing, gsi);
		add_pin(routing, gsi, KVM_IRQCHIP_IOAPIC, gsi);
	}
}

/* --- delivery --- */

static size_t first_of(const struct irq_routing *routing, uint32_t gsi)
{
	size_t low = 0, high = routing->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (routing->entries[middle].gsi < gsi)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int irq_routing_send_msi(const struct irq_targets *targets, uint64_t address, uint32_t data)
{
	struct apic_message message =
		apic_message_from_msi((struct msi){address, data}, targets->msi_ids32);
	bool coalesced;
	int taken = apic_bus_send_device(targets->bus, &message, &coalesced);

	if (!taken)
		return -1;
	return coalesced ? 0 : taken;
}

static int drive(const struct irq_targets *targets, const struct kvm_irq_routing_entry *entry,
		 enum irq_source source, bool level)
{
	uint32_t pin = entry->u.irqchip.pin;

	if (entry->type == KVM_IRQ_ROUTING_MSI) {
		uint64_t high = entry->u.msi.address_hi;

		return level ? irq_routing_send_msi(targets, high << 32 | entry->u.msi.address_lo,
						    entry->u.msi.data)
			     : -1;
	}
	if (entry->u.irqchip.irqchip == KVM_IRQCHIP_IOAPIC)
		return targets->ioapic ? ioapic_set_irq(targets->ioapic, pin, source, level) : -1;
	if (entry->u.irqchip.irqchip == KVM_IRQCHIP_PIC_SLAVE)
		pin += 8;
	return targets->pic ? pic_set_irq(targets->pic, pin, source, level) : -1;
}

int irq_routing_set_line(struct irq_routing *routing, uint32_t gsi, enum irq_source source,
			 bool level)
{
	int result = -1;
	size_t i;

	for (i = first_of(routing, gsi); i < routing->count && routing->entries[i].gsi == gsi;
	     i++) {
		int r = drive(&routing->targets, &routing->entries[i], source, level);

		if (r >= 0)
			result = r + (result < 0 ? 0 : result);
	}
	return result;
}
