/* SPDX-License-Identifier: Apache-2.0 */
/* #VE (SDM 3C:26.5.7): an EPT violation that the guest is told of instead of the host. */
#include "sim/vmx-model/vmx.h"

/* The virtualization-exception information area. */
enum area {
	AREA_REASON = 0,
	AREA_BUSY = 4,
	AREA_QUALIFICATION = 8,
	AREA_LINEAR = 16,
	AREA_PHYSICAL = 24,
	AREA_EPTP_INDEX = 32,
};

void vmx_convert_violation(struct cpu *cpu, const struct walk_result *walk)
{
	struct vmx *vmx = vmx_of(cpu);
	const struct vmx_exit *exit = &vmx->exit;
	u64 area = vmx->value[VMCS_VE_INFORMATION_ADDRESS];

	if (!VMX_SECONDARY(cpu, EPT_VE) || walk->second.suppressed || cpu_real_mode(cpu) ||
	    cpu->delivering.active || mem_load_physical(cpu, area + AREA_BUSY, 4))
		return;
	mem_store_physical(cpu, area + AREA_REASON, REASON_EPT_VIOLATION, 4);
	mem_store_physical(cpu, area + AREA_BUSY, UINT32_MAX, 4);
	mem_store_physical(cpu, area + AREA_QUALIFICATION, exit->qualification, 8);
	mem_store_physical(cpu, area + AREA_LINEAR, exit->linear, 8);
	mem_store_physical(cpu, area + AREA_PHYSICAL, exit->physical, 8);
	mem_store_physical(cpu, area + AREA_EPTP_INDEX, vmx->value[VMCS_EPTP_INDEX], 2);
	cpu_raise(cpu, VECTOR_VE);
}
