/* SPDX-License-Identifier: Apache-2.0 */
/* -device, -machine, -drive and -netdev of lockstep-qemu. */
#include <string.h>

#include "tools/qemu_front.h"
#include "tools/size.h"

static int qemu_attach_disk(struct qemu_front *front, const struct machine_disk *disk,
			    struct ls_error *err)
{
	struct machine_config *config = &front->session.config;

	if (config->disk_count == MACHINE_MAX_DISKS)
		return ls_error_set(err, -EINVAL, "-drive file=%s: there is room for %d disks",
				    disk->path, MACHINE_MAX_DISKS);
	config->disks[config->disk_count++] = *disk;
	return 0;
}

/* --- devices --- */

static int device_pc_testdev(struct qemu_front *front, const GPtrArray *properties,
			     struct ls_error *err)
{
	(void)properties;
	(void)err;
	front->session.config.testdev = true;
	return 0;
}

static int device_pci_testdev(struct qemu_front *front, const GPtrArray *properties,
			      struct ls_error *err)
{
	(void)properties;
	(void)err;
	front->session.config.pci_testdev = true;
	return 0;
}

static int device_debug_exit(struct qemu_front *front, const GPtrArray *properties,
			     struct ls_error *err)
{
	const char *base = qemu_property(properties, "iobase");
	const char *size = qemu_property(properties, "iosize");
	/* QEMU's defaults. */
	uint64_t port = 0x501, width = 2;

	if ((base && number_parse(base, 0xffff, &port)) ||
	    (size && (number_parse(size, 4, &width) || !width)))
		return ls_error_set(err, -EINVAL,
				    "-device isa-debug-exit: iobase or iosize is no port range");
	front->session.config.exit_port = true;
	front->session.config.exit_port_base = (uint16_t)port;
	front->session.config.exit_port_size = (uint16_t)width;
	return 0;
}

static int device_debugcon(struct qemu_front *front, const GPtrArray *properties,
			   struct ls_error *err)
{
	(void)properties;
	(void)err;
	front->session.debug_port = true;
	return 0;
}

static int device_blk(struct qemu_front *front, const GPtrArray *properties, struct ls_error *err)
{
	const char *drive = qemu_property(properties, "drive");
	const struct machine_disk *disk = drive ? g_hash_table_lookup(front->drives, drive) : NULL;

	if (!disk)
		return ls_error_set(err, -EINVAL,
				    "-device virtio-blk-pci: there is no -drive with id '%s'",
				    drive ? drive : "");
	return qemu_attach_disk(front, disk, err);
}

static int device_net(struct qemu_front *front, const GPtrArray *properties, struct ls_error *err)
{
	(void)properties;
	if (front->session.config.net.kind == MACHINE_NET_NONE)
		return ls_error_set(
			err, -EINVAL,
			"-device virtio-net-pci: give -netdev user or -netdev tap before it");
	return 0;
}

static int device_rng(struct qemu_front *front, const GPtrArray *properties, struct ls_error *err)
{
	(void)properties;
	(void)err;
	front->session.config.virtio_rng = true;
	return 0;
}

static int device_console(struct qemu_front *front, const GPtrArray *properties,
			  struct ls_error *err)
{
	(void)properties;
	(void)err;
	front->session.config.virtio_console = true;
	return 0;
}

static const struct {
	const char *name;
	int (*attach)(struct qemu_front *front, const GPtrArray *properties, struct ls_error *err);
} devices[] = {
	{"pc-testdev", device_pc_testdev},     {"pci-testdev", device_pci_testdev},
	{"isa-debug-exit", device_debug_exit}, {"isa-debugcon", device_debugcon},
	{"virtio-blk-pci", device_blk},        {"virtio-net-pci", device_net},
	{"virtio-rng-pci", device_rng},        {"virtio-serial-pci", device_console},
	{"virtconsole", device_console},
};

int qemu_device(struct qemu_front *front, const char *text, struct ls_error *err)
{
	g_autoptr(GPtrArray) properties = qemu_properties(text);
	const struct qemu_property *first;
	const char *name;
	size_t i;

	if (!properties->len)
		return ls_error_set(err, -EINVAL, "-device: say which; -device '?' lists them");
	first = g_ptr_array_index(properties, 0);
	name = strcmp(first->key, "driver") ? first->key : first->value;
	for (i = 0; i < G_N_ELEMENTS(devices); i++) {
		if (!strcmp(devices[i].name, name))
			return devices[i].attach(front, properties, err);
	}
	return ls_error_set(
		err, -EINVAL,
		"-device %s: '%s' is not a valid device model name; -device '?' lists them", text,
		name);
}

