/* SPDX-License-Identifier: Apache-2.0 */
/* INVEPT and INVVPID (SDM 3C:31.3, 29.4.3). Dropping more than is asked for is allowed. */
#include "sim/cpu/address_space.h"
#include "sim/cpu/control.h"
#include "sim/cpu/operand.h"
#include "sim/vmx-model/vmx.h"

struct descriptor128 {
	u64 low, high;
};

static struct descriptor128 load(struct cpu *cpu, const struct op *op)
{
	u64 linear = ea_by_kind(cpu, op, 16, false);
	u64 high = op->flags & OP_CODE64 ? linear + 8 : (u32)(linear + 8);

	return (struct descriptor128){mem_load(cpu, op, linear, 8), mem_load(cpu, op, high, 8)};
}

enum invept_type { EPT_SINGLE_CONTEXT = 1, EPT_ALL_CONTEXTS = 2 };

/* Bits 25 and 26 of IA32_VMX_EPT_VPID_CAP. */
static bool ept_type_offered(const struct cpu *cpu, u64 type)
{
	return (type == EPT_SINGLE_CONTEXT || type == EPT_ALL_CONTEXTS) &&
	       (cpu->msr[MSR_VMX_BASIC + VMX_EPT_VPID] >> (24 + type) & 1);
}

u64 vmx_invept(struct cpu *cpu, const struct op *op)
{
	u64 type = register_by_mode(cpu, op, op->reg);
	struct descriptor128 descriptor;

	if (cpu->cpl > 0)
		raise_gp(cpu, 0);
	if (!ept_type_offered(cpu, type))
		return vmx_fail(cpu, op, VMX_ERROR_INVALID_OPERAND);
	descriptor = load(cpu, op);
	if (type == EPT_SINGLE_CONTEXT && !vmx_eptp_valid(cpu, descriptor.low))
		return vmx_fail(cpu, op, VMX_ERROR_INVALID_OPERAND);
	if (type == EPT_SINGLE_CONTEXT)
		cpu_flush_worlds(cpu, VMX_WORLD_EPTP, vmx_world_of_eptp(descriptor.low));
	else
		cpu_flush_worlds(cpu, VMX_WORLD_EPT, VMX_WORLD_EPT);
	second_stage_flush(&vmx_of(cpu)->second);
	return vmx_succeed(cpu, op);
}

enum invvpid_type { ADDRESS, SINGLE_CONTEXT, ALL_CONTEXTS, KEEP_GLOBAL };

/* Bits 40 to 43. */
static bool vpid_type_offered(const struct cpu *cpu, u64 type)
{
	return type <= KEEP_GLOBAL && (cpu->msr[MSR_VMX_BASIC + VMX_EPT_VPID] >> (40 + type) & 1);
}

static bool vpid_valid(const struct cpu *cpu, u64 type, const struct descriptor128 *descriptor)
{
	if (descriptor->low >> 16)
		return false;
	if (type != ALL_CONTEXTS && !descriptor->low)
		return false;
	return type != ADDRESS || base_canonical(cpu, descriptor->high);
}

u64 vmx_invvpid(struct cpu *cpu, const struct op *op)
{
	u64 type = register_by_mode(cpu, op, op->reg), world;
	struct descriptor128 descriptor;

	if (cpu->cpl > 0)
		raise_gp(cpu, 0);
	if (!vpid_type_offered(cpu, type))
		return vmx_fail(cpu, op, VMX_ERROR_INVALID_OPERAND);
	descriptor = load(cpu, op);
	if (!vpid_valid(cpu, type, &descriptor))
		return vmx_fail(cpu, op, VMX_ERROR_INVALID_OPERAND);
	world = vmx_world_of_vpid(descriptor.low);
	if (type == ALL_CONTEXTS)
		cpu_flush_worlds(cpu, VMX_WORLD_GUEST, VMX_WORLD_GUEST);
	else if (type == ADDRESS)
		cpu_flush_linear_in(cpu, VMX_WORLD_VPID, world, descriptor.high);
	else
		cpu_flush_worlds(cpu, VMX_WORLD_VPID, world);
	return vmx_succeed(cpu, op);
}
