/* SPDX-License-Identifier: Apache-2.0 */
/* PCI's end of the machine: which devices the configuration asks for, and their wires. */
#include <stdlib.h>

#include "machine/console.h"
#include "machine/doorbell.h"
#include "machine/fw_cfg.h"
#include "machine/internal.h"
#include "machine/memory.h"
#include "machine/net.h"
#include "machine/net_gate.h"
#include "machine/pci.h"
#include "machine/pci_testdev.h"
#include "machine/poll.h"
#include "machine/virtio_blk.h"
#include "machine/virtio_console.h"
#include "machine/virtio_net.h"
#include "machine/virtio_rng.h"

struct machine_pci {
	struct machine *machine;
	struct pci_bus *bus;
	bool assign; /* nobody else will give the BARs addresses */
	struct virtio_console *console;
};

static int dma_read(void *opaque, uint64_t gpa, void *to, uint64_t len)
{
	return machine_dma_read(opaque, gpa, to, len);
}

static int dma_write(void *opaque, uint64_t gpa, const void *from, uint64_t len)
{
	return machine_dma_write(opaque, gpa, from, len);
}

static void wire_set(void *opaque, struct irq_wire *wire, bool level)
{
	irq_set(opaque, wire, level);
}

static void msi_send(void *opaque, uint64_t address, uint32_t data)
{
	irq_send_message(opaque, address, data);
}

static struct doorbell *doorbell(void *opaque, void (*rung)(void *context), void *context)
{
	return doorbell_create(opaque, rung, context);
}

static void machine_pci_reset(void *opaque)
{
	struct machine_pci *pci = opaque;

	pci_reset(pci->bus);
	if (pci->assign)
		pci_assign(pci->bus);
}

static void machine_pci_add_parts(void *opaque, struct parts *parts)
{
	pci_add_parts(((struct machine_pci *)opaque)->bus, parts);
}

static void machine_pci_destroy(void *opaque)
{
	struct machine_pci *pci = opaque;

	pci_destroy(pci->bus);
	free(pci);
}

static void console_output(void *opaque, const uint8_t *bytes, size_t n)
{
	const struct machine_config *config = machine_config(opaque);

	if (config->channel_output && input_replaying(opaque))
		return;
	if (config->channel_output)
		config->channel_output(config->output_opaque, bytes, n);
	else
		console_print(opaque, CONSOLE_VIRTIO, bytes, n);
}

static void console_take(void *opaque)
{
	struct machine_pci *pci = opaque;
	size_t room = virtio_console_room(pci->console), n = 0;
	uint8_t bytes[256];

	while (n < room && n < sizeof(bytes) &&
	       console_next_input(pci->machine, CONSOLE_VIRTIO, &bytes[n]))
		n++;
	virtio_console_input(pci->console, bytes, n);
}

static int add_console(struct machine_pci *pci, struct ls_error *err)
{
	struct virtio_console_options options = {.output = console_output, .opaque = pci->machine};

	pci->console = virtio_console_create(pci->bus, &options, err);
	if (!pci->console)
		return err && err->code ? err->code : -ENOMEM;
	console_connect(pci->machine, CONSOLE_VIRTIO, console_take, pci);
	return 0;
}

static int net_fill(void *opaque, struct pollfd *fds, int room, int *timeout_ms)
{
	struct net_backend *backend = opaque;

	return backend->ops->fill(backend, fds, room, timeout_ms);
}

static void net_ready(void *opaque, struct pollfd *fds, int count)
{
	struct net_backend *backend = opaque;

	backend->ops->ready(backend, fds, count);
}

/* A frame may come at any time. */
static bool net_wakes(void *opaque)
{
	(void)opaque;
	return true;
}

static bool net_paces(void *opaque)
{
	struct net_backend *backend = opaque;

	return backend->ops->paces(backend);
}

/* A run that is made again has its frames from the log. */
static struct net_backend *open_net(struct machine *machine, const struct machine_net *net,
				    struct ls_error *err)
{
	struct net_gate *gate = net_gate_create(machine);
	struct net_backend *inner;

	if (!gate || input_replaying(machine))
		return gate ? net_gate_backend(gate) : NULL;
	inner = net->kind == MACHINE_NET_TAP ? net_tap_create(net->tap, err)
					     : net_slirp_create(net_gate_clock(gate), err);
	if (inner) {
		net_gate_connect(gate, inner);
		return net_gate_backend(gate);
	}
	net_gate_backend(gate)->ops->destroy(net_gate_backend(gate));
	return NULL;
}

