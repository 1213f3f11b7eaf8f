/* SPDX-License-Identifier: Apache-2.0 */
/* CR0, CR3, CR4 and CR8 in a guest (SDM 3C:26.1.3, 26.3, table 28-3), and what VMX operation wants
 * of them (24.8). */
#include "sim/cpu/apic_registers.h"
#include "sim/cpu/operand.h"
#include "sim/vmx-model/vmx.h"

enum access_type { MOV_TO = 0, MOV_FROM = 1, CLTS = 2, LMSW = 3 };

void vmx_fix_control_registers(struct cpu *cpu)
{
	const u64 *msr = &cpu->msr[MSR_VMX_BASIC];
	u64 free = cpu->guest && VMX_SECONDARY(cpu, UNRESTRICTED_GUEST) ? CR0_PE | CR0_PG : 0;
	bool on = vmx_of(cpu)->on;

	cpu->cr0_must = on ? msr[VMX_CR0_FIXED0] & ~free : 0;
	cpu->cr4_must = on ? msr[VMX_CR4_FIXED0] : 0;
}

_Noreturn static void leave(struct cpu *cpu, const struct op *op, unsigned int number,
			    enum access_type type, u64 more)
{
	vmx_leave(cpu, op, REASON_CONTROL_REGISTER, number | (u64)type << 4 | more);
}

_Noreturn static void leave_mov(struct cpu *cpu, const struct op *op, unsigned int number,
				enum access_type type)
{
	leave(cpu, op, number, type, (u64)op->rm / 8 << 8);
}

u64 vmx_read_cr(struct cpu *cpu, const struct op *op, enum cr_access how, unsigned int number)
{
	const u64 *value = vmx_of(cpu)->value;
	u64 mask;

	(void)how;
	switch (number) {
	case 0:
		mask = value[VMCS_CR0_MASK];
		return (cpu->cr0 & ~mask) | (value[VMCS_CR0_SHADOW] & mask);
	case 2:
		return cpu->cr2;
	case 3:
		if (VMX_PRIMARY(cpu, CR3_STORE))
			leave_mov(cpu, op, 3, MOV_FROM);
		return cpu->cr3;
	case 4:
		mask = value[VMCS_CR4_MASK];
		return (cpu->cr4 & ~mask) | (value[VMCS_CR4_SHADOW] & mask);
	default:
		if (VMX_PRIMARY(cpu, CR8_STORE))
			leave_mov(cpu, op, 8, MOV_FROM);
		return VMX_PRIMARY(cpu, TPR_SHADOW) ? vmx_virtual_cr8(cpu) : cpu_cr8(cpu);
	}
}

/* Bits that the host owns must be written as they are read. */
static bool write_masked(struct cpu *cpu, const struct op *op, unsigned int number, u64 mask,
			 u64 shadow, u64 *value)
{
	u64 own = number ? cpu->cr4 : cpu->cr0;

	if ((*value ^ shadow) & mask)
		leave_mov(cpu, op, number, MOV_TO);
	*value = (*value & ~mask) | (own & mask);
	return true;
}

static bool cr3_target(const u64 *value, u64 cr3)
{
	for (unsigned int n = 0; n < value[VMCS_CR3_TARGET_COUNT] && n < 4; n++)
		if (value[VMCS_CR3_TARGET_0 + n] == cr3)
			return true;
	return false;
}

static bool clts(struct cpu *cpu, const struct op *op, const u64 *value)
{
	if (!(value[VMCS_CR0_MASK] & CR0_TS))
		return true;
	if (value[VMCS_CR0_SHADOW] & CR0_TS)
		leave(cpu, op, 0, CLTS, 0);
	return false;
}

/* The word is loaded once more, for what would be written doesn't tell its PE. */
static bool lmsw(struct cpu *cpu, const struct op *op, const u64 *value, u64 *written)
{
	bool memory = op->kind != KIND_REG;
	u64 linear = memory ? ea_by_kind(cpu, op, 2, false) : 0;
	u16 source = memory ? mem_load(cpu, op, linear, 2) : REG16(cpu, op->rm);
	u64 mask = value[VMCS_CR0_MASK], differs = (source ^ value[VMCS_CR0_SHADOW]) & mask;

	if ((differs & (CR0_MP | CR0_EM | CR0_TS)) || (differs & source & CR0_PE)) {
		vmx_begin_exit(cpu, REASON_CONTROL_REGISTER)->linear = linear;
		leave(cpu, op, 0, LMSW, (memory ? BIT(6) : 0) | (u64)source << 16);
	}
	*written = (*written & ~mask) | (cpu->cr0 & mask);
	return true;
}

/* SDM 3C:30.3 */
static bool write_cr8(struct cpu *cpu, u64 value)
{
	if (!VMX_PRIMARY(cpu, TPR_SHADOW))
		return true;
	if (value > CR8_MAX)
		raise_gp(cpu, 0);
	vmx_set_virtual_cr8(cpu, value);
	return false;
}

bool vmx_write_cr(struct cpu *cpu, const struct op *op, enum cr_access how, unsigned int number,
		  u64 *written)
{
	const u64 *value = vmx_of(cpu)->value;

	if (how == CR_CLTS)
		return clts(cpu, op, value);
	if (how == CR_LMSW)
		return lmsw(cpu, op, value, written);
	switch (number) {
	case 0:
		return write_masked(cpu, op, 0, value[VMCS_CR0_MASK], value[VMCS_CR0_SHADOW],
				    written);
	case 3:
		if (VMX_PRIMARY(cpu, CR3_LOAD) && !cr3_target(value, *written))
			leave_mov(cpu, op, 3, MOV_TO);
		return true;
	case 4:
		return write_masked(cpu, op, 4, value[VMCS_CR4_MASK], value[VMCS_CR4_SHADOW],
				    written);
	case 8:
		if (VMX_PRIMARY(cpu, CR8_LOAD))
			leave_mov(cpu, op, 8, MOV_TO);
		return write_cr8(cpu, *written);
	default:
		return true;
	}
}
