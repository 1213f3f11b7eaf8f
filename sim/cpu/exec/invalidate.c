/* SPDX-License-Identifier: Apache-2.0 */
/* INVLPG, INVPCID (SDM 3A:4.10.4). */
#include "sim/cpu/address_space.h"
#include "sim/cpu/control.h"
#include "sim/cpu/descriptor.h"
#include "sim/cpu/operand.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/vendor.h"

/* Does not check the segment; a non-canonical address does nothing (SDM 2: INVLPG). */
static HANDLER(exec_invlpg)
{
	u64 linear = ea_offset(cpu, op) + REG64(cpu, op->seg_base);

	if (!(op->flags & OP_CODE64))
		linear = (u32)linear;
	FAULT_POINT(cpu, op);
	INTERCEPT(cpu, op, INVLPG, linear);
	if (address_canonical(cpu, linear))
		cpu_flush_linear(cpu, linear);
	NEXT;
}
FAMILY_ONE(invlpg, exec_invlpg);

enum invpcid_type { INVPCID_ADDRESS, INVPCID_PCID, INVPCID_ALL_GLOBAL, INVPCID_ALL };

static void invalidate(struct cpu *cpu, u64 type, u64 pcid, u64 linear)
{
	if (type > INVPCID_ALL || pcid >> 12)
		raise_gp(cpu, 0);
	if (type <= INVPCID_PCID && pcid && !(cpu->cr4 & CR4_PCIDE))
		raise_gp(cpu, 0);
	if (type == INVPCID_ADDRESS && !base_canonical(cpu, linear))
		raise_gp(cpu, 0);
	switch (type) {
	case INVPCID_ADDRESS:
		cpu_flush_pcid_linear(cpu, pcid, linear);
		break;
	case INVPCID_PCID:
		cpu_flush_pcid(cpu, pcid);
		break;
	case INVPCID_ALL_GLOBAL:
		cpu_flush_tlb(cpu);
		break;
	case INVPCID_ALL:
		cpu_flush_nonglobal(cpu);
		break;
	}
}

static HANDLER(exec_invpcid)
{
	u64 linear, pcid, address, type;

	FAULT_POINT(cpu, op);
	type = register_by_mode(cpu, op, op->reg);
	linear = ea_by_kind(cpu, op, 16, false);
	INTERCEPT(cpu, op, INVPCID, linear);
	pcid = mem_load(cpu, op, linear, 8);
	address = mem_load(cpu, op, op->flags & OP_CODE64 ? linear + 8 : (u32)(linear + 8), 8);
	invalidate(cpu, type, pcid, address);
	NEXT;
}
FAMILY_ONE(invpcid, exec_invpcid);