/* --- -machine --- */

static bool qemu_accel_known(const char *list)
{
	g_auto(GStrv) names = g_strsplit(list, ":", -1);
	size_t i;

	for (i = 0; names[i]; i++) {
		if (!strcmp(names[i], "tcg") || !strcmp(names[i], "kvm"))
			return true;
	}
	return false;
}

static int qemu_machine_property(struct qemu_front *front, const struct qemu_property *property,
				 struct ls_error *err)
{
	static const char *const types[] = {"pc", "q35"};
	struct machine_config *config = &front->session.config;
	const char *key = property->key, *value = property->value;
	size_t i;

	if (!strcmp(key, "type") || !property->has_value) {
		const char *type = property->has_value ? value : key;

		for (i = 0; i < G_N_ELEMENTS(types); i++) {
			if (g_str_has_prefix(type, types[i]))
				return 0;
		}
		return ls_error_set(err, -EINVAL,
				    "unsupported machine type '%s'; -machine '?' lists them", type);
	}
	if (!strcmp(key, "accel")) {
		if (qemu_accel_known(value))
			return 0;
		return ls_error_set(err, -EINVAL, "-machine accel=%s: say tcg or kvm", value);
	}
	if (!strcmp(key, "pit"))
		config->no_pit = !qemu_truth(value);
	else if (!strcmp(key, "vmport"))
		config->vmport = qemu_truth(value);
	else if (strcmp(key, "kernel-irqchip") && strcmp(key, "kernel_irqchip") &&
		 strcmp(key, "smm") && strcmp(key, "usb") && strcmp(key, "graphics") &&
		 strcmp(key, "hpet") && strcmp(key, "dump-guest-core"))
		return ls_error_set(err, -EINVAL, "-machine: property '%s' not found", key);
	return 0;
}

int qemu_machine(struct qemu_front *front, const char *text, struct ls_error *err)
{
	g_autoptr(GPtrArray) properties = qemu_properties(text);
	guint i;

	for (i = 0; i < properties->len; i++) {
		int rc = qemu_machine_property(front, g_ptr_array_index(properties, i), err);

		if (rc)
			return rc;
	}
	return 0;
}

/* --- -drive and -netdev --- */

int qemu_drive(struct qemu_front *front, const char *text, struct ls_error *err)
{
	g_autoptr(GPtrArray) properties = qemu_properties(text);
	const char *file = qemu_property(properties, "file");
	const char *format = qemu_property(properties, "format");
	const char *bus = qemu_property(properties, "if");
	const char *id = qemu_property(properties, "id");
	const char *read_only = qemu_property(properties, "readonly");
	struct machine_disk disk = {.read_only = read_only && qemu_truth(read_only)};

	if (!file)
		return ls_error_set(err, -EINVAL, "-drive %s: say file=PATH", text);
	if (format && strcmp(format, "raw"))
		return ls_error_set(err, -EINVAL,
				    "-drive format=%s: only raw images; qemu-img convert makes one",
				    format);
	disk.path = qemu_keep(front, g_strdup(file));
	if (bus && !strcmp(bus, "none")) {
		if (!id)
			return ls_error_set(err, -EINVAL, "-drive if=none: say id=NAME");
		g_hash_table_insert(front->drives, g_strdup(id), g_memdup2(&disk, sizeof(disk)));
		return 0;
	}
	if (bus && strcmp(bus, "virtio"))
		return ls_error_set(err, -EINVAL, "-drive if=%s: say virtio or none", bus);
	return qemu_attach_disk(front, &disk, err);
}

int qemu_netdev(struct qemu_front *front, const char *text, struct ls_error *err)
{
	g_autoptr(GPtrArray) properties = qemu_properties(text);
	struct machine_net *net = &front->session.config.net;
	const struct qemu_property *first = properties->len ? properties->pdata[0] : NULL;
	const char *kind = first ? first->key : "";
	const char *interface = qemu_property(properties, "ifname");

	if (!strcmp(kind, "user")) {
		net->kind = MACHINE_NET_USER;
	} else if (!strcmp(kind, "tap") && interface) {
		net->kind = MACHINE_NET_TAP;
		net->tap = qemu_keep(front, g_strdup(interface));
	} else {
		return ls_error_set(err, -EINVAL, "-netdev %s: say user, or tap with ifname=NAME",
				    text);
	}
	return 0;
}
