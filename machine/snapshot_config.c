/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration in a snapshot: names and values as text, so that a person can read them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "machine/snapshot_file.h"

enum item_kind { ITEM_TEXT, ITEM_PATH, ITEM_BOOL, ITEM_U16, ITEM_U32, ITEM_U64 };

static const struct item {
	const char *name;
	enum item_kind kind;
	size_t offset;
} items[] = {
#define ITEM(name, kind, member)                                                                   \
	{                                                                                          \
		name, kind, offsetof(struct machine_config, member)                                \
	}
	ITEM("cpu", ITEM_TEXT, cpu),
	ITEM("vcpus", ITEM_U32, vcpus),
	ITEM("memory", ITEM_U64, memory),
	ITEM("boot", ITEM_U32, boot),
	ITEM("kernel", ITEM_PATH, kernel),
	ITEM("initrd", ITEM_PATH, initrd),
	ITEM("append", ITEM_TEXT, append),
	ITEM("serial", ITEM_BOOL, serial),
	ITEM("virtio-console", ITEM_BOOL, virtio_console),
	ITEM("disks", ITEM_U32, disk_count),
	ITEM("disk0", ITEM_PATH, disks[0].path),
	ITEM("disk0-read-only", ITEM_BOOL, disks[0].read_only),
	ITEM("disk1", ITEM_PATH, disks[1].path),
	ITEM("disk1-read-only", ITEM_BOOL, disks[1].read_only),
	ITEM("disk2", ITEM_PATH, disks[2].path),
	ITEM("disk2-read-only", ITEM_BOOL, disks[2].read_only),
	ITEM("disk3", ITEM_PATH, disks[3].path),
	ITEM("disk3-read-only", ITEM_BOOL, disks[3].read_only),
	ITEM("disk4", ITEM_PATH, disks[4].path),
	ITEM("disk4-read-only", ITEM_BOOL, disks[4].read_only),
	ITEM("disk5", ITEM_PATH, disks[5].path),
	ITEM("disk5-read-only", ITEM_BOOL, disks[5].read_only),
	ITEM("disk6", ITEM_PATH, disks[6].path),
	ITEM("disk6-read-only", ITEM_BOOL, disks[6].read_only),
	ITEM("disk7", ITEM_PATH, disks[7].path),
	ITEM("disk7-read-only", ITEM_BOOL, disks[7].read_only),
	ITEM("net", ITEM_U32, net.kind),
	ITEM("tap", ITEM_TEXT, net.tap),
	ITEM("rng", ITEM_BOOL, virtio_rng),
	ITEM("rng-seed", ITEM_U64, rng_seed),
	ITEM("irqchip", ITEM_U32, irqchip),
	ITEM("quantum", ITEM_U64, quantum_ns),
	ITEM("epoch", ITEM_U64, epoch),
	ITEM("testdev", ITEM_BOOL, testdev),
	ITEM("pci-testdev", ITEM_BOOL, pci_testdev),
	ITEM("exit-port", ITEM_BOOL, exit_port),
	ITEM("exit-port-base", ITEM_U16, exit_port_base),
	ITEM("exit-port-size", ITEM_U16, exit_port_size),
	ITEM("no-pit", ITEM_BOOL, no_pit),
	ITEM("no-pci", ITEM_BOOL, no_pci),
	ITEM("vmport", ITEM_BOOL, vmport),
	ITEM("no-reboot", ITEM_BOOL, no_reboot),
#undef ITEM
};

#define ITEMS (sizeof(items) / sizeof(items[0]))

static const size_t item_sizes[] = {
	[ITEM_BOOL] = sizeof(bool),
	[ITEM_U16] = sizeof(uint16_t),
	[ITEM_U32] = sizeof(uint32_t),
	[ITEM_U64] = sizeof(uint64_t),
};

static bool is_text(const struct item *item)
{
	return item->kind == ITEM_TEXT || item->kind == ITEM_PATH;
}

