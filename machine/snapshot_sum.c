/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums: against damage, not against malice. */
#include <lockstep/hash.h>
#include <string.h>

#include "machine/snapshot_file.h"

uint64_t snapshot_hash(const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	uint64_t hash = ls_hash_word(LS_HASH_START, size), word;

	for (; size >= sizeof(word); at += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		hash = ls_hash_word(hash, word);
	}
	word = 0;
	memcpy(&word, at, size);
	return ls_hash_word(hash, word);
}

bool snapshot_page_is_zero(const uint8_t *page)
{
	uint64_t first;

	memcpy(&first, page, sizeof(first));
	return !first && !memcmp(page, page + sizeof(first), SNAPSHOT_PAGE - sizeof(first));
}

uint64_t snapshot_chunk_sum(const uint8_t *chunk, size_t size)
{
	uint64_t sum = 0;

	for (size_t at = 0; at < size; at += SNAPSHOT_PAGE) {
		if (snapshot_page_is_zero(chunk + at))
			continue;
		sum = ls_hash_word(sum + 1, at);
		sum = ls_hash_word(sum, snapshot_hash(chunk + at, SNAPSHOT_PAGE));
	}
	return sum;
}
