/* SPDX-License-Identifier: Apache-2.0 */
/* Values of 1, 2, 4 or 8 bytes in the host's memory, each in one access. */
#ifndef LOCKSTEP_SIM_CPU_HOST_VALUE_H
#define LOCKSTEP_SIM_CPU_HOST_VALUE_H

#include "mmu/types.h"

ALWAYS_INLINE u64 host_read(const void *host, unsigned int size)
{
	switch (size) {
	case 1:
		return *(const u8 *)host;
	case 2:
		return *(const u16 *)host;
	case 4:
		return *(const u32 *)host;
	default:
		return *(const u64 *)host;
	}
}

ALWAYS_INLINE void host_write(void *host, u64 value, unsigned int size)
{
	switch (size) {
	case 1:
		*(u8 *)host = value;
		break;
	case 2:
		*(u16 *)host = value;
		break;
	case 4:
		*(u32 *)host = value;
		break;
	default:
		*(u64 *)host = value;
		break;
	}
}

#endif
