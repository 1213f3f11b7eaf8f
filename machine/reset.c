/* SPDX-License-Identifier: Apache-2.0 */
/* Back to power-on: vCPUs, the engine's chips, the machine's devices. */
#include <stdlib.h>
#include <string.h>

#include "machine/acpi/tables.h"
#include "machine/chip_state.h"
#include "machine/internal.h"
#include "machine/load.h"
#include "machine/pm.h"
#include "machine/rtc.h"

int reset_capture(struct machine *machine, struct ls_error *err)
{
	int ret = 0;

	free(machine->power_on);
	machine->power_on = chip_state_new();
	if (!machine->power_on)
		return ls_error_set(err, -ENOMEM, "no memory for the power-on state");
	chip_state_read(machine, machine->power_on);
	for (unsigned int i = 0; i < machine->vcpu_count && !ret; i++)
		ret = vcpu_capture(&machine->vcpus[i], err);
	return ret;
}

static int reset_hardware(struct machine *machine, struct ls_error *err)
{
	int ret = 0;

	for (unsigned int i = 0; i < machine->vcpu_count; i++)
		vcpu_complete_io(&machine->vcpus[i]);
	routes_settle(machine);
	chip_state_write(machine, machine->power_on);
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
