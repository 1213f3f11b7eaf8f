/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/fw_cfg.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "machine/chips.h"
#include "machine/internal.h"
#include "record/record.h"

#define SELECTOR_PORT 0x510
#define DMA_PORT      0x514
#define KEY_MASK      0xbfff /* bit 14 asks for writing, which no item allows */

#define DMA_ERROR  0x01
#define DMA_READ   0x02
#define DMA_SKIP   0x04
#define DMA_SELECT 0x08
#define DMA_WRITE  0x10

struct item {
	uint16_t key;
	char name[FW_CFG_NAME_SIZE]; /* empty: not a file */
	uint8_t *data;
	size_t size;
};

/* One entry of the directory; big-endian. */
struct directory_entry {
	uint32_t size;
	uint16_t select;
	uint16_t reserved;
	char name[FW_CFG_NAME_SIZE];
};

struct dma_access {
	uint32_t control, length;
	uint64_t address;
};

struct fw_cfg {
	struct machine *machine;
	struct item *items;
	size_t count, room;
	uint16_t next_file;
	uint16_t key; /* selected */
	uint64_t offset;
	uint64_t dma_address;
};

static struct item *item_find(const struct fw_cfg *fw_cfg, uint16_t key)
{
	for (size_t i = 0; i < fw_cfg->count; i++) {
		if (fw_cfg->items[i].key == key)
			return &fw_cfg->items[i];
	}
	return NULL;
}

static struct item *item_find_file(const struct fw_cfg *fw_cfg, const char *name)
{
	for (size_t i = 0; i < fw_cfg->count; i++) {
		if (!strcmp(fw_cfg->items[i].name, name))
			return &fw_cfg->items[i];
	}
	return NULL;
}

static struct item *item_new(struct fw_cfg *fw_cfg, uint16_t key)
{
	if (fw_cfg->count == fw_cfg->room) {
		size_t room = fw_cfg->room ? 2 * fw_cfg->room : 16;
		struct item *items = realloc(fw_cfg->items, room * sizeof(*items));

		if (!items)
			return NULL;
		fw_cfg->items = items;
		fw_cfg->room = room;
	}
	fw_cfg->items[fw_cfg->count] = (struct item){.key = key};
	return &fw_cfg->items[fw_cfg->count++];
}

static int item_set(struct item *item, const void *data, size_t size, struct ls_error *err)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy || !item) {
		free(copy);
		return ls_error_set(err, -ENOMEM, "no memory for a fw_cfg item");
	}
	if (size)
		memcpy(copy, data, size);
	free(item->data);
	item->data = copy;
	item->size = size;
	return 0;
}

int fw_cfg_add(struct fw_cfg *fw_cfg, uint16_t key, const void *data, size_t size,
	       struct ls_error *err)
{
	struct item *item = item_find(fw_cfg, key);

	return item_set(item ? item : item_new(fw_cfg, key), data, size, err);
}

/* The directory is an item like others, made anew when a file is added. */
static int directory_update(struct fw_cfg *fw_cfg, struct ls_error *err)
{
	size_t room = sizeof(uint32_t) + fw_cfg->count * sizeof(struct directory_entry);
	uint8_t *directory = calloc(1, room);
	struct directory_entry *entry = (void *)(directory + sizeof(uint32_t));
	uint32_t files = 0;
	int ret;

	if (!directory)
		return ls_error_set(err, -ENOMEM, "no memory for the fw_cfg directory");
	for (size_t i = 0; i < fw_cfg->count; i++) {
		const struct item *item = &fw_cfg->items[i];

		if (!item->name[0])
			continue;
		entry[files].size = htobe32((uint32_t)item->size);
		entry[files].select = htobe16(item->key);
		memcpy(entry[files].name, item->name, FW_CFG_NAME_SIZE);
		files++;
	}
	*(uint32_t *)directory = htobe32(files);
	ret = fw_cfg_add(fw_cfg, FW_CFG_FILE_DIR, directory,
			 sizeof(uint32_t) + files * sizeof(*entry), err);
	free(directory);
	return ret;
}

int fw_cfg_add_file(struct fw_cfg *fw_cfg, const char *name, const void *data, size_t size,
		    struct ls_error *err)
{
	struct item *item = item_find_file(fw_cfg, name);
	int ret;

	if (!item)
		item = item_new(fw_cfg, fw_cfg->next_file++);
	ret = item_set(item, data, size, err);
	if (ret)
		return ret;
	snprintf(item->name, sizeof(item->name), "%s", name);
	return directory_update(fw_cfg, err);
}

static uint8_t fw_cfg_next(struct fw_cfg *fw_cfg)
{
	const struct item *item = item_find(fw_cfg, fw_cfg->key);

	if (!item || fw_cfg->offset >= item->size)
		return 0; /* beyond the end, and for unknown keys */
	return item->data[fw_cfg->offset++];
}

static void fw_cfg_select(struct fw_cfg *fw_cfg, uint16_t key)
{
	fw_cfg->key = key & KEY_MASK;
	fw_cfg->offset = 0;
}

/* Copies @length bytes of the selected item to memory, zeroes beyond its end. */
static int dma_read(struct fw_cfg *fw_cfg, uint64_t address, uint64_t length)
{
	const struct item *item = item_find(fw_cfg, fw_cfg->key);
	uint64_t left = item && fw_cfg->offset < item->size ? item->size - fw_cfg->offset : 0;
	uint64_t piece = left < length ? left : length;
	int ret = 0;

	if (!machine_memory_ptr(fw_cfg->machine, address, length))
		return -EFAULT;
	if (piece)
		ret = machine_dma_write(fw_cfg->machine, address, item->data + fw_cfg->offset,
					piece);
	if (!ret && length > piece)
		ret = machine_dma_zero(fw_cfg->machine, address + piece, length - piece);
	fw_cfg->offset += piece;
	return ret;
}

