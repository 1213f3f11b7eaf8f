/* SPDX-License-Identifier: Apache-2.0 */
/* Events that exit (SDM 3C:26.2, 26.4, 26.5): exceptions, interrupts, signals, windows, timers. */
#include "sim/cpu/debug_registers.h"
#include "sim/cpu/op.h"
#include "sim/vmx-model/fields.h"
#include "sim/vmx-model/vmx.h"

/* --- exceptions --- */

/* Page faults are taken by error code, too (SDM 3C:26.2). */
static bool taken(const struct cpu *cpu)
{
	const u64 *value = vmx_of(cpu)->value;
	u8 vector = cpu->exception.vector;
	bool bit = value[VMCS_EXCEPTION_BITMAP] >> vector & 1;

	if (vector != VECTOR_PF)
		return bit;
	return bit == ((cpu->exception.error & value[VMCS_PAGE_FAULT_MASK]) ==
		       value[VMCS_PAGE_FAULT_MATCH]);
}

static bool is_debug_trap(const struct cpu *cpu)
{
	return cpu->exception.vector == VECTOR_DB && cpu->pending_debug;
}

/* An IRET that faults has unblocked NMIs all the same (SDM 3C table 28-17). */
bool vmx_unblocked_nmi(const struct cpu *cpu)
{
	unsigned int number = cpu->op ? cpu->op->number : 0;

	return cpu->nmi_unblocked && cpu->nmi_unblocked == cpu_retired(cpu) + number &&
	       !cpu->delivering.active;
}

static u64 exception_qualification(const struct cpu *cpu)
{
	u8 vector = cpu->exception.vector;

	return vector == VECTOR_PF || vector == VECTOR_DB ? cpu->exception.address : 0;
}

bool vmx_exception(struct cpu *cpu)
{
	struct vmx_exit *exit;
	bool real = cpu_real_mode(cpu), trap;

	if (!taken(cpu))
		return vmx_timed_out(cpu);
	trap = is_debug_trap(cpu);
	exit = vmx_begin_exit(cpu, REASON_EXCEPTION_OR_NMI);
	if (cpu->exception.vector == VECTOR_DF)
		exit->vectoring = exit->vectoring_error = exit->length = 0;
	exit->interruption = vmx_event_information(cpu->exception.vector, TYPE_EXCEPTION,
						   cpu->exception.has_error && !real) |
			     (vmx_unblocked_nmi(cpu) ? INFO_NMI_UNBLOCKING : 0);
	exit->error = cpu->exception.has_error && !real ? cpu->exception.error : 0;
	exit->qualification = exception_qualification(cpu);
	exit->shadow = trap ? cpu->shadow : cpu->shadow_running;
	cpu->delivering.injected = false;
	exit->rf = event_pushed_rflags(cpu, cpu->exception.vector, EVENT_TYPE_EXCEPTION) & FLAG_RF
			   ? RF_SET
			   : RF_AS_IS;
	if (cpu->exception.vector == VECTOR_DB)
		cpu->pending_debug = 0;
	vmx_switch_to_host(cpu);
	cpu_update_mode(cpu);
	return true;
}

bool vmx_shutdown(struct cpu *cpu)
{
	struct vmx_exit *exit = vmx_begin_exit(cpu, REASON_TRIPLE_FAULT);

	exit->vectoring = exit->vectoring_error = exit->length = 0;
	vmx_switch_to_host(cpu);
	cpu_update_mode(cpu);
	return true;
}

/* --- bus locks: the exit is behind the instruction (SDM 3C:26.2) --- */

void vmx_bus_lock(struct cpu *cpu)
{
	vmx_of(cpu)->bus_locked = true;
	vmx_exit_behind(cpu, REASON_BUS_LOCK, 0);
}

/* --- between two instructions --- */

static bool leave_between(struct cpu *cpu, u32 reason, bool keeps_debug)
{
	vmx_begin_exit(cpu, reason)->keeps_debug = keeps_debug;
	vmx_switch_to_host(cpu);
	cpu_update_mode(cpu);
	return true;
}

/* INIT is blocked in VMX root operation until VMXOFF (SDM 3C:24.8), and in wait-for-SIPI. */
bool vmx_holds(const struct cpu *cpu, u32 event)
{
	return event == EVENT_INIT && (!cpu->guest || cpu->activity == ACTIVITY_WAIT_SIPI);
}

static enum vendor_gate gate_init(struct cpu *cpu)
{
	if (vmx_holds(cpu, EVENT_INIT))
		return GATE_HELD;
	cpu->init_pending = false;
	leave_between(cpu, REASON_INIT, true);
	return GATE_DONE;
}

static enum vendor_gate gate_sipi(struct cpu *cpu)
{
	u8 vector = cpu->sipi_vector;

	if (!cpu->guest)
		return GATE_OPEN;
	cpu->sipi_pending = false;
	vmx_begin_exit(cpu, REASON_SIPI)->qualification = vector;
	vmx_switch_to_host(cpu);
	cpu_update_mode(cpu);
	return GATE_DONE;
}

static enum vendor_gate gate_nmi(struct cpu *cpu)
{
	struct vmx_exit *exit;

	if (!cpu->guest || !VMX_PIN(cpu, NMI))
		return GATE_OPEN;
	cpu->nmi_pending = false;
	exit = vmx_begin_exit(cpu, REASON_EXCEPTION_OR_NMI);
	exit->interruption = vmx_event_information(VECTOR_NMI, TYPE_NMI, false);
	exit->nmi = true;
	vmx_switch_to_host(cpu);
	cpu_update_mode(cpu);
	return GATE_DONE;
}

