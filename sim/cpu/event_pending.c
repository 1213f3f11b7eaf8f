/* SPDX-License-Identifier: Apache-2.0 */
/* What may come between two instructions, in the order of SDM 3A:6.9, table 6-2; INIT, SIPI and
 * SMI (SDM 3A:9.1, 3A:8.4.3, 3C:31.3). */
#include "apic/lapic.h"
#include "sim/cpu/debugger.h"
#include "sim/cpu/descriptor.h"
#include "sim/cpu/platform_lock.h"
#include "sim/cpu/smm.h"
#include "sim/cpu/vendor.h"
#include "sim/cpu/wait.h"

#include <stddef.h>

#define ARRIVALS (EVENT_NMI | EVENT_SMI | EVENT_INIT | EVENT_SIPI | EVENT_MACHINE_CHECK)

void event_post(struct cpu *cpu, u32 bits)
{
	__atomic_fetch_or(&cpu->event, bits, __ATOMIC_RELEASE);
}

void event_monitor_trap(struct cpu *cpu)
{
	cpu->monitor_trap.due = true;
	event_post(cpu, EVENT_VENDOR);
}

void event_stop(struct cpu *cpu, enum cpu_exit exit)
{
	cpu->exit = exit;
	event_post(cpu, EVENT_STOP);
}

static u32 take_bits(struct cpu *cpu, u32 bits)
{
	if (!(__atomic_load_n(&cpu->event, __ATOMIC_ACQUIRE) & bits))
		return 0;
	return __atomic_fetch_and(&cpu->event, ~bits, __ATOMIC_ACQUIRE) & bits;
}

static const struct {
	u32 bit;
	size_t noted; /* offset of the bool in struct cpu */
} arrivals[] = {
	{EVENT_NMI, offsetof(struct cpu, nmi_pending)},
	{EVENT_SMI, offsetof(struct cpu, smi_pending)},
	{EVENT_INIT, offsetof(struct cpu, init_pending)},
	{EVENT_SIPI, offsetof(struct cpu, sipi_pending)},
	{EVENT_MACHINE_CHECK, offsetof(struct cpu, machine_check_pending)},
};

static bool *noted(const struct cpu *cpu, u32 bit)
{
	unsigned int n = 0;

	while (arrivals[n].bit != bit)
		n++;
	return (bool *)((char *)cpu + arrivals[n].noted);
}

/* What other threads posted becomes the processor's own state. */
static void note_arrivals(struct cpu *cpu)
{
	u32 arrived = take_bits(cpu, ARRIVALS);
	unsigned int n;

	if (likely(!arrived))
		return;
	if (arrived & EVENT_INIT) /* a SIPI that came before it has been dropped by its sender */
		cpu->sipi_pending = false;
	for (n = 0; n < ARRAY_SIZE(arrivals); n++)
		if (arrived & arrivals[n].bit)
			*noted(cpu, arrivals[n].bit) = true;
}

bool event_is_pending(const struct cpu *cpu, u32 bit)
{
	return *noted(cpu, bit) || (__atomic_load_n(&cpu->event, __ATOMIC_ACQUIRE) & bit);
}

void event_set_pending(struct cpu *cpu, u32 bit, bool pending)
{
	*noted(cpu, bit) = false;
	take_bits(cpu, bit);
	if (pending)
		event_post(cpu, bit);
}

int event_external(const struct cpu *cpu)
{
	if (cpu->delivering.active && cpu->delivering.type == EVENT_TYPE_EXTERNAL)
		return cpu->delivering.vector;
	return cpu->user_interrupt ? (u8)cpu->user_interrupt : -1;
}

void event_resume_external(struct cpu *cpu, u8 vector)
{
	if (!cpu->lapic) {
		cpu->user_interrupt = USER_INTERRUPT_VALID | vector;
		event_post(cpu, EVENT_INTERRUPT);
		return;
	}
	cpu->delivering.active = true;
	cpu->delivering.vector = vector;
	cpu->delivering.type = EVENT_TYPE_EXTERNAL;
	event_post(cpu, EVENT_TRAP);
}

