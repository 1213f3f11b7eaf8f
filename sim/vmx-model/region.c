/* SPDX-License-Identifier: Apache-2.0 */
/* The current VMCS and its region in memory (SDM 3C:25.1, 25.2, 25.11). */
#include "sim/vmx-model/vmx.h"

bool vmx_address_valid(const struct cpu *cpu, u64 address)
{
	return !(address & PAGE_OFFSET_MASK) && !(address >> cpu->physical_bits);
}

void vmx_put_back(struct cpu *cpu)
{
	struct vmx *vmx = vmx_of(cpu);
	u8 *region;

	if (vmx->current == VMCS_NONE)
		return;
	region = mem_physical_begin(cpu, vmx->current);
	if (!region)
		return;
	vmcs_store(vmx->value, region);
	region[VMCS_STATE_OFFSET] = vmx->launched;
	mem_physical_end(cpu, vmx->current, PAGE_SIZE_4K);
}

/* Where there is no memory all bits read as 1. */
void vmx_take(struct cpu *cpu, u64 address)
{
	static const u8 nothing[PAGE_SIZE_4K] = {0};
	struct vmx *vmx = vmx_of(cpu);
	const u8 *region = slots_host(cpu->slots, address);

	if (address == vmx->current)
		return;
	vmx_put_back(cpu);
	vmx->current = address;
	vmx->judged = false;
	vmcs_load(vmx->value, region ? region : nothing);
	vmx->launched = region && region[VMCS_STATE_OFFSET];
	vmx->shadow = mem_load_physical(cpu, address, 4) & VMCS_SHADOW;
}