static void dma_run(struct fw_cfg *fw_cfg, uint64_t at)
{
	struct dma_access access;
	uint32_t control, length, status = 0;

	if (machine_dma_read(fw_cfg->machine, at, &access, sizeof(access)) < 0)
		return;
	control = be32toh(access.control);
	length = be32toh(access.length);
	if (control & DMA_SELECT)
		fw_cfg_select(fw_cfg, (uint16_t)(control >> 16));
	if (control & DMA_READ) {
		if (dma_read(fw_cfg, be64toh(access.address), length) < 0)
			status = DMA_ERROR;
	} else if (control & DMA_WRITE) {
		status = DMA_ERROR;
	} else if (control & DMA_SKIP) {
		fw_cfg->offset += length;
	}
	status = htobe32(status); /* 0: done */
	machine_dma_write(fw_cfg->machine, at, &status, sizeof(status));
}

static uint64_t selector_read(void *opaque, uint64_t offset, unsigned int size)
{
	(void)size;
	return offset == 1 ? fw_cfg_next(opaque) : 0;
}

static void selector_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	if (offset == 0 && size == 2)
		fw_cfg_select(opaque, (uint16_t)value);
}

static uint64_t dma_port_read(void *opaque, uint64_t offset, unsigned int size)
{
	static const uint8_t signature[8] = "QEMU CFG";
	uint64_t value = 0;

	(void)opaque;
	memcpy(&value, signature + offset, size);
	return value;
}

static void dma_port_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct fw_cfg *fw_cfg = opaque;
	uint64_t address;

	if (size != 4)
		return;
	if (offset == 0) {
		fw_cfg->dma_address = (uint64_t)be32toh((uint32_t)value) << 32;
	} else if (offset == 4) {
		address = fw_cfg->dma_address | be32toh((uint32_t)value);
		fw_cfg->dma_address = 0;
		dma_run(fw_cfg, address);
	}
}

static void fw_cfg_reset(void *opaque)
{
	struct fw_cfg *fw_cfg = opaque;

	fw_cfg_select(fw_cfg, FW_CFG_SIGNATURE);
	fw_cfg->dma_address = 0;
}

static void fw_cfg_destroy(void *opaque)
{
	struct fw_cfg *fw_cfg = opaque;

	for (size_t i = 0; i < fw_cfg->count; i++)
		free(fw_cfg->items[i].data);
	free(fw_cfg->items);
	free(fw_cfg);
}

static const struct record_field fw_cfg_fields[] = {
	RECORD_FIELD(struct fw_cfg, key),
	RECORD_FIELD(struct fw_cfg, offset),
	RECORD_FIELD(struct fw_cfg, dma_address),
};
static const struct record_table fw_cfg_table = {
	.name = "fw_cfg", .version = 1, RECORD_FIELDS(fw_cfg_fields)};

static const struct bus_ops selector_ops = {
	.read = selector_read, .write = selector_write, .widest = 2};
static const struct bus_ops dma_ops = {.read = dma_port_read, .write = dma_port_write, .widest = 4};

static int fw_cfg_add_basics(struct fw_cfg *fw_cfg, struct ls_error *err)
{
	struct machine *machine = fw_cfg->machine;
	uint32_t id = htole32(3); /* ports and DMA */
	uint64_t ram = htole64(machine->config.memory);
	uint16_t cpus = htole16((uint16_t)machine->vcpu_count);
	uint16_t nographic = htole16(1);
	uint8_t irq0 = 1;
	const struct {
		uint16_t key;
		const void *data;
		size_t size;
	} basics[] = {
		{FW_CFG_SIGNATURE, "QEMU", 4},
		{FW_CFG_ID, &id, sizeof(id)},
		{FW_CFG_RAM_SIZE, &ram, sizeof(ram)},
		{FW_CFG_NOGRAPHIC, &nographic, sizeof(nographic)},
		{FW_CFG_NB_CPUS, &cpus, sizeof(cpus)},
		{FW_CFG_MAX_CPUS, &cpus, sizeof(cpus)},
		{FW_CFG_IRQ0, &irq0, sizeof(irq0)},
	};
	int ret = 0;

	for (size_t i = 0; i < sizeof(basics) / sizeof(basics[0]) && !ret; i++)
		ret = fw_cfg_add(fw_cfg, basics[i].key, basics[i].data, basics[i].size, err);
	return ret ? ret : directory_update(fw_cfg, err);
}

int fw_cfg_create(struct machine *machine, struct ls_error *err)
{
	struct fw_cfg *fw_cfg = calloc(1, sizeof(*fw_cfg));
	const struct bus_region ports[] = {
		{.name = "fw_cfg",
		 .base = SELECTOR_PORT,
		 .size = 2,
		 .ops = &selector_ops,
		 .opaque = fw_cfg},
		{.name = "fw_cfg DMA",
		 .base = DMA_PORT,
		 .size = 8,
		 .ops = &dma_ops,
		 .opaque = fw_cfg},
	};
	struct machine_device device = {.name = "fw_cfg",
					.state = &fw_cfg_table,
					.reset = fw_cfg_reset,
					.destroy = fw_cfg_destroy,
					.opaque = fw_cfg};
	int ret;

	if (!fw_cfg)
		return ls_error_set(err, -ENOMEM, "no memory for fw_cfg");
	fw_cfg->machine = machine;
	fw_cfg->next_file = FW_CFG_FILE_FIRST;
	ret = chip_add(machine, &device, ports, 2, err);
	if (ret)
		return ret;
	machine->fw_cfg = fw_cfg;
	return fw_cfg_add_basics(fw_cfg, err);
}
