/* SPDX-License-Identifier: Apache-2.0 */
/* Delivery of one event, and of exceptions that meet another (SDM 3A:6.12 to 6.15). */
#include "sim/cpu/branch_record.h"
#include "sim/cpu/cet.h"
#include "sim/cpu/debugger.h"
#include "sim/cpu/flags.h"
#include "sim/cpu/recorder.h"
#include "sim/cpu/vendor.h"

enum exception_class { CLASS_BENIGN, CLASS_CONTRIBUTORY, CLASS_PAGE_FAULT, CLASS_DOUBLE_FAULT };

/* SDM 3A:6.15, table 6-4. */
static enum exception_class class_of(u8 vector)
{
	switch (vector) {
	case VECTOR_DE:
	case VECTOR_TS:
	case VECTOR_NP:
	case VECTOR_SS:
	case VECTOR_GP:
	case VECTOR_CP:
	case VECTOR_SX: /* APM 2:15.28 */
		return CLASS_CONTRIBUTORY;
	case VECTOR_PF:
	case VECTOR_VE:
		return CLASS_PAGE_FAULT;
	case VECTOR_DF:
		return CLASS_DOUBLE_FAULT;
	default:
		return CLASS_BENIGN;
	}
}

/* Does the error code hold a selector, and with it EXT? */
static bool error_has_ext(u8 vector)
{
	return vector == VECTOR_TS || vector == VECTOR_NP || vector == VECTOR_SS ||
	       vector == VECTOR_GP;
}

/* RF in the pushed image (SDM 3B:18.3.1.1); of what VM entry injects it is not touched
 * (SDM 3C:27.6.1.1). */
u64 event_pushed_rflags(struct cpu *cpu, u8 vector, enum event_type type)
{
	u64 rflags = cpu_rflags(cpu);

	if (cpu->delivering.injected)
		return rflags;
	switch (type) {
	case EVENT_TYPE_EXCEPTION:
		if (vector == VECTOR_DF || vector == VECTOR_MC)
			return rflags;
		/* A #DB is a fault only for general detect; an instruction breakpoint
		 * pushes RF as it is. */
		if (vector == VECTOR_DB && !(cpu->exception.address & DR6_BD))
			return rflags;
		return rflags | FLAG_RF;
	case EVENT_TYPE_EXTERNAL:
	case EVENT_TYPE_NMI:
		return rflags;
	default:
		return rflags & ~FLAG_RF;
	}
}

/* Of interruption information (SDM 3C:25.8.3). */
static const u8 information_types[] = {
	[EVENT_TYPE_EXTERNAL] = 0,           [EVENT_TYPE_NMI] = 2,
	[EVENT_TYPE_EXCEPTION] = 3,          [EVENT_TYPE_SOFTWARE] = 4,
	[EVENT_TYPE_SOFTWARE_EXCEPTION] = 6, [EVENT_TYPE_ICEBP] = 5,
};

static NOINLINE void record_event(struct cpu *cpu, const struct event *event)
{
	if (event->type == EVENT_TYPE_EXCEPTION || event->type == EVENT_TYPE_SOFTWARE_EXCEPTION)
		RECORD(cpu, EXCEPTION, .vector = event->vector,
		       .error_code = event->has_error ? event->error : 0,
		       .address = event->vector == VECTOR_PF || event->vector == VECTOR_DB
					  ? cpu->exception.address
					  : 0,
		       .rip = event->return_rip, .by_entry = cpu->delivering.injected);
	else
		RECORD(cpu, INTERRUPT_INJECTED, .vector = event->vector,
		       .type = information_types[event->type], .rip = event->return_rip,
		       .by_entry = cpu->delivering.injected);
}

u64 event_deliver(struct cpu *cpu, u8 vector, enum event_type type, bool has_error, u32 error,
		  u64 return_rip)
{
	struct event event = {
		.vector = vector,
		.type = type,
		.has_error = has_error,
		.error = error,
		.return_rip = return_rip,
		.rflags = event_pushed_rflags(cpu, vector, type),
	};
	bool between = !cpu->op;
	u64 rip;

	if (!cpu->delivering.injected)
		cpu->delivering.length = between ? 0 : cpu->op->length;
	if (between) {
		/* Between instructions devices may be reached, as by one that runs alone. */
		cpu->single = true;
		cpu->shadow_running = cpu->shadow;
		cpu->rf_running = 0;
	}
	if (unlikely(cpu->recorder))
		record_event(cpu, &event);
	cpu->delivering.active = true;
	cpu->delivering.vector = vector;
	cpu->delivering.type = type;
	cpu->delivering.has_error = has_error;
	cpu->delivering.error = error;
	if (likely(cpu_long_mode(cpu)))
		rip = event_deliver_long(cpu, &event);
	else if (cpu_real_mode(cpu))
		rip = event_deliver_real(cpu, &event);
	else if (cpu_v86(cpu) && type == EVENT_TYPE_SOFTWARE && event_redirected(cpu, vector))
		rip = event_deliver_redirected(cpu, &event);
	else
		rip = event_deliver_gate(cpu, &event);
	if (unlikely(branch_recorded(cpu)))
		branch_record_event(cpu, vector, type, between ? return_rip : cpu->reg[REG_RIP],
				    rip);
	cpu->delivering.active = cpu->delivering.injected = false;
	cpu->shadow = SHADOW_NONE;
	if (between)
		cpu->single = false;
	if (unlikely(cpu->monitor_trap.on))
		event_monitor_trap(cpu);
	/* No single-step trap after INT n and its kin: they clear TF (SDM 3B:18.3.1.4). */
	cpu->no_step = true;
	return rip;
}

