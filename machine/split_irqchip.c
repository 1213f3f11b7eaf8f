/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The split irqchip (api.rst 7.5): the engine keeps the local APICs, the I/O APIC, the 8259s and
 * the 8254 are here. Messages go to the engine as MSIs; it learns from the routing table whose EOI
 * the I/O APIC waits for; what the 8259s ask for, which reaches a processor through its LINT0, is
 * put in by KVM_INTERRUPT when the vCPU is ready.
 */
#include <stdlib.h>
#include <string.h>

#include "apic/ioapic.h"
#include "apic/msi.h"
#include "apic/pic.h"
#include "apic/pit.h"
#include "apic/routing.h"
#include "apic/states.h"
#include "machine/chips.h"
#include "machine/internal.h"
#include "machine/irqchip.h"
#include "record/record.h"

struct split_irqchip {
	struct machine *machine;
	struct ioapic ioapic;
	struct pic pic;
	struct pit pit;
	struct irq_routing routing; /* from GSIs to the pins of these chips */
	struct kvm_irq_routing_entry routes[2 * IRQ_GSI_COUNT];
	uint64_t told[IOAPIC_PINS]; /* the entries that the engine knows of */
};

/* --- between the chips and the engine --- */

static int split_deliver(void *opaque, const struct apic_message *message, bool *coalesced)
{
	struct split_irqchip *split = opaque;
	struct msi msi = apic_message_to_msi(message);
	int ret = irq_send_msi(split->machine, msi.address, msi.data);

	if (coalesced)
		*coalesced = ret == 0;
	return ret;
}

/* The vCPU that has the 8259s on its LINT0 is to look: it may be in the guest, or halted. */
static void split_pic_output(void *opaque, bool level)
{
	struct split_irqchip *split = opaque;

	if (level)
		control_kick(&split->machine->vcpus[0]);
}

static void split_pit_out(void *opaque, bool level)
{
	struct split_irqchip *split = opaque;

	irq_routing_set_line(&split->routing, 0, IRQ_SOURCE_PIT, level);
}

static const struct ioapic_ops ioapic_ops = {.deliver = split_deliver};
static const struct pic_ops pic_ops = {.output = split_pic_output};
static const struct pit_ops pit_ops = {.irq = split_pit_out};

/* SDM 3A:11.11 and Intel 82093AA 3.2.4: a redirection entry as the message that it sends. */
static struct apic_message entry_message(uint64_t entry)
{
	return (struct apic_message){
		.vector = entry & 0xff,
		.delivery_mode = entry >> 8 & 7,
		.dest_mode = entry >> 11 & 1,
		.trigger_level = entry >> 15 & 1,
		.assert = true,
		.destination = (uint32_t)(entry >> 56),
	};
}

/* Tells the engine what the I/O APIC sends, pin by pin, so that it reports EOIs of level ones. */
static void split_tell_routes(struct split_irqchip *split)
{
	struct kvm_irq_routing_entry entries[IOAPIC_PINS];

	if (!memcmp(split->told, split->ioapic.entries, sizeof(split->told)))
		return;
	memcpy(split->told, split->ioapic.entries, sizeof(split->told));
	for (unsigned int pin = 0; pin < IOAPIC_PINS; pin++) {
		struct apic_message message = entry_message(split->told[pin]);
		struct msi msi = apic_message_to_msi(&message);

		entries[pin] = (struct kvm_irq_routing_entry){
			.gsi = pin,
			.type = KVM_IRQ_ROUTING_MSI,
			.u.msi = {.address_lo = (uint32_t)msi.address, .data = msi.data}};
	}
	routes_set_board(split->machine, entries, IOAPIC_PINS);
}

/* --- registers --- */

static uint64_t split_mmio_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct split_irqchip *split = opaque;
	uint64_t value = 0;

	ioapic_mmio_read(&split->ioapic, (uint32_t)offset, &value, size);
	return value;
}

static void split_mmio_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct split_irqchip *split = opaque;

	ioapic_mmio_write(&split->ioapic, (uint32_t)offset, &value, size);
	split_tell_routes(split);
}

static const struct bus_ops mmio_ops = {.read = split_mmio_read, .write = split_mmio_write};

