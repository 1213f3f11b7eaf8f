/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of RAM, low and high in one row, by number; and sets of them, a bit each. */
#ifndef LOCKSTEP_MACHINE_RAM_PAGES_H
#define LOCKSTEP_MACHINE_RAM_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;

#define RAM_PAGE 4096u

uint64_t ram_page_of(const struct machine *machine, uint64_t gpa);
uint64_t ram_page_gpa(const struct machine *machine, uint64_t page);
/* What is there. */
const uint8_t *ram_page_bytes(struct machine *machine, uint64_t page);

/* An empty set, to be free()d; NULL: no memory. */
uint64_t *ram_pages_none(const struct machine *machine);
/* Words that a set has. */
size_t ram_pages_words(const struct machine *machine);

static inline void ram_pages_add(uint64_t *set, uint64_t page)
{
	set[page / 64] |= UINT64_C(1) << page % 64;
}

static inline bool ram_pages_has(const uint64_t *set, uint64_t page)
{
	return set[page / 64] >> page % 64 & 1;
}

/* Whether it was in the set, of which it is no longer. */
static inline int ram_pages_take(uint64_t *set, uint64_t page)
{
	uint64_t bit = UINT64_C(1) << page % 64, was = set[page / 64] & bit;

	set[page / 64] &= ~bit;
	return was != 0;
}

/* For each page of @set, from the lowest on. */
#define RAM_PAGES_EACH(machine, set, page)                                                         \
	for (uint64_t word_ = 0; word_ < ram_pages_words(machine); word_++)                        \
		for (uint64_t bits_ = (set)[word_], page;                                          \
		     bits_ && (page = word_ * 64 + (unsigned int)__builtin_ctzll(bits_), true);    \
		     bits_ &= bits_ - 1)

#endif
