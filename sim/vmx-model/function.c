/* SPDX-License-Identifier: Apache-2.0 */
/* VMFUNC (SDM 3C:26.5.6): leaf 0, EPTP switching. */
#include "sim/vmx-model/vmx.h"

#define LEAVES       64
#define LIST_ENTRIES 512

/* As VM entry asks it of an EPT pointer (SDM 3C:27.2.1.1). */
bool vmx_eptp_valid(const struct cpu *cpu, u64 eptp)
{
	u64 capability = cpu->msr[MSR_VMX_BASIC + VMX_EPT_VPID];
	u64 type = eptp & 7, length = eptp >> 3 & 7;
	bool type_ok = (type == 0 && (capability & EPT_VPID_UNCACHEABLE)) ||
		       (type == 6 && (capability & EPT_VPID_WRITE_BACK));
	bool length_ok = (length == 3 && (capability & EPT_VPID_WALK_4)) ||
			 (length == 4 && (capability & EPT_VPID_WALK_5));

	if ((eptp & BIT(6)) && !(capability & EPT_VPID_ACCESSED_DIRTY))
		return false;
	if ((eptp & BIT(7)) && !(capability & EPT_VPID_SUPERVISOR_SHADOW_STACK))
		return false;
	return type_ok && length_ok && !(eptp & 0xf00) && !(eptp >> cpu->physical_bits);
}

static bool switch_eptp(struct cpu *cpu, u32 index)
{
	struct vmx *vmx = vmx_of(cpu);
	u64 eptp;

	if (index >= LIST_ENTRIES)
		return false;
	eptp = mem_load_physical(cpu, vmx->value[VMCS_EPTP_LIST_ADDRESS] + 8 * index, 8);
	if (!vmx_eptp_valid(cpu, eptp))
		return false;
	vmx->value[VMCS_EPTP] = eptp;
	if (VMX_SECONDARY(cpu, EPT_VE))
		vmx->value[VMCS_EPTP_INDEX] = index;
	vmx_change_world(cpu);
	return true;
}

u64 vmx_function(struct cpu *cpu, const struct op *op)
{
	struct vmx *vmx = vmx_of(cpu);
	u32 leaf = (u32)cpu->reg[REG_RAX];

	if (!cpu->guest || !VMX_SECONDARY(cpu, VM_FUNCTIONS) || leaf >= LEAVES)
		raise_ud(cpu);
	if (!(vmx->value[VMCS_VM_FUNCTION_CONTROLS] >> leaf & 1) ||
	    !switch_eptp(cpu, (u32)cpu->reg[REG_RCX]))
		vmx_leave(cpu, op, REASON_VMFUNC, 0);
	return OP_NEXT_RIP(cpu, op);
}
