/* SPDX-License-Identifier: Apache-2.0 */
/* A snapshot's file, written beside its place and moved there when it is whole. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/internal.h"
#include "machine/snapshot_file.h"

#define TEMPORARY ".XXXXXX"

/* --- what is written --- */

static uint64_t round_up(uint64_t size)
{
	return (size + SNAPSHOT_PAGE - 1) & ~(uint64_t)(SNAPSHOT_PAGE - 1);
}

static unsigned int memory_slots(struct machine *machine, const struct memory_slot **slots)
{
	const struct memory_slot *all[SNAPSHOT_RANGES] = {
		&machine->memory.ram[0], &machine->memory.ram[1], &machine->memory.rom};
	unsigned int count = 0;

	for (unsigned int i = 0; i < SNAPSHOT_RANGES; i++) {
		if (all[i]->host)
			slots[count++] = all[i];
	}
	return count;
}

static size_t chunk_size(uint64_t size, uint64_t at)
{
	return size - at < SNAPSHOT_CHUNK ? size - at : SNAPSHOT_CHUNK;
}

/* The offsets are relative to the first range's: the description's size is not known yet. */
static void describe_memory(struct record_buffer *to, const struct memory_slot *const *slots,
			    unsigned int count)
{
	uint64_t offset = 0;

	record_put_u64(to, count);
	for (unsigned int i = 0; i < count; i++) {
		const struct memory_slot *slot = slots[i];

		record_put_u64(to, slot->gpa);
		record_put_u64(to, slot->size);
		record_put_u64(to, offset);
		for (uint64_t at = 0; at < slot->size; at += SNAPSHOT_CHUNK)
			record_put_u64(to, snapshot_chunk_sum(slot->host + at,
							      chunk_size(slot->size, at)));
		offset += round_up(slot->size);
	}
}

static int describe(struct machine *machine, struct record_buffer *to, struct ls_error *err)
{
	const struct memory_slot *slots[SNAPSHOT_RANGES];
	struct machine_image image = {0};
	int ret = machine_image_capture(machine, &image, err);

	if (!ret)
		ret = snapshot_put_config(to, &machine->config, err);
	if (!ret) {
		machine_image_encode(to, &image);
		record_put_u64(to, image.devices.size);
		record_put(to, image.devices.bytes, image.devices.size);
		describe_memory(to, slots, memory_slots(machine, slots));
		if (to->failed)
			ret = ls_error_set(err, -ENOMEM, "no memory for the snapshot");
	}
	machine_image_free(&image);
	return ret;
}

/* --- writing it --- */

static int write_at(int fd, const void *bytes, size_t size, uint64_t offset)
{
	const uint8_t *from = bytes;

	while (size) {
		ssize_t n = pwrite(fd, from, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		from += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

/* Runs of pages that aren't zero; between them holes stay. */
static int write_memory(int fd, const struct memory_slot *slot, uint64_t offset)
{
	uint64_t at = 0, start;
	int ret = 0;

	while (at < slot->size && !ret) {
		while (at < slot->size && snapshot_page_is_zero(slot->host + at))
			at += SNAPSHOT_PAGE;
		for (start = at; at < slot->size && at - start < SNAPSHOT_CHUNK &&
				 !snapshot_page_is_zero(slot->host + at);)
			at += SNAPSHOT_PAGE;
		ret = write_at(fd, slot->host + start, at - start, offset + start);
	}
	return ret;
}

static int write_all(struct machine *machine, int fd, const struct record_buffer *description)
{
	struct snapshot_header header = {.magic = SNAPSHOT_MAGIC, .version = SNAPSHOT_VERSION};
	const struct memory_slot *slots[SNAPSHOT_RANGES];
	unsigned int count = memory_slots(machine, slots);
	uint64_t offset = SNAPSHOT_PAGE + round_up(description->size);
	int ret = write_at(fd, description->bytes, description->size, SNAPSHOT_PAGE);

	for (unsigned int i = 0; i < count && !ret; i++) {
		ret = write_memory(fd, slots[i], offset);
		offset += round_up(slots[i]->size);
	}
	header.described = description->size;
	header.description_hash = snapshot_hash(description->bytes, description->size);
	header.file_size = offset;
	header.hash = snapshot_hash(&header, offsetof(struct snapshot_header, hash));
	if (!ret)
		ret = write_at(fd, &header, sizeof(header), 0);
	if (!ret && ftruncate(fd, (off_t)offset))
		ret = -errno;
	/* Before it takes another's place. */
	if (!ret && fdatasync(fd))
		ret = -errno;
	return ret;
}

static int replace(struct machine *machine, const char *path, char *temporary,
		   const struct record_buffer *description)
{
	int fd = mkostemp(temporary, O_CLOEXEC), ret;
	mode_t mask = umask(0);

	umask(mask);
	if (fd < 0)
		return -errno;
	ret = fchmod(fd, 0666 & ~mask) ? -errno : write_all(machine, fd, description);
	if (close(fd) && !ret)
		ret = -errno;
	if (!ret && rename(temporary, path))
		ret = -errno;
	if (ret)
		unlink(temporary);
	return ret;
}

int machine_save(struct machine *machine, const char *path, struct ls_error *err)
{
	struct record_buffer description = {0};
	char *temporary = malloc(strlen(path) + sizeof(TEMPORARY));
	int ret = temporary ? history_leave(machine, err)
			    : ls_error_set(err, -ENOMEM, "no memory for the snapshot");

	if (!ret)
		ret = describe(machine, &description, err);
	if (!ret) {
		strcat(strcpy(temporary, path), TEMPORARY);
		ret = replace(machine, path, temporary, &description);
		if (ret)
			ls_error_set(err, ret, "cannot write snapshot '%s': %s", path,
				     strerror(-ret));
	}
	record_buffer_free(&description);
	free(temporary);
	return ret;
}
