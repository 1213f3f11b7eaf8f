/* SPDX-License-Identifier: Apache-2.0 */
/* The local APIC's reset, its features and its modes (SDM 3A:11.4.3, 11.4.7). */
#include "apic/lapic.h"

#include <stddef.h>

#include "apic/lapic_internal.h"

void lapic_mask_lvts(struct lapic *lapic)
{
	uint32_t offset;

	for (offset = LAPIC_LVT_TIMER; offset <= LAPIC_LVT_ERROR; offset += 0x10)
		*lapic_reg(lapic, offset) |= LAPIC_LVT_MASKED;
	if (lapic_has_cmci(lapic))
		*lapic_reg(lapic, LAPIC_LVT_CMCI) |= LAPIC_LVT_MASKED;
}

/* SDM 3A:11.4.7.1: all zero but DFR, SVR and the masks; the caller decides about the ID. */
static void reset_registers(struct lapic *lapic)
{
	uint32_t id = *lapic_reg(lapic, LAPIC_ID);
	unsigned int i;

	lapic_timer_stop(lapic);
	for (i = 0; i < 64; i++)
		lapic->regs[i] = 0;
	*lapic_reg(lapic, LAPIC_ID) = id;
	*lapic_reg(lapic, LAPIC_DFR) = 0xffffffff;
	*lapic_reg(lapic, LAPIC_SVR) = 0xff;
	lapic_mask_lvts(lapic);
	if (lapic->config.lint0_extint && lapic->config.bsp)
		*lapic_reg(lapic, LAPIC_LVT_LINT0) = APIC_EXTINT << 8;
	lapic->errors = 0;
	lapic->extint = false;
}

void lapic_reset_init(struct lapic *lapic)
{
	reset_registers(lapic);
	lapic_update(lapic);
}

void lapic_reset(struct lapic *lapic)
{
	lapic->base =
		LAPIC_BASE_DEFAULT | LAPIC_BASE_ENABLE | (lapic->config.bsp ? LAPIC_BASE_BSP : 0);
	*lapic_reg(lapic, LAPIC_ID) = lapic->config.id << 24;
	lapic_reset_init(lapic);
}

void lapic_init(struct lapic *lapic, const struct lapic_config *config, struct ls_clock *clock,
		struct apic_bus *bus, const struct lapic_ops *ops, void *owner)
{
	*lapic = (struct lapic){
		.pending = -1,
		.config = *config,
		.features = {.x2apic = true, .tsc_deadline = true, .phys_bits = 52},
		.clock = clock,
		.bus = bus,
		.ops = ops,
		.owner = owner,
	};
	if (!lapic->config.timer_hz)
		lapic->config.timer_hz = 1000000000;
	lapic_timer_init(lapic);
	lapic_reset(lapic);
}

void lapic_destroy(struct lapic *lapic)
{
	lapic_timer_stop(lapic);
}

void lapic_set_features(struct lapic *lapic, const struct lapic_features *features)
{
	lapic->features = *features;
}

/* Modes are EN:EXTD. A row: from; a bit for each mode the guest may go to (SDM 3A:11.12.5,
 * figure 11-27). EXTD alone is no mode. */
static const uint8_t legal_modes[4] = {
	[0] = 1 << 0 | 1 << 2,          /* disabled: xAPIC */
	[2] = 1 << 0 | 1 << 2 | 1 << 3, /* xAPIC: any */
	[3] = 1 << 0 | 1 << 3,          /* x2APIC: disabled */
};

int lapic_set_base(struct lapic *lapic, uint64_t value, bool host)
{
	uint64_t legal = ((1ull << lapic->features.phys_bits) - 1) & ~0x2ffull;
	unsigned int from = lapic->base >> 10 & 3, to = value >> 10 & 3;

	if (!lapic->features.x2apic && !host)
		legal &= ~LAPIC_BASE_EXTD;
	if ((value & ~legal) || to == 1 || (!host && !(legal_modes[from] >> to & 1)))
		return -1;
	lapic->base = value;
	if (from != to && to == 0) {
		/* "May return to the state after power-up" (SDM 3A:11.4.3): it does, but CR8
		 * outlives it. */
		uint32_t tpr = *lapic_reg(lapic, LAPIC_TPR);

		reset_registers(lapic);
		*lapic_reg(lapic, LAPIC_ID) = lapic->config.id << 24;
		*lapic_reg(lapic, LAPIC_TPR) = tpr;
	}
	lapic_update(lapic);
	return 0;
}
