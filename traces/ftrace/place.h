/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes read from front to back. */
#ifndef LOCKSTEP_TRACES_FTRACE_PLACE_H
#define LOCKSTEP_TRACES_FTRACE_PLACE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What is read; past the end everything is zero, and failed. */
struct place {
	const uint8_t *at, *end;
	bool failed;
};

static inline const uint8_t *place_skip(struct place *place, uint64_t size)
{
	const uint8_t *at = place->at;

	if (size > (uint64_t)(place->end - place->at)) {
		place->failed = true;
		place->at = place->end;
		return place->end;
	}
	place->at += size;
	return at;
}

static inline uint64_t place_number(struct place *place, size_t size)
{
	const uint8_t *at = place_skip(place, size);
	uint64_t value = 0;

	if (!place->failed)
		memcpy(&value, at, size);
	return value;
}

/* A string with its zero. */
static inline const char *place_string(struct place *place)
{
	const uint8_t *zero = memchr(place->at, 0, (size_t)(place->end - place->at));

	if (!zero) {
		place->failed = true;
		return "";
	}
	return (const char *)place_skip(place, (uint64_t)(zero + 1 - place->at));
}

#endif
