/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCI: one host bridge and the devices of bus 0, one function each. PCI Local Bus
 * Specification 3.0. The bus reaches the machine through struct pci_host and nothing else.
 */
#ifndef LOCKSTEP_MACHINE_PCI_H
#define LOCKSTEP_MACHINE_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/clock.h>
#include <lockstep/error.h>

#include "machine/bus.h"
#include "machine/irq.h"

#define PCI_SLOTS       32
#define PCI_BARS        6
#define PCI_CONFIG_SIZE 256
#define PCI_INTX_GSIS   4
#define PCI_SLOT_AUTO   (-1)

/* GSI of INTA..INTD (@pin 0..3) of @slot; the DSDT's _PRT says the same to the guest. */
static inline unsigned int pci_intx_gsi(unsigned int slot, unsigned int pin)
{
	return IRQ_GSI_PCI + (slot + pin) % PCI_INTX_GSIS;
}

/* What the bus asks of the machine around it. The machine outlives the bus. */
struct pci_host {
	void *opaque;
	struct bus *ports;
	struct bus *mmio;
	struct ls_clock *clock; /* NULL: devices that need time do without */
	/* As machine_dma_read and machine_dma_write: all of it, or -EFAULT and nothing. */
	int (*dma_read)(void *opaque, uint64_t gpa, void *to, uint64_t len);
	int (*dma_write)(void *opaque, uint64_t gpa, const void *from, uint64_t len);
	void (*wire_set)(void *opaque, struct irq_wire *wire, bool level);
	void (*msi_send)(void *opaque, uint64_t address, uint32_t data);
	/* doorbell_create. NULL: there are none. */
	struct doorbell *(*doorbell)(void *opaque, void (*rung)(void *context), void *context);
};

struct pci_device;

struct pci_device_ops {
	/* To the power-on state; config space has been reset already. May be NULL. */
	void (*reset)(struct pci_device *device);
	/* Frees the object that holds @device. */
	void (*destroy)(struct pci_device *device);
	/* Bytes [offset, offset + size) of config space are about to be read. May be NULL. */
	void (*config_reading)(struct pci_device *device, unsigned int offset, unsigned int size);
	/* They have been written (as far as they are writable). May be NULL. */
	void (*config_written)(struct pci_device *device, unsigned int offset, unsigned int size);
	/* What the BARs decode may have changed. May be NULL. */
	void (*moved)(struct pci_device *device);
};

enum pci_bar_kind { PCI_BAR_NONE, PCI_BAR_IO, PCI_BAR_MEM32, PCI_BAR_MEM64, PCI_BAR_UPPER };

struct pci_bar {
	enum pci_bar_kind kind;
	uint64_t size; /* a power of two */
	const struct bus_ops *ops;
	void *opaque;
	bool mapped;
	uint64_t base; /* while mapped */
};

struct pci_identity {
	uint16_t vendor, device;
	uint16_t subsystem_vendor, subsystem;
	uint32_t class; /* base class, subclass, interface: 0xBBSSII */
	uint8_t revision;
	uint8_t pin; /* 0: none, 1..4: INTA..INTD */
};

struct doorbell;
struct pci_msix;

struct parts;
struct record_table;

/* Embedded in a device's own object. */
struct pci_device {
	const char *name;
	/* What a snapshot keeps of the device beyond this struct, from this struct on; NULL. */
	const struct record_table *state, *more_state;
	const struct pci_device_ops *ops;
	struct pci_bus *bus;
	unsigned int slot;
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE];
	uint8_t initial[PCI_CONFIG_SIZE]; /* config at power-on */
	struct pci_bar bars[PCI_BARS];
	uint8_t last_cap, free_cap; /* capability list: newest entry, first free byte */
	uint8_t msi_cap, msix_cap;  /* their offsets; 0: none */
	struct pci_msix *msix;
	struct irq_wire wire;
	bool intx; /* what the device asks for, whatever masks it */
};

struct pci_bus {
	struct pci_host host;
	struct bus memory, io; /* inside the bridge's windows: the BARs that decode now */
	uint32_t address;      /* port 0xcf8 */
	struct pci_device *devices[PCI_SLOTS];
};

/* Claims 0xcf8 (4-byte accesses), 0xcfc..0xcff, ECAM and both windows, and puts the bridge in slot
 * 0. */
