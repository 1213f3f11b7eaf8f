/* SPDX-License-Identifier: Apache-2.0 */
/* VPIDs and EPT (SDM 3C:29): which translations hold, and what EPT's refusals become. */
#include "sim/cpu/address_space.h"
#include "sim/vmx-model/vmx.h"

/* A world is named by bit 63, the VPID, whether there is EPT, and its root (SDM 3C:29.4). */
#define WORLD_GUEST BIT(63)
#define WORLD_EPT   BIT(40)
#define EPTP_ROOT   (((UINT64_C(1) << 52) - 1) & ~PAGE_OFFSET_MASK)

u64 vmx_world_of_vpid(u16 vpid)
{
	return (u64)vpid << 41;
}

u64 vmx_world_of_eptp(u64 eptp)
{
	return WORLD_EPT | (eptp & EPTP_ROOT) >> PAGE_SHIFT;
}

void vmx_enter_world(struct cpu *cpu)
{
	struct vmx *vmx = vmx_of(cpu);
	bool vpid = VMX_SECONDARY(cpu, VPID);
	u64 tag = WORLD_GUEST;

	if (vpid)
		tag |= vmx_world_of_vpid(vmx->value[VMCS_VPID]);
	else /* entries drop what belongs to VPID 0 (SDM 3C:29.4.3.1) */
		cpu_flush_worlds(cpu, WORLD_GUEST | VMX_WORLD_VPID, WORLD_GUEST);
	cpu_enter_world(cpu, tag);
	cpu_update_mode(cpu);
}

void vmx_leave_world(struct cpu *cpu)
{
	cpu->walk.second = NULL;
	cpu_enter_world(cpu, WORLD_HOST);
	if (!VMX_SECONDARY(cpu, VPID)) /* so do exits */
		cpu_flush_tlb(cpu);
	cpu_update_mode(cpu);
}

void vmx_second_stage_fault(struct cpu *cpu, u64 linear, unsigned int access,
			    const struct walk_result *walk)
{
	(void)linear;
	(void)access;
	(void)walk;
	raise_ud(cpu);
}
