/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page is guarded by the first bit in its word: a TLB that is filled after that gives no leave to
 * write there, and those that have it already must give it up. The vCPU whose bit was the first
 * asks the others to (code_page_made) and waits until they have. One that finds bits of others
 * there can't know whether they are done waiting; meanwhile a third may still write past everybody.
 * So the first counts itself in slots->guarding before its bit can be seen, and out when all have
 * served it: who sees bits and no count knows that nobody has leave, who sees a count asks all by
 * itself, which does no harm twice.
 */
#include "sim/cpu/code_guard.h"

/* Returns the word as it was. @counted: the page's first bit was, or nearly was, among @lines. */
static u64 set_lines(struct slots *slots, u64 *word, u64 lines, bool *counted)
{
	u64 old = __atomic_load_n(word, __ATOMIC_ACQUIRE);

	*counted = false;
	do {
		if (!old && !*counted) {
			*counted = true;
			__atomic_fetch_add(&slots->guarding, 1, __ATOMIC_SEQ_CST);
		}
	} while ((old & lines) != lines &&
		 !__atomic_compare_exchange_n(word, &old, old | lines, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_ACQUIRE));
	return old;
}

bool code_guard(struct cpu *cpu, u64 gpa, unsigned int size)
{
	struct slots *slots = cpu->slots;
	struct slot *slot = slots_find(slots, gpa);
	u64 lines = slot_code_lines(gpa, size), old;
	bool counted;

	old = set_lines(slots, slot_code_word(slot, gpa), lines, &counted);
	if (likely(!counted) && likely(!__atomic_load_n(&slots->guarding, __ATOMIC_ACQUIRE)))
		return (old & lines) != lines;
	tlb_protect_gpa(&cpu->tlb, gpa & ~PAGE_OFFSET_MASK);
	cpu->platform->code_page_made(cpu, gpa);
	if (counted)
		__atomic_fetch_sub(&slots->guarding, 1, __ATOMIC_RELEASE);
	return true;
}
