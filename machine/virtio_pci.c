/* SPDX-License-Identifier: Apache-2.0 */
/* virtio over PCI, modern interface: virtio 1.2, 4.1. */
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "machine/doorbell.h"
#include "machine/virtio.h"

#define MSIX_BAR      1
#define REGISTERS_BAR 4
#define BAR_SIZE      0x4000
#define ACCESS_DATA   sizeof(struct virtio_pci_cap) /* pci_cfg_data, in its capability */

/* The registers' BAR: one page a structure, in the order of the capabilities' numbers. */
enum page { PAGE_COMMON, PAGE_ISR, PAGE_DEVICE, PAGE_NOTIFY };

#define PAGE_SHIFT 12
#define PAGE_BYTES (1u << PAGE_SHIFT)

/* Each queue has a notification address of its own. */
#define NOTIFY_MULTIPLIER 4

static struct virtio_device *from_pci(struct pci_device *pci)
{
	return (struct virtio_device *)((char *)pci - offsetof(struct virtio_device, pci));
}

/* 4.1.4.5: reading it clears it and takes the interrupt back. */
static uint32_t isr_read(struct virtio_device *device)
{
	uint32_t isr = device->isr;

	device->isr = 0;
	pci_intx_set(&device->pci, false);
	return isr;
}

static uint64_t registers_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct virtio_device *device = opaque;
	unsigned int inside = offset & (PAGE_BYTES - 1);

	switch ((enum page)(offset >> PAGE_SHIFT)) {
	case PAGE_COMMON:
		return virtio_common_read(device, inside, size);
	case PAGE_ISR:
		return inside ? 0 : isr_read(device);
	case PAGE_DEVICE:
		return virtio_config_read(device, inside, size);
	case PAGE_NOTIFY:
		break;
	}
	return 0;
}

static void registers_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct virtio_device *device = opaque;
	unsigned int inside = offset & (PAGE_BYTES - 1);

	switch ((enum page)(offset >> PAGE_SHIFT)) {
	case PAGE_COMMON:
		virtio_common_write(device, inside, size, (uint32_t)value);
		break;
	case PAGE_ISR:
		break;
	case PAGE_DEVICE:
		if (device->type->config_write && inside + size <= device->type->config_size)
			device->type->config_write(device, inside, size, (uint32_t)value);
		break;
	case PAGE_NOTIFY:
		virtio_kick(device, inside / NOTIFY_MULTIPLIER);
		break;
	}
}

static const struct bus_ops registers_ops = {
	.read = registers_read, .write = registers_write, .widest = 4};

static void signal_vector(struct virtio_device *device, uint16_t vector, uint8_t isr)
{
	if (pci_msix_enabled(&device->pci)) {
		if (vector != VIRTIO_NO_VECTOR)
			pci_msix_notify(&device->pci, vector);
		return;
	}
	device->isr |= isr;
	pci_intx_set(&device->pci, true);
}

void virtio_signal_queue(struct virtio_device *device, const struct virtqueue *queue)
{
	signal_vector(device, queue->vector, 1);
}

void virtio_config_changed(struct virtio_device *device)
{
	device->generation++;
	/* 4.1.4.5.1: this bit is set with MSI-X too. */
	device->isr |= VIRTIO_PCI_ISR_CONFIG;
	signal_vector(device, device->config_vector, VIRTIO_PCI_ISR_CONFIG);
}

/* 4.1.4.9: pci_cfg_data is a window of cap.length bytes at cap.offset of BAR cap.bar. */
static bool access_window(struct virtio_device *device, unsigned int *bar, uint32_t *at,
			  uint32_t *len)
{
	unsigned int cap = device->access_cap;

	*bar = device->pci.config[cap + VIRTIO_PCI_CAP_BAR];
	*at = pci_get32(&device->pci, cap + VIRTIO_PCI_CAP_OFFSET);
	*len = pci_get32(&device->pci, cap + VIRTIO_PCI_CAP_LENGTH);
	return (*len == 1 || *len == 2 || *len == 4) && *at % *len == 0;
}

static bool touches_window(const struct virtio_device *device, unsigned int offset,
			   unsigned int size)
{
	unsigned int data = device->access_cap + ACCESS_DATA;

	return offset < data + 4 && offset + size > data;
}

static void config_reading(struct pci_device *pci, unsigned int offset, unsigned int size)
{
	struct virtio_device *device = from_pci(pci);
	unsigned int bar;
	uint32_t at, len, value;

	if (!touches_window(device, offset, size) || !access_window(device, &bar, &at, &len))
		return;
	value = pci_bar_read(pci, bar, at, len);
	memcpy(&pci->config[device->access_cap + ACCESS_DATA], &value, len);
}

static void config_written(struct pci_device *pci, unsigned int offset, unsigned int size)
{
	struct virtio_device *device = from_pci(pci);
	unsigned int bar;
	uint32_t at, len, value = 0;

	if (!touches_window(device, offset, size) || !access_window(device, &bar, &at, &len))
		return;
	memcpy(&value, &pci->config[device->access_cap + ACCESS_DATA], len);
	pci_bar_write(pci, bar, at, len, value);
}

