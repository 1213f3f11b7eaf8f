/* SPDX-License-Identifier: Apache-2.0 */
/* VMREAD and VMWRITE (SDM 3C:31.3). */
#include "sim/cpu/operand.h"
#include "sim/vmx-model/vmx.h"

static unsigned int operand_size(const struct op *op)
{
	return op->flags & OP_CODE64 ? 8 : 4;
}

static u64 register_in(struct cpu *cpu, const struct op *op, u8 reg)
{
	return op->flags & OP_CODE64 ? REG64(cpu, reg) : REG32(cpu, reg);
}

static void check_guest(struct cpu *cpu, const struct op *op, u32 reason)
{
	if (!cpu->guest)
		return;
	vmx_begin_exit(cpu, reason)->information = vmx_operand_information(op);
	vmx_leave(cpu, op, reason, vmx_operand_displacement(cpu, op));
}

static void store(struct cpu *cpu, const struct op *op, u64 value)
{
	unsigned int size = operand_size(op);

	if (op->kind != KIND_REG)
		mem_store(cpu, op, ea_by_kind(cpu, op, size, true), value, size);
	else
		REG64(cpu, op->rm) = size == 8 ? value : (u32)value;
}

u64 vmx_read_field(struct cpu *cpu, const struct op *op)
{
	struct vmx *vmx = vmx_of(cpu);
	u64 encoding = register_in(cpu, op, op->reg);
	int field;

	check_guest(cpu, op, REASON_VMREAD);
	if (cpu->cpl > 0)
		raise_gp(cpu, 0);
	if (vmx->current == VMCS_NONE)
		return vmx_fail_invalid(cpu, op);
	field = vmcs_find(encoding);
	if (field < 0)
		return vmx_fail(cpu, op, VMX_ERROR_UNSUPPORTED_FIELD);
	store(cpu, op, vmcs_get(vmx->value, field, encoding & ENCODING_HIGH));
	return vmx_succeed(cpu, op);
}

static u64 load(struct cpu *cpu, const struct op *op)
{
	unsigned int size = operand_size(op);

	if (op->kind != KIND_REG)
		return mem_load(cpu, op, ea_by_kind(cpu, op, size, false), size);
	return register_in(cpu, op, op->rm);
}

static bool read_only(const struct cpu *cpu, int field)
{
	return ENCODING_TYPE(vmcs_fields[field].encoding) == VMCS_TYPE_READ_ONLY &&
	       !(cpu->msr[MSR_VMX_BASIC + VMX_MISC] & MISC_WRITE_ANY_FIELD);
}

u64 vmx_write_field(struct cpu *cpu, const struct op *op)
{
	struct vmx *vmx = vmx_of(cpu);
	u64 encoding = register_in(cpu, op, op->reg), value;
	int field;

	check_guest(cpu, op, REASON_VMWRITE);
	if (cpu->cpl > 0)
		raise_gp(cpu, 0);
	if (vmx->current == VMCS_NONE)
		return vmx_fail_invalid(cpu, op);
	value = load(cpu, op);
	field = vmcs_find(encoding);
	if (field < 0)
		return vmx_fail(cpu, op, VMX_ERROR_UNSUPPORTED_FIELD);
	if (read_only(cpu, field))
		return vmx_fail(cpu, op, VMX_ERROR_READ_ONLY_FIELD);
	vmcs_set(vmx->value, field, encoding & ENCODING_HIGH, value);
	return vmx_succeed(cpu, op);
}