/* The chips know their ports; a region is found by its offset, so each says its own base. */
#define PORT_OPS(base)                                                                             \
	static uint64_t port_read_##base(void *opaque, uint64_t offset, unsigned int size)         \
	{                                                                                          \
		(void)size;                                                                        \
		return split_port_read(opaque, (uint16_t)(0x##base + offset));                     \
	}                                                                                          \
	static void port_write_##base(void *opaque, uint64_t offset, unsigned int size,            \
				      uint64_t value)                                              \
	{                                                                                          \
		(void)size;                                                                        \
		split_port_write(opaque, (uint16_t)(0x##base + offset), (uint8_t)value);           \
	}                                                                                          \
	static const struct bus_ops port_ops_##base = {                                            \
		.read = port_read_##base, .write = port_write_##base, .widest = 1};

static uint64_t split_port_read(struct split_irqchip *split, uint16_t port)
{
	uint8_t value = 0xff;

	if (!pic_read(&split->pic, port, &value))
		pit_read(&split->pit, port, &value);
	return value;
}

static void split_port_write(struct split_irqchip *split, uint16_t port, uint8_t value)
{
	if (!pic_write(&split->pic, port, value))
		pit_write(&split->pit, port, value);
}

PORT_OPS(20)
PORT_OPS(a0)
PORT_OPS(4d0)
PORT_OPS(40)
PORT_OPS(61)

/* --- the machine's side --- */

void split_irqchip_set_line(struct machine *machine, unsigned int gsi, bool level)
{
	irq_routing_set_line(&machine->split->routing, gsi, IRQ_SOURCE_USER, level);
}

void split_irqchip_eoi(struct machine *machine, uint8_t vector)
{
	ioapic_eoi(&machine->split->ioapic, vector);
}

void split_irqchip_set_vectors(struct machine *machine, uint8_t master, uint8_t slave)
{
	machine->split->pic.chip[0].vector = master;
	machine->split->pic.chip[1].vector = slave;
}

void split_irqchip_enter(struct vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	struct kvm_interrupt interrupt;

	if (vcpu->index != 0)
		return;
	machine_lock(machine);
	vcpu->run->request_interrupt_window = 0;
	if (pic_output(&machine->split->pic)) {
		if (vcpu->run->ready_for_interrupt_injection) {
			interrupt.irq = (uint32_t)pic_acknowledge(&machine->split->pic);
			ls_ioctl_ptr(machine->engine, vcpu->fd, KVM_INTERRUPT, &interrupt);
		}
		/* The next one, or this one when the vCPU has come so far. */
		vcpu->run->request_interrupt_window = pic_output(&machine->split->pic);
	}
	machine_unlock(machine);
}

static void split_reset(void *opaque)
{
	struct split_irqchip *split = opaque;

	ioapic_reset(&split->ioapic);
	pic_reset(&split->pic);
	pit_reset(&split->pit);
	split_tell_routes(split);
}

static int split_loaded(void *opaque, struct ls_error *err)
{
	struct split_irqchip *split = opaque;

	(void)err;
	memset(split->told, 0xff, sizeof(split->told)); /* a new VM has been told nothing */
	split_tell_routes(split);
	return 0;
}

static const struct record_field split_fields[] = {
	RECORD_FIELD_OBJECT(struct split_irqchip, ioapic, &ioapic_state_table),
	RECORD_FIELD_OBJECT(struct split_irqchip, pic, &pic_state_table),
	RECORD_FIELD_OBJECT(struct split_irqchip, pit, &pit_state_table),
};
static const struct record_table split_state = {
	.name = "split irqchip", .version = 1, RECORD_FIELDS(split_fields), .loaded = split_loaded};

static void split_destroy(void *opaque)
{
	struct split_irqchip *split = opaque;

	pit_destroy(&split->pit);
	split->machine->split = NULL;
	free(split);
}

int split_irqchip_create(struct machine *machine, struct ls_error *err)
{
	struct split_irqchip *split = calloc(1, sizeof(*split));
	const struct bus_region ports[] = {
		{"8259 master", 0x20, 2, &port_ops_20, split, 0},
		{"8259 slave", 0xa0, 2, &port_ops_a0, split, 0},
		{"8259 edges", 0x4d0, 2, &port_ops_4d0, split, 0},
		{"8254", 0x40, 4, &port_ops_40, split, 0},
		{"system control B", 0x61, 1, &port_ops_61, split, 0},
	};
	const struct bus_region mmio = {.name = "I/O APIC",
					.base = IOAPIC_BASE_DEFAULT,
					.size = IOAPIC_SIZE,
					.ops = &mmio_ops,
					.opaque = split};
	const struct machine_device device = {.name = "split irqchip",
					      .state = &split_state,
					      .reset = split_reset,
					      .destroy = split_destroy,
					      .opaque = split};
	struct irq_targets targets = {0};
	int ret;

	if (!split)
		return ls_error_set(err, -ENOMEM, "no memory for the interrupt chips");
	split->machine = machine;
	machine->split = split;
	ioapic_init(&split->ioapic, IOAPIC_VERSION_ICH, &ioapic_ops, split);
	pic_init(&split->pic, &pic_ops, split);
	pit_init(&split->pit, machine->clock, &pit_ops, split);
	targets.pic = &split->pic;
	targets.ioapic = &split->ioapic;
	irq_routing_init(&split->routing, split->routes, 2 * IRQ_GSI_COUNT, &targets);
	irq_routing_set_default(&split->routing);
	ret = chip_add(machine, &device, ports,
		       machine->config.no_pit ? 3 : sizeof(ports) / sizeof(ports[0]), err);
	return ret ? ret : bus_add(&machine->mmio, &mmio, err);
}
