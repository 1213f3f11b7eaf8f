/* SPDX-License-Identifier: Apache-2.0 */
/* Building a machine from its config, running it, taking it down. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine/acpi/tables.h"
#include "machine/chips.h"
#include "machine/console.h"
#include "machine/cpu_model.h"
#include "machine/fw_cfg.h"
#include "machine/host_clock.h"
#include "machine/image.h"
#include "machine/internal.h"
#include "machine/irqchip.h"
#include "machine/leave.h"
#include "machine/load.h"
#include "machine/pm.h"
#include "machine/rtc.h"
#include "machine/snapshot.h"
#include "machine/uart.h"

static int machine_create_devices(struct machine *machine, struct ls_error *err)
{
	const struct machine_config *config = &machine->config;
	const struct {
		bool wanted;
		int (*create)(struct machine *machine, struct ls_error *err);
	} chips[] = {
		{config->irqchip == MACHINE_IRQCHIP_SPLIT, split_irqchip_create},
		{true, pm_create}, /* before the RTC, whose alarm it hears of */
		{true, rtc_create},
		{true, uart_create},
		{true, i8042_create},
		{true, port92_create},
		{true, fw_cfg_create},
		{config->exit_port, exit_port_create},
		{config->testdev, testdev_create},
		/* The test device has 0xe9 itself. */
		{config->debug_output && !config->testdev, debug_port_create},
		{config->vmport, vmport_create},
	};
	int ret = 0;

	for (size_t i = 0; i < sizeof(chips) / sizeof(chips[0]) && !ret; i++) {
		if (chips[i].wanted)
			ret = chips[i].create(machine, err);
	}
	if (!ret && !config->no_pci)
		ret = machine_pci_create(machine, config, err);
	return ret;
}

/* What firmware reads: memory map, ACPI, and that there is a serial console and no need to
 * wait at a menu. */
static int machine_fill_fw_cfg(struct machine *machine, struct ls_error *err)
{
	struct memory_map_entry map[MEMORY_MAP_MAX];
	struct memory_map_entry ram[MEMORY_MAP_MAX];
	size_t entries = memory_map_fill(machine, map), used = 0;
	uint64_t serial = UART_BASE, no_menu = 0;
	const char *append = machine->config.append ? machine->config.append : "";
	uint32_t append_size = (uint32_t)strlen(append) + 1;
	int ret;

	/* Firmware carves the first megabyte itself: RAM is told as installed. */
	ram[used++] = (struct memory_map_entry){0, machine_memory_low(machine), MEMORY_MAP_RAM};
	for (size_t i = 0; i < entries; i++) {
		if (map[i].base >= MEMORY_LOW_END)
			ram[used++] = map[i];
	}
	ret = fw_cfg_add_file(machine->fw_cfg, "etc/e820", ram, used * sizeof(ram[0]), err);
	if (!ret)
		ret = fw_cfg_add(machine->fw_cfg, FW_CFG_CMDLINE_SIZE, &append_size,
				 sizeof(append_size), err);
	if (!ret)
		ret = fw_cfg_add(machine->fw_cfg, FW_CFG_CMDLINE_DATA, append, append_size, err);
	if (!ret)
		ret = fw_cfg_add_file(machine->fw_cfg, "etc/sercon-port", &serial, sizeof(serial),
				      err);
	if (!ret)
		ret = fw_cfg_add_file(machine->fw_cfg, "etc/show-boot-menu", &no_menu,
				      sizeof(no_menu), err);
	return ret ? ret : acpi_offer(machine, err);
}

/* At the start, or where a snapshot was taken. */
static int machine_start(struct machine *machine, struct ls_error *err)
{
	int ret;

	if (!machine->config.snapshot)
		return machine_load(machine, err);
	ret = machine_image_apply(machine, machine->image, err);
	machine->image = NULL;
	return ret;
}

static int machine_build(struct machine *machine, const struct machine_config *config,
			 struct ls_error *err)
{
	int ret = config_copy(&machine->config, config, err);

	machine->wish = machine->config;
	machine->turns.dead_since = LS_NEVER;
	if (config->snapshot)
		machine->image = snapshot_image(config->snapshot);
	if (!ret)
		ret = config_check(&machine->config, err);
	if (!ret)
		ret = engine_open(machine, config, err);
	if (!ret)
		ret = leave_check(machine, err);
	if (!ret)
		ret = cpu_model_settle(machine, err);
	if (!ret)
		ret = machine->image ? machine_image_check_cpu(machine, machine->image, err) : 0;
	if (!ret)
		ret = engine_create_vm(machine, err);
	if (!ret)
		ret = engine_create_clock(machine, err);
	if (!ret)
		ret = memory_create(machine, err);
	if (!ret)
		ret = machine_console_create(machine, err);
	if (!ret)
		ret = engine_create_vcpus(machine, err);
	if (!ret)
		ret = machine_create_devices(machine, err);
	if (!ret)
		ret = machine_fill_fw_cfg(machine, err);
	if (!ret)
		ret = reset_capture(machine, err);
	return ret ? ret : machine_start(machine, err);
}