/* Whoever loads it may be in another folder. */
static char *absolute(const char *path)
{
	char *whole = realpath(path, NULL);

	return whole ? whole : strdup(path);
}

static int put_text(struct record_buffer *to, const struct item *item, const char *text,
		    struct ls_error *err)
{
	char *value;

	if (!text)
		return 0;
	value = item->kind == ITEM_PATH ? absolute(text) : strdup(text);
	if (!value)
		return ls_error_set(err, -ENOMEM, "no memory for the configuration");
	record_put_string(to, item->name);
	record_put_string(to, value);
	free(value);
	return 0;
}

static void put_number(struct record_buffer *to, const struct item *item, const void *at)
{
	char text[24];
	uint64_t value = 0;

	memcpy(&value, at, item_sizes[item->kind]);
	if (!value)
		return;
	snprintf(text, sizeof(text), "%" PRIu64, value);
	record_put_string(to, item->name);
	record_put_string(to, text);
}

/* Zeros, the defaults, are left out. */
int snapshot_put_config(struct record_buffer *to, const struct machine_config *config,
			struct ls_error *err)
{
	int ret = 0;

	for (size_t i = 0; i < ITEMS && !ret; i++) {
		const void *at = (const char *)config + items[i].offset;

		if (is_text(&items[i]))
			ret = put_text(to, &items[i], *(const char *const *)at, err);
		else
			put_number(to, &items[i], at);
	}
	record_put_string(to, "");
	return ret;
}

/* --- and back --- */

static char *take_string(struct record_reader *from)
{
	uint64_t length;
	const char *text = NULL;

	if (record_take_u64(from, &length))
		text = record_take(from, length);
	return text ? strndup(text, length) : NULL;
}

static int keep(struct snapshot *snapshot, char *text)
{
	char **list = realloc(snapshot->items, (snapshot->item_count + 1) * sizeof(*list));

	if (!list || !text) {
		free(text);
		if (list)
			snapshot->items = list;
		return -EINVAL;
	}
	snapshot->items = list;
	snapshot->items[snapshot->item_count++] = text;
	return 0;
}

int snapshot_take_config(struct record_reader *from, struct snapshot *snapshot,
			 struct ls_error *err)
{
	for (;;) {
		char *name = take_string(from);

		if (name && !*name) {
			free(name);
			return 0;
		}
		if (keep(snapshot, name) || keep(snapshot, take_string(from)))
			return ls_error_set(err, -EINVAL, "its configuration ends early");
	}
}

void snapshot_free_config(struct snapshot *snapshot)
{
	for (unsigned int i = 0; i < snapshot->item_count; i++)
		free(snapshot->items[i]);
	free(snapshot->items);
}

const char *snapshot_item(const struct snapshot *snapshot, unsigned int n, const char **value)
{
	if (2 * n + 1 >= snapshot->item_count)
		return NULL;
	*value = snapshot->items[2 * n + 1];
	return snapshot->items[2 * n];
}

static const struct item *item_find(const char *name)
{
	for (size_t i = 0; i < ITEMS; i++) {
		if (!strcmp(items[i].name, name))
			return &items[i];
	}
	return NULL;
}

static void set_item(struct machine_config *config, const struct item *item, const char *value)
{
	void *at = (char *)config + item->offset;
	uint64_t number;

	if (is_text(item)) {
		*(const char **)at = value;
		return;
	}
	number = strtoull(value, NULL, 10);
	memcpy(at, &number, item_sizes[item->kind]);
}

int snapshot_config(const struct snapshot *snapshot, struct machine_config *config,
		    struct ls_error *err)
{
	const char *name, *value;

	for (unsigned int n = 0; (name = snapshot_item(snapshot, n, &value)); n++) {
		const struct item *item = item_find(name);

		if (!item)
			return ls_error_set(err, -EBADMSG,
					    "snapshot '%s': its machine has '%s', which is not "
					    "known here; load it with the version that saved it",
					    snapshot->path, name);
		set_item(config, item, value);
	}
	config->snapshot = snapshot;
	return 0;
}
