/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/internal.h"
#include "machine/irqchip.h"
#include "machine/routes.h"

static void irq_drive(struct machine *machine, unsigned int gsi, bool level)
{
	struct kvm_irq_level line = {.irq = gsi, .level = level};

	if (machine->split)
		split_irqchip_set_line(machine, gsi, level);
	else
		ls_ioctl_ptr(machine->engine, machine->vm, KVM_IRQ_LINE, &line);
}

void irq_set(struct machine *machine, struct irq_wire *wire, bool level)
{
	unsigned int *up = &machine->wires_up[wire->gsi];

	if (wire->level == level)
		return;
	wire->level = level;
	if (level ? (*up)++ == 0 : --(*up) == 0)
		irq_drive(machine, wire->gsi, level);
}

void irq_pulse(struct machine *machine, struct irq_wire *wire)
{
	irq_set(machine, wire, true);
	irq_set(machine, wire, false);
}

/* Intel's and AMD's local APICs take messages at FEExxxxxH only (SDM 3A:11.11.1). */
static bool is_message(uint64_t address)
{
	return (address & 0xfff00000) == MEMORY_LAPIC;
}

void irq_send_message(struct machine *machine, uint64_t address, uint32_t data)
{
	if (is_message(address) && !routes_send(machine, address, data))
		(void)irq_send_msi(machine, address, data);
}

int irq_send_msi(struct machine *machine, uint64_t address, uint32_t data)
{
	struct kvm_msi msi = {
		.address_lo = (uint32_t)address,
		.address_hi = (uint32_t)(address >> 32),
		.data = data,
	};

	if (!is_message(address))
		return -EINVAL;
	return ls_ioctl_ptr(machine->engine, machine->vm, KVM_SIGNAL_MSI, &msi);
}
