/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From one text to a body for 8, 16 and 32 bytes: functions <name>_8, <name>_16, <name>_32.
 *
 *   VEC_BODY1(name, lane, expr)   expr on the whole vector b (type V, lanes of type lane)
 *   VEC_BODY2(name, lane, expr)   the same with the first source a
 *   LANE_BODY1(name, lane, expr)  expr on each lane y of b
 *   LANE_BODY2(name, lane, expr)  on each pair of lanes x of a, y of b
 *   LANES_BODY1(name), LANES_BODY2(name)   wraps name_lanes(r, [a,] b, bytes, imm)
 *
 * imm is the instruction's immediate byte.
 */
#ifndef LOCKSTEP_SIM_CPU_EXEC_VEC_BODY_H
#define LOCKSTEP_SIM_CPU_EXEC_VEC_BODY_H

#include "sim/cpu/exec/vector.h"

#define VEC_INLINE ALWAYS_INLINE __attribute__((unused))

/* Lanes where the mask @m is set from @x, else from @y. */
#define VEC_SELECT(m, x, y) (((x) & (__typeof__(x))(m)) | ((y) & ~(__typeof__(x))(m)))
#define VEC_MIN(x, y)       VEC_SELECT((x) < (y), x, y)
#define VEC_MAX(x, y)       VEC_SELECT((x) > (y), x, y)

#define VEC_BODY1_(name, N, T, ...)                                                                \
	VEC_INLINE v##N##_u64 name##_##N(v##N##_u64 b_, u8 imm)                                    \
	{                                                                                          \
		typedef v##N##_##T V;                                                              \
		V b = (V)b_;                                                                       \
		(void)b, (void)imm;                                                                \
		return (v##N##_u64)(V)(__VA_ARGS__);                                               \
	}
#define VEC_BODY1(name, T, ...)                                                                    \
	VEC_BODY1_(name, 8, T, __VA_ARGS__)                                                        \
	VEC_BODY1_(name, 16, T, __VA_ARGS__) VEC_BODY1_(name, 32, T, __VA_ARGS__)

#define VEC_BODY2_(name, N, T, ...)                                                                \
	VEC_INLINE v##N##_u64 name##_##N(v##N##_u64 a_, v##N##_u64 b_, u8 imm)                     \
	{                                                                                          \
		typedef v##N##_##T V;                                                              \
		V a = (V)a_, b = (V)b_;                                                            \
		(void)a, (void)b, (void)imm;                                                       \
		return (v##N##_u64)(V)(__VA_ARGS__);                                               \
	}
#define VEC_BODY2(name, T, ...)                                                                    \
	VEC_BODY2_(name, 8, T, __VA_ARGS__)                                                        \
	VEC_BODY2_(name, 16, T, __VA_ARGS__) VEC_BODY2_(name, 32, T, __VA_ARGS__)

#define LANE_COUNT(N, T) ((N) / sizeof(T))

#define LANE_BODY1_(name, N, T, ...)                                                               \
	VEC_INLINE v##N##_u64 name##_##N(v##N##_u64 b_, u8 imm)                                    \
	{                                                                                          \
		T b[LANE_COUNT(N, T)], r[LANE_COUNT(N, T)];                                        \
		v##N##_u64 result;                                                                 \
		(void)imm;                                                                         \
		__builtin_memcpy(b, &b_, N);                                                       \
		for (unsigned int i = 0; i < LANE_COUNT(N, T); i++) {                              \
			T y = b[i];                                                                \
			r[i] = (T)(__VA_ARGS__);                                                   \
		}                                                                                  \
		__builtin_memcpy(&result, r, N);                                                   \
		return result;                                                                     \
	}
#define LANE_BODY1(name, T, ...)                                                                   \
	LANE_BODY1_(name, 8, T, __VA_ARGS__)                                                       \
	LANE_BODY1_(name, 16, T, __VA_ARGS__) LANE_BODY1_(name, 32, T, __VA_ARGS__)

#define LANE_BODY2_(name, N, T, ...)                                                               \
	VEC_INLINE v##N##_u64 name##_##N(v##N##_u64 a_, v##N##_u64 b_, u8 imm)                     \
	{                                                                                          \
		T a[LANE_COUNT(N, T)], b[LANE_COUNT(N, T)], r[LANE_COUNT(N, T)];                   \
		v##N##_u64 result;                                                                 \
		(void)imm;                                                                         \
		__builtin_memcpy(a, &a_, N);                                                       \
		__builtin_memcpy(b, &b_, N);                                                       \
		for (unsigned int i = 0; i < LANE_COUNT(N, T); i++) {                              \
			T x = a[i], y = b[i];                                                      \
			r[i] = (T)(__VA_ARGS__);                                                   \
		}                                                                                  \
		__builtin_memcpy(&result, r, N);                                                   \
		return result;                                                                     \
	}
#define LANE_BODY2(name, T, ...)                                                                   \
	LANE_BODY2_(name, 8, T, __VA_ARGS__)                                                       \
	LANE_BODY2_(name, 16, T, __VA_ARGS__) LANE_BODY2_(name, 32, T, __VA_ARGS__)

#define LANES_BODY1_(name, N)                                                                      \
	VEC_INLINE v##N##_u64 name##_##N(v##N##_u64 b_, u8 imm)                                    \
	{                                                                                          \
		union lanes b, r;                                                                  \
		v##N##_u64 result;                                                                 \
		__builtin_memcpy(&b, &b_, N);                                                      \
		name##_lanes(&r, &b, N, imm);                                                      \
		__builtin_memcpy(&result, &r, N);                                                  \
		return result;                                                                     \
	}
#define LANES_BODY1(name) LANES_BODY1_(name, 8) LANES_BODY1_(name, 16) LANES_BODY1_(name, 32)

#define LANES_BODY2_(name, N)                                                                      \
	VEC_INLINE v##N##_u64 name##_##N(v##N##_u64 a_, v##N##_u64 b_, u8 imm)                     \
	{                                                                                          \
		union lanes a, b, r;                                                               \
		v##N##_u64 result;                                                                 \
		__builtin_memcpy(&a, &a_, N);                                                      \
		__builtin_memcpy(&b, &b_, N);                                                      \
		name##_lanes(&r, &a, &b, N, imm);                                                  \
		__builtin_memcpy(&result, &r, N);                                                  \
		return result;                                                                     \
	}
#define LANES_BODY2(name) LANES_BODY2_(name, 8) LANES_BODY2_(name, 16) LANES_BODY2_(name, 32)

#endif
