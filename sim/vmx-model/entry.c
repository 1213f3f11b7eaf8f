/* SPDX-License-Identifier: Apache-2.0 */
/* VMLAUNCH and VMRESUME (SDM 3C:27): checks, loading, injection. */
#include <stdio.h>

#include "sim/cpu/debug_registers.h"
#include "sim/cpu/debugger.h"
#include "sim/vmx-model/explain.h"
#include "sim/vmx-model/fields.h"
#include "sim/vmx-model/inputs.h"
#include "sim/vmx-model/vmx.h"

/* Controls that are not activated are 0. */
void vmx_adopt_controls(struct cpu *cpu)
{
	struct vmx *vmx = vmx_of(cpu);
	const u64 *value = vmx->value;
	bool offset;

	vmx->pin = value[VMCS_PIN_CONTROLS];
	vmx->primary = value[VMCS_PRIMARY_CONTROLS];
	vmx->secondary = vmx->primary & PRIMARY_SECONDARY ? value[VMCS_SECONDARY_CONTROLS] : 0;
	vmx->tertiary = vmx->primary & PRIMARY_TERTIARY ? value[VMCS_TERTIARY_CONTROLS] : 0;
	vmx->exit_controls = value[VMCS_EXIT_CONTROLS];
	vmx->entry_controls = value[VMCS_ENTRY_CONTROLS];
	cpu->locks_watched = vmx->secondary & SECONDARY_BUS_LOCK;
	vmx->bus_locked = false;
	offset = vmx->primary & PRIMARY_TSC_OFFSETTING;
	cpu->guest_tsc.offset = offset ? value[VMCS_TSC_OFFSET] : 0;
	cpu->guest_tsc.multiplier = value[VMCS_TSC_MULTIPLIER];
	cpu->guest_tsc.fraction = VMX_SECONDARY(cpu, TSC_SCALING) && offset ? 48 : 0;
}

static bool blocked_by_mov_ss(const struct cpu *cpu)
{
	return cpu->single && (cpu->shadow_running & SHADOW_MOV_SS);
}

static void open_inputs(struct vmx_inputs *inputs, struct cpu *cpu)
{
	struct vmx *vmx = vmx_of(cpu);

	vmx_inputs_open(inputs, cpu);
	__builtin_memcpy(inputs->value, vmx->value, sizeof(vmx->value));
	inputs->value[INPUT_CURRENT_VMCS] = vmx->current;
	inputs->value[INPUT_IS_SHADOW] = vmx->shadow;
	inputs->value[INPUT_LAUNCHED] = vmx->launched;
	inputs->value[INPUT_MOV_SS_BLOCKING] = blocked_by_mov_ss(cpu);
}

/* The first check that refuses the entry; NULL: it goes on. */
static const struct check_row *failed_check(struct cpu *cpu, bool launch)
{
	struct vmx *vmx = vmx_of(cpu);
	const struct check_row *row;
	struct vmx_inputs inputs;

	open_inputs(&inputs, cpu);
	inputs.value[INPUT_IS_LAUNCH] = launch;
	if (likely(vmx_checks_pass(&inputs.in, vmx->judged))) {
		vmx->judged = true;
		return NULL;
	}
	row = check_first_failure(&inputs.in, 0, VMX_CHECK_END);
	if (row) {
		vmx->failures++;
		vmx_record_failures(cpu, &inputs.in, row);
		check_report_failure(&inputs.in, row, vmx->failure, sizeof(vmx->failure));
		vendor_refused(cpu, vmx->failure);
	}
	return row;
}

void vmx_load_pdptes(struct cpu *cpu, u64 *pdpte)
{
	const u64 *value = vmx_of(cpu)->value;
	struct walk_result result;
	bool pae = (value[VMCS_GUEST_CR0] & CR0_PG) && (value[VMCS_GUEST_CR4] & CR4_PAE) &&
		   !VMX_ENTRY(cpu, IA32E_MODE_GUEST);

	if (!pae)
		return;
	if (!VMX_SECONDARY(cpu, EPT))
		walk_load_pdptes(cpu->slots, &cpu->walk, value[VMCS_GUEST_CR3], pdpte, &result);
	else
		for (unsigned int n = 0; n < 4; n++)
			pdpte[n] = value[VMCS_GUEST_PDPTE0 + n];
}

/* Interruptibility, activity, pending debug exceptions (SDM 3C:27.7.1 to 27.7.3). */
static void load_events(struct cpu *cpu)
{
	static const u8 activities[] = {ACTIVITY_RUNNING, ACTIVITY_HALTED, ACTIVITY_SHUTDOWN,
					ACTIVITY_WAIT_SIPI};
	const u64 *value = vmx_of(cpu)->value;
	u64 blocking = value[VMCS_GUEST_INTERRUPTIBILITY];

	cpu->shadow =
		(blocking & BY_STI ? SHADOW_STI : 0) | (blocking & BY_MOV_SS ? SHADOW_MOV_SS : 0);
	cpu->nmi_blocked = blocking & BY_NMI;
	cpu->nmi_virtual = VMX_PIN(cpu, VIRTUAL_NMIS);
	cpu->iret_keeps_nmi = VMX_PIN(cpu, NMI) && !cpu->nmi_virtual;
	cpu->activity = activities[value[VMCS_GUEST_ACTIVITY] & 3];
	cpu->pending_debug = value[VMCS_GUEST_PENDING_DEBUG] & (DR6_TRAPS | DR6_BS);
	if (cpu->pending_debug && !(cpu->shadow & SHADOW_MOV_SS))
		event_post(cpu, EVENT_TRAP);
	cpu->monitor.armed = false;
}

