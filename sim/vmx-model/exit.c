/* SPDX-License-Identifier: Apache-2.0 */
/* VM exits (SDM 3C:28): what is recorded, then the guest is saved and the host loaded. */
#include "sim/cpu/debug_registers.h"
#include "sim/cpu/debugger.h"
#include "sim/cpu/descriptor.h"
#include "sim/cpu/flags.h"
#include "sim/vmx-model/fields.h"
#include "sim/vmx-model/vmx.h"

/* Indicators of VMX aborts (SDM 3C:28.7). */
enum vmx_abort { ABORT_STORE_MSR = 1, ABORT_HOST_PDPTE = 2, ABORT_LOAD_MSR = 4 };

u32 vmx_event_information(u8 vector, unsigned int type, bool has_error)
{
	return vector | type << INFO_TYPE_SHIFT | (has_error ? INFO_ERROR_CODE : 0) | INFO_VALID;
}

/* The event in whose delivery the exit happens (SDM 3C:28.2.4). */
static void note_vectoring(const struct cpu *cpu, struct vmx_exit *exit)
{
	static const u8 types[] = {
		[EVENT_TYPE_EXTERNAL] = TYPE_EXTERNAL,
		[EVENT_TYPE_NMI] = TYPE_NMI,
		[EVENT_TYPE_EXCEPTION] = TYPE_EXCEPTION,
		[EVENT_TYPE_SOFTWARE] = TYPE_SOFTWARE,
		[EVENT_TYPE_SOFTWARE_EXCEPTION] = TYPE_SOFTWARE_EXCEPTION,
		[EVENT_TYPE_ICEBP] = TYPE_PRIVILEGED_SOFTWARE_EXCEPTION,
	};

	if (!cpu->delivering.active)
		return;
	exit->vectoring = vmx_event_information(cpu->delivering.vector, types[cpu->delivering.type],
						cpu->delivering.has_error);
	exit->vectoring_error = cpu->delivering.has_error ? cpu->delivering.error : 0;
	if (event_has_length(cpu->delivering.type))
		exit->length = cpu->delivering.length;
}

struct vmx_exit *vmx_begin_exit(struct cpu *cpu, u32 reason)
{
	struct vmx_exit *exit = &vmx_of(cpu)->exit;

	*exit = (struct vmx_exit){.reason = reason, .shadow = cpu->shadow};
	note_vectoring(cpu, exit);
	return exit;
}

/* RF as a page fault there would push it (SDM 3C:28.3.3). */
static u8 rf_of_fault(struct cpu *cpu)
{
	u64 image;

	if (!cpu->delivering.active)
		return RF_SET;
	image = event_pushed_rflags(cpu, cpu->delivering.vector, cpu->delivering.type);
	return image & FLAG_RF ? RF_SET : RF_CLEAR;
}

struct vmx_exit *vmx_begin_fault_exit(struct cpu *cpu, u32 reason)
{
	struct vmx_exit *exit = vmx_begin_exit(cpu, reason);

	exit->rf = rf_of_fault(cpu);
	exit->shadow = cpu->single ? cpu->shadow_running : SHADOW_NONE;
	return exit;
}

_Noreturn void vmx_leave(struct cpu *cpu, const struct op *op, u32 reason, u64 qualification)
{
	struct vmx_exit *exit = &vmx_of(cpu)->exit;
	u32 information = exit->reason == reason ? exit->information : 0;
	u64 linear = exit->reason == reason ? exit->linear : 0;

	vmx_begin_exit(cpu, reason);
	exit->qualification = qualification;
	exit->information = information;
	exit->linear = linear;
	exit->length = op->length;
	exit->rf = RF_CLEAR;
	exit->shadow = cpu->single ? cpu->shadow_running : SHADOW_NONE;
	vendor_exit(cpu);
}

/* The guest has locked the bus under the control, whatever it exits for (SDM 3C:25.9.1). */
#define REASON_BUS_LOCKED BIT(26)

static void note_exit(struct vmx *vmx)
{
	const struct vmx_exit *exit = &vmx->exit;
	u64 *value = vmx->value;

	value[VMCS_EXIT_REASON] = exit->reason | (vmx->bus_locked ? REASON_BUS_LOCKED : 0);
	value[VMCS_EXIT_QUALIFICATION] = exit->qualification;
	value[VMCS_EXIT_INTERRUPTION_INFO] = exit->interruption;
	value[VMCS_EXIT_INTERRUPTION_ERROR_CODE] = exit->error;
	value[VMCS_IDT_VECTORING_INFO] = exit->vectoring;
	value[VMCS_IDT_VECTORING_ERROR_CODE] = exit->vectoring_error;
	value[VMCS_EXIT_INSTRUCTION_LENGTH] = exit->length;
	value[VMCS_EXIT_INSTRUCTION_INFO] = exit->information;
	value[VMCS_GUEST_LINEAR_ADDRESS] = exit->linear;
	value[VMCS_GUEST_PHYSICAL_ADDRESS] = exit->physical;
	value[VMCS_ENTRY_INTERRUPTION_INFO] &= ~(u64)INFO_VALID;
}

