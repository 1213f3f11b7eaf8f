/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/vmx-model/vmx.h"
#include "sim/cpu/address_space.h"

void vmx_turn_off(struct cpu *cpu)
{
	struct vmx *vmx = vmx_of(cpu);

	if (cpu->guest || vmx->smm.guest)
		vmx_stop_timer(cpu);
	vmx->on = vmx->smm.on = vmx->smm.guest = false;
	vmx->current = VMCS_NONE;
	vmx->pin = vmx->primary = vmx->secondary = 0;
	vmx->trap.reason = 0;
	vmx->apic_write.size = 0;
	cpu->guest = cpu->arbitrates = false;
	cpu->nmi_virtual = cpu->iret_keeps_nmi = false;
	cpu->monitor_trap.on = cpu->monitor_trap.due = false;
	if (cpu->delivering.injected)
		cpu->delivering.active = cpu->delivering.injected = false;
	vmx_fix_control_registers(cpu);
	second_stage_flush(&vmx->second);
	cpu->walk.second = NULL;
	cpu->apic_access_end = 0;
	cpu_enter_world(cpu, WORLD_HOST);
}

/* INIT comes here outside VMX operation only, which blocks it or has a guest exit. */
static void reset(struct cpu *cpu, bool init)
{
	if (!init)
		vmx_turn_off(cpu);
}

static void settle(struct cpu *cpu)
{
	second_stage_flush(&vmx_of(cpu)->second);
	vmx_of(cpu)->judged = false;
	vmx_fix_control_registers(cpu);
	if (cpu->guest)
		vmx_change_world(cpu);
	else /* a state that was loaded over a guest's */
		vmx_leave_world(cpu);
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
	.bus_lock = vmx_bus_lock,
	.x2apic = vmx_x2apic,
	.gate = vmx_gate,
	.holds = vmx_holds,
	.interrupt = vmx_interrupt,
	.due = vmx_due,
	.would_wake = vmx_would_wake,
	.host_paging = vmx_host_paging,
	.settle = settle,
	.get_nested = vmx_get_nested,
	.set_nested = vmx_set_nested,
	.enter_smm = vmx_enter_smm,
	.leave_smm = vmx_leave_smm,
	.exit = vmx_switch_to_host,
};
