/* SPDX-License-Identifier: Apache-2.0 */
/* The VMX-preemption timer (SDM 3C:26.5.1, 27.7.4): counts down as a bit of the TSC changes. */
#include "sim/vmx-model/vmx.h"

void vmx_start_timer(struct cpu *cpu)
{
	struct vmx *vmx = vmx_of(cpu);
	u64 left = vmx->value[VMCS_PREEMPTION_TIMER];

	if (vmx->pin & PIN_PREEMPTION_TIMER)
		vmx_set_timer(cpu, (cpu_tsc(cpu) >> VMX_TIMER_RATE) + left);
}

void vmx_set_timer(struct cpu *cpu, u64 deadline)
{
	struct vmx *vmx = vmx_of(cpu);

	vmx->timer_end = deadline << VMX_TIMER_RATE;
	if (vmx->timer_end > cpu_tsc(cpu))
		cpu->platform->vendor_timer(cpu, cpu_tsc_to_time(cpu, vmx->timer_end));
}

void vmx_stop_timer(struct cpu *cpu)
{
	if (vmx_of(cpu)->pin & PIN_PREEMPTION_TIMER)
		cpu->platform->vendor_timer(cpu, UINT64_MAX);
}

void vmx_save_timer(struct cpu *cpu)
{
	struct vmx *vmx = vmx_of(cpu);
	u64 now = cpu_tsc(cpu) >> VMX_TIMER_RATE, end = vmx->timer_end >> VMX_TIMER_RATE;

	if ((vmx->pin & PIN_PREEMPTION_TIMER) && VMX_EXIT(cpu, SAVE_PREEMPTION_TIMER))
		vmx->value[VMCS_PREEMPTION_TIMER] = end > now ? (u32)(end - now) : 0;
}

/* It stands still in wait-for-SIPI. */
bool vmx_timer_expired(struct cpu *cpu)
{
	struct vmx *vmx = vmx_of(cpu);

	return (vmx->pin & PIN_PREEMPTION_TIMER) && cpu->activity != ACTIVITY_WAIT_SIPI &&
	       cpu_tsc(cpu) >= vmx->timer_end;
}
