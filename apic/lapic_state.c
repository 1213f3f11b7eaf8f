/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KVM_GET_LAPIC and KVM_SET_LAPIC: the register page, 32 bits at each multiple of 16
 * (Documentation/virt/kvm/api.rst 4.57). The ID is in bits 31:24, or whole in x2APIC mode
 * with 32-bit IDs; the upper half of an x2APIC ICR is at 0x310.
 */
#include <errno.h>
#include <string.h>

#include "apic/lapic_internal.h"

static void put(struct kvm_lapic_state *state, uint32_t offset, uint32_t value)
{
	memcpy(&state->regs[offset], &value, sizeof(value));
}

static uint32_t get(const struct kvm_lapic_state *state, uint32_t offset)
{
	uint32_t value;

	memcpy(&value, &state->regs[offset], sizeof(value));
	return value;
}

void lapic_get_state(struct lapic *lapic, struct kvm_lapic_state *state, bool ids32)
{
	uint32_t id = lapic->config.id, offset;

	memset(state, 0, sizeof(*state));
	for (offset = 0; offset < sizeof(state->regs); offset += 0x10)
		put(state, offset, *lapic_reg(lapic, offset));
	put(state, LAPIC_VERSION, lapic->config.version);
	put(state, LAPIC_PPR, lapic_get_ppr(lapic));
	put(state, LAPIC_TIMER_CURRENT, lapic_timer_current(lapic));
	if (lapic_x2apic(lapic)) {
		put(state, LAPIC_ID, ids32 ? id : id << 24);
		put(state, LAPIC_LDR, id >> 4 << 16 | 1u << (id & 0xf));
	}
}

int lapic_set_state(struct lapic *lapic, const struct kvm_lapic_state *state, bool ids32)
{
	uint32_t id = lapic->config.id, offset;

	if (lapic_x2apic(lapic) && get(state, LAPIC_ID) != (ids32 ? id : id << 24))
		return -EINVAL;
	for (offset = 0; offset < sizeof(state->regs); offset += 0x10)
		*lapic_reg(lapic, offset) = get(state, offset);
	if (lapic_x2apic(lapic))
		*lapic_reg(lapic, LAPIC_ID) = id << 24;
	/* No IRR or ISR bit below 16 can exist (SDM 3A:11.5.3). */
	*lapic_reg(lapic, LAPIC_IRR) &= ~0xffffu;
	*lapic_reg(lapic, LAPIC_ISR) &= ~0xffffu;
	lapic->errors = 0;
	lapic->extint = false;
	lapic_timer_restore(lapic, get(state, LAPIC_TIMER_CURRENT));
	lapic_update(lapic);
	return 0;
}