bool event_interrupt_waiting(struct cpu *cpu)
{
	if (cpu->lapic)
		return lapic_pending(cpu->lapic) >= 0;
	return cpu->platform->pic_pending(cpu);
}

int event_acknowledge(struct cpu *cpu)
{
	int vector;

	take_bits(cpu, EVENT_INTERRUPT);
	platform_lock(cpu);
	vector = cpu->lapic ? lapic_accept(cpu->lapic) : cpu->platform->pic_acknowledge(cpu);
	platform_unlock(cpu);
	if (event_interrupt_waiting(cpu))
		event_post(cpu, EVENT_INTERRUPT);
	return vector;
}

static void deliver(struct cpu *cpu, u8 vector, enum event_type type)
{
	cpu->activity = ACTIVITY_RUNNING;
	cpu->reg[REG_RIP] = event_deliver(cpu, vector, type, false, 0, cpu->reg[REG_RIP]);
}

static bool nmi_open(const struct cpu *cpu)
{
	return !cpu->nmi_blocked || cpu->nmi_virtual;
}

/* --- INIT and SIPI --- */

/* SDM 3A:8.4.4: real mode at the vector's page. */
static bool take_sipi(struct cpu *cpu)
{
	cpu->sipi_pending = false;
	segment_load_real(cpu, SEG_CS, (u16)(cpu->sipi_vector << 8));
	cpu->reg[REG_RIP] = 0;
	cpu->activity = ACTIVITY_RUNNING;
	if (cpu->vendor->startup)
		cpu->vendor->startup(cpu);
	cpu_update_mode(cpu);
	return true;
}

/* A SIPI that came after the INIT, before this processor had a turn, still counts; one that
 * came earlier was dropped when the INIT was posted. Its vector is not touched here: another
 * thread may be storing the next one. */
static bool take_init(struct cpu *cpu)
{
	bool sipi = cpu->sipi_pending;

	cpu->init_pending = false; /* a SIPI that came after the INIT stays */
	cpu_reset(cpu, true);
	if (cpu->lapic) {
		platform_lock(cpu);
		lapic_reset_init(cpu->lapic);
		platform_unlock(cpu);
		if (!(cpu->lapic->base & LAPIC_BASE_BSP)) {
			cpu->activity = ACTIVITY_WAIT_SIPI;
			cpu->init_received = true;
			return sipi ? take_sipi(cpu) : true;
		}
	}
	cpu->activity = ACTIVITY_RUNNING;
	return true;
}

/* --- the rest --- */

/* Without CR4.MCE a machine check shuts the processor down (SDM 3B:16.3.1). */
static bool take_machine_check(struct cpu *cpu)
{
	cpu->machine_check_pending = false;
	if (!(cpu->cr4 & CR4_MCE)) {
		event_shutdown(cpu);
		return true;
	}
	cpu->stats.exceptions++;
	deliver(cpu, VECTOR_MC, EVENT_TYPE_EXCEPTION);
	return true;
}

static bool take_trap(struct cpu *cpu)
{
	if (debugger_takes(cpu, VECTOR_DB, cpu->pending_debug)) {
		cpu->pending_debug = 0;
		event_stop(cpu, CPU_EXIT_DEBUG);
		return true;
	}
	cpu->activity = ACTIVITY_RUNNING;
	cpu->exception.injected = false;
	cpu->exception.vector = VECTOR_DB;
	cpu->exception.has_error = false;
	cpu->exception.address = cpu->pending_debug;
	event_deliver_exception(cpu);
	return true;
}

static bool take_nmi(struct cpu *cpu)
{
	cpu->nmi_pending = false;
	cpu->nmi_blocked = true;
	cpu->stats.interrupts++;
	deliver(cpu, VECTOR_NMI, EVENT_TYPE_NMI);
	return true;
}

static bool take_interrupt(struct cpu *cpu)
{
	int vector = event_acknowledge(cpu);

	if (vector < 0)
		return false;
	cpu->stats.interrupts++;
	deliver(cpu, (u8)vector, EVENT_TYPE_EXTERNAL);
	return true;
}