static enum vendor_gate gate_machine_check(struct cpu *cpu)
{
	struct vmx_exit *exit;

	if (!cpu->guest || !(vmx_of(cpu)->value[VMCS_EXCEPTION_BITMAP] >> VECTOR_MC & 1))
		return GATE_OPEN;
	cpu->machine_check_pending = false;
	exit = vmx_begin_exit(cpu, REASON_EXCEPTION_OR_NMI);
	exit->interruption = vmx_event_information(VECTOR_MC, TYPE_EXCEPTION, false);
	exit->keeps_debug = true;
	vmx_switch_to_host(cpu);
	cpu_update_mode(cpu);
	return GATE_DONE;
}

enum vendor_gate vmx_gate(struct cpu *cpu, u32 event)
{
	switch (event) {
	case EVENT_INIT:
		return gate_init(cpu);
	case EVENT_SIPI:
		return gate_sipi(cpu);
	case EVENT_NMI:
		return gate_nmi(cpu);
	case EVENT_MACHINE_CHECK:
		return gate_machine_check(cpu);
	default:
		return GATE_OPEN;
	}
}

static bool interrupts_open(const struct cpu *cpu)
{
	return (cpu->rflags & FLAG_IF) && cpu->shadow == SHADOW_NONE;
}

enum vendor_gate vmx_interrupt(struct cpu *cpu)
{
	struct vmx_exit *exit;
	int vector = -1;

	if (!cpu->guest || !VMX_PIN(cpu, EXTERNAL_INTERRUPT))
		return interrupts_open(cpu) ? GATE_OPEN : GATE_HELD;
	if (cpu->shadow != SHADOW_NONE) /* STI and MOV SS hold the exit back, too */
		return GATE_HELD;
	if (VMX_EXIT(cpu, ACKNOWLEDGE_INTERRUPT))
		vector = event_acknowledge(cpu);
	if (vmx_is_notification(cpu, vector)) {
		vmx_process_posted(cpu);
		return GATE_DONE;
	}
	exit = vmx_begin_exit(cpu, REASON_EXTERNAL_INTERRUPT);
	if (vector >= 0)
		exit->interruption = vmx_event_information(vector, TYPE_EXTERNAL, false);
	vmx_switch_to_host(cpu);
	cpu_update_mode(cpu);
	return GATE_DONE;
}

/* --- the model's own --- */

/* Of the virtual APIC: the instruction that asked for it is behind the guest. */
static bool trap(struct cpu *cpu)
{
	struct vmx *vmx = vmx_of(cpu);
	u64 qualification = vmx->trap.qualification;
	u32 reason = vmx->trap.reason;
	struct vmx_exit *exit;

	if (!reason)
		return false;
	exit = vmx_begin_exit(cpu, reason);
	exit->qualification = qualification;
	exit->keeps_debug = true;
	vmx_switch_to_host(cpu);
	cpu_update_mode(cpu);
	return true;
}

static bool monitor_trap(struct cpu *cpu)
{
	return cpu->monitor_trap.due && leave_between(cpu, REASON_MONITOR_TRAP_FLAG, true);
}

static bool timer(struct cpu *cpu)
{
	return vmx_timer_expired(cpu) && leave_between(cpu, REASON_PREEMPTION_TIMER, false);
}

static bool nmi_window(struct cpu *cpu)
{
	if (!VMX_PRIMARY(cpu, NMI_WINDOW))
		return false;
	if (cpu->shadow != SHADOW_NONE)
		event_post(cpu, EVENT_VENDOR);
	if (cpu->shadow != SHADOW_NONE || cpu->nmi_blocked)
		return false;
	return leave_between(cpu, REASON_NMI_WINDOW, false);
}

static bool interrupt_window(struct cpu *cpu)
{
	if (!VMX_PRIMARY(cpu, INTERRUPT_WINDOW))
		return false;
	if (interrupts_open(cpu))
		return leave_between(cpu, REASON_INTERRUPT_WINDOW, false);
	if (cpu->rflags & FLAG_IF)
		event_post(cpu, EVENT_VENDOR);
	else
		cpu->interrupt_waits = true;
	return false;
}

bool vmx_due(struct cpu *cpu, enum vendor_stage stage)
{
	if (!cpu->guest)
		return false;
	switch (stage) {
	case STAGE_FIRST:
		vmx_emulate_apic_write(cpu);
		return trap(cpu);
	case STAGE_BEFORE_TRAP:
		return monitor_trap(cpu);
	case STAGE_AFTER_TRAP:
		return timer(cpu) || nmi_window(cpu);
	case STAGE_AFTER_NMI:
		return interrupt_window(cpu) || vmx_take_virtual_interrupt(cpu);
	default:
		return false;
	}
}

/* Of a halted guest. What may be due is looked at: windows open it as interrupts do, timers and
 * traps leave it (SDM 3C:26.2). */
bool vmx_would_wake(struct cpu *cpu)
{
	bool guest = cpu->guest;

	if (guest && (__atomic_load_n(&cpu->event, __ATOMIC_RELAXED) & EVENT_VENDOR))
		return true;
	if (!event_interrupt_waiting(cpu))
		return false;
	return interrupts_open(cpu) || (guest && VMX_PIN(cpu, EXTERNAL_INTERRUPT));
}
