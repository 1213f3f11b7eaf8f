/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The running 64-bit hash of words by which the state of two runs is told apart, on both sides of the
 * seam (vcpu_state_hash). Not for secrets.
 */
#ifndef LOCKSTEP_HASH_H
#define LOCKSTEP_HASH_H

#include <stdint.h>

#define LS_HASH_START UINT64_C(0x6a09e667f3bcc908)

/* Both steps can be undone, so two states of the hash never fall together on the same word. */
static inline uint64_t ls_hash_word(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

#endif
