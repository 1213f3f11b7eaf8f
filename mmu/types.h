/* SPDX-License-Identifier: Apache-2.0 */
/* Short integer names for the rooms where every other token is one. */
#ifndef LOCKSTEP_MMU_TYPES_H
#define LOCKSTEP_MMU_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef unsigned __int128 u128;
typedef __int128 s128;

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define NOINLINE      __attribute__((noinline))
#define COLD          __attribute__((noinline, cold))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n)        (UINT64_C(1) << (n))

#define PAGE_SHIFT       12
#define PAGE_SIZE_4K     UINT64_C(4096)
#define PAGE_OFFSET_MASK UINT64_C(0xfff)

#endif
