/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/chip_state.h"

#include <stdlib.h>

#include "machine/internal.h"

#define CHIPS 3 /* both 8259s, the I/O APIC */

struct chip_state {
	struct kvm_irqchip chips[CHIPS];
	struct kvm_pit_state2 pit;
	struct kvm_clock_data clock;
	bool has_chip[CHIPS], has_pit, has_clock;
};

static const struct record_field fields[] = {
	RECORD_FIELD(struct chip_state, chips),   RECORD_FIELD(struct chip_state, pit),
	RECORD_FIELD(struct chip_state, clock),   RECORD_FIELD(struct chip_state, has_chip),
	RECORD_FIELD(struct chip_state, has_pit), RECORD_FIELD(struct chip_state, has_clock),
};
const struct record_table chip_state_table = {
	.name = "engine's chips", .version = 1, RECORD_FIELDS(fields)};

struct chip_state *chip_state_new(void)
{
	return calloc(1, sizeof(struct chip_state));
}

static int vm_ioctl(struct machine *machine, unsigned long request, const void *arg)
{
	return ls_ioctl_ptr(machine->engine, machine->vm, request, arg);
}

void chip_state_read(struct machine *machine, struct chip_state *state)
{
	for (unsigned int i = 0; i < CHIPS; i++) {
		state->chips[i].chip_id = i;
		state->has_chip[i] = vm_ioctl(machine, KVM_GET_IRQCHIP, &state->chips[i]) >= 0;
	}
	state->has_pit = vm_ioctl(machine, KVM_GET_PIT2, &state->pit) >= 0;
	state->has_clock = vm_ioctl(machine, KVM_GET_CLOCK, &state->clock) >= 0;
}

void chip_state_write(struct machine *machine, const struct chip_state *state)
{
	for (unsigned int i = 0; i < CHIPS; i++) {
		if (state->has_chip[i])
			vm_ioctl(machine, KVM_SET_IRQCHIP, &state->chips[i]);
	}
	if (state->has_pit)
		vm_ioctl(machine, KVM_SET_PIT2, &state->pit);
}

void chip_state_write_clock(struct machine *machine, const struct chip_state *state)
{
	struct kvm_clock_data clock = {.clock = state->clock.clock};

	if (state->has_clock)
		vm_ioctl(machine, KVM_SET_CLOCK, &clock);
}