struct pci_bus *pci_create(const struct pci_host *host, struct ls_error *err);
/* Destroys the devices too. NULL is fine. */
void pci_destroy(struct pci_bus *bus);
/* Every device as at power-on: no address decoded, no interrupt asserted. */
void pci_reset(struct pci_bus *bus);
/* What a snapshot keeps: the bus, each device, and of a device with MSI-X its vectors. */
void pci_add_parts(struct pci_bus *bus, struct parts *parts);
/* What firmware would do: gives each BAR an address and turns decoding on. */
void pci_assign(struct pci_bus *bus);

/* --- for devices; init first, then capabilities and BARs, then add --- */

void pci_device_init(struct pci_device *device, const char *name, const struct pci_identity *id,
		     const struct pci_device_ops *ops);
/* @size: a power of two, at least 16 (4 for I/O). A 64-bit BAR takes @index + 1 as well. */
void pci_device_bar(struct pci_device *device, unsigned int index, enum pci_bar_kind kind,
		    uint64_t size, const struct bus_ops *ops, void *opaque);
/* Appends a capability of @size bytes with @id; returns its offset, or 0 if there is no room. */
unsigned int pci_device_cap(struct pci_device *device, uint8_t id, unsigned int size);
/* From now on the bus owns @device. -ENOSPC, -EEXIST. */
int pci_add(struct pci_bus *bus, struct pci_device *device, int slot, struct ls_error *err);

/* Level of the device's interrupt pin. */
void pci_intx_set(struct pci_device *device, bool level);
/* Bus master enable: without it a device neither does DMA nor sends messages. */
bool pci_is_master(const struct pci_device *device);
/* Access through a BAR's handlers, decoding or not. Offsets beyond it read as 0. */
uint32_t pci_bar_read(struct pci_device *device, unsigned int bar, uint64_t offset,
		      unsigned int size);
void pci_bar_write(struct pci_device *device, unsigned int bar, uint64_t offset, unsigned int size,
		   uint32_t value);

/* --- config space (pci_config.c) --- */

/* Absent devices and offsets read as all ones. @function: bus << 8 | slot << 3 | function. */
uint32_t pci_config_read(struct pci_bus *bus, unsigned int function, unsigned int offset,
			 unsigned int size);
void pci_config_write(struct pci_bus *bus, unsigned int function, unsigned int offset,
		      unsigned int size, uint32_t value);
int pci_config_attach(struct pci_bus *bus, struct ls_error *err);
void pci_config_detach(struct pci_bus *bus);

static inline uint16_t pci_get16(const struct pci_device *device, unsigned int offset)
{
	return (uint16_t)(device->config[offset] | device->config[offset + 1] << 8);
}

static inline uint32_t pci_get32(const struct pci_device *device, unsigned int offset)
{
	return pci_get16(device, offset) | (uint32_t)pci_get16(device, offset + 2) << 16;
}

void pci_set16(struct pci_device *device, unsigned int offset, uint16_t value);
void pci_set32(struct pci_device *device, unsigned int offset, uint32_t value);

/* --- BARs (pci_bar.c) --- */

/* Address that BAR @index holds, whether it decodes or not. */
uint64_t pci_bar_address(const struct pci_device *device, unsigned int index);
void pci_bar_set(struct pci_device *device, unsigned int index, uint64_t address);
/* Makes what the buses decode agree with BARs and command registers. */
void pci_remap(struct pci_bus *bus);
void pci_unmap(struct pci_device *device);

/* --- interrupts (pci_msi.c, pci_msix.c) --- */

/* The wire's level from what the device asks, the command register and MSI. */
void pci_intx_update(struct pci_device *device);

/* MSI with @vectors (a power of two, at most 32), 64-bit addresses and masking. */
int pci_msi_init(struct pci_device *device, unsigned int vectors, struct ls_error *err);
bool pci_msi_enabled(const struct pci_device *device);
void pci_msi_notify(struct pci_device *device, unsigned int vector);
void pci_msi_config_written(struct pci_device *device);

/* MSI-X with its table and pending bits in a memory BAR of 4 KiB of its own. 1..127 vectors. */
int pci_msix_init(struct pci_device *device, unsigned int bar, unsigned int vectors,
		  struct ls_error *err);
void pci_msix_free(struct pci_device *device);
void pci_msix_reset(struct pci_device *device);
bool pci_msix_enabled(const struct pci_device *device);
unsigned int pci_msix_vectors(const struct pci_device *device);
void pci_msix_notify(struct pci_device *device, unsigned int vector);
void pci_msix_config_written(struct pci_device *device);
void pci_msix_add_parts(struct pci_device *device, struct parts *parts);

#endif
