/* SPDX-License-Identifier: Apache-2.0 */
/* As much of a machine as loaders and port devices touch, on an engine that accepts
 * everything and runs nothing. */
#ifndef LOCKSTEP_TESTS_MACHINE_RIG_H
#define LOCKSTEP_TESTS_MACHINE_RIG_H

#include <stdlib.h>
#include <string.h>

#include "machine/internal.h"

#define RIG_MACHINE_MEMORY (16ull << 20)

static int rig_ioctl(struct ls_engine *engine, int handle, unsigned long request, unsigned long arg)
{
	(void)engine;
	(void)handle;
	(void)request;
	(void)arg;
	return 0;
}

static struct machine *machine_rig_create(struct ls_engine *engine, const char *append)
{
	static const struct ls_engine_ops ops = {.name = "rig", .ioctl = rig_ioctl};
	static const struct ls_extension ext;
	struct machine *machine = calloc(1, sizeof(*machine));

	*engine = (struct ls_engine){.ops = &ops, .ext = &ext};
	machine->engine = engine;
	machine->config.memory = RIG_MACHINE_MEMORY;
	machine->config.kernel = "input";
	machine->config.append = append;
	bus_init(&machine->ports, "port", 0x10000);
	bus_init(&machine->mmio, "MMIO", 0);
	if (memory_create(machine, NULL) < 0)
		abort();
	return machine;
}

static void machine_rig_destroy(struct machine *machine)
{
	while (machine->device_count) {
		struct machine_device *device = &machine->devices[--machine->device_count];

		if (device->destroy)
			device->destroy(device->opaque);
	}
	free(machine->devices);
	memory_destroy(machine);
	symbols_free(&machine->symbols);
	bus_free(&machine->ports);
	bus_free(&machine->mmio);
	free(machine);
}

#endif
