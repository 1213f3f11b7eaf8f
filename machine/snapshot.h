/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine in a file: how it was configured, what it holds, and its memory, raw and aligned to
 * pages, with holes for zeros, so that loading is mapping. The file appears whole or not at all.
 * What processors and devices hold is checked when it is opened; memory, which is large and mostly
 * never looked at, by chunk: beforehand (snapshot_verify) or by a thread of its own while the
 * machine already runs, which then ends with a line that says so, and never as if nothing were
 * wrong.
 */
#ifndef LOCKSTEP_MACHINE_SNAPSHOT_H
#define LOCKSTEP_MACHINE_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/error.h>

struct machine;
struct machine_config;
struct machine_image;
struct snapshot;

#define SNAPSHOT_VERSION 1
#define SNAPSHOT_CHUNK   (1u << 20)

/* While the machine does not run, or from a poll callback of one that runs its vCPUs in turns. */
int machine_save(struct machine *machine, const char *path, struct ls_error *err);

/* NULL: *err says why. The file may be replaced while it is open, but not written to. */
struct snapshot *snapshot_open(const char *path, struct ls_error *err);
void snapshot_close(struct snapshot *snapshot);
const struct machine_image *snapshot_image(const struct snapshot *snapshot);
/* Fills in all but the engine and what is the run's and not the machine's. Strings are the
 * snapshot's, which config.snapshot then names. */
int snapshot_config(const struct snapshot *snapshot, struct machine_config *config,
		    struct ls_error *err);
/* The configuration as text, one after the other; NULL after the last. */
const char *snapshot_item(const struct snapshot *snapshot, unsigned int n, const char **value);

/* A piece of guest memory in the file. */
struct snapshot_range {
	uint64_t gpa, size, offset;
};
unsigned int snapshot_ranges(const struct snapshot *snapshot, const struct snapshot_range **ranges);
/* Bytes of memory that aren't in holes. */
uint64_t snapshot_data_size(const struct snapshot *snapshot);
/* Maps a range, private to us. NULL: *err. */
void *snapshot_map(const struct snapshot *snapshot, const struct snapshot_range *range,
		   struct ls_error *err);
/* Reads all memory. -EBADMSG if a chunk isn't what was saved. @stop, if not NULL, ends it early. */
int snapshot_verify(const struct snapshot *snapshot, const bool *stop, struct ls_error *err);

#endif
