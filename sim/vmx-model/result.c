/* SPDX-License-Identifier: Apache-2.0 */
/* VMsucceed, VMfailInvalid and VMfailValid (SDM 3C:31.2). */
#include "sim/cpu/flags.h"
#include "sim/vmx-model/vmx.h"

u64 vmx_succeed(struct cpu *cpu, const struct op *op)
{
	flags_set_arith(cpu, 0);
	return OP_NEXT_RIP(cpu, op);
}

u64 vmx_fail_invalid(struct cpu *cpu, const struct op *op)
{
	flags_set_arith(cpu, FLAG_CF);
	return OP_NEXT_RIP(cpu, op);
}

u64 vmx_fail(struct cpu *cpu, const struct op *op, enum vmx_error error)
{
	struct vmx *vmx = vmx_of(cpu);

	if (vmx->current == VMCS_NONE)
		return vmx_fail_invalid(cpu, op);
	vmx->value[VMCS_INSTRUCTION_ERROR] = error;
	flags_set_arith(cpu, FLAG_ZF);
	return OP_NEXT_RIP(cpu, op);
}