bool event_abandoned(struct cpu *cpu)
{
	if (!cpu->delivering.active)
		return false;
	if (cpu->delivering.injected) {
		event_post(cpu, EVENT_TRAP);
		return true;
	}
	switch (cpu->delivering.type) {
	case EVENT_TYPE_EXCEPTION:
		/* Already combined with what it met: it stands in cpu->exception. */
		cpu->delivering.active = false;
		cpu->exception_due = true;
		return true;
	case EVENT_TYPE_EXTERNAL:
	case EVENT_TYPE_NMI:
		event_post(cpu, EVENT_TRAP);
		return true;
	default:
		cpu->delivering.active = false; /* the instruction runs again */
		return false;
	}
}

void event_set_side_registers(struct cpu *cpu)
{
	if (cpu->exception.injected)
		return;
	if (cpu->exception.vector == VECTOR_PF) {
		cpu->cr2 = cpu->exception.address;
	} else if (cpu->exception.vector == VECTOR_DB) {
		/* B0-B3 tell this event's breakpoints; the other bits pile up. */
		cpu->dr[6] = (cpu->dr[6] & ~DR6_TRAPS) | cpu->exception.address;
		cpu->dr[7] &= ~DR7_GD;
		cpu->msr[MSR_DEBUGCTL] &= ~(DEBUGCTL_LBR | DEBUGCTL_BTF);
	}
}

/* SDM 3A:6.15, table 6-5: true if the processor shuts down. */
static bool combine(struct cpu *cpu)
{
	enum exception_class first = CLASS_BENIGN, second = class_of(cpu->exception.vector);

	if (cpu->delivering.type == EVENT_TYPE_EXCEPTION)
		first = class_of(cpu->delivering.vector);
	if (second == CLASS_BENIGN)
		return false;
	if (first == CLASS_DOUBLE_FAULT)
		return true;
	if (first == CLASS_PAGE_FAULT ||
	    (first == CLASS_CONTRIBUTORY && second == CLASS_CONTRIBUTORY)) {
		cpu->exception.vector = VECTOR_DF;
		cpu->exception.has_error = true;
		cpu->exception.error = 0;
	}
	return false;
}

/* #BP and #OF come here only when user space injects them: as INT3 and INTO, which push the RIP
 * behind them, raise them. */
static bool is_software_exception(u8 vector)
{
	return vector == VECTOR_BP || vector == VECTOR_OF;
}

void event_shutdown(struct cpu *cpu)
{
	if (unlikely(cpu->guest) && cpu->vendor->shutdown(cpu))
		return;
	cpu->activity = ACTIVITY_SHUTDOWN;
	cpu->delivering.active = cpu->delivering.injected = false;
}

/* An exception that the hypervisor takes from its guest. */
static bool exception_exits(struct cpu *cpu)
{
	return unlikely(cpu->guest) && !cpu->exception.injected && cpu->vendor->exception(cpu);
}

/* EXT, for an exit, too, which tells the error code as it would be pushed (SDM 3A:6.13, 3C:28.2.2).
 */
static void add_ext(struct cpu *cpu)
{
	if (cpu->delivering.active && !event_is_software(cpu->delivering.type) &&
	    cpu->exception.has_error && error_has_ext(cpu->exception.vector))
		cpu->exception.error |= 1;
}

void event_deliver_exception(struct cpu *cpu)
{
	bool software;

	cpu->op = NULL;
	if (cpu->exception.vector == VECTOR_DB && !cpu->exception.injected &&
	    debugger_takes(cpu, VECTOR_DB, cpu->exception.address)) {
		event_stop(cpu, CPU_EXIT_DEBUG);
		return;
	}
	add_ext(cpu);
	if (exception_exits(cpu))
		return;
	cpu->stats.exceptions++;
	cpu->pending_debug = 0; /* of an instruction that did not complete */
	if (unlikely(cpu->delivering.active)) {
		if (cpu->exception.vector == VECTOR_PF)
			cpu->cr2 = cpu->exception.address;
		if (combine(cpu)) {
			event_shutdown(cpu);
			return;
		}
		if (cpu->exception.vector == VECTOR_DF && exception_exits(cpu))
			return;
		cpu->delivering.injected = false;
	}
	event_set_side_registers(cpu);
	software = is_software_exception(cpu->exception.vector);
	cpu->reg[REG_RIP] = event_deliver(
		cpu, cpu->exception.vector,
		software ? EVENT_TYPE_SOFTWARE_EXCEPTION : EVENT_TYPE_EXCEPTION,
		cpu->exception.has_error, cpu->exception.error, cpu->reg[REG_RIP] + software);
}
