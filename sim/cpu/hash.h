/* SPDX-License-Identifier: Apache-2.0 */
/* A running 64-bit hash of words: not for secrets, only to tell two runs apart. */
#ifndef LOCKSTEP_SIM_CPU_HASH_H
#define LOCKSTEP_SIM_CPU_HASH_H

#include "mmu/types.h"

#define HASH_START UINT64_C(0x6a09e667f3bcc908)

/* Both steps can be undone, so two states of the hash never fall together on the same word. */
ALWAYS_INLINE u64 hash_word(u64 hash, u64 word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

#endif
