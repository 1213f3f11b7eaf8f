/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/irqchip.h"

#include <string.h>

#include "apic/routing.h"
#include "machine/internal.h"

static int vm_ioctl(struct machine *machine, unsigned long request, const char *name,
		    const void *arg, struct ls_error *err)
{
	int ret = ls_ioctl_ptr(machine->engine, machine->vm, request, arg);

	return ret < 0 ? ls_error_set(err, ret, "%s: %s", name, strerror(-ret)) : 0;
}

#define VM_IOCTL(machine, request, arg, err) vm_ioctl(machine, request, #request, arg, err)

/* A PC's board differs from what KVM starts with: IRQ 0 is on pin 2 of the I/O APIC. */
static int irqchip_set_routes(struct machine *machine, struct ls_error *err)
{
	static const struct irq_targets nowhere;
	struct kvm_irq_routing_entry entries[ROUTES_BOARD];
	struct irq_routing routing;
	int ret;

	irq_routing_init(&routing, entries, ROUTES_BOARD, &nowhere);
	irq_routing_set_default(&routing);
	ret = routes_set_board(machine, entries, (unsigned int)routing.count);
	return ret < 0 ? ls_error_set(err, ret, "KVM_SET_GSI_ROUTING: %s", strerror(-ret)) : 0;
}

static int irqchip_create_in_engine(struct machine *machine, struct ls_error *err)
{
	struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};
	int ret = VM_IOCTL(machine, KVM_CREATE_IRQCHIP, NULL, err);

	if (!ret)
		ret = irqchip_set_routes(machine, err);
	if (!ret && !machine->config.no_pit)
		ret = VM_IOCTL(machine, KVM_CREATE_PIT2, &pit, err);
	return ret;
}

int machine_irqchip_create(struct machine *machine, struct ls_error *err)
{
	struct kvm_enable_cap split = {.cap = KVM_CAP_SPLIT_IRQCHIP, .args = {IRQ_GSI_COUNT}};

	if (machine->config.irqchip == MACHINE_IRQCHIP_NONE)
		return 0;
	if (machine->config.irqchip == MACHINE_IRQCHIP_SPLIT)
		return VM_IOCTL(machine, KVM_ENABLE_CAP, &split, err);
	return irqchip_create_in_engine(machine, err);
}

void machine_irqchip_set_vectors(struct machine *machine, uint8_t master, uint8_t slave)
{
	const uint8_t vectors[] = {
		[KVM_IRQCHIP_PIC_MASTER] = master, [KVM_IRQCHIP_PIC_SLAVE] = slave};

	if (machine->split) {
		split_irqchip_set_vectors(machine, master, slave);
		return;
	}
	for (uint32_t id = KVM_IRQCHIP_PIC_MASTER; id <= KVM_IRQCHIP_PIC_SLAVE; id++) {
		struct kvm_irqchip chip = {.chip_id = id};

		if (ls_ioctl_ptr(machine->engine, machine->vm, KVM_GET_IRQCHIP, &chip) < 0)
			continue;
		chip.chip.pic.irq_base = vectors[id];
		ls_ioctl_ptr(machine->engine, machine->vm, KVM_SET_IRQCHIP, &chip);
	}
}
