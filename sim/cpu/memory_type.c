/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cpu/memory_type.h"
#include "mmu/second_stage.h"
#include "sim/cpu/msr.h"
#include "sim/cpu/vendor.h"

enum type { TYPE_UC = 0, TYPE_WT = 4, TYPE_WB = 6 };

/* --- MTRRs --- */

#define DEFAULT_FIXED_ENABLE BIT(10)
#define DEFAULT_ENABLE       BIT(11)
#define MASK_VALID           BIT(11)

#define FIXED_END UINT64_C(0x100000)

/* Registers of 8 ranges each: of 64 KiB, 16 KiB, 4 KiB (SDM 3A:12.11.2.2). */
static u8 fixed_type(const struct cpu *cpu, u64 physical)
{
	unsigned int index, shift;

	if (physical < 0x80000) {
		index = MSR_MTRR_FIX_64K_00000;
		shift = 16;
	} else if (physical < 0xc0000) {
		index = MSR_MTRR_FIX_16K_80000 + (physical - 0x80000) / 0x20000;
		shift = 14;
	} else {
		index = MSR_MTRR_FIX_4K_C0000 + (physical - 0xc0000) / 0x8000;
		shift = 12;
	}
	return cpu->msr[index] >> 8 * (physical >> shift & 7);
}

/* UC wins, and WT over WB; other overlaps are undefined (SDM 3A:12.11.4.1). */
static u8 variable_type(const struct cpu *cpu, u64 physical, u8 otherwise)
{
	u8 type = otherwise;
	bool found = false;

	for (unsigned int n = 0; n < 8; n++) {
		u64 base = cpu->msr[MSR_MTRR_BASE0 + 2 * n],
		    mask = cpu->msr[MSR_MTRR_MASK0 + 2 * n];
		u8 own = base;

		if (!(mask & MASK_VALID) || ((physical ^ base) & mask & ~PAGE_OFFSET_MASK))
			continue;
		type = !found || own < type ? own : type;
		found = true;
	}
	return type;
}

static u8 mtrr_type(const struct cpu *cpu, u64 physical)
{
	u64 control = cpu->msr[MSR_MTRR_DEFAULT];

	if (!cpu_has(cpu, FEATURE_MTRR))
		return TYPE_WB;
	if (!(control & DEFAULT_ENABLE))
		return TYPE_UC;
	if (physical < FIXED_END && (control & DEFAULT_FIXED_ENABLE))
		return fixed_type(cpu, physical);
	return variable_type(cpu, physical, control);
}

/* --- all together --- */

#define EPT_TYPE(bits)  ((bits)&7)
#define EPT_IGNORES_PAT BIT(3)

static u8 pat_type(u64 pat, u8 index)
{
	return pat >> 8 * index & 7;
}

static bool by_ept(const struct walk_result *walk, bool own)
{
	return EPT_TYPE(walk->second_type) == TYPE_WB &&
	       (own || (walk->second_type & EPT_IGNORES_PAT));
}

static bool by_nested_paging(struct cpu *cpu, const struct walk_result *walk, bool own)
{
	u64 host = *cpu->vendor->host_pat(cpu);

	return own && !(cpu->walk.second->host.cr0 & CR0_CD) &&
	       pat_type(host, walk->second_type) == TYPE_WB && mtrr_type(cpu, walk->gpa) == TYPE_WB;
}

/* Of all combinations, only those of write-back types are write-back. */
bool memory_is_write_back(struct cpu *cpu, u64 linear, unsigned int access)
{
	const struct second_stage *second = cpu->walk.second;
	bool paging = cpu->cr0 & CR0_PG, own;
	struct walk_result walk;

	if (!walk_linear(cpu->slots, &cpu->walk, linear, access, &walk))
		return true;
	own = !(cpu->cr0 & CR0_CD) &&
	      (!paging || pat_type(cpu->msr[MSR_PAT], walk.memory_type_bits) == TYPE_WB);
	if (!second)
		return own && mtrr_type(cpu, walk.gpa) == TYPE_WB;
	return second->kind == SECOND_STAGE_EPT ? by_ept(&walk, own)
						: by_nested_paging(cpu, &walk, own);
}
