/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/recorded/ram_copy.h"

#include <glib.h>
#include <string.h>

#include "machine/memory.h"

#define PAGE 4096u

/* Pages of zeros take no memory. */
static void take(uint8_t *to, const uint8_t *from, uint64_t size)
{
	static const uint8_t zeros[PAGE];

	for (uint64_t at = 0; at < size; at += PAGE)
		if (memcmp(from + at, zeros, PAGE))
			memcpy(to + at, from + at, PAGE);
}

void ram_copy_take(struct ram_copy *copy, struct machine *machine)
{
	copy->low = machine_memory_low(machine);
	copy->high = machine_memory_high(machine);
	copy->bytes = g_malloc0(copy->low + copy->high);
	take(copy->bytes, machine_memory_ptr(machine, 0, copy->low), copy->low);
	if (copy->high)
		take(copy->bytes + copy->low,
		     machine_memory_ptr(machine, MEMORY_HIGH_START, copy->high), copy->high);
}

uint8_t *ram_copy_ptr(const struct ram_copy *copy, uint64_t gpa, uint64_t size)
{
	bool high = gpa >= MEMORY_HIGH_START;
	uint64_t at = high ? gpa - MEMORY_HIGH_START : gpa, room = high ? copy->high : copy->low;

	if (!copy->bytes || size > room || at > room - size)
		return NULL;
	return copy->bytes + (high ? copy->low : 0) + at;
}

void ram_copy_free(struct ram_copy *copy)
{
	g_free(copy->bytes);
	copy->bytes = NULL;
}
