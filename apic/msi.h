/* SPDX-License-Identifier: Apache-2.0 */
/* Message-signalled interrupts as bus messages, and back (SDM 3A:11.11). */
#ifndef LOCKSTEP_APIC_MSI_H
#define LOCKSTEP_APIC_MSI_H

#include <stdbool.h>
#include <stdint.h>

#include "apic/bus.h"

#define MSI_ADDRESS_BASE 0xfee00000u

struct msi {
	uint64_t address;
	uint32_t data;
};

/*
 * @ids32: KVM_X2APIC_API_USE_32BIT_IDS, then address bits 63:40 are destination bits 31:8.
 * The destination mode (bit 2) counts whatever the redirection hint (bit 3) says: SDM
 * 3A:11.11.1 lets it be ignored without the hint, yet chipsets and KVM do not.
 */
static inline struct apic_message apic_message_from_msi(struct msi msi, bool ids32)
{
	bool level = msi.data >> 15 & 1;

	return (struct apic_message){
		.vector = msi.data & 0xff,
		.delivery_mode = msi.data >> 8 & 7,
		.trigger_level = level,
		.dest_mode = msi.address >> 2 & 1,
		.assert = !level || (msi.data >> 14 & 1),
		.redirect = msi.address >> 3 & 1,
		.destination = (msi.address >> 12 & 0xff) |
			       (ids32 ? (uint32_t)(msi.address >> 32) & 0xffffff00u : 0),
	};
}

/* For an I/O APIC above the seam, which speaks through KVM_SIGNAL_MSI (split irqchip). */
static inline struct msi apic_message_to_msi(const struct apic_message *message)
{
	return (struct msi){
		.address = MSI_ADDRESS_BASE | (message->destination & 0xff) << 12 |
			   (uint32_t)message->redirect << 3 | (uint32_t)message->dest_mode << 2 |
			   (uint64_t)(message->destination & 0xffffff00u) << 32,
		.data = message->vector | (uint32_t)message->delivery_mode << 8 |
			(uint32_t)message->assert << 14 | (uint32_t)message->trigger_level << 15,
	};
}

#endif
