/* SPDX-License-Identifier: Apache-2.0 */
/* From one engine to another: memory stays where it is, all else is carried over in an image. */
#include <string.h>

#include "machine/doorbell.h"
#include "machine/image.h"
#include "machine/internal.h"
#include "machine/leave.h"

/* What the config left to the engine is the next one's to say; the chips stay where they are. */
static void choose_engine(struct machine *machine)
{
	struct machine_config *config = &machine->config;
	const struct ls_engine_ops *from = config->engine;

	config->engine = config->leave.to;
	config->leave.to = from;
	config->schedule = machine->wish.schedule;
	config->clock = machine->wish.clock;
}

static int build(struct machine *machine, struct ls_error *err)
{
	int ret = engine_open(machine, &machine->config, err);

	if (!ret)
		ret = machine_image_check_cpu(machine, machine->image, err);
	if (!ret)
		ret = engine_create_vm(machine, err);
	if (!ret)
		ret = engine_create_clock(machine, err);
	if (!ret)
		ret = memory_attach(machine, err);
	if (!ret)
		ret = engine_create_vcpus(machine, err);
	if (!ret)
		doorbells_attach(machine);
	return ret ? ret : reset_capture(machine, err);
}

/* Before this engine is closed. */
static int check_other(struct machine *machine, const struct machine_image *image,
		       struct ls_error *err)
{
	struct machine other = {.config = machine->config};
	int ret;

	other.engine = machine->config.leave.to->open(err);
	if (!other.engine)
		return -ENODEV;
	ret = machine_image_check_cpu(&other, image, err);
	other.engine->ops->close(other.engine, LS_SYSTEM);
	return ret;
}

int machine_switch(struct machine *machine, struct ls_error *err)
{
	struct machine_image image = {0};
	int ret = machine_image_capture(machine, &image, err);

	if (!ret)
		ret = check_other(machine, &image, err);
	if (!ret) {
		engine_close(machine);
		machine->image = &image;
		choose_engine(machine);
		ret = build(machine, err);
		machine->image = NULL;
	}
	if (!ret)
		ret = machine_image_apply(machine, &image, err);
	machine_image_free(&image);
	return ret;
}
