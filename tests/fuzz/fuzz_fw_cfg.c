/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Firmware that treats fw_cfg badly: any selector, reads beyond every item's end, DMA
 * descriptors with any address and length, anywhere in memory and outside of it.
 */
#include <endian.h>

#include "machine/fw_cfg.h"
#include "machine_rig.h"

#define PORT 0x510

struct input {
	const uint8_t *at, *end;
};

static uint8_t next8(struct input *input)
{
	return input->at < input->end ? *input->at++ : 0;
}

static uint32_t next32(struct input *input)
{
	uint32_t value = 0;
	int i;

	for (i = 0; i < 4; i++)
		value |= (uint32_t)next8(input) << (8 * i);
	return value;
}

static void select_item(struct machine *machine, struct input *input)
{
	uint16_t low = next8(input);

	bus_write(&machine->ports, PORT, 2, low | (uint64_t)next8(input) << 8);
}

static void read_data(struct machine *machine, struct input *input)
{
	unsigned int n = next8(input);

	while (n--)
		bus_read(&machine->ports, PORT + 1, 1);
}

static void any_port(struct machine *machine, struct input *input)
{
	uint64_t at = PORT + next8(input) % 16;
	unsigned int size = 1u << next8(input) % 4;

	bus_write(&machine->ports, at, size, next32(input));
	bus_read(&machine->ports, at, size);
}

/* An address in memory, at its end, at the end of 32 bits or of 64. */
static uint64_t address(struct input *input)
{
	static const uint64_t ends[] = {0, RIG_MACHINE_MEMORY, 1ull << 32, 0};
	uint8_t which = next8(input);
	uint64_t offset = next32(input) & (which & 0x80 ? UINT32_MAX : 0x3fu);

	return which & 1 ? ends[which >> 1 & 3] - offset : 0x1000 + offset;
}

static void dma(struct machine *machine, struct input *input)
{
	uint64_t at = address(input);
	struct {
		uint32_t control, length;
		uint64_t address;
	} access = {htobe32(next32(input)), 0, 0};

	access.address = htobe64(address(input));
	access.length = htobe32(next8(input) & 1 ? next32(input) : next8(input));
	machine_dma_write(machine, at, &access, sizeof(access));
	bus_write(&machine->ports, PORT + 4, 4, htobe32((uint32_t)(at >> 32)));
	bus_write(&machine->ports, PORT + 8, 4, htobe32((uint32_t)at));
}

static void (*const actions[])(struct machine *machine,
			       struct input *input) = {select_item, read_data, any_port, dma, dma};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, data + size};
	struct ls_engine engine;
	struct machine *machine = machine_rig_create(&engine, NULL);

	if (fw_cfg_create(machine, NULL) < 0 ||
	    fw_cfg_add_file(machine->fw_cfg, "etc/file", data, size, NULL) < 0)
		abort();
	while (input.at < input.end)
		actions[next8(&input) % (sizeof(actions) / sizeof(actions[0]))](machine, &input);
	machine_rig_destroy(machine);
	return 0;
}