/* Adds one virtio structure capability; @extra bytes follow it. 0 if there is no room. */
static unsigned int add_cap(struct virtio_device *device, uint8_t type, unsigned int page,
			    unsigned int length, unsigned int extra)
{
	unsigned int size = (unsigned int)sizeof(struct virtio_pci_cap) + extra;
	unsigned int cap = pci_device_cap(&device->pci, PCI_CAP_ID_VNDR, size);

	if (!cap)
		return 0;
	device->pci.config[cap + VIRTIO_PCI_CAP_LEN] = (uint8_t)size;
	device->pci.config[cap + VIRTIO_PCI_CAP_CFG_TYPE] = type;
	device->pci.config[cap + VIRTIO_PCI_CAP_BAR] = REGISTERS_BAR;
	pci_set32(&device->pci, cap + VIRTIO_PCI_CAP_OFFSET, page << PAGE_SHIFT);
	pci_set32(&device->pci, cap + VIRTIO_PCI_CAP_LENGTH, length);
	return cap;
}

static void add_caps(struct virtio_device *device)
{
	struct pci_device *pci = &device->pci;
	unsigned int cap;

	add_cap(device, VIRTIO_PCI_CAP_COMMON_CFG, PAGE_COMMON,
		sizeof(struct virtio_pci_common_cfg), 0);
	cap = add_cap(device, VIRTIO_PCI_CAP_NOTIFY_CFG, PAGE_NOTIFY, PAGE_BYTES, 4);
	pci_set32(pci, cap + VIRTIO_PCI_NOTIFY_CAP_MULT, NOTIFY_MULTIPLIER);
	add_cap(device, VIRTIO_PCI_CAP_ISR_CFG, PAGE_ISR, 1, 0);
	if (device->type->config_size)
		add_cap(device, VIRTIO_PCI_CAP_DEVICE_CFG, PAGE_DEVICE, device->type->config_size,
			0);
	cap = add_cap(device, VIRTIO_PCI_CAP_PCI_CFG, 0, 0, 4);
	device->access_cap = cap;
	pci->config[cap + VIRTIO_PCI_CAP_BAR] = 0;
	pci->writable[cap + VIRTIO_PCI_CAP_BAR] = 0xff;
	memset(&pci->writable[cap + VIRTIO_PCI_CAP_OFFSET], 0xff, 12);
}

static void pci_reset_device(struct pci_device *pci)
{
	virtio_reset(from_pci(pci));
}

static void pci_destroy_device(struct pci_device *pci)
{
	struct virtio_device *device = from_pci(pci);

	device->type->destroy(device);
}

/* One bell for all queues: looking into one that has nothing costs little. */
static void bell_rung(void *context)
{
	struct virtio_device *device = context;
	unsigned int i;

	for (i = 0; i < device->type->queues; i++)
		virtio_kick(device, i);
}

static void pci_moved(struct pci_device *pci)
{
	struct virtio_device *device = from_pci(pci);
	const struct pci_bar *bar = &pci->bars[REGISTERS_BAR];

	if (device->bell)
		doorbell_place(device->bell,
			       bar->mapped ? bar->base + (PAGE_NOTIFY << PAGE_SHIFT)
					   : DOORBELL_NOWHERE,
			       device->type->queues, NOTIFY_MULTIPLIER);
}

static const struct pci_device_ops virtio_pci_ops = {
	.reset = pci_reset_device,
	.destroy = pci_destroy_device,
	.config_reading = config_reading,
	.config_written = config_written,
	.moved = pci_moved,
};

static void go_on(struct ls_timer *timer, uint64_t now)
{
	struct virtio_device *device = timer->opaque;
	unsigned int i;

	(void)now;
	for (i = 0; i < device->type->queues; i++)
		if (device->queues[i].more)
			virtio_kick(device, i);
}

int virtio_add(struct virtio_device *device, const struct virtio_type *type, uint64_t features,
	       struct pci_bus *bus, int slot, struct ls_error *err)
{
	/* 4.1.2: 0x1040 + device ID, revision 1, and a subsystem of 0x40 or more. */
	struct pci_identity id = {
		.vendor = 0x1af4,
		.device = (uint16_t)(0x1040 + type->id),
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
		.class = type->class,
		.revision = 1,
		.pin = 1,
	};
	unsigned int i;
	int ret;

	device->type = type;
	device->offered = features | VIRTIO_FEATURE(VIRTIO_F_VERSION_1) |
			  VIRTIO_FEATURE(VIRTIO_RING_F_INDIRECT_DESC) |
			  VIRTIO_FEATURE(VIRTIO_RING_F_EVENT_IDX);
	device->later = (struct ls_timer){.deadline = LS_NEVER, .fn = go_on, .opaque = device};
	for (i = 0; i < type->queues; i++) {
		device->queues[i].device = device;
		device->queues[i].index = i;
	}
	pci_device_init(&device->pci, type->name, &id, &virtio_pci_ops);
	device->pci.state = &virtio_table;
	device->pci.more_state = type->state;
	add_caps(device);
	pci_device_bar(&device->pci, REGISTERS_BAR, PCI_BAR_MEM64, BAR_SIZE, &registers_ops,
		       device);
	/* One vector for each queue and one for configuration changes. */
	ret = pci_msix_init(&device->pci, MSIX_BAR, type->queues + 1, err);
	if (ret == 0)
		ret = pci_add(bus, &device->pci, slot, err);
	if (ret < 0) {
		pci_msix_free(&device->pci);
		return ret;
	}
	if (bus->host.doorbell)
		device->bell = bus->host.doorbell(bus->host.opaque, bell_rung, device);
	virtio_reset(device);
	return 0;
}

void virtio_remove(struct virtio_device *device)
{
	struct ls_clock *clock = device->pci.bus->host.clock;

	if (clock)
		clock->disarm(clock, &device->later);
	doorbell_destroy(device->bell);
	device->bell = NULL;
}
