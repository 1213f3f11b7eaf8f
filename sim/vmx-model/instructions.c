/* SPDX-License-Identifier: Apache-2.0 */
/* The instructions of VMX (SDM 3C:31.3). */
#include "sim/cpu/msr.h"
#include "sim/cpu/operand.h"
#include "sim/cpu/wait.h"
#include "sim/vmx-model/vmx.h"

#define FEATURE_CONTROL_VMXON_SMX BIT(1)

static u64 memory_operand(struct cpu *cpu, const struct op *op)
{
	return mem_load(cpu, op, ea_by_kind(cpu, op, 8, false), 8);
}

static void check_privilege(struct cpu *cpu)
{
	if (cpu->cpl > 0)
		raise_gp(cpu, 0);
}

/* --- entering and leaving VMX operation --- */

static bool cr_supported(const struct cpu *cpu)
{
	const u64 *msr = &cpu->msr[MSR_VMX_BASIC];

	return !(msr[VMX_CR0_FIXED0] & ~cpu->cr0) && !(cpu->cr0 & ~msr[VMX_CR0_FIXED1]) &&
	       !(msr[VMX_CR4_FIXED0] & ~cpu->cr4) && !(cpu->cr4 & ~msr[VMX_CR4_FIXED1]);
}

static bool revision_valid(struct cpu *cpu, u64 address)
{
	return (u32)mem_load_physical(cpu, address, 4) == VMCS_REVISION;
}

static u64 vmxon(struct cpu *cpu, const struct op *op)
{
	const u64 wanted = FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMXON;
	struct vmx *vmx = vmx_of(cpu);
	u64 address;

	check_privilege(cpu);
	if (vmx->on)
		return vmx_fail(cpu, op, VMX_ERROR_VMXON_ROOT);
	if (!cr_supported(cpu) || (cpu->msr[MSR_FEATURE_CONTROL] & wanted) != wanted)
		raise_gp(cpu, 0);
	address = memory_operand(cpu, op);
	if (!vmx_address_valid(cpu, address) || !revision_valid(cpu, address))
		return vmx_fail_invalid(cpu, op);
	vmx->on = true;
	vmx->region = address;
	vmx->current = VMCS_NONE;
	cpu->arbitrates = true;
	cpu->monitor.armed = false;
	vmx_fix_control_registers(cpu);
	return vmx_succeed(cpu, op);
}

static u64 vmxoff(struct cpu *cpu, const struct op *op)
{
	struct vmx *vmx = vmx_of(cpu);

	check_privilege(cpu);
	vmx_put_back(cpu);
	vmx->on = false;
	vmx->current = VMCS_NONE;
	cpu->arbitrates = false;
	cpu->monitor.armed = false;
	vmx_fix_control_registers(cpu);
	vendor_reopen(cpu); /* an INIT that was blocked */
	return vmx_succeed(cpu, op);
}

/* --- the current VMCS --- */

static u64 vmclear(struct cpu *cpu, const struct op *op)
{
	struct vmx *vmx = vmx_of(cpu);
	u64 address;

	check_privilege(cpu);
	address = memory_operand(cpu, op);
	if (!vmx_address_valid(cpu, address))
		return vmx_fail(cpu, op, VMX_ERROR_VMCLEAR_ADDRESS);
	if (address == vmx->region)
		return vmx_fail(cpu, op, VMX_ERROR_VMCLEAR_VMXON);
	if (address == vmx->current) {
		vmx->launched = false;
		vmx_put_back(cpu);
		vmx->current = VMCS_NONE;
	} else {
		mem_store_physical(cpu, address + VMCS_STATE_OFFSET, 0, 1);
	}
	return vmx_succeed(cpu, op);
}

static u64 vmptrld(struct cpu *cpu, const struct op *op)
{
	struct vmx *vmx = vmx_of(cpu);
	bool shadowing = cpu->msr[MSR_VMX_BASIC + VMX_PROCBASED2] >> 32 & SECONDARY_VMCS_SHADOWING;
	u64 address;
	u32 revision;

	check_privilege(cpu);
	address = memory_operand(cpu, op);
	if (!vmx_address_valid(cpu, address))
		return vmx_fail(cpu, op, VMX_ERROR_VMPTRLD_ADDRESS);
	if (address == vmx->region)
		return vmx_fail(cpu, op, VMX_ERROR_VMPTRLD_VMXON);
	revision = mem_load_physical(cpu, address, 4);
	if ((revision & ~VMCS_SHADOW) != VMCS_REVISION || ((revision & VMCS_SHADOW) && !shadowing))
		return vmx_fail(cpu, op, VMX_ERROR_VMPTRLD_REVISION);
	vmx_take(cpu, address);
	return vmx_succeed(cpu, op);
}

