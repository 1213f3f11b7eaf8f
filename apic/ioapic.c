/* SPDX-License-Identifier: Apache-2.0 */
/* I/O APIC (82093AA data sheet 290566, section 3). */
#include "apic/ioapic.h"

#include <string.h>

enum { REGISTER_ID = 0, REGISTER_VERSION = 1, REGISTER_ARBITRATION = 2, REGISTER_TABLE = 0x10 };

#define ENTRY_REMOTE_IRR (1ull << 14)
#define ENTRY_LEVEL      (1ull << 15)
#define ENTRY_MASKED     (1ull << 16)
#define ENTRY_READONLY   (1ull << 12 | ENTRY_REMOTE_IRR) /* delivery status: always idle */
#define ENTRY_WRITABLE   (0xff0000000001ffffull & ~ENTRY_READONLY)

/* Level trigger is for vectors only; NMI, SMI, INIT, ExtINT are edges (3.2.4). */
static bool is_level(uint64_t entry)
{
	uint8_t mode = entry >> 8 & 7;

	return (entry & ENTRY_LEVEL) && (mode == APIC_FIXED || mode == APIC_LOWEST);
}

static struct apic_message to_message(uint64_t entry)
{
	return (struct apic_message){
		.vector = entry & 0xff,
		.delivery_mode = entry >> 8 & 7,
		.dest_mode = entry >> 11 & 1,
		.trigger_level = is_level(entry),
		.assert = true,
		.destination = entry >> 56,
	};
}

/* Sends @pin's message. Returns as ioapic_set_irq. */
static int service(struct ioapic *ioapic, unsigned int pin)
{
	uint64_t *entry = &ioapic->entries[pin];
	struct apic_message message = to_message(*entry);
	bool coalesced = false;
	int taken;

	if (*entry & ENTRY_MASKED)
		return -1;
	if (*entry & ENTRY_REMOTE_IRR)
		return 0;
	taken = ioapic->ops->deliver(ioapic->opaque, &message, &coalesced);
	if (!taken)
		return -1;
	if (message.trigger_level)
		*entry |= ENTRY_REMOTE_IRR;
	return coalesced ? 0 : taken;
}

/* A level that is asserted is sent whenever nothing holds it back any more. */
static void service_level(struct ioapic *ioapic, unsigned int pin)
{
	if (is_level(ioapic->entries[pin]) && (ioapic->irr >> pin & 1))
		service(ioapic, pin);
}

int ioapic_set_irq(struct ioapic *ioapic, unsigned int pin, unsigned int source, bool level)
{
	uint32_t bit, before = ioapic->irr;

	if (pin >= IOAPIC_PINS || source > 31)
		return -1;
	bit = 1u << pin;
	if (level)
		ioapic->sources[pin] |= 1u << source;
	else
		ioapic->sources[pin] &= ~(1u << source);
	if (!ioapic->sources[pin]) {
		ioapic->irr &= ~bit;
		return 1;
	}
	ioapic->irr |= bit;
	if (!is_level(ioapic->entries[pin]) && (before & bit))
		return 0;
	/* An edge that meets the mask is lost (3.2.4, "interrupt mask"). */
	return service(ioapic, pin);
}

void ioapic_eoi(struct ioapic *ioapic, uint8_t vector)
{
	unsigned int pin;

	for (pin = 0; pin < IOAPIC_PINS; pin++) {
		uint64_t *entry = &ioapic->entries[pin];

		if (!(*entry & ENTRY_REMOTE_IRR) || (*entry & 0xff) != vector)
			continue;
		*entry &= ~ENTRY_REMOTE_IRR;
		service_level(ioapic, pin);
	}
}

bool ioapic_handles_vector(const struct ioapic *ioapic, uint8_t vector)
{
	unsigned int pin;

	for (pin = 0; pin < IOAPIC_PINS; pin++) {
		uint64_t entry = ioapic->entries[pin];

		if ((entry & 0xff) == vector && is_level(entry) &&
		    (!(entry & ENTRY_MASKED) || (entry & ENTRY_REMOTE_IRR)))
			return true;
	}
	return false;
}

/* --- registers --- */