static int add_net(struct machine_pci *pci, const struct machine_net *net, struct ls_error *err)
{
	struct net_backend *backend = open_net(pci->machine, net, err);
	struct virtio_net_options options = {.backend = backend};
	struct poll_source source = {
		.fill = net_fill,
		.ready = net_ready,
		.paces = net_paces,
		.opaque = backend,
		.wakes = net_wakes,
	};
	int ret;

	if (!backend)
		return err && err->code ? err->code : -EIO;
	ret = virtio_net_create(pci->bus, &options, err);
	if (ret < 0) {
		backend->ops->destroy(backend);
		return ret;
	}
	ret = machine_poll_add(pci->machine, &source);
	return ret < 0 ? ls_error_set(err, ret, "no memory for the network") : 0;
}

/* SeaBIOS boots from the disks in the order of this file: Open Firmware's paths, one a line
 * (QEMU, docs/bootindex). */
#define BOOT_ORDER "bootorder"
#define BOOT_LINE  "/pci@i0cf8/scsi@%x/disk@0,0\n"

static int add_disks(struct machine_pci *pci, const struct machine_config *config,
		     struct ls_error *err)
{
	char order[MACHINE_MAX_DISKS * sizeof(BOOT_LINE)] = "";
	size_t used = 0;

	for (unsigned int i = 0; i < config->disk_count; i++) {
		struct virtio_blk_options disk = {
			.path = config->disks[i].path,
			.read_only = config->disks[i].read_only,
			.machine = pci->machine,
			.sectors = &pci->machine->config.disks[i].sectors,
		};
		int slot = virtio_blk_create(pci->bus, &disk, err);

		if (slot < 0)
			return slot;
		used += (size_t)snprintf(order + used, sizeof(order) - used, BOOT_LINE,
					 (unsigned int)slot);
	}
	/* With the 0 that ends the list. */
	return used ? fw_cfg_add_file(pci->machine->fw_cfg, BOOT_ORDER, order, used + 1, err) : 0;
}

static int add_devices(struct machine_pci *pci, const struct machine_config *config,
		       struct ls_error *err)
{
	struct virtio_rng_options rng = {.seed = config->rng_seed};
	int ret = 0;

	if (config->pci_testdev)
		ret = pci_testdev_create(pci->bus, err);
	if (ret == 0)
		ret = add_disks(pci, config, err);
	if (ret == 0 && config->net.kind != MACHINE_NET_NONE)
		ret = add_net(pci, &config->net, err);
	if (ret == 0 && config->virtio_console)
		ret = add_console(pci, err);
	if (ret == 0 && config->virtio_rng)
		ret = virtio_rng_create(pci->bus, &rng, err);
	return ret;
}

int machine_pci_create(struct machine *machine, const struct machine_config *config,
		       struct ls_error *err)
{
	struct pci_host host = {
		.opaque = machine,
		.ports = machine_ports(machine),
		.mmio = machine_mmio(machine),
		.clock = machine_clock(machine),
		.dma_read = dma_read,
		.dma_write = dma_write,
		.wire_set = wire_set,
		.msi_send = msi_send,
		.doorbell = doorbell,
	};
	struct machine_device device = {.name = "PCI",
					.add_parts = machine_pci_add_parts,
					.reset = machine_pci_reset,
					.destroy = machine_pci_destroy};
	struct machine_pci *pci = calloc(1, sizeof(*pci));
	int ret;

	if (!pci)
		return ls_error_set(err, -ENOMEM, "no memory for PCI");
	pci->machine = machine;
	pci->assign = config->boot != MACHINE_BOOT_FIRMWARE;
	pci->bus = pci_create(&host, err);
	if (!pci->bus) {
		free(pci);
		return err && err->code ? err->code : -ENOMEM;
	}
	device.opaque = pci;
	/* From here on the machine destroys it, also after a failure. */
	ret = machine_attach(machine, &device, err);
	if (ret < 0) {
		machine_pci_destroy(pci);
		return ret;
	}
	ret = add_devices(pci, config, err);
	if (ret == 0)
		machine_pci_reset(pci);
	return ret;
}
