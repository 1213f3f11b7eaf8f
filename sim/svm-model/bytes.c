/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/svm-model/bytes.h"
#include "sim/cpu/descriptor.h"

#define INSTRUCTION_MAX 15

/* Bytes of the page that @linear is in. 0: no translation, or no memory. */
static unsigned int page_bytes(struct cpu *cpu, u64 linear, u8 *to, unsigned int wanted)
{
	unsigned int room = PAGE_SIZE_4K - (linear & PAGE_OFFSET_MASK);
	unsigned int access = WALK_EXEC | WALK_NO_AD | (cpu->cpl == 3 ? WALK_USER : 0);
	struct walk_result result;
	const u8 *host;

	if (!walk_linear(cpu->slots, &cpu->walk, linear, access, &result))
		return 0;
	host = slots_host(cpu->slots, result.gpa);
	if (!host)
		return 0;
	if (wanted > room)
		wanted = room;
	__builtin_memcpy(to, host, wanted);
	return wanted;
}

static unsigned int within_limit(const struct cpu *cpu, u64 rip)
{
	u32 limit = cpu->seg[SEG_CS].limit;

	if (cpu_64bit(cpu) || (limit >= rip && limit - rip >= INSTRUCTION_MAX - 1))
		return INSTRUCTION_MAX;
	return limit < rip ? 0 : limit - rip + 1;
}

void svm_note_bytes(struct cpu *cpu)
{
	u64 *value = svm_of(cpu)->value, rip = cpu->reg[REG_RIP];
	unsigned int wanted, count;
	u8 bytes[16] = {0};

	value[VMCB_BYTES_FETCHED] = value[VMCB_BYTES_LOW] = value[VMCB_BYTES_HIGH] = 0;
	if (!svm_of(cpu)->exit.fetch)
		return;
	wanted = within_limit(cpu, rip);
	count = page_bytes(cpu, current_linear(cpu, rip), bytes, wanted);
	if (count && count < wanted)
		count += page_bytes(cpu, current_linear(cpu, rip + count), bytes + count,
				    wanted - count);
	value[VMCB_BYTES_FETCHED] = count;
	__builtin_memcpy(&value[VMCB_BYTES_LOW], bytes, 7);
	__builtin_memcpy(&value[VMCB_BYTES_HIGH], bytes + 7, 8);
}
