/* SPDX-License-Identifier: Apache-2.0 */
/* KVM's in-kernel interrupt chips: their wires, and the ioctls. */
#include <stdlib.h>

#include "sim/vm.h"

static void bus_eoi(void *opaque, uint8_t vector)
{
	struct vm *vm = opaque;

	ioapic_eoi(&vm->ioapic, vector);
}

static int ioapic_deliver(void *opaque, const struct apic_message *message, bool *coalesced)
{
	struct vm *vm = opaque;

	return apic_bus_send_device(&vm->bus, message, coalesced);
}

static void pic_intr(void *opaque, bool level)
{
	struct vm *vm = opaque;

	apic_bus_set_lint(&vm->bus, 0, level);
}

static void pit_out(void *opaque, bool level)
{
	struct vm *vm = opaque;

	irq_routing_set_line(&vm->routing, 0, IRQ_SOURCE_PIT, level);
}

static const struct apic_bus_ops bus_ops = {.eoi = bus_eoi};

static const struct ioapic_ops ioapic_ops = {.deliver = ioapic_deliver};

static const struct pic_ops pic_ops = {.output = pic_intr};

static const struct pit_ops pit_ops = {.irq = pit_out};

int irqchip_create(struct vm *vm)
{
	const struct irq_targets targets = {&vm->pic, &vm->ioapic, &vm->bus, false};

	if (vm->irqchip)
		return -EEXIST;
	if (vm->vcpus)
		return -EINVAL;
	vm->routes = calloc(IRQ_ROUTING_MAX, sizeof(*vm->routes));
	if (!vm->routes)
		return -ENOMEM;
	apic_bus_init(&vm->bus, &bus_ops, vm);
	ioapic_init(&vm->ioapic, IOAPIC_VERSION_ICH, &ioapic_ops, vm);
	pic_init(&vm->pic, &pic_ops, vm);
	irq_routing_init(&vm->routing, vm->routes, IRQ_ROUTING_MAX, &targets);
	irq_routing_set_identity(&vm->routing);
	vm->irqchip = true;
	return 0;
}

int irqchip_create_pit(struct vm *vm)
{
	if (!vm->irqchip)
		return -ENOENT;
	if (vm->has_pit)
		return -EEXIST;
	pit_init(&vm->pit, &vm->clock.base, &pit_ops, vm);
	vm->has_pit = true;
	return 0;
}

/* --- ioctls --- */

static int irq_line(struct vm *vm, unsigned long request, struct kvm_irq_level *level)
{
	int status = irq_routing_set_line(&vm->routing, level->irq, IRQ_SOURCE_USER, level->level);

	if (request == KVM_IRQ_LINE)
		return 0;
	level->status = status;
	return 0;
}

static int get_irqchip(struct vm *vm, struct kvm_irqchip *chip)
{
	switch (chip->chip_id) {
	case KVM_IRQCHIP_PIC_MASTER:
	case KVM_IRQCHIP_PIC_SLAVE:
		pic_get_state(&vm->pic, chip->chip_id, &chip->chip.pic);
		return 0;
	case KVM_IRQCHIP_IOAPIC:
		ioapic_get_state(&vm->ioapic, &chip->chip.ioapic);
		return 0;
	default:
		return -EINVAL;
	}
}

static int set_irqchip(struct vm *vm, const struct kvm_irqchip *chip)
{
	switch (chip->chip_id) {
	case KVM_IRQCHIP_PIC_MASTER:
	case KVM_IRQCHIP_PIC_SLAVE:
		pic_set_state(&vm->pic, chip->chip_id, &chip->chip.pic);
		return 0;
	case KVM_IRQCHIP_IOAPIC:
		ioapic_set_state(&vm->ioapic, &chip->chip.ioapic);
		return 0;
	default:
		return -EINVAL;
	}
}

static int pit_ioctl(struct vm *vm, unsigned long request, void *arg)
{
	if (!vm->has_pit)
		return -ENXIO;
	if (request == KVM_SET_PIT2)
		return pit_set_state(&vm->pit, arg);
	pit_get_state(&vm->pit, arg);
	return 0;
}

int irqchip_ioctl(struct vm *vm, unsigned long request, unsigned long arg)
{
	const struct kvm_irq_routing *routing;
	const struct kvm_msi *msi;

	if (!vm->irqchip)
		return -ENXIO;
	switch (request) {
	case KVM_IRQ_LINE:
	case KVM_IRQ_LINE_STATUS:
		return irq_line(vm, request, (void *)arg);
	case KVM_SIGNAL_MSI:
		msi = (const void *)arg;
		return irq_routing_send_msi(&vm->routing.targets,
					    (u64)msi->address_hi << 32 | msi->address_lo,
					    msi->data);
	case KVM_SET_GSI_ROUTING:
		routing = (const void *)arg;
		return irq_routing_set(&vm->routing, routing->entries, routing->nr);
	case KVM_GET_IRQCHIP:
		return get_irqchip(vm, (void *)arg);
	case KVM_SET_IRQCHIP:
		return set_irqchip(vm, (const void *)arg);
	case KVM_GET_PIT2:
	case KVM_SET_PIT2:
		return pit_ioctl(vm, request, (void *)arg);
	default:
		return -ENOTTY;
	}
}
