/* SPDX-License-Identifier: Apache-2.0 */
/* A hash of all of a machine's RAM, kept up to date from what is written. */
#ifndef LOCKSTEP_TOOLS_DIFF_SIDE_MEMORY_H
#define LOCKSTEP_TOOLS_DIFF_SIDE_MEMORY_H

#include <glib.h>

#include "machine/machine.h"

struct memory_hash {
	uint64_t *page; /* each page's share; pages of zeros have none */
	uint64_t sum;
	uint64_t high;   /* first index of RAM from 4 GiB on */
	GArray *changed; /* addresses of pages whose shares changed since it was emptied */
};

/* All RAM is read once. */
void memory_hash_start(struct memory_hash *hash, struct machine *machine);
/* 0 or -errno. */
int memory_hash_update(struct memory_hash *hash, struct machine *machine);
/* The page there has been changed past the machine. */
void memory_hash_page(struct memory_hash *hash, struct machine *machine, uint64_t gpa);
/* What the page there adds to the sum. */
uint64_t memory_hash_share(const struct memory_hash *hash, uint64_t gpa);
void memory_hash_free(struct memory_hash *hash);

#endif
