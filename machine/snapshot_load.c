/* SPDX-License-Identifier: Apache-2.0 */
/* A snapshot's file, opened, checked and mapped. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/snapshot_file.h"

/* More would be no description of a machine of ours. */
#define DESCRIPTION_MAX (1u << 30)

static int damaged(const struct snapshot *snapshot, const char *what, struct ls_error *err)
{
	return ls_error_set(err, -EBADMSG, "snapshot '%s' is damaged: %s", snapshot->path, what);
}

static int read_at(int fd, void *to, size_t size, uint64_t offset)
{
	uint8_t *at = to;

	while (size) {
		ssize_t n = pread(fd, at, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EINVAL;
		at += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

static int check_header(const struct snapshot *snapshot, const struct snapshot_header *header,
			struct ls_error *err)
{
	struct stat status;

	if (memcmp(header->magic, SNAPSHOT_MAGIC, sizeof(header->magic)))
		return ls_error_set(err, -EBADMSG, "'%s' is no snapshot of lockstep's",
				    snapshot->path);
	if (header->version != SNAPSHOT_VERSION)
		return ls_error_set(err, -EBADMSG,
				    "snapshot '%s' is of version %u, and this is version %u; load "
				    "it with the version that saved it",
				    snapshot->path, header->version, SNAPSHOT_VERSION);
	if (header->hash != snapshot_hash(header, offsetof(struct snapshot_header, hash)) ||
	    header->described > DESCRIPTION_MAX)
		return damaged(snapshot, "its header does not match its checksum", err);
	if (fstat(snapshot->fd, &status) || (uint64_t)status.st_size != header->file_size)
		return damaged(snapshot, "it is not as long as it says", err);
	return 0;
}

static int read_description(struct snapshot *snapshot, const struct snapshot_header *header,
			    struct ls_error *err)
{
	snapshot->description = malloc(header->described ? header->described : 1);
	if (!snapshot->description)
		return ls_error_set(err, -ENOMEM, "no memory for snapshot '%s'", snapshot->path);
	if (read_at(snapshot->fd, snapshot->description, header->described, SNAPSHOT_PAGE))
		return damaged(snapshot, "it ends early", err);
	if (snapshot_hash(snapshot->description, header->described) != header->description_hash)
		return damaged(snapshot,
			       "the state of processors and devices does not match its checksum",
			       err);
	return 0;
}

static int take_devices(struct record_reader *from, struct machine_image *image)
{
	const void *bytes = NULL;
	uint64_t size;

	if (record_take_u64(from, &size))
		bytes = record_take(from, size);
	if (!bytes)
		return -EINVAL;
	record_put(&image->devices, bytes, size);
	return image->devices.failed ? -ENOMEM : 0;
}

static bool take_range(struct record_reader *from, struct snapshot_range *range, uint64_t **sums)
{
	const void *bytes;
	size_t size;

	if (!record_take_u64(from, &range->gpa) || !record_take_u64(from, &range->size) ||
	    !record_take_u64(from, &range->offset) || range->size % SNAPSHOT_PAGE)
		return false;
	size = (range->size + SNAPSHOT_CHUNK - 1) / SNAPSHOT_CHUNK * sizeof(uint64_t);
	bytes = record_take(from, size);
	*sums = bytes ? malloc(size) : NULL;
	if (*sums)
		memcpy(*sums, bytes, size);
	return *sums;
}

/* What is mapped beyond the end of a file kills who touches it. */
static bool range_fits(const struct snapshot_range *range, uint64_t space)
{
	return range->offset <= space && range->size <= space - range->offset;
}

static bool take_ranges(struct record_reader *from, struct snapshot *snapshot,
			const struct snapshot_header *header)
{
	uint64_t count, base, pages = (header->described + SNAPSHOT_PAGE - 1) / SNAPSHOT_PAGE;

	base = SNAPSHOT_PAGE + pages * SNAPSHOT_PAGE;
	if (base > header->file_size)
		return false;
	if (!record_take_u64(from, &count) || count > SNAPSHOT_RANGES)
		return false;
	for (uint64_t i = 0; i < count; i++, snapshot->range_count++) {
		if (!take_range(from, &snapshot->ranges[i], &snapshot->sums[i]) ||
		    !range_fits(&snapshot->ranges[i], header->file_size - base))
			return false;
		snapshot->ranges[i].offset += base;
	}
	return true;
}

static int open_file(struct snapshot *snapshot, struct ls_error *err)
{
	struct snapshot_header header;
	struct record_reader reader;
	int ret;

	snapshot->fd = open(snapshot->path, O_RDONLY | O_CLOEXEC);
	if (snapshot->fd < 0)
		return ls_error_set(err, -errno, "cannot read snapshot '%s': %s", snapshot->path,
				    strerror(errno));
	if (read_at(snapshot->fd, &header, sizeof(header), 0))
		return ls_error_set(err, -EBADMSG, "'%s' is no snapshot of lockstep's",
				    snapshot->path);
	ret = check_header(snapshot, &header, err);
	if (!ret)
		ret = read_description(snapshot, &header, err);
	if (ret)
		return ret;
	reader = (struct record_reader){snapshot->description, header.described};
	ret = snapshot_take_config(&reader, snapshot, err);
	if (!ret)
		ret = machine_image_decode(&reader, &snapshot->image, err);
	if (!ret &&
	    (take_devices(&reader, &snapshot->image) || !take_ranges(&reader, snapshot, &header)))
		ret = damaged(snapshot, "its description ends early", err);
	return ret;
}

/* Puts the file's name before what is wrong with it: the file, and no argument of the caller's. */
static void name_file(const struct snapshot *snapshot, struct ls_error *err)
{
	char text[sizeof(err->text)];

	if (!err)
		return;
	if (err->code == -EINVAL)
		err->code = -EBADMSG;
	if (strstr(err->text, snapshot->path))
		return;
	memcpy(text, err->text, sizeof(text));
	snprintf(err->text, sizeof(err->text), "snapshot '%.120s': %.300s", snapshot->path, text);
}

struct snapshot *snapshot_open(const char *path, struct ls_error *err)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

	if (!snapshot) {
		ls_error_set(err, -ENOMEM, "no memory for a snapshot");
		return NULL;
	}
	snapshot->path = strdup(path);
	snapshot->fd = -1;
	if (!snapshot->path || open_file(snapshot, err)) {
		if (snapshot->path)
			name_file(snapshot, err);
		snapshot_close(snapshot);
		return NULL;
	}
	return snapshot;
}

void snapshot_close(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	machine_image_free(&snapshot->image);
	snapshot_free_config(snapshot);
	for (unsigned int i = 0; i < SNAPSHOT_RANGES; i++)
		free(snapshot->sums[i]);
	free(snapshot->description);
	if (snapshot->fd >= 0)
		close(snapshot->fd);
	free((char *)snapshot->path);
	free(snapshot);
}

const struct machine_image *snapshot_image(const struct snapshot *snapshot)
{
	return &snapshot->image;
}

/* --- memory --- */

unsigned int snapshot_ranges(const struct snapshot *snapshot, const struct snapshot_range **ranges)
{
	*ranges = snapshot->ranges;
	return snapshot->range_count;
}

uint64_t snapshot_data_size(const struct snapshot *snapshot)
{
	struct stat status;

	return fstat(snapshot->fd, &status) ? 0 : (uint64_t)status.st_blocks * 512;
}

void *snapshot_map(const struct snapshot *snapshot, const struct snapshot_range *range,
		   struct ls_error *err)
{
	void *host = mmap(NULL, range->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE,
			  snapshot->fd, (off_t)range->offset);

	if (host != MAP_FAILED)
		return host;
	ls_error_set(err, -errno, "cannot map %" PRIu64 " MiB of snapshot '%s': %s",
		     range->size >> 20, snapshot->path, strerror(errno));
	return NULL;
}

static int verify_range(const struct snapshot *snapshot, unsigned int index, const bool *stop,
			struct ls_error *err)
{
	const struct snapshot_range *range = &snapshot->ranges[index];
	const uint8_t *host =
		mmap(NULL, range->size, PROT_READ, MAP_SHARED, snapshot->fd, (off_t)range->offset);
	int ret = 0;

	if (host == MAP_FAILED)
		return ls_error_set(err, -errno, "cannot map snapshot '%s': %s", snapshot->path,
				    strerror(errno));
	for (uint64_t at = 0; at < range->size && !ret; at += SNAPSHOT_CHUNK) {
		uint64_t left = range->size - at;

		if (stop && __atomic_load_n(stop, __ATOMIC_RELAXED))
			break;
		if (snapshot_chunk_sum(host + at, left < SNAPSHOT_CHUNK ? left : SNAPSHOT_CHUNK) !=
		    snapshot->sums[index][at / SNAPSHOT_CHUNK])
			ret = ls_error_set(err, -EBADMSG,
					   "snapshot '%s' is damaged: guest memory from 0x%" PRIx64
					   " on does not match its checksum",
					   snapshot->path, range->gpa + at);
	}
	munmap((void *)host, range->size);
	return ret;
}

int snapshot_verify(const struct snapshot *snapshot, const bool *stop, struct ls_error *err)
{
	int ret = 0;

	for (unsigned int i = 0; i < snapshot->range_count && !ret; i++)
		ret = verify_range(snapshot, i, stop, err);
	return ret;
}