static bool interrupts_open(const struct cpu *cpu)
{
	return (cpu->rflags & FLAG_IF) && cpu->shadow == SHADOW_NONE;
}

/* An external interrupt or NMI whose delivery broke off for user space goes on, or what a VM entry
 * injects is delivered. */
static bool resume_delivery(struct cpu *cpu)
{
	u64 rip = cpu->reg[REG_RIP];

	if (event_has_length(cpu->delivering.type))
		rip += cpu->delivering.length;
	cpu->activity = ACTIVITY_RUNNING;
	cpu->reg[REG_RIP] = event_deliver(cpu, cpu->delivering.vector, cpu->delivering.type,
					  cpu->delivering.has_error, cpu->delivering.error, rip);
	cpu->io.completed = cpu->io.consumed = 0;
	return true;
}

/* What is held back the run loop has to look at again after the next instruction. */
static void repost_held(struct cpu *cpu)
{
	if (cpu->nmi_pending)
		event_post(cpu, EVENT_NMI);
	if (cpu->smi_pending)
		event_post(cpu, EVENT_SMI);
	if (cpu->init_pending)
		event_post(cpu, EVENT_INIT);
}

/* Blocked by MOV SS for one instruction. */
static bool hold_for_shadow(struct cpu *cpu, bool vendor)
{
	if (!(cpu->shadow & SHADOW_MOV_SS))
		return false;
	repost_held(cpu);
	if (vendor)
		event_post(cpu, EVENT_VENDOR);
	return true;
}

/* KVM_GUESTDBG_BLOCKIRQ: no interrupt, NMI or SMI while single-stepping. */
static bool held_by_debugger(struct cpu *cpu)
{
	u32 hold = KVM_GUESTDBG_BLOCKIRQ | KVM_GUESTDBG_SINGLESTEP;

	if ((cpu->debugger.control & hold) != hold)
		return false;
	repost_held(cpu);
	return true;
}

/* --- what VMX and SVM have to say --- */

static enum vendor_gate gate(struct cpu *cpu, u32 event)
{
	return likely(!cpu->arbitrates) ? GATE_OPEN : cpu->vendor->gate(cpu, event);
}

/* One of take_* at its place in the order, unless the model has it wait or deals with it. */
static bool take_gated(struct cpu *cpu, u32 event, bool (*take)(struct cpu *cpu))
{
	switch (gate(cpu, event)) {
	case GATE_OPEN:
		return take(cpu);
	case GATE_DONE:
		return true;
	default:
		return false;
	}
}

static bool take_interrupt_gated(struct cpu *cpu)
{
	enum vendor_gate open = interrupts_open(cpu) ? GATE_OPEN : GATE_HELD;

	if (unlikely(cpu->arbitrates) && event_interrupt_waiting(cpu))
		open = cpu->vendor->interrupt(cpu);
	if (open != GATE_OPEN)
		return open == GATE_DONE; /* EVENT_INTERRUPT stays: the run loop puts it off */
	take_bits(cpu, EVENT_INTERRUPT);
	return event_interrupt_waiting(cpu) && take_interrupt(cpu);
}

static bool due(struct cpu *cpu, bool vendor, enum vendor_stage stage)
{
	return unlikely(vendor) && cpu->arbitrates && cpu->vendor->due(cpu, stage);
}

/* INIT and SIPI find their way into a processor that does nothing else. */
static bool take_while_inactive(struct cpu *cpu)
{
	/* The hypervisor may take an NMI from a guest that is shut down (SDM 3C:26.2). */
	if (cpu->guest && cpu->activity == ACTIVITY_SHUTDOWN && cpu->nmi_pending && nmi_open(cpu) &&
	    gate(cpu, EVENT_NMI) == GATE_DONE)
		return true;
	if (cpu->init_pending)
		return take_gated(cpu, EVENT_INIT, take_init);
	if (cpu->activity == ACTIVITY_WAIT_SIPI && cpu->sipi_pending)
		return take_gated(cpu, EVENT_SIPI, take_sipi);
	return false;
}

