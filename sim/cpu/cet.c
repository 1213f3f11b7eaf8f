/* SPDX-License-Identifier: Apache-2.0 */
/* CET: near branches, the indirect-branch tracker, shadow-stack accesses (SDM 1:17). */
#include "sim/cpu/cet.h"
#include "sim/cpu/control.h"

#define SHADOW_STACK_BITS (CET_SH_STK_EN | CET_WR_SHSTK_EN)
#define IBT_BITS                                                                                   \
	(CET_ENDBR_EN | CET_LEG_IW_EN | CET_NO_TRACK_EN | CET_SUPPRESS_DIS | CET_SUPPRESS |        \
	 CET_TRACKER | ~PAGE_OFFSET_MASK)

/* SDM 1:17.2.1: bitmap base canonical; SUPPRESS and TRACKER = WAIT_FOR_ENDBRANCH exclude each
 * other; the bits of the half that is not there are reserved. */
u64 cet_control_reserved(const struct cpu *cpu)
{
	return ~((cpu_has(cpu, FEATURE_CET_SS) ? SHADOW_STACK_BITS : 0) |
		 (cpu_has(cpu, FEATURE_CET_IBT) ? IBT_BITS : 0));
}

bool cet_control_valid(const struct cpu *cpu, u64 value)
{
	return !(value & cet_control_reserved(cpu)) && base_canonical(cpu, value) &&
	       (value & (CET_SUPPRESS | CET_TRACKER)) != (CET_SUPPRESS | CET_TRACKER);
}

static u64 cet_control(const struct cpu *cpu, unsigned int cpl)
{
	return cpu->msr[cpl == 3 ? MSR_U_CET : MSR_S_CET];
}

static bool cet_active(const struct cpu *cpu)
{
	return (cpu->cr4 & CR4_CET) && (cpu->cr0 & CR0_PE) && !cpu_v86(cpu);
}

bool cet_shadow_stack_at(const struct cpu *cpu, unsigned int cpl)
{
	return cet_active(cpu) && (cet_control(cpu, cpl) & CET_SH_STK_EN);
}

bool cet_shadow_stack_of_handler(const struct cpu *cpu, unsigned int cpl)
{
	return (cpu->cr4 & CR4_CET) && (cet_control(cpu, cpl) & CET_SH_STK_EN);
}

bool cet_endbranch_at(const struct cpu *cpu, unsigned int cpl)
{
	return cet_active(cpu) && (cet_control(cpu, cpl) & CET_ENDBR_EN);
}

bool cet_shadow_stack_enabled(const struct cpu *cpu)
{
	return cet_shadow_stack_at(cpu, cpu->cpl);
}

bool cet_endbranch_enabled(const struct cpu *cpu)
{
	return cet_endbranch_at(cpu, cpu->cpl);
}

bool cet_waits(const struct cpu *cpu)
{
	return cet_endbranch_enabled(cpu) && (cet_control(cpu, cpu->cpl) & CET_TRACKER);
}

void cet_start_tracker(struct cpu *cpu, unsigned int cpl)
{
	u64 *control = &cpu->msr[cpl == 3 ? MSR_U_CET : MSR_S_CET];

	if (cet_endbranch_at(cpu, cpl))
		*control = (*control & ~CET_SUPPRESS) | CET_TRACKER;
}

/* SDM 1:17.3.2 to 17.3.4: NOTRACK counts only where the OS allows it; a suppressed tracker
 * stays idle. */
void cet_indirect_branch(struct cpu *cpu, const struct op *op)
{
	u64 control = cet_control(cpu, cpu->cpl);

	if (!cet_endbranch_enabled(cpu) || (control & CET_SUPPRESS))
		return;
	if ((op->flags & OP_NOTRACK) && (control & CET_NO_TRACK_EN))
		return;
	cpu->msr[cpu->cpl == 3 ? MSR_U_CET : MSR_S_CET] |= CET_TRACKER;
	cpu_update_mode(cpu);
}

/* One bit a page of 4 KiB, by the linear address; 1 marks code without ENDBRANCHes. */
static bool page_is_legacy(struct cpu *cpu, u64 bitmap)
{
	u64 linear = current_linear(cpu, cpu->reg[REG_RIP]);
	u64 byte = bitmap + ((linear & (UINT64_MAX >> cpu->canonical_shift)) >> 15);

	return mem_load_as(cpu, byte, 1, cpu->cpl == 3 ? WALK_USER : 0) >> (linear >> 12 & 7) & 1;
}

/* SDM 1:17.3.6: where IA32_x_CET.LEG_IW_EN is set and the page is legacy code, the tracker goes
 * idle and, unless SUPPRESS_DIS says otherwise, stays so until the next ENDBRANCH. */
bool cet_legacy_page(struct cpu *cpu)
{
	u64 *control = &cpu->msr[cpu->cpl == 3 ? MSR_U_CET : MSR_S_CET];

	if (!(*control & CET_LEG_IW_EN) || !page_is_legacy(cpu, *control & ~PAGE_OFFSET_MASK))
		return false;
	*control &= ~CET_TRACKER;
	if (!(*control & CET_SUPPRESS_DIS))
		*control |= CET_SUPPRESS;
	cpu_update_mode(cpu);
	return true;
}

static unsigned int shadow_access(bool user)
{
	return WALK_SHADOW_STACK | (user ? WALK_USER : 0);
}

u64 cet_load(struct cpu *cpu, u64 linear, bool user)
{
	return mem_load_as(cpu, linear, 8, shadow_access(user));
}

void cet_store(struct cpu *cpu, u64 linear, u64 value, unsigned int size, bool user)
{
	mem_store_as(cpu, linear, value, size, shadow_access(user));
}

u64 cet_exchange(struct cpu *cpu, u64 linear, u64 expected, u64 desired, bool user)
{
	u64 found = mem_load_as(cpu, linear, 8, shadow_access(user));

	/* The write happens either way, as CMPXCHG's does. */
	mem_store_as(cpu, linear, found == expected ? desired : found, 8, shadow_access(user));
	return found;
}

/* SDM 2A CALL: near calls push 8 bytes in 64-bit mode, else 4. */
void cet_near_call(struct cpu *cpu, const struct op *op, u64 return_rip, unsigned int size)
{
	unsigned int bytes = op->flags & OP_CODE64 ? 8 : 4;

	(void)size;
	FAULT_POINT(cpu, op);
	cet_store(cpu, cpu->ssp - bytes, return_rip, bytes, cpu->cpl == 3);
	cpu->ssp -= bytes;
}

void cet_near_return(struct cpu *cpu, const struct op *op, u64 target, unsigned int size)
{
	unsigned int bytes = op->flags & OP_CODE64 ? 8 : 4;
	u64 saved;

	(void)size;
	FAULT_POINT(cpu, op);
	saved = mem_load_as(cpu, cpu->ssp, bytes, shadow_access(cpu->cpl == 3));
	if (saved != target)
		cpu_raise_error(cpu, VECTOR_CP, CP_NEAR_RET);
	cpu->ssp += bytes;
}
