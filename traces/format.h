/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file. All numbers are little-endian.
 *
 *   head      struct file_head, then its text: a line "KEY VALUE" each
 *   chunks    struct chunk_head, for each bit of its events a 32-bit number of records, then the
 *             compressed columns: COLUMNS 32-bit sizes, then the columns. A chunk is one vCPU's,
 * and is read without others. index     of a file that was closed: for each chunk its place (64
 * bits), and the head and numbers again tail      struct file_tail
 *
 * The file of a run that was killed ends behind its last whole chunk, or within one.
 */
#ifndef LOCKSTEP_TRACES_FORMAT_H
#define LOCKSTEP_TRACES_FORMAT_H

#include <lockstep/hash.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FORMAT_VERSION 3u

#define FILE_MAGIC  UINT64_C(0x0a6563617274534c) /* "LStrace\n" */
#define TAIL_MAGIC  UINT64_C(0x0a646e652d74534c) /* "LSt-end\n" */
#define CHUNK_MAGIC UINT32_C(0x6b68434c)         /* "LChk" */

struct file_head {
	uint64_t magic;
	uint32_t version;
	uint32_t text_size;
	uint64_t check; /* of the text */
};

struct chunk_head {
	uint32_t magic;
	uint32_t size;     /* compressed */
	uint32_t raw_size; /* of the columns and their sizes */
	uint32_t records;
	uint64_t first, last; /* instructions retired at its first and at its last record */
	uint64_t events;      /* bit set of those in it */
	uint64_t body;        /* check of the compressed bytes */
	uint32_t vcpu;
	uint32_t check; /* of the rest of this, and of the numbers behind it */
};

struct file_tail {
	uint64_t index, index_size;
	uint64_t check; /* of the index */
	uint64_t magic;
};

#define CHUNK_RAW_MAX (64u << 20)

static inline uint64_t format_check(const void *bytes, size_t size)
{
	uint64_t hash = LS_HASH_START, word;

	for (; size; size -= size < 8 ? size : 8, bytes = (const char *)bytes + 8) {
		word = 0;
		memcpy(&word, bytes, size < 8 ? size : 8);
		hash = ls_hash_word(hash, word);
	}
	return hash;
}

/* Over @head with its check as 0 and the numbers of records. */
static inline uint32_t format_check_chunk(const struct chunk_head *head, const uint32_t *numbers)
{
	struct chunk_head plain = *head;

	plain.check = 0;
	return (uint32_t)(format_check(&plain, sizeof(plain)) ^
			  format_check(numbers, 4 * (size_t)__builtin_popcountll(head->events)));
}

#endif