static bool take_first(struct cpu *cpu, bool trap, bool vendor)
{
	if (cpu->delivering.active)
		return resume_delivery(cpu);
	if (cpu->activity == ACTIVITY_WAIT_SIPI || cpu->activity == ACTIVITY_SHUTDOWN)
		return take_while_inactive(cpu);
	if (!cpu->init_pending)
		cpu->sipi_pending = false; /* lost outside wait-for-SIPI */
	if (cpu->machine_check_pending)
		return take_gated(cpu, EVENT_MACHINE_CHECK, take_machine_check);
	if (due(cpu, vendor, STAGE_FIRST))
		return true;
	if (hold_for_shadow(cpu, vendor))
		return false;
	if (held_by_debugger(cpu))
		return trap && cpu->pending_debug && take_trap(cpu);
	if (cpu->smi_pending && !cpu->smm && take_gated(cpu, EVENT_SMI, smm_enter))
		return true;
	if (cpu->init_pending && !cpu->smm && take_gated(cpu, EVENT_INIT, take_init))
		return true;
	if (due(cpu, vendor, STAGE_BEFORE_TRAP))
		return true;
	if (trap && cpu->pending_debug)
		return take_trap(cpu);
	if (due(cpu, vendor, STAGE_AFTER_TRAP))
		return true;
	if (cpu->nmi_pending && nmi_open(cpu) && cpu->shadow == SHADOW_NONE &&
	    take_gated(cpu, EVENT_NMI, take_nmi))
		return true;
	/* STI may hold NMIs back for one instruction (SDM 2: STI); that keeps STI; HLT whole. */
	if (cpu->nmi_pending && nmi_open(cpu) && cpu->shadow != SHADOW_NONE)
		event_post(cpu, EVENT_NMI);
	return due(cpu, vendor, STAGE_AFTER_NMI) || take_interrupt_gated(cpu) ||
	       due(cpu, vendor, STAGE_AFTER_INTERRUPT);
}

bool event_take_pending(struct cpu *cpu)
{
	bool trap = take_bits(cpu, EVENT_TRAP), vendor = take_bits(cpu, EVENT_VENDOR), taken;

	cpu->op = NULL;
	note_arrivals(cpu);
	if (cpu->delivering.active && (vendor || cpu->pending_debug))
		event_post(cpu, EVENT_VENDOR | EVENT_TRAP); /* should it fault */
	taken = take_first(cpu, trap, vendor);
	if (taken && vendor && cpu->guest) /* what stands behind is looked at once more */
		event_post(cpu, EVENT_VENDOR);
	return taken;
}

/* Whether an interrupt would be taken, or would exit: the model's answer may have no effect, so it
 * is asked would_wake instead. */
static bool interrupt_would_wake(struct cpu *cpu)
{
	if (unlikely(cpu->arbitrates))
		return cpu->vendor->would_wake(cpu);
	return interrupts_open(cpu) && event_interrupt_waiting(cpu);
}

/* It is there, and the model does not hold it back. */
static bool would_come(const struct cpu *cpu, u32 event)
{
	return event_is_pending(cpu, event) &&
	       !(unlikely(cpu->arbitrates) && cpu->vendor->holds(cpu, event));
}

bool event_pending(struct cpu *cpu)
{
	u32 event = __atomic_load_n(&cpu->event, __ATOMIC_ACQUIRE);
	bool init = would_come(cpu, EVENT_INIT);

	if (cpu->activity == ACTIVITY_WAIT_SIPI)
		return init || event_is_pending(cpu, EVENT_SIPI);
	if (cpu->activity == ACTIVITY_SHUTDOWN)
		return init || (cpu->guest && event_is_pending(cpu, EVENT_NMI));
	if (wait_may_end(cpu))
		return true;
	if (cpu->delivering.active || cpu->exception_due || (event & EVENT_TRAP) ||
	    would_come(cpu, EVENT_MACHINE_CHECK))
		return true;
	if (!cpu->smm && (init || would_come(cpu, EVENT_SMI)))
		return true;
	if (nmi_open(cpu) && would_come(cpu, EVENT_NMI))
		return true;
	return interrupt_would_wake(cpu);
}
