/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cpu/apic_page.h"

/* A word in each of eight registers. */
static u32 word_offset(u32 bank, u8 vector)
{
	return bank + vector / 32 * 0x10;
}

bool apic_page_test_vector(struct cpu *cpu, u64 page, u32 bank, u8 vector)
{
	return apic_page_get(cpu, page, word_offset(bank, vector), 4) >> vector % 32 & 1;
}

/* Aligned, whatever @page is: the word must not end in another page. */
static u32 *begin(struct cpu *cpu, u64 page, u32 offset)
{
	return (u32 *)mem_physical_begin(cpu, (page & ~PAGE_OFFSET_MASK) + offset);
}

void apic_page_set_vector(struct cpu *cpu, u64 page, u32 bank, u8 vector, bool on)
{
	u32 offset = word_offset(bank, vector), bit = 1u << vector % 32;
	u32 *word = begin(cpu, page, offset);

	if (!word)
		return;
	if (on)
		__atomic_fetch_or(word, bit, __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(word, ~bit, __ATOMIC_SEQ_CST);
	mem_physical_end(cpu, (page & ~PAGE_OFFSET_MASK) + offset, sizeof(*word));
}

void apic_page_add_vectors(struct cpu *cpu, u64 page, u32 bank, unsigned int n, u32 bits)
{
	u32 offset = bank + 0x10 * n, *word = begin(cpu, page, offset);

	if (!word)
		return;
	__atomic_fetch_or(word, bits, __ATOMIC_SEQ_CST);
	mem_physical_end(cpu, (page & ~PAGE_OFFSET_MASK) + offset, sizeof(*word));
}

u8 apic_page_highest_vector(struct cpu *cpu, u64 page, u32 bank)
{
	for (int vector = 255; vector > 0; vector -= 32) {
		u32 word = apic_page_get(cpu, page, word_offset(bank, vector), 4);

		if (word)
			return vector - __builtin_clz(word);
	}
	return 0;
}
