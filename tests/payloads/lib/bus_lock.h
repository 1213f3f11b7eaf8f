/* SPDX-License-Identifier: Apache-2.0 */
/* Guests that lock the bus, or don't: by a line's end, or by memory that is not write-back. */
#ifndef PAYLOAD_BUS_LOCK_H
#define PAYLOAD_BUS_LOCK_H

#include "payload.h"

/* Each instruction works on (RDI); what it locks is told by where that points. */
void lock_guest(void);
extern const char lock_guest_first[], lock_guest_second[], lock_guest_third[];
__asm__(".text\nlock_guest: mov %eax, (%rdi); addl $1, (%rdi)\n" /* no locks */
	"lock_guest_first: lock addl $1, (%rdi)\n"
	"lock_guest_second: xchg %eax, (%rdi)\n"
	"lock_guest_third: cpuid; vmmcall\n");

static u8 lock_lines[4096] __attribute__((aligned(4096)));
#define LOCK_WITHIN (lock_lines + 60)
#define LOCK_ACROSS (lock_lines + 61)

/* A 2 MiB page of the first GiB becomes one of that PAT index, 0 or 3 (UC after RESET). */
extern u64 page_directories[];
static inline void lock_set_type(const void *address, bool uncached)
{
	u64 *entry = &page_directories[(u64)address >> 21];

	*entry = (*entry & ~0x18ull) | (uncached ? 0x18 : 0);
	WRITE_REGISTER("cr3", READ_REGISTER("cr3"));
}

/* CR0.CD, NW: RESET sets them, and without caches nothing is write-back. */
static inline void lock_cache(bool on)
{
	word cr0 = READ_REGISTER("cr0") & ~(3ul << 29);

	WRITE_REGISTER("cr0", on ? cr0 : cr0 | 1ul << 30);
}

#endif
