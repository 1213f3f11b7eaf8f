/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash of entries, each under an id that stands for its space and PCID. To invalidate these is to
 * hand out a new id; what has an old one is dropped when the hash is rebuilt.
 */
#include "mmu/sticky.h"

#include <stdlib.h>
#include <string.h>

#define PCIDS      4096
#define FIRST_SIZE 1024

struct sticky_space {
	struct sticky_space *next;
	u64 tag, global;
	bool pcids; /* others than PCID 0 have been used */
	struct {
		u64 leaves, tables;
	} id[PCIDS];
};

struct sticky {
	u64 last_id;
	struct sticky_space *spaces;
	struct sticky_entry *entry;
	size_t size, used; /* a power of 2; used: with those that are dead */
};

/* Of all modes and second stages: 4 KiB, 2 and 4 MiB, 1 GiB, 512 GiB, 256 TiB. */
static const u8 shifts[] = {12, 21, 22, 30, 39, 48};

/* --- spaces --- */

static unsigned int pcids_of(const struct sticky_space *space)
{
	return space->pcids ? PCIDS : 1;
}

void sticky_forget_pcid_tables(struct sticky *sticky, struct sticky_space *space, u16 pcid)
{
	space->id[pcid].tables = ++sticky->last_id;
}

void sticky_forget_pcid(struct sticky *sticky, struct sticky_space *space, u16 pcid)
{
	space->id[pcid].leaves = ++sticky->last_id;
	sticky_forget_pcid_tables(sticky, space, pcid);
}

void sticky_forget_tables(struct sticky *sticky, struct sticky_space *space)
{
	for (unsigned int pcid = 0; pcid < pcids_of(space); pcid++)
		sticky_forget_pcid_tables(sticky, space, pcid);
}

void sticky_forget_space(struct sticky *sticky, struct sticky_space *space, bool global)
{
	if (global)
		space->global = ++sticky->last_id;
	for (unsigned int pcid = 0; pcid < pcids_of(space); pcid++)
		sticky_forget_pcid(sticky, space, pcid);
}

void sticky_forget_spaces(struct sticky *sticky, u64 mask, u64 tag, bool global)
{
	for (struct sticky_space *space = sticky->spaces; space; space = space->next)
		if (space->tag && (space->tag & mask) == tag)
			sticky_forget_space(sticky, space, global);
}

void sticky_forget_all(struct sticky *sticky)
{
	for (struct sticky_space *space = sticky->spaces; space; space = space->next)
		sticky_forget_space(sticky, space, true);
}

struct sticky_space *sticky_space(struct sticky *sticky, u64 tag)
{
	struct sticky_space *space = sticky->spaces;

	while (space && space->tag != tag)
		space = space->next;
	if (space || !(space = calloc(1, sizeof(*space))))
		return space;
	space->tag = tag;
	space->pcids = true; /* all get an id */
	sticky_forget_space(sticky, space, true);
	space->pcids = false;
	space->next = sticky->spaces;
	return sticky->spaces = space;
}

/* --- the hash --- */

static u64 id_of(const struct sticky_space *space, u16 pcid, enum sticky_kind kind)
{
	if (kind == STICKY_GLOBAL)
		return space->global;
	return kind == STICKY_LEAF ? space->id[pcid].leaves : space->id[pcid].tables;
}

/* Where the entry is, or would be. */
static struct sticky_entry *place_of(const struct sticky *sticky, u64 id, u64 page, u8 shift)
{
	u64 at = (page * 64 + shift) * UINT64_C(0x9e3779b97f4a7c15);
	struct sticky_entry *entry;

	at = (at ^ id) * UINT64_C(0xd6e8feb86659fd93);
	at ^= at >> 32;
	for (;; at++) {
		entry = &sticky->entry[at & (sticky->size - 1)];
		if (!entry->id || (entry->id == id && entry->page == page && entry->shift == shift))
			return entry;
	}
}

static bool is_alive(const struct sticky_entry *entry)
{
	return entry->id && entry->space &&
	       entry->id == id_of(entry->space, entry->pcid, entry->kind);
}

/* Only what is alive is kept; at most a quarter of the places is taken then. False: no memory. */
static bool rebuild(struct sticky *sticky)
{
	struct sticky_entry *old = sticky->entry;
	size_t size = sticky->size, alive = 0;

	for (size_t n = 0; n < size; n++)
		alive += is_alive(&old[n]);
	sticky->size = FIRST_SIZE;
	while (sticky->size < 4 * alive)
		sticky->size *= 2;
	sticky->entry = calloc(sticky->size, sizeof(*old));
	if (!sticky->entry) {
		sticky->entry = old;
		sticky->size = size;
		return false;
	}
	for (size_t n = 0; n < size; n++)
		if (is_alive(&old[n]))
			*place_of(sticky, old[n].id, old[n].page, old[n].shift) = old[n];
	sticky->used = alive;
	free(old);
	return true;
}

const struct sticky_entry *sticky_find(const struct sticky *sticky, struct sticky_space *space,
				       u16 pcid, enum sticky_kind kind, u64 address, u8 shift)
{
	const struct sticky_entry *entry =
		place_of(sticky, id_of(space, pcid, kind), address >> shift, shift);

	return entry->id && entry->space ? entry : NULL;
}

void sticky_keep(struct sticky *sticky, u64 address, const struct sticky_entry *entry)
{
	struct sticky_entry *place;
	u64 id;

	if (sticky->used >= sticky->size / 2 && !rebuild(sticky))
		return;
	if (entry->pcid)
		entry->space->pcids = true;
	id = id_of(entry->space, entry->pcid, entry->kind);
	place = place_of(sticky, id, address >> entry->shift, entry->shift);
	sticky->used += !place->id;
	*place = *entry;
	place->id = id;
	place->page = address >> entry->shift;
}

/* --- by address --- */

/* An entry without a space keeps its place in the chain of those that were put behind it. */
static void drop(struct sticky *sticky, u64 id, u64 address, u8 shift)
{
	place_of(sticky, id, address >> shift, shift)->space = NULL;
}

void sticky_forget_address(struct sticky *sticky, struct sticky_space *space, u16 pcid, u64 address,
			   bool global, bool tables)
{
	for (size_t n = 0; n < ARRAY_SIZE(shifts); n++) {
		drop(sticky, space->id[pcid].leaves, address, shifts[n]);
		if (global)
			drop(sticky, space->global, address, shifts[n]);
		if (tables)
			drop(sticky, space->id[pcid].tables, address, shifts[n]);
	}
}

void sticky_forget_address_in(struct sticky *sticky, u64 mask, u64 tag, u64 address)
{
	for (struct sticky_space *space = sticky->spaces; space; space = space->next)
		for (unsigned int pcid = 0; (space->tag & mask) == tag && pcid < pcids_of(space);
		     pcid++)
			sticky_forget_address(sticky, space, pcid, address, true, true);
}

/* --- its life --- */

struct sticky *sticky_create(void)
{
	struct sticky *sticky = calloc(1, sizeof(*sticky));

	if (!sticky || !rebuild(sticky)) {
		free(sticky);
		return NULL;
	}
	return sticky;
}

void sticky_destroy(struct sticky *sticky)
{
	if (!sticky)
		return;
	for (struct sticky_space *space = sticky->spaces, *next; space; space = next) {
		next = space->next;
		free(space);
	}
	free(sticky->entry);
	free(sticky);
}