/* Debug exceptions that the exit came before, or that MOV SS holds back. */
void vmx_note_pending_debug(struct cpu *cpu)
{
	struct vmx_exit *exit = &vmx_of(cpu)->exit;

	if (!exit->keeps_debug && !(exit->shadow & SHADOW_MOV_SS))
		return;
	exit->pending_debug = cpu->pending_debug & (DR6_TRAPS | DR6_BS);
	if (exit->pending_debug & DR6_TRAPS)
		exit->pending_debug |= BIT(12); /* enabled breakpoint */
	if ((exit->shadow & SHADOW_MOV_SS) && (cpu->rflags & FLAG_TF) &&
	    !(cpu->msr[MSR_DEBUGCTL] & DEBUGCTL_BTF))
		exit->pending_debug |= DR6_BS;
}

void vmx_note_guest(struct cpu *cpu)
{
	vmx_of(cpu)->exit = (struct vmx_exit){.shadow = cpu->shadow, .keeps_debug = true};
	vmx_note_pending_debug(cpu);
	vmx_save_guest(cpu);
}

static void abort_vmx(struct cpu *cpu, enum vmx_abort indicator)
{
	struct vmx *vmx = vmx_of(cpu);

	vmx_put_back(cpu);
	mem_store_physical(cpu, vmx->current + VMCS_ABORT_OFFSET, indicator, 4);
	cpu->activity = ACTIVITY_SHUTDOWN;
}

static bool load_host_pdptes(struct cpu *cpu)
{
	struct walk_result result;

	if (!(cpu->cr0 & CR0_PG) || !(cpu->cr4 & CR4_PAE) || cpu_long_mode(cpu))
		return true;
	return walk_load_pdptes(cpu->slots, &cpu->walk, cpu->cr3, cpu->walk.pdpte, &result);
}

static void enter_host(struct cpu *cpu)
{
	const u64 *value = vmx_of(cpu)->value;

	cpu->guest = false;
	cpu->monitor_trap.on = cpu->monitor_trap.due = false;
	vmx_stop_timer(cpu);
	vmx_load_host(cpu);
	vmx_fix_control_registers(cpu);
	vmx_leave_world(cpu);
	debugger_sees(cpu, DEBUGGER_VM_EXIT);
	if (!load_host_pdptes(cpu)) {
		abort_vmx(cpu, ABORT_HOST_PDPTE);
		return;
	}
	if (vmx_load_msrs(cpu, value[VMCS_EXIT_MSR_LOAD_ADDRESS], value[VMCS_EXIT_MSR_LOAD_COUNT]))
		abort_vmx(cpu, ABORT_LOAD_MSR);
	vendor_reopen(cpu);
}

/* A world switch takes a processor some hundred cycles; the VMX-preemption timer and PAUSE loops of
 * a guest that does nothing but exit depend on it. No deadline is missed. */
#define EXIT_NS 50

static void take_time(struct cpu *cpu)
{
	s64 length = cpu->budget < EXIT_NS ? cpu->budget : EXIT_NS;

	if (length <= 0)
		return;
	cpu->time_base += length;
	cpu_set_budget(cpu, cpu->budget - length);
}

void vmx_switch_to_host(struct cpu *cpu)
{
	struct vmx *vmx = vmx_of(cpu);
	const u64 *value = vmx->value;

	take_time(cpu);
	vmx_note_pending_debug(cpu);
	vmx_save_guest(cpu);
	note_exit(vmx);
	vmx_record_exit(cpu);
	cpu->guest = false;
	if (vmx_store_msrs(cpu, value[VMCS_EXIT_MSR_STORE_ADDRESS],
			   value[VMCS_EXIT_MSR_STORE_COUNT])) {
		abort_vmx(cpu, ABORT_STORE_MSR);
		return;
	}
	enter_host(cpu);
}

void vmx_refuse(struct cpu *cpu, u32 reason, u64 qualification)
{
	struct vmx *vmx = vmx_of(cpu);

	vmx->exit = (struct vmx_exit){0};
	vmx->value[VMCS_EXIT_REASON] = reason | REASON_ENTRY_FAILURE;
	vmx->value[VMCS_EXIT_QUALIFICATION] = qualification;
	vmx_record_exit(cpu);
	enter_host(cpu);
}
