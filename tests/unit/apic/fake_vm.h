/* SPDX-License-Identifier: Apache-2.0 */
/* Processors that only note what their local APICs tell them. TSC: 3 ticks a ns. */
#ifndef LOCKSTEP_TESTS_FAKE_VM_H
#define LOCKSTEP_TESTS_FAKE_VM_H

#include "apic/bus.h"
#include "apic/lapic.h"
#include "fake_clock.h"

#define FAKE_CPUS 8

struct fake_cpu {
	struct lapic lapic;
	struct fake_vm *vm;
	unsigned int changed, nmi, smi, init, sipi, inta, doorbell;
	uint8_t sipi_vector;
	int64_t tsc_offset;
};

struct fake_vm {
	struct fake_clock clock;
	struct apic_bus bus;
	struct fake_cpu cpu[FAKE_CPUS];
	unsigned int cpus, eois;
	uint8_t eoi_vector;
	int inta_vector;
};

static inline void fake_changed(void *owner)
{
	((struct fake_cpu *)owner)->changed++;
}

static inline void fake_nmi(void *owner)
{
	((struct fake_cpu *)owner)->nmi++;
}

static inline void fake_smi(void *owner)
{
	((struct fake_cpu *)owner)->smi++;
}

static inline void fake_init(void *owner)
{
	((struct fake_cpu *)owner)->init++;
}

static inline void fake_doorbell(void *owner)
{
	((struct fake_cpu *)owner)->doorbell++;
}

static inline void fake_sipi(void *owner, uint8_t vector)
{
	((struct fake_cpu *)owner)->sipi++;
	((struct fake_cpu *)owner)->sipi_vector = vector;
}

static inline int fake_inta(void *owner)
{
	((struct fake_cpu *)owner)->inta++;
	return ((struct fake_cpu *)owner)->vm->inta_vector;
}

static inline uint64_t fake_tsc_now(void *owner)
{
	struct fake_cpu *cpu = owner;

	return cpu->vm->clock.ns * 3 + cpu->tsc_offset;
}

static inline uint64_t fake_tsc_to_ns(void *owner, uint64_t tsc)
{
	return (tsc - ((struct fake_cpu *)owner)->tsc_offset + 2) / 3;
}

static inline void fake_eoi(void *opaque, uint8_t vector)
{
	((struct fake_vm *)opaque)->eois++;
	((struct fake_vm *)opaque)->eoi_vector = vector;
}

static const struct lapic_ops fake_lapic_ops = {
	.changed = fake_changed,
	.nmi = fake_nmi,
	.smi = fake_smi,
	.init = fake_init,
	.sipi = fake_sipi,
	.doorbell = fake_doorbell,
	.inta = fake_inta,
	.tsc_now = fake_tsc_now,
	.tsc_to_ns = fake_tsc_to_ns,
};

static const struct apic_bus_ops fake_bus_ops = {.eoi = fake_eoi};

/* @count processors as reset leaves them, IDs from 0. */
static inline void fake_vm_reset(struct fake_vm *vm, unsigned int count, struct lapic_config config)
{
	unsigned int i;

	*vm = (struct fake_vm){.cpus = count, .inta_vector = 0x28};
	fake_clock_init(&vm->clock);
	apic_bus_init(&vm->bus, &fake_bus_ops, vm);
	for (i = 0; i < count; i++) {
		config.id = i;
		config.bsp = i == 0;
		vm->cpu[i].vm = vm;
		lapic_init(&vm->cpu[i].lapic, &config, &vm->clock.clock, &vm->bus, &fake_lapic_ops,
			   &vm->cpu[i]);
		apic_bus_add(&vm->bus, &vm->cpu[i].lapic);
	}
}

/* The same, software-enabled. */
static inline void fake_vm_init(struct fake_vm *vm, unsigned int count)
{
	unsigned int i;

	fake_vm_reset(vm, count, (struct lapic_config){.version = LAPIC_VERSION_INTEL});
	for (i = 0; i < count; i++)
		lapic_write(&vm->cpu[i].lapic, LAPIC_SVR, 0x1ff);
}

static inline void fake_x2apic(struct lapic *lapic)
{
	lapic_set_base(lapic, lapic->base | LAPIC_BASE_EXTD, false);
}

static inline uint32_t fake_read(struct lapic *lapic, uint32_t offset)
{
	uint32_t value;

	lapic_read(lapic, offset, &value);
	return value;
}

static inline bool fake_bit(struct lapic *lapic, uint32_t bank, uint8_t vector)
{
	return fake_read(lapic, bank + vector / 32 * 16) >> vector % 32 & 1;
}

/* A fixed message straight to one local APIC. */
static inline bool fake_raise(struct lapic *lapic, uint8_t vector, bool level)
{
	struct apic_message message = {
		.vector = vector,
		.trigger_level = level,
		.assert = true,
	};

	return lapic_receive(lapic, &message, NULL);
}

#endif
