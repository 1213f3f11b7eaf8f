/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/side/memory.h"

#include <glib.h>
#include <lockstep/hash.h>
#include <string.h>

#include "machine/memory.h"

#define PAGE 4096u

static uint64_t page_share(uint64_t gpa, const uint8_t *bytes)
{
	static const uint8_t zeros[PAGE];
	uint64_t hash = ls_hash_word(LS_HASH_START, gpa), word;

	if (!memcmp(bytes, zeros, PAGE))
		return 0;
	for (unsigned int n = 0; n < PAGE; n += sizeof(word)) {
		memcpy(&word, bytes + n, sizeof(word));
		hash = ls_hash_word(hash, word);
	}
	return hash;
}

static uint64_t index_of(const struct memory_hash *hash, uint64_t gpa)
{
	return gpa < MEMORY_HIGH_START ? gpa / PAGE : hash->high + (gpa - MEMORY_HIGH_START) / PAGE;
}

/* A sum, so that it depends on what memory holds and not on what an engine calls written. */
static void page_written(void *opaque, uint64_t gpa, const uint8_t *bytes)
{
	struct memory_hash *hash = opaque;
	uint64_t index = index_of(hash, gpa), share = page_share(gpa, bytes);

	if (share != hash->page[index])
		g_array_append_val(hash->changed, gpa);
	hash->sum += share - hash->page[index];
	hash->page[index] = share;
}

uint64_t memory_hash_share(const struct memory_hash *hash, uint64_t gpa)
{
	return hash->page[index_of(hash, gpa)];
}

void memory_hash_start(struct memory_hash *hash, struct machine *machine)
{
	uint64_t low = machine_memory_low(machine), high = machine_memory_high(machine), at;

	*hash = (struct memory_hash){.high = low / PAGE};
	hash->page = g_new0(uint64_t, (low + high) / PAGE);
	hash->changed = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	for (at = 0; at < low; at += PAGE)
		page_written(hash, at, machine_memory_ptr(machine, at, PAGE));
	for (at = MEMORY_HIGH_START; at < MEMORY_HIGH_START + high; at += PAGE)
		page_written(hash, at, machine_memory_ptr(machine, at, PAGE));
}

int memory_hash_update(struct memory_hash *hash, struct machine *machine)
{
	return machine_written(machine, page_written, hash);
}

void memory_hash_page(struct memory_hash *hash, struct machine *machine, uint64_t gpa)
{
	gpa &= ~(uint64_t)(PAGE - 1);
	page_written(hash, gpa, machine_memory_ptr(machine, gpa, PAGE));
}

void memory_hash_free(struct memory_hash *hash)
{
	g_free(hash->page);
	if (hash->changed)
		g_array_unref(hash->changed);
}
