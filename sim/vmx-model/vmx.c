/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/vmx-model/vmx.h"

/* INIT comes here outside VMX operation only, which blocks it or has a guest exit. */
static void reset(struct cpu *cpu, bool init)
{
	struct vmx *vmx = vmx_of(cpu);

	if (init)
		return;
	vmx->on = false;
	vmx->current = VMCS_NONE;
	vmx->secondary = 0;
	cpu->guest = cpu->arbitrates = false;
	cpu->walk.second = NULL;
	cpu->apic_access_end = 0;
	second_stage_flush(&vmx->second);
	vmx_fix_control_registers(cpu);
}

static bool msr_read_none(struct cpu *cpu, u32 number, u64 *value, bool host)
{
	(void)cpu;
	(void)number;
	(void)value;
	(void)host;
	return false;
}

static bool msr_write_none(struct cpu *cpu, u32 number, u64 value, bool host)
{
	(void)cpu;
	(void)number;
	(void)value;
	(void)host;
	return false;
}

const struct vendor_ops vmx_ops = {
	.name = "vmx",
	.state_size = sizeof(struct vmx),
	.reset = reset,
	.instruction = vmx_instruction,
	.intercept = vmx_intercept,
	.read_cr = vmx_read_cr,
	.write_cr = vmx_write_cr,
	.msr_read = msr_read_none,
	.msr_write = msr_write_none,
	.exception = vmx_exception,
	.shutdown = vmx_shutdown,
	.second_stage_fault = vmx_second_stage_fault,
	.apic_access = vmx_apic_access,
	.gate = vmx_gate,
	.interrupt = vmx_interrupt,
	.due = vmx_due,
	.would_wake = vmx_would_wake,
	.host_paging = vmx_host_paging,
	.exit = vmx_switch_to_host,
};