static void begin_guest(struct cpu *cpu)
{
	struct vmx *vmx = vmx_of(cpu);

	cpu->guest = true;
	cpu->monitor_trap.on = vmx->primary & PRIMARY_MONITOR_TRAP_FLAG;
	cpu->monitor_trap.due = false;
	vmx->pause_first = vmx->pause_last = 0;
	vmx_fix_control_registers(cpu);
}

/* --- a guest that has been entered elsewhere --- */

bool vmx_could_resume(struct cpu *cpu, bool injects)
{
	struct vmx_inputs inputs;

	open_inputs(&inputs, cpu);
	inputs.value[INPUT_IS_LAUNCH] = !vmx_of(cpu)->launched;
	inputs.value[INPUT_CPU_LMA] =
		(inputs.value[VMCS_EXIT_CONTROLS] & EXIT_HOST_ADDRESS_SPACE_SIZE) != 0;
	if (!injects) /* the field keeps what the entry brought */
		inputs.value[VMCS_ENTRY_INTERRUPTION_INFO] &= ~(u64)INFO_VALID;
	return vmx_checks_pass(&inputs.in, false) ||
	       !check_first_failure(&inputs.in, 0, VMX_CHECK_END);
}

void vmx_go_on(struct cpu *cpu)
{
	vmx_adopt_controls(cpu);
	vmx_load_pdptes(cpu, cpu->walk.pdpte);
	load_events(cpu);
	begin_guest(cpu);
	vmx_change_world(cpu);
}

/* --- the instructions --- */

/* An MSR that could not be loaded (SDM 3C:27.4): @number of the area, from 1 on. */
static void explain_msr(struct cpu *cpu, u32 number)
{
	struct vmx *vmx = vmx_of(cpu);
	u64 entry = vmx->value[VMCS_ENTRY_MSR_LOAD_ADDRESS] + 16 * (u64)(number - 1);

	vmx->failures++;
	snprintf(vmx->failure, sizeof(vmx->failure),
		 "VM entry: exit 34, qualification %u (entry_msr_load): SDM 3C:27.4: VM-entry "
		 "MSR-load entry %u: MSR 0x%x = 0x%llx; wanted: an MSR that may be loaded here, "
		 "with a value that "
		 "WRMSR would take",
		 number, number, (u32)mem_load_physical(cpu, entry, 4),
		 (unsigned long long)mem_load_physical(cpu, entry + 8, 8));
	vendor_refused(cpu, vmx->failure);
}

static u64 refused(struct cpu *cpu, u32 reason, u64 qualification)
{
	vmx_refuse(cpu, reason, qualification);
	return cpu->reg[REG_RIP];
}

/* How a failed check shows: VMfail, or a VM exit behind those of controls and host. */
static u64 fail_check(struct cpu *cpu, const struct op *op, const struct check_row *row)
{
	if (row->outcome == VMX_FAIL_INVALID)
		return vmx_fail_invalid(cpu, op);
	if (row->outcome < VMX_EXIT_33)
		return vmx_fail(cpu, op, row->outcome);
	vmx_adopt_controls(cpu);
	return refused(cpu, REASON_GUEST_STATE, row->outcome - VMX_EXIT_33);
}

u64 vmx_enter(struct cpu *cpu, const struct op *op, bool launch)
{
	struct vmx *vmx = vmx_of(cpu);
	const struct check_row *row = failed_check(cpu, launch);
	const u64 *value = vmx->value;
	u64 caller = OP_RIP(cpu, op);
	u32 failed;

	if (row)
		return fail_check(cpu, op, row);
	vmx_adopt_controls(cpu);
	vmx_load_pdptes(cpu, cpu->walk.pdpte);
	vmx_load_guest(cpu);
	load_events(cpu);
	cpu->no_step = true;
	begin_guest(cpu);
	debugger_sees(cpu, DEBUGGER_VM_ENTRY);
	vmx_enter_world(cpu);
	failed = vmx_load_msrs(cpu, value[VMCS_ENTRY_MSR_LOAD_ADDRESS],
			       value[VMCS_ENTRY_MSR_LOAD_COUNT]);
	if (failed) {
		explain_msr(cpu, failed);
		return refused(cpu, REASON_MSR_LOADING, failed);
	}
	if (launch)
		vmx->launched = true;
	vmx_record_entry(cpu, caller);
	vmx_begin_virtual_apic(cpu);
	vmx_inject(cpu);
	vmx_start_timer(cpu);
	vendor_reopen(cpu);
	return cpu->reg[REG_RIP];
}