struct machine *machine_create(const struct machine_config *config, struct ls_error *err)
{
	struct machine *machine = calloc(1, sizeof(*machine));

	if (!machine) {
		ls_error_set(err, -ENOMEM, "no memory for the machine");
		return NULL;
	}
	machine->vm = -1;
	machine->wake_fd = -1;
	bus_init(&machine->ports, "port", 0x10000);
	bus_init(&machine->mmio, "MMIO", 0);
	if (control_create(machine, err) < 0 || machine_build(machine, config, err) < 0) {
		machine_destroy(machine);
		return NULL;
	}
	return machine;
}

void machine_destroy(struct machine *machine)
{
	if (!machine)
		return;
	while (machine->device_count) {
		struct machine_device *device = &machine->devices[--machine->device_count];

		if (device->destroy)
			device->destroy(device->opaque);
	}
	free(machine->devices);
	machine_console_destroy(machine);
	engine_close(machine);
	memory_destroy(machine);
	symbols_free(&machine->symbols);
	bus_free(&machine->ports);
	bus_free(&machine->mmio);
	free(machine->sources);
	free(machine->power_on);
	control_destroy(machine);
	config_free(&machine->config);
	free(machine);
}

int chip_add(struct machine *machine, const struct machine_device *device,
	     const struct bus_region *ports, size_t count, struct ls_error *err)
{
	int ret = machine_attach(machine, device, err);

	if (ret) {
		device->destroy(device->opaque);
		return ret;
	}
	if (device->reset)
		device->reset(device->opaque);
	for (size_t i = 0; i < count && !ret; i++)
		ret = bus_add(&machine->ports, &ports[i], err);
	return ret;
}

int machine_run(struct machine *machine, struct machine_result *result, struct ls_error *err)
{
	int ret = verifier_start(machine, err);

	for (unsigned int i = 0; i < machine->vcpu_count && machine->config.single_step &&
				 !machine->config.step_from && !ret;
	     i++)
		ret = vcpu_single_step(&machine->vcpus[i], err);
	if (!ret)
		ret = trigger_arm(machine, err);
	while (!ret) {
		machine->host_start = host_time_ns() - machine->clock->now(machine->clock);
		if (machine->config.schedule == MACHINE_PARALLEL)
			ret = scheduler_run_parallel(machine, err);
		else
			scheduler_run_round_robin(machine);
		if (ret || !leave_carry_out(machine))
			break;
	}
	verifier_finish(machine);
	leave_finish(machine);
	machine_lock(machine);
	console_flush(machine);
	machine_unlock(machine);
	if (machine->config.stopped)
		machine->config.stopped(machine->config.stopped_opaque);
	*result = machine->result;
	result->unclaimed = machine->ports.unclaimed + machine->mmio.unclaimed;
	result->switches = machine->switches;
	return ret;
}

int machine_attach(struct machine *machine, const struct machine_device *device,
		   struct ls_error *err)
{
	if (machine->device_count == machine->device_room) {
		size_t room = machine->device_room ? 2 * machine->device_room : 16;
		struct machine_device *devices =
			realloc(machine->devices, room * sizeof(*machine->devices));

		if (!devices)
			return ls_error_set(err, -ENOMEM, "no memory for device %s", device->name);
		machine->devices = devices;
		machine->device_room = room;
	}
	machine->devices[machine->device_count++] = *device;
	return 0;
}

struct ls_engine *machine_engine(struct machine *machine)
{
	return machine->engine;
}

int machine_vm(struct machine *machine)
{
	return machine->vm;
}

unsigned int machine_vcpu_count(struct machine *machine)
{
	return machine->vcpu_count;
}

int machine_vcpu(struct machine *machine, unsigned int index)
{
	return index < machine->vcpu_count ? machine->vcpus[index].fd : -EINVAL;
}

struct kvm_run *machine_vcpu_run(struct machine *machine, unsigned int index)
{
	return machine->vcpus[index].run;
}

const struct machine_config *machine_config(struct machine *machine)
{
	return &machine->config;
}

const struct symbols *machine_symbols(struct machine *machine)
{
	return machine->symbols.count ? &machine->symbols : NULL;
}

struct ls_clock *machine_clock(struct machine *machine)
{
	return machine->clock;
}

struct bus *machine_ports(struct machine *machine)
{
	return &machine->ports;
}

struct bus *machine_mmio(struct machine *machine)
{
	return &machine->mmio;
}