static uint32_t read_window(const struct ioapic *ioapic)
{
	unsigned int index = ioapic->select - REGISTER_TABLE;

	switch (ioapic->select) {
	case REGISTER_ID:
	case REGISTER_ARBITRATION: /* loaded with the ID (3.2.3) */
		return ioapic->id;
	case REGISTER_VERSION:
		return (IOAPIC_PINS - 1) << 16 | ioapic->version;
	}
	if (index >= 2 * IOAPIC_PINS)
		return 0;
	return ioapic->entries[index / 2] >> (index % 2 * 32);
}

static void write_entry(struct ioapic *ioapic, unsigned int index, uint32_t value)
{
	uint64_t *entry = &ioapic->entries[index / 2];
	uint64_t half = index % 2 ? 0xffffffff00000000ull : 0xffffffffull;
	uint64_t changed = ENTRY_WRITABLE & half;

	*entry = (*entry & ~changed) | ((uint64_t)value << (index % 2 * 32) & changed);
	/* Remote IRR means nothing for an edge, and switching to edge and back is how software
	 * clears it where there is no EOI register. */
	if (!is_level(*entry))
		*entry &= ~ENTRY_REMOTE_IRR;
	service_level(ioapic, index / 2);
}

static void write_window(struct ioapic *ioapic, uint32_t value)
{
	unsigned int index = ioapic->select - REGISTER_TABLE;

	if (ioapic->select == REGISTER_ID)
		ioapic->id = value & 0x0f000000;
	else if (index < 2 * IOAPIC_PINS)
		write_entry(ioapic, index, value);
}

void ioapic_mmio_read(struct ioapic *ioapic, uint32_t offset, void *data, unsigned int len)
{
	uint64_t value = 0;

	if (offset == 0x00)
		value = ioapic->select;
	else if (offset == 0x10)
		value = read_window(ioapic);
	memset(data, 0, len);
	memcpy(data, &value, len < sizeof(value) ? len : sizeof(value));
}

void ioapic_mmio_write(struct ioapic *ioapic, uint32_t offset, const void *data, unsigned int len)
{
	uint32_t value = 0;

	memcpy(&value, data, len < sizeof(value) ? len : sizeof(value));
	if (offset == 0x00)
		ioapic->select = value;
	else if (offset == 0x10)
		write_window(ioapic, value);
	else if (offset == 0x40 && ioapic->version >= IOAPIC_VERSION_ICH)
		ioapic_eoi(ioapic, value);
}

/* --- life --- */

void ioapic_reset(struct ioapic *ioapic)
{
	unsigned int pin;

	ioapic->base = IOAPIC_BASE_DEFAULT;
	ioapic->select = 0;
	ioapic->id = 0;
	for (pin = 0; pin < IOAPIC_PINS; pin++)
		ioapic->entries[pin] = ENTRY_MASKED;
}

void ioapic_init(struct ioapic *ioapic, uint8_t version, const struct ioapic_ops *ops, void *opaque)
{
	*ioapic = (struct ioapic){.version = version, .ops = ops, .opaque = opaque};
	ioapic_reset(ioapic);
}

void ioapic_get_state(const struct ioapic *ioapic, struct kvm_ioapic_state *state)
{
	unsigned int pin;

	memset(state, 0, sizeof(*state));
	state->base_address = ioapic->base;
	state->ioregsel = ioapic->select;
	state->id = ioapic->id >> 24;
	state->irr = ioapic->irr;
	for (pin = 0; pin < IOAPIC_PINS; pin++)
		state->redirtbl[pin].bits = ioapic->entries[pin];
}

void ioapic_set_state(struct ioapic *ioapic, const struct kvm_ioapic_state *state)
{
	unsigned int pin;

	ioapic->base = state->base_address;
	ioapic->select = state->ioregsel;
	ioapic->id = state->id << 24 & 0x0f000000;
	ioapic->irr = state->irr & ((1u << IOAPIC_PINS) - 1);
	for (pin = 0; pin < IOAPIC_PINS; pin++) {
		ioapic->entries[pin] =
			state->redirtbl[pin].bits & (ENTRY_WRITABLE | ENTRY_REMOTE_IRR);
		ioapic->sources[pin] = 0; /* the state does not say who; the next driver rules */
	}
	for (pin = 0; pin < IOAPIC_PINS; pin++)
		service_level(ioapic, pin);
}
