/* SPDX-License-Identifier: Apache-2.0 */
/* VMREAD and VMWRITE (SDM 3C:31.3), of a guest with VMCS shadowing, too (25.6.15, 26.1.3). */
#include "sim/cpu/operand.h"
#include "sim/cpu/vmcs_existence.h"
#include "sim/vmx-model/vmx.h"

static unsigned int operand_size(const struct op *op)
{
	return op->flags & OP_CODE64 ? 8 : 4;
}

/* --- whose VMCS --- */

#define SHADOW_ENCODING UINT64_C(0x7fff)

/* A guest reaches the VMCS that the link pointer names, if VMCS shadowing and the bitmap let it. */
static bool shadowed(struct cpu *cpu, u64 encoding, enum vmcs_field bitmap)
{
	return VMX_SECONDARY(cpu, VMCS_SHADOWING) && !(encoding & ~SHADOW_ENCODING) &&
	       !vmx_bit_at(cpu, vmx_of(cpu)->value[bitmap], encoding);
}

_Noreturn static void leave(struct cpu *cpu, const struct op *op, u32 reason)
{
	vmx_begin_exit(cpu, reason)->information = vmx_operand_information(op);
	vmx_leave(cpu, op, reason, vmx_operand_displacement(cpu, op));
}

/* What comes before the field is looked at. False: there is no VMCS. */
static bool reach(struct cpu *cpu, const struct op *op, u32 reason, u64 encoding,
		  enum vmcs_field bitmap)
{
	struct vmx *vmx = vmx_of(cpu);

	if (cpu->guest && !shadowed(cpu, encoding, bitmap))
		leave(cpu, op, reason);
	if (cpu->cpl > 0)
		raise_gp(cpu, 0);
	return (cpu->guest ? vmx->value[VMCS_VMCS_LINK_POINTER] : vmx->current) != VMCS_NONE;
}

/* The field, if this processor has it; else -1. */
static int find(const struct cpu *cpu, u64 encoding)
{
	int field = vmcs_find(encoding);

	if (field >= 0 && !vmcs_exists(&cpu->msr[MSR_VMX_BASIC], vmcs_fields[field].encoding))
		return -1;
	return field;
}

static u64 shadow_field(const struct cpu *cpu, enum vmcs_field field)
{
	return vmx_of(cpu)->value[VMCS_VMCS_LINK_POINTER] + vmcs_fields[field].offset;
}

static u64 get(struct cpu *cpu, enum vmcs_field field)
{
	if (likely(!cpu->guest))
		return vmx_of(cpu)->value[field];
	return mem_load_physical(cpu, shadow_field(cpu, field), vmcs_bytes(field));
}

static void set(struct cpu *cpu, enum vmcs_field field, u64 value)
{
	if (likely(!cpu->guest)) {
		if (ENCODING_TYPE(vmcs_fields[field].encoding) != VMCS_TYPE_GUEST &&
		    vmx_of(cpu)->value[field] != value)
			vmx_of(cpu)->judged = false;
		vmx_of(cpu)->value[field] = value;
	} else {
		mem_store_physical(cpu, shadow_field(cpu, field), value, vmcs_bytes(field));
	}
}

/* --- the instructions --- */

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
	u64 encoding = register_by_mode(cpu, op, op->reg), value;
	int field;

	if (!reach(cpu, op, REASON_VMREAD, encoding, VMCS_VMREAD_BITMAP))
		return vmx_fail_invalid(cpu, op);
	field = find(cpu, encoding);
	if (field < 0)
		return vmx_fail(cpu, op, VMX_ERROR_UNSUPPORTED_FIELD);
	value = get(cpu, field);
	store(cpu, op, encoding & ENCODING_HIGH ? value >> 32 : value);
	return vmx_succeed(cpu, op);
}

static u64 load(struct cpu *cpu, const struct op *op)
{
	unsigned int size = operand_size(op);

	if (op->kind != KIND_REG)
		return mem_load(cpu, op, ea_by_kind(cpu, op, size, false), size);
	return register_by_mode(cpu, op, op->rm);
}

static bool read_only(const struct cpu *cpu, int field)
{
	return ENCODING_TYPE(vmcs_fields[field].encoding) == VMCS_TYPE_READ_ONLY &&
	       !(cpu->msr[MSR_VMX_BASIC + VMX_MISC] & MISC_WRITE_ANY_FIELD);
}

u64 vmx_write_field(struct cpu *cpu, const struct op *op)
{
	u64 encoding = register_by_mode(cpu, op, op->reg), value;
	int field;

	if (!reach(cpu, op, REASON_VMWRITE, encoding, VMCS_VMWRITE_BITMAP))
		return vmx_fail_invalid(cpu, op);
	value = load(cpu, op);
	field = find(cpu, encoding);
	if (field < 0)
		return vmx_fail(cpu, op, VMX_ERROR_UNSUPPORTED_FIELD);
	if (read_only(cpu, field))
		return vmx_fail(cpu, op, VMX_ERROR_READ_ONLY_FIELD);
	set(cpu, field, vmcs_written(field, encoding & ENCODING_HIGH, get(cpu, field), value));
	return vmx_succeed(cpu, op);
}
