/* SPDX-License-Identifier: Apache-2.0 */
/* Back to power-on: vCPUs, the engine's chips, the machine's devices. */
#include <stdlib.h>
#include <string.h>

#include "machine/acpi/tables.h"
#include "machine/internal.h"
#include "machine/load.h"
#include "machine/pm.h"
#include "machine/rtc.h"

struct chip_state {
	struct kvm_irqchip chips[3]; /* both 8259s, the I/O APIC */
	struct kvm_pit_state2 pit;
	bool has_chip[3], has_pit;
};

int reset_capture(struct machine *machine, struct ls_error *err)
{
	struct chip_state *state = calloc(1, sizeof(*state));
	int ret = 0;

	if (!state)
		return ls_error_set(err, -ENOMEM, "no memory for the power-on state");
	machine->power_on = state;
	for (unsigned int i = 0; i < 3; i++) {
		state->chips[i].chip_id = i;
		state->has_chip[i] = ls_ioctl_ptr(machine->engine, machine->vm, KVM_GET_IRQCHIP,
						  &state->chips[i]) >= 0;
	}
	state->has_pit = ls_ioctl_ptr(machine->engine, machine->vm, KVM_GET_PIT2, &state->pit) >= 0;
	for (unsigned int i = 0; i < machine->vcpu_count && !ret; i++)
		ret = vcpu_capture(&machine->vcpus[i], err);
	return ret;
}

static int reset_hardware(struct machine *machine, struct ls_error *err)
{
	const struct chip_state *state = machine->power_on;
	int ret = 0;

	for (unsigned int i = 0; i < machine->vcpu_count; i++)
		vcpu_complete_io(&machine->vcpus[i]);
	for (unsigned int i = 0; i < 3; i++) {
		if (state->has_chip[i])
			ls_ioctl_ptr(machine->engine, machine->vm, KVM_SET_IRQCHIP,
				     &state->chips[i]);
	}
	if (state->has_pit)
		ls_ioctl_ptr(machine->engine, machine->vm, KVM_SET_PIT2, &state->pit);
	for (size_t i = 0; i < machine->device_count; i++) {
		if (machine->devices[i].reset)
			machine->devices[i].reset(machine->devices[i].opaque);
	}
	for (unsigned int i = 0; i < machine->vcpu_count && !ret; i++)
		ret = vcpu_restore(&machine->vcpus[i], err);
	return ret;
}

int machine_reset(struct machine *machine, struct ls_error *err)
{
	int ret = reset_hardware(machine, err);

	return ret ? ret : machine_load(machine, err);
}

int machine_resume_from_sleep(struct machine *machine, struct ls_error *err)
{
	struct boot_state boot = {.mode = BOOT_RESET};
	int ret = reset_hardware(machine, err);

	if (ret)
		return ret;
	pm_woken(machine);
	if (machine->config.boot == MACHINE_BOOT_FIRMWARE) {
		/* Firmware sees this and jumps to the waking vector itself. */
		rtc_cmos_write(machine->rtc, RTC_CMOS_SHUTDOWN, RTC_SHUTDOWN_SUSPEND);
		return 0;
	}
	boot.entry = acpi_waking_vector(machine);
	if (!boot.entry)
		return ls_error_set(err, -EINVAL,
				    "the guest went to sleep (S3) without a waking vector");
	boot.mode = BOOT_REAL;
	return boot_apply(machine, &boot, err);
}
