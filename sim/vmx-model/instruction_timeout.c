/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instruction timeout (SDM 3C:25.6.24, 26.2): a guest that reaches no instruction boundary within
 * so many ticks of the crystal. Here only exceptions in the delivery of exceptions keep it from
 * one.
 */
#include "sim/vmx-model/vmx.h"

/* The crystal ticks at 1 GHz (CPUID 15H). Processors add a threshold of their own, so that a few
 * exceptions in a row don't exit with a window of 0. */
#define OWN_THRESHOLD 1000

/* The exception came up while one before it was being delivered. */
static bool follows_exception(const struct cpu *cpu)
{
	return cpu->delivering.active && !cpu->delivering.injected &&
	       cpu->delivering.type == EVENT_TYPE_EXCEPTION;
}

bool vmx_timed_out(struct cpu *cpu)
{
	struct vmx *vmx = vmx_of(cpu);

	if (!VMX_SECONDARY(cpu, INSTRUCTION_TIMEOUT))
		return false;
	if (!follows_exception(cpu)) {
		vmx->boundary = cpu_time(cpu);
		return false;
	}
	if (cpu_time(cpu) - vmx->boundary <= OWN_THRESHOLD + vmx->value[VMCS_INSTRUCTION_TIMEOUT])
		return false;
	vmx_begin_fault_exit(cpu, REASON_NOTIFY);
	vmx_switch_to_host(cpu);
	cpu_update_mode(cpu);
	return true;
}
