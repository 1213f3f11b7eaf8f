/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/load.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/acpi/tables.h"
#include "machine/fw_cfg.h"
#include "machine/internal.h"

#define IMAGE_MAX (4ull << 30)

static int image_fill(struct image *image, int fd, const char *what, struct ls_error *err)
{
	size_t done = 0;

	while (done < image->size) {
		ssize_t n = read(fd, image->data + done, image->size - done);

		if (n < 0)
			return ls_error_set(err, -errno, "cannot read the %s '%s': %s", what,
					    image->path, strerror(errno));
		if (!n) /* it shrank while we read */
			break;
		done += (size_t)n;
	}
	image->size = done;
	return 0;
}

int image_read(struct image *image, const char *path, const char *what, struct ls_error *err)
{
	struct stat status;
	int fd, ret;

	*image = (struct image){.path = path};
	if (!path || !*path)
		return ls_error_set(err, -EINVAL, "no %s was named", what);
	/* A pipe is refused below, and must not be waited for. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &status) < 0) {
		ret = -errno;
		if (fd >= 0)
			close(fd);
		return ls_error_set(err, ret, "cannot open the %s '%s': %s; check the path", what,
				    path, strerror(-ret));
	}
	if (!S_ISREG(status.st_mode) || !status.st_size || status.st_size > (off_t)IMAGE_MAX) {
		close(fd);
		return ls_error_set(err, -EINVAL, "the %s '%s' is %s; name another file", what,
				    path,
				    !S_ISREG(status.st_mode) ? "not a regular file"
				    : status.st_size         ? "larger than 4 GiB"
							     : "empty");
	}
	image->size = (size_t)status.st_size;
	image->data = malloc(image->size);
	ret = image->data ? image_fill(image, fd, what, err)
			  : ls_error_set(err, -ENOMEM, "no memory to read the %s '%s'", what, path);
	close(fd);
	if (ret)
		image_free(image);
	return ret;
}

void image_free(struct image *image)
{
	free(image->data);
	image->data = NULL;
	image->size = 0;
}

size_t memory_map_fill(struct machine *machine, struct memory_map_entry map[MEMORY_MAP_MAX])
{
	uint64_t low = machine_memory_low(machine), high = machine_memory_high(machine);
	size_t n = 0;

	map[n++] = (struct memory_map_entry){0, BOOT_EBDA, MEMORY_MAP_RAM};
	map[n++] = (struct memory_map_entry){BOOT_EBDA, 0xa0000 - BOOT_EBDA, MEMORY_MAP_RESERVED};
	map[n++] = (struct memory_map_entry){0xe0000, 0x20000, MEMORY_MAP_RESERVED};
	map[n++] = (struct memory_map_entry){BOOT_HIGH, low - BOOT_HIGH, MEMORY_MAP_RAM};
	if (!machine->config.no_pci)
		map[n++] = (struct memory_map_entry){MEMORY_ECAM_BASE, MEMORY_ECAM_SIZE,
						     MEMORY_MAP_RESERVED};
	if (high)
		map[n++] = (struct memory_map_entry){MEMORY_HIGH_START, high, MEMORY_MAP_RAM};
	return n;
}

int load_bytes(struct machine *machine, uint64_t gpa, const void *from, uint64_t size,
	       const char *what, struct ls_error *err)
{
	if (machine_dma_write(machine, gpa, from, size) < 0)
		return ls_error_set(err, -ENOSPC,
				    "%s (0x%" PRIx64 "-0x%" PRIx64 ") lies outside the %" PRIu64
				    " MiB of memory; give the machine more",
				    what, gpa, gpa + size, machine->config.memory >> 20);
	return 0;
}

int load_cmdline(struct machine *machine, const char *prefix, size_t limit, struct ls_error *err)
{
	const char *append = machine->config.append ? machine->config.append : "";
	size_t length = strlen(append) + (prefix ? strlen(prefix) + 1 : 0);
	char *text;
	int ret;

	if (limit > BOOT_CMDLINE_ROOM)
		limit = BOOT_CMDLINE_ROOM;
	if (length >= limit)
		return ls_error_set(err, -E2BIG,
				    "the command line has %zu characters; '%s' takes at most %zu",
				    length, machine->config.kernel, limit - 1);
	text = malloc(length + 2);
	if (!text)
		return ls_error_set(err, -ENOMEM, "no memory for the command line");
	snprintf(text, length + 2, "%s%s%s", prefix ? prefix : "", prefix && *append ? " " : "",
		 append);
	ret = load_bytes(machine, BOOT_CMDLINE, text, strlen(text) + 1, "the command line", err);
	free(text);
	return ret;
}

int load_initrd(struct machine *machine, uint64_t floor, uint64_t limit, uint64_t *start,
		uint64_t *size, struct ls_error *err)
{
	const char *path = machine->config.initrd;
	struct image initrd;
	int ret;

	*start = *size = 0;
	if (!path)
		return 0;
	ret = image_read(&initrd, path, "initrd", err);
	if (ret)
		return ret;
	if (limit > machine_memory_low(machine))
		limit = machine_memory_low(machine);
	if (initrd.size > limit || ((limit - initrd.size) & ~0xfffull) < floor) {
		ret = ls_error_set(err, -ENOSPC,
				   "the initrd '%s' of %zu KiB does not fit beside '%s' in %" PRIu64
				   " MiB of memory; give the machine more",
				   path, initrd.size >> 10, machine->config.kernel,
				   machine->config.memory >> 20);
	} else {
		*start = (limit - initrd.size) & ~0xfffull;
		*size = initrd.size;
		ret = load_bytes(machine, *start, initrd.data, *size, "the initrd", err);
	}
	image_free(&initrd);
	return ret;
}

static int load_payload(struct machine *machine, const struct image *image, struct boot_state *boot,
			struct ls_error *err)
{
	int ret = load_multiboot(machine, image, boot, err);

	if (ret == 1)
		ret = load_user(machine, image, boot, err);
	return ret == 1 ? load_elf(machine, image, boot, err) : ret;
}

static int load_kernel(struct machine *machine, const struct image *image, struct boot_state *boot,
		       struct ls_error *err)
{
	if (image->size >= 4 && !memcmp(image->data, "\177ELF", 4))
		return load_pvh(machine, image, boot, err);
	return load_linux(machine, image, boot, err);
}

static int load_image(struct machine *machine, struct boot_state *boot, struct ls_error *err)
{
	static const struct {
		const char *what;
		int (*load)(struct machine *machine, const struct image *image,
			    struct boot_state *boot, struct ls_error *err);
	} kinds[] = {
		[MACHINE_BOOT_LINUX] = {"kernel", load_kernel},
		[MACHINE_BOOT_PAYLOAD] = {"payload", load_payload},
		[MACHINE_BOOT_FIRMWARE] = {"firmware", load_firmware},
	};
	enum machine_boot kind = machine->config.boot;
	struct image image;
	int ret;

	ret = image_read(&image, machine->config.kernel, kinds[kind].what, err);
	if (ret)
		return ret;
	ret = kinds[kind].load(machine, &image, boot, err);
	image_free(&image);
	return ret;
}

/* Firmware leaves a handler behind; without any, an SMI would run through empty memory. */
static int load_smi_handler(struct machine *machine, struct ls_error *err)
{
	static const uint8_t rsm[] = {0x0f, 0xaa};

	return load_bytes(machine, BOOT_SMI_HANDLER, rsm, sizeof(rsm), "an SMI handler", err);
}

int machine_load(struct machine *machine, struct ls_error *err)
{
	enum machine_boot kind = machine->config.boot;
	struct boot_state boot = {.mode = BOOT_RESET};
	int ret = 0;

	symbols_free(&machine->symbols);
	if (kind == MACHINE_BOOT_LINUX || kind == MACHINE_BOOT_PAYLOAD)
		ret = load_smi_handler(machine, err);
	if (!ret && kind != MACHINE_BOOT_NONE)
		ret = load_image(machine, &boot, err);
	if (!ret && machine_ext(machine)->user_only && boot.mode != BOOT_USER)
		ret = ls_error_set(
			err, -ENOTSUP,
			"'%s' begins at level 0, and engine %s runs user-mode code alone "
			"(ELF files with Lockstep's note); use engine sim",
			machine->config.kernel ? machine->config.kernel : "the guest",
			machine->engine->ops->name);
	if (!ret && kind != MACHINE_BOOT_FIRMWARE)
		ret = acpi_install(machine, err);
	return ret ? ret : boot_apply(machine, &boot, err);
}
