/* SPDX-License-Identifier: Apache-2.0 */
/* A machine's worth of surroundings for PCI: buses, RAM from address 0, and a record of the
 * wires and messages that come out. Config space is reached the way a guest reaches it. */
#ifndef LOCKSTEP_TESTS_PCI_RIG_H
#define LOCKSTEP_TESTS_PCI_RIG_H

#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "machine/memory.h"
#include "machine/pci.h"

#define RIG_MEMORY   0x100000u
#define RIG_MESSAGES 64

struct rig {
	struct bus ports, mmio;
	struct pci_bus *bus;
	uint8_t *memory;
	bool wires[IRQ_GSI_COUNT];
	unsigned int messages;
	struct {
		uint64_t address;
		uint32_t data;
	} message[RIG_MESSAGES];
	struct ls_clock clock;
	uint64_t now;
	struct ls_timer *timer; /* the one that is armed */
};

static inline int rig_dma_read(void *opaque, uint64_t gpa, void *to, uint64_t len)
{
	struct rig *rig = opaque;

	if (gpa > RIG_MEMORY || len > RIG_MEMORY - gpa)
		return -EFAULT;
	memcpy(to, rig->memory + gpa, len);
	return 0;
}

static inline int rig_dma_write(void *opaque, uint64_t gpa, const void *from, uint64_t len)
{
	struct rig *rig = opaque;

	if (gpa > RIG_MEMORY || len > RIG_MEMORY - gpa)
		return -EFAULT;
	memcpy(rig->memory + gpa, from, len);
	return 0;
}

static inline void rig_wire_set(void *opaque, struct irq_wire *wire, bool level)
{
	struct rig *rig = opaque;

	wire->level = level;
	rig->wires[wire->gsi] = level;
}

static inline void rig_msi_send(void *opaque, uint64_t address, uint32_t data)
{
	struct rig *rig = opaque;

	if (rig->messages < RIG_MESSAGES) {
		rig->message[rig->messages].address = address;
		rig->message[rig->messages].data = data;
	}
	rig->messages++;
}

static inline struct rig *rig_of_clock(struct ls_clock *clock)
{
	return (struct rig *)(void *)((char *)clock - offsetof(struct rig, clock));
}

static inline uint64_t rig_now(struct ls_clock *clock)
{
	return rig_of_clock(clock)->now;
}

static inline void rig_arm(struct ls_clock *clock, struct ls_timer *timer, uint64_t deadline)
{
	timer->deadline = deadline;
	rig_of_clock(clock)->timer = timer;
}

static inline void rig_disarm(struct ls_clock *clock, struct ls_timer *timer)
{
	timer->deadline = LS_NEVER;
	if (rig_of_clock(clock)->timer == timer)
		rig_of_clock(clock)->timer = NULL;
}

/* Fires the armed timer if it is due. */
static inline bool rig_fire(struct rig *rig)
{
	struct ls_timer *timer = rig->timer;

	if (!timer || timer->deadline > rig->now)
		return false;
	rig_disarm(&rig->clock, timer);
	timer->fn(timer, rig->now);
	return true;
}

static inline struct rig *rig_create(void)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct pci_host host = {
		.opaque = rig,
		.ports = &rig->ports,
		.mmio = &rig->mmio,
		.clock = &rig->clock,
		.dma_read = rig_dma_read,
		.dma_write = rig_dma_write,
		.wire_set = rig_wire_set,
		.msi_send = rig_msi_send,
	};

	rig->memory = calloc(1, RIG_MEMORY);
	rig->clock = (struct ls_clock){.now = rig_now, .arm = rig_arm, .disarm = rig_disarm};
	bus_init(&rig->ports, "port", 0x10000);
	bus_init(&rig->mmio, "MMIO", 0);
	rig->bus = pci_create(&host, NULL);
	return rig;
}

static inline void rig_destroy(struct rig *rig)
{
	pci_destroy(rig->bus);
	bus_free(&rig->ports);
	bus_free(&rig->mmio);
	free(rig->memory);
	free(rig);
}

/* Configuration mechanism #1 (PCI 3.0, 3.2.2.3.2). */
static inline uint32_t rig_config_read(struct rig *rig, unsigned int slot, unsigned int offset,
				       unsigned int size)
{
	bus_write(&rig->ports, 0xcf8, 4, 0x80000000u | slot << 11 | (offset & 0xfc));
	return (uint32_t)bus_read(&rig->ports, 0xcfc + (offset & 3), size);
}

static inline void rig_config_write(struct rig *rig, unsigned int slot, unsigned int offset,
				    unsigned int size, uint32_t value)
{
	bus_write(&rig->ports, 0xcf8, 4, 0x80000000u | slot << 11 | (offset & 0xfc));
	bus_write(&rig->ports, 0xcfc + (offset & 3), size, value);
}

/* Walks the capability list (PCI 3.0, 6.7); 0 if there is none with @id. @after: 0, or one
 * that was found before. */
static inline unsigned int rig_find_cap(struct rig *rig, unsigned int slot, uint8_t id,
					unsigned int after)
{
	unsigned int at, turns;

	if (!(rig_config_read(rig, slot, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST))
		return 0;
	at = after ? rig_config_read(rig, slot, after + 1, 1)
		   : rig_config_read(rig, slot, PCI_CAPABILITY_LIST, 1);
	for (turns = 0; at && turns < 48; turns++) {
		if (rig_config_read(rig, slot, at, 1) == id)
			return at;
		at = rig_config_read(rig, slot, at + 1, 1);
	}
	return 0;
}

#endif