static u64 vmptrst(struct cpu *cpu, const struct op *op)
{
	check_privilege(cpu);
	mem_store(cpu, op, ea_by_kind(cpu, op, 8, true), vmx_of(cpu)->current, 8);
	return vmx_succeed(cpu, op);
}

static u64 vmcall(struct cpu *cpu, const struct op *op)
{
	check_privilege(cpu);
	return vmx_fail(cpu, op, VMX_ERROR_VMCALL_ROOT);
}

static u64 vmlaunch(struct cpu *cpu, const struct op *op)
{
	check_privilege(cpu);
	return vmx_enter(cpu, op, true);
}

static u64 vmresume(struct cpu *cpu, const struct op *op)
{
	check_privilege(cpu);
	return vmx_enter(cpu, op, false);
}

/* --- all of them --- */

struct instruction {
	u64 (*root)(struct cpu *cpu, const struct op *op);
	u8 reason; /* of the VM exit in a guest, which is unconditional; 0: the body decides */
	bool operand;
};

static const struct instruction instructions[] = {
	[VENDOR_VMXON] = {vmxon, REASON_VMXON, true},
	[VENDOR_VMXOFF] = {vmxoff, REASON_VMXOFF, false},
	[VENDOR_VMCLEAR] = {vmclear, REASON_VMCLEAR, true},
	[VENDOR_VMPTRLD] = {vmptrld, REASON_VMPTRLD, true},
	[VENDOR_VMPTRST] = {vmptrst, REASON_VMPTRST, true},
	[VENDOR_VMREAD] = {vmx_read_field, 0, true},
	[VENDOR_VMWRITE] = {vmx_write_field, 0, true},
	[VENDOR_VMLAUNCH] = {vmlaunch, REASON_VMLAUNCH, false},
	[VENDOR_VMRESUME] = {vmresume, REASON_VMRESUME, false},
	[VENDOR_VMCALL] = {vmcall, REASON_VMCALL, false},
	[VENDOR_VMFUNC] = {vmx_function, 0, false},
	[VENDOR_INVEPT] = {vmx_invept, REASON_INVEPT, true},
	[VENDOR_INVVPID] = {vmx_invvpid, REASON_INVVPID, true},
};

_Noreturn static void leave(struct cpu *cpu, const struct op *op, const struct instruction *row)
{
	if (!row->operand)
		vmx_leave(cpu, op, row->reason, 0);
	vmx_begin_exit(cpu, row->reason)->information = vmx_operand_information(op);
	vmx_leave(cpu, op, row->reason, vmx_operand_displacement(cpu, op));
}

static bool offered(const struct cpu *cpu, enum vendor_instruction which)
{
	u64 capability = cpu->msr[MSR_VMX_BASIC + VMX_EPT_VPID];

	if (which == VENDOR_INVEPT)
		return capability & EPT_VPID_INVEPT;
	return which != VENDOR_INVVPID || (capability & EPT_VPID_INVVPID);
}

u64 vmx_instruction(struct cpu *cpu, const struct op *op, enum vendor_instruction which)
{
	const struct instruction *row = &instructions[which];
	struct vmx *vmx = vmx_of(cpu);
	bool compatibility = cpu_long_mode(cpu) && !(op->flags & OP_CODE64);

	if (!row->root || (!vmx->on && which != VENDOR_VMXON))
		raise_ud(cpu);
	/* VMCALL and VMFUNC leave a guest in any mode. */
	if (cpu->guest && which == VENDOR_VMCALL)
		leave(cpu, op, row);
	if (which != VENDOR_VMFUNC && (compatibility || cpu_v86(cpu)))
		raise_ud(cpu);
	if (which == VENDOR_VMXON && !(cpu->cr4 & CR4_VMXE))
		raise_ud(cpu);
	if (!offered(cpu, which))
		raise_ud(cpu);
	if (cpu->guest && row->reason)
		leave(cpu, op, row);
	return row->root(cpu, op);
}
