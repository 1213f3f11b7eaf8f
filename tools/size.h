/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes and numbers as options have them. */
#ifndef LOCKSTEP_TOOLS_SIZE_H
#define LOCKSTEP_TOOLS_SIZE_H

#include <stdint.h>

/* Parses "512M": a decimal or 0x number, then K, M, G or T (powers of 1024, either case);
 * without a letter it counts @unit bytes. -EINVAL if it is no size, -ERANGE if it doesn't
 * fit in 64 bits. */
int size_parse(const char *text, uint64_t unit, uint64_t *size);
/* The same for what is counted and not stored: "200M" is 200 million. */
int count_parse(const char *text, uint64_t *count);

/* A plain number, decimal or 0x, up to @max. -EINVAL or -ERANGE. */
int number_parse(const char *text, uint64_t max, uint64_t *value);

#endif
