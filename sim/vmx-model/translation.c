/* SPDX-License-Identifier: Apache-2.0 */
/* VPIDs and EPT (SDM 3C:29): which translations hold, and what EPT's refusals become. */
#include "mmu/sticky.h"
#include "sim/cpu/address_space.h"
#include "sim/cpu/op.h"
#include "sim/vmx-model/vmx.h"

/* A world is named by bit 63, the VPID, whether there is EPT, and its root (SDM 3C:29.4); those of
 * guests with an APIC-access page are kept apart, and dropped when the page is another, though
 * hypervisors have to see to that themselves (30.4.5). */
#define EPTP_ROOT (((UINT64_C(1) << 52) - 1) & ~PAGE_OFFSET_MASK)

u64 vmx_world_of_vpid(u16 vpid)
{
	return VMX_WORLD_GUEST | (u64)vpid << 41;
}

u64 vmx_world_of_eptp(u64 eptp)
{
	return VMX_WORLD_EPT | (eptp & EPTP_ROOT) >> PAGE_SHIFT;
}

/* Changes of the EPT pointer's other bits want an INVEPT (SDM 3C:29.4.3.3), which drops the worlds;
 * the walks that are remembered belong to all of it. */
static void use_ept(struct cpu *cpu, u64 eptp)
{
	struct vmx *vmx = vmx_of(cpu);
	u64 capability = cpu->msr[MSR_VMX_BASIC + VMX_EPT_VPID];
	bool mode_based = VMX_SECONDARY(cpu, MBEC);

	if (eptp != vmx->second_eptp || mode_based != vmx->second.mode_based)
		second_stage_flush(&vmx->second);
	vmx->second_eptp = eptp;
	vmx->second.kind = SECOND_STAGE_EPT;
	vmx->second.sticky = cpu->space.sticky;
	if (vmx->second.sticky)
		vmx->second.space = sticky_space(vmx->second.sticky, vmx_world_of_eptp(eptp));
	vmx->second.root = eptp & EPTP_ROOT;
	vmx->second.levels = (eptp >> 3 & 7) + 1;
	vmx->second.physical_bits = cpu->physical_bits;
	vmx->second.accessed_dirty = eptp & BIT(6);
	vmx->second.supervisor_shadow_stack = eptp & BIT(7);
	vmx->second.execute_only = capability & EPT_VPID_EXECUTE_ONLY;
	vmx->second.gbyte_pages = capability & EPT_VPID_PAGES_1G;
	vmx->second.mode_based = mode_based;
	vmx->second.log = vmx->value[VMCS_PML_ADDRESS];
	vmx->second.log_index = VMX_SECONDARY(cpu, PML) ? &vmx->value[VMCS_PML_INDEX] : NULL;
	cpu->walk.second = &vmx->second;
}

/* Returns what this adds to the world's name. */
static u64 use_apic_access_page(struct cpu *cpu)
{
	struct vmx *vmx = vmx_of(cpu);
	bool virtualized = VMX_SECONDARY(cpu, VIRTUALIZE_APIC_ACCESSES);
	u64 end = virtualized ? vmx->value[VMCS_APIC_ACCESS_ADDRESS] | PAGE_OFFSET_MASK : 0;

	cpu->apic_access_end = vmx->second.apic_access_end = end;
	if (!virtualized)
		return 0;
	if (end != vmx->apic_access_end)
		cpu_flush_worlds(cpu, VMX_WORLD_APIC, VMX_WORLD_APIC);
	vmx->apic_access_end = end;
	return VMX_WORLD_APIC;
}

void vmx_change_world(struct cpu *cpu)
{
	struct vmx *vmx = vmx_of(cpu);
	u64 tag = VMX_WORLD_GUEST | use_apic_access_page(cpu);

	if (VMX_SECONDARY(cpu, VPID))
		tag |= vmx_world_of_vpid(vmx->value[VMCS_VPID]);
	if (VMX_SECONDARY(cpu, EPT)) {
		use_ept(cpu, vmx->value[VMCS_EPTP]);
		tag |= vmx_world_of_eptp(vmx->value[VMCS_EPTP]);
	}
	cpu_enter_world(cpu, tag);
	cpu_update_mode(cpu);
}

void vmx_enter_world(struct cpu *cpu)
{
	if (!VMX_SECONDARY(cpu, VPID)) { /* entries drop what belongs to VPID 0 (SDM 3C:29.4.3.1) */
		cpu_flush_worlds(cpu, VMX_WORLD_VPID, VMX_WORLD_GUEST);
		second_stage_flush(&vmx_of(cpu)->second);
	}
	vmx_change_world(cpu);
}

void vmx_leave_world(struct cpu *cpu)
{
	cpu->walk.second = NULL;
	cpu->apic_access_end = 0;
	cpu_enter_world(cpu, WORLD_HOST);
	if (!VMX_SECONDARY(cpu, VPID)) /* so do exits */
		cpu_flush_tlb(cpu);
	cpu_update_mode(cpu);
}

/* --- faults --- */

/* Exit qualification beyond the rights (SDM 3C table 28-7). */
#define VIOLATION_LINEAR_VALID   BIT(7)
#define VIOLATION_FINAL          BIT(8)
#define VIOLATION_PAGE_SHIFT     9 /* advanced VM-exit information, as walk_result's page */
#define VIOLATION_NMI_UNBLOCKING BIT(12)

/* Access types of table 28-6 without a linear address. */
#define APIC_ACCESS_IN_DELIVERY    (10u << 12)
#define APIC_ACCESS_IN_INSTRUCTION (15u << 12)

static u32 reason_of(const struct walk_result *walk)
{
	if (walk->second.apic_access)
		return REASON_APIC_ACCESS;
	if (walk->second.log_full)
		return REASON_PML_FULL;
	return walk->second.misconfigured ? REASON_EPT_MISCONFIGURATION : REASON_EPT_VIOLATION;
}

/* Of an access by a linear address. */
static u64 linear_information(const struct cpu *cpu, const struct walk_result *walk)
{
	u64 capability = cpu->msr[MSR_VMX_BASIC + VMX_EPT_VPID];
	u64 page = (u64)walk->second.page << VIOLATION_PAGE_SHIFT;

	if (!walk->second.final)
		return VIOLATION_LINEAR_VALID;
	return VIOLATION_LINEAR_VALID | VIOLATION_FINAL |
	       (capability & EPT_VPID_ADVANCED_EXIT_INFO ? page : 0);
}

void vmx_second_stage_fault(struct cpu *cpu, u64 linear, unsigned int access,
			    const struct walk_result *walk)
{
	u32 reason = reason_of(walk);
	struct vmx_exit *exit = vmx_begin_fault_exit(cpu, reason);
	bool has_linear = access != SECOND_STAGE_TABLE;

	if (reason == REASON_APIC_ACCESS) {
		exit->qualification = cpu->delivering.active ? APIC_ACCESS_IN_DELIVERY
							     : APIC_ACCESS_IN_INSTRUCTION;
		vendor_exit(cpu);
	}
	exit->physical = walk->second.gpa;
	if (reason == REASON_EPT_VIOLATION) {
		exit->qualification =
			walk->second.error | (has_linear ? linear_information(cpu, walk) : 0);
		exit->linear = has_linear ? linear : 0;
		vmx_convert_violation(cpu, walk);
	}
	if (reason != REASON_EPT_MISCONFIGURATION && vmx_unblocked_nmi(cpu))
		exit->qualification |= VIOLATION_NMI_UNBLOCKING;
	vendor_exit(cpu);
}
