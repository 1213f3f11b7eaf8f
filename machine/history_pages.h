/* SPDX-License-Identifier: Apache-2.0 */
/* What pages of RAM have held: those that were written between two points of a history. */
#ifndef LOCKSTEP_MACHINE_HISTORY_PAGES_H
#define LOCKSTEP_MACHINE_HISTORY_PAGES_H

#include <stddef.h>
#include <stdint.h>

struct machine;

struct history_pages {
	size_t count, full;
	uint32_t *number;
	uint8_t **bytes; /* NULL: zeros; the others are @full */
};

/* Copies the pages of a set (ram_pages.h). 0, or -ENOMEM with nothing kept. */
int history_pages_copy(struct machine *machine, const uint64_t *set, struct history_pages *pages);
/* The pages of @older that @newer does not have become its own; @older is empty then. 0 or -ENOMEM
 * with both as they were. */
int history_pages_merge(struct history_pages *older, struct history_pages *newer);
/* Puts back those of a set, out of which they are taken. */
void history_pages_restore(struct machine *machine, const struct history_pages *pages,
			   uint64_t *set);
void history_pages_free(struct history_pages *pages);

#endif
