/* SPDX-License-Identifier: Apache-2.0 */
/* Destinations of interrupt messages (SDM 3A:11.6.2, 11.12.10). */
#include "apic/bus.h"

#include <errno.h>
#include <stddef.h>

#include "apic/lapic.h"

void apic_bus_init(struct apic_bus *bus, const struct apic_bus_ops *ops, void *opaque)
{
	*bus = (struct apic_bus){.ops = ops, .opaque = opaque};
}

int apic_bus_add(struct apic_bus *bus, struct lapic *lapic)
{
	if (bus->count == APIC_BUS_MAX)
		return -ENOSPC;
	bus->lapics[bus->count++] = lapic;
	return 0;
}

void apic_bus_remove(struct apic_bus *bus, struct lapic *lapic)
{
	unsigned int i, kept = 0;

	for (i = 0; i < bus->count; i++) {
		if (bus->lapics[i] != lapic)
			bus->lapics[kept++] = bus->lapics[i];
	}
	bus->count = kept;
}

static bool match_logical(const struct lapic *target, uint32_t destination)
{
	uint32_t id = target->config.id;
	uint32_t ldr = target->regs[LAPIC_LDR >> 4] >> 24;

	/* x2APIC: cluster in the upper half, one bit a processor in the lower; both come from
	 * the x2APIC ID (SDM 3A:11.12.10.2). */
	if (lapic_x2apic(target))
		return destination >> 16 == id >> 4 && (destination >> (id & 0xf) & 1);
	if (destination > 0xff)
		return false;
	switch (target->regs[LAPIC_DFR >> 4] >> 28) {
	case 0xf: /* flat: a bit a processor (SDM 3A:11.6.2.2) */
		return ldr & destination;
	case 0x0: /* cluster: equal upper halves, common bits in the lower */
		return ldr >> 4 == destination >> 4 && (ldr & destination & 0xf);
	}
	return false;
}

bool apic_bus_match(const struct lapic *sender, const struct lapic *target,
		    const struct apic_message *message)
{
	switch (sender ? message->shorthand : APIC_SHORTHAND_NONE) {
	case APIC_SHORTHAND_SELF:
		return target == sender;
	case APIC_SHORTHAND_ALL:
		return true;
	case APIC_SHORTHAND_OTHERS:
		return target != sender;
	}
	if (message->destination == X2APIC_BROADCAST)
		return true;
	if (message->destination == APIC_BROADCAST && !(message->wide && lapic_x2apic(target)))
		return true;
	return message->dest_mode == APIC_LOGICAL ? match_logical(target, message->destination)
						  : message->destination == lapic_id(target);
}

/* Number @wanted, from 0, of the arbitration's best candidates; counts them in @tied. */
static struct lapic *arbitrate(const struct apic_bus *bus, const struct lapic *sender,
			       const struct apic_message *message, unsigned int wanted,
			       unsigned int *tied)
{
	struct lapic *chosen = NULL;
	uint8_t best = 0xff;
	unsigned int i;

	*tied = 0;
	for (i = 0; i < bus->count; i++) {
		struct lapic *lapic = bus->lapics[i];
		uint8_t class = lapic_get_cr8(lapic);

		if (!lapic_software_enabled(lapic) || !apic_bus_match(sender, lapic, message) ||
		    class > best)
			continue;
		if (class < best) {
			best = class;
			*tied = 0;
		}
		if (*tied <= wanted)
			chosen = lapic;
		++*tied;
	}
	return chosen;
}

static int deliver_lowest(struct apic_bus *bus, struct lapic *sender,
			  const struct apic_message *message, bool *coalesced)
{
	unsigned int tied, ignored;
	struct lapic *lapic;

	arbitrate(bus, sender, message, 0, &tied);
	if (!tied)
		return 0;
	lapic = arbitrate(bus, sender, message, message->vector % tied, &ignored);
	return lapic_receive(lapic, message, coalesced);
}

int apic_bus_deliver(struct apic_bus *bus, struct lapic *sender, const struct apic_message *message,
		     bool *coalesced)
{
	bool repeated = true, merged;
	unsigned int i;
	int taken = 0;

	if (!message->assert) {
		repeated = false;
	} else if (message->delivery_mode == APIC_LOWEST || message->redirect) {
		taken = deliver_lowest(bus, sender, message, &repeated);
	} else {
		for (i = 0; i < bus->count; i++) {
			if (!apic_bus_match(sender, bus->lapics[i], message))
				continue;
			merged = false;
			if (!lapic_receive(bus->lapics[i], message, &merged))
				continue;
			taken++;
			repeated &= merged;
		}
	}
	if (coalesced)
		*coalesced = taken && repeated;
	return taken;
}

int apic_bus_send_device(struct apic_bus *bus, const struct apic_message *message, bool *coalesced)
{
	struct apic_message sent = *message;

	sent.wide = bus->wide_devices;
	return apic_bus_deliver(bus, NULL, &sent, coalesced);
}

void apic_bus_set_lint(struct apic_bus *bus, unsigned int pin, bool level)
{
	unsigned int i;

	for (i = 0; i < bus->count; i++)
		lapic_set_lint(bus->lapics[i], pin, level);
}

void apic_bus_ring_doorbell(struct apic_bus *bus, uint32_t id)
{
	unsigned int i;

	for (i = 0; i < bus->count; i++) {
		struct lapic *lapic = bus->lapics[i];

		if (lapic_id(lapic) == id && lapic->ops->doorbell)
			lapic->ops->doorbell(lapic->owner);
	}
}

void apic_bus_eoi(struct apic_bus *bus, uint8_t vector)
{
	if (bus->ops && bus->ops->eoi)
		bus->ops->eoi(bus->opaque, vector);
}
