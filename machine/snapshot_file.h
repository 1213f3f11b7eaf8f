/* SPDX-License-Identifier: Apache-2.0 */
/* The layout of a snapshot's file: a header, the description (config, image, devices, ranges of
 * memory with a checksum for each chunk of them), and at page boundaries the memory. For
 * snapshot*.c. */
#ifndef LOCKSTEP_MACHINE_SNAPSHOT_FILE_H
#define LOCKSTEP_MACHINE_SNAPSHOT_FILE_H

#include "machine/image.h"
#include "machine/machine.h"
#include "machine/snapshot.h"

#define SNAPSHOT_MAGIC  "LOCKSNAP"
#define SNAPSHOT_PAGE   4096u
#define SNAPSHOT_RANGES 3

struct snapshot_header {
	char magic[8];
	uint32_t version, reserved;
	uint64_t described; /* bytes of the description, which follows this page */
	uint64_t description_hash;
	uint64_t file_size;
	uint64_t hash; /* of the fields before */
};

struct snapshot {
	const char *path;
	int fd;
	uint8_t *description;
	struct machine_image image;
	struct snapshot_range ranges[SNAPSHOT_RANGES];
	uint64_t *sums[SNAPSHOT_RANGES];
	unsigned int range_count;
	char **items; /* key, value, key, value ... */
	unsigned int item_count;
};

uint64_t snapshot_hash(const void *bytes, size_t size);
/* A chunk's: of its pages that aren't zero, and where in it they are. 0 if all are. */
uint64_t snapshot_chunk_sum(const uint8_t *chunk, size_t size);
bool snapshot_page_is_zero(const uint8_t *page);

/* --- snapshot_config.c --- */
int snapshot_put_config(struct record_buffer *to, const struct machine_config *config,
			struct ls_error *err);
int snapshot_take_config(struct record_reader *from, struct snapshot *snapshot,
			 struct ls_error *err);
void snapshot_free_config(struct snapshot *snapshot);

#endif
