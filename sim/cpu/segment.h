/* SPDX-License-Identifier: Apache-2.0 */
/* Segment registers, descriptors, far transfers, events: what the system files offer each other. */
#ifndef LOCKSTEP_SIM_CPU_SEGMENT_H
#define LOCKSTEP_SIM_CPU_SEGMENT_H

#include "sim/cpu/fault.h"
#include "sim/cpu/memory.h"

/* A descriptor as fetched: the low 8 bytes, and base bits 63:32 of a 16-byte system one. */
struct descriptor {
	u64 raw;
	u64 high;
	u32 base, limit; /* limit in bytes */
	u32 rights;      /* as struct segment */
};

/* segment.c: loads of DS, ES, FS, GS, SS, LDTR and TR with all checks (SDM 3A:5, APM 2:4). */
void segment_load(struct cpu *cpu, enum segment_index seg, u16 selector);
/* A data segment register, whose selector may be at fault by that vector: #GP, or #TS in a task
 * switch. */
void segment_load_data(struct cpu *cpu, enum segment_index seg, u16 selector, u8 vector);
/* Real and virtual-8086 mode: base = selector << 4. */
void segment_load_real(struct cpu *cpu, enum segment_index seg, u16 selector);
void segment_load_ldtr(struct cpu *cpu, u16 selector);
void segment_load_tr(struct cpu *cpu, u16 selector);
/* Reads a descriptor; raises @vector(selector) if it lies outside its table. */
void descriptor_read(struct cpu *cpu, u16 selector, u8 vector, struct descriptor *descriptor);

/* exec/far.c: a far pointer operand in memory. Returns the offset. */
u64 far_pointer_load(struct cpu *cpu, const struct op *op, u16 *selector);

/* far_transfer.c, interrupt_return.c. Each does every check, loads CS (and SS:RSP) and returns the new RIP; the
 * handler ends with CPU_BRANCH of it. @return_rip: what a CALL pushes. */
u64 far_jump(struct cpu *cpu, const struct op *op, u16 selector, u64 offset);
u64 far_call(struct cpu *cpu, const struct op *op, u16 selector, u64 offset, u64 return_rip);
u64 far_return(struct cpu *cpu, const struct op *op, u16 release);
u64 interrupt_return(struct cpu *cpu, const struct op *op);

/* task_switch.c */
enum task_switch_source { TASK_JMP, TASK_CALL, TASK_IRET, TASK_EVENT };
struct event;
/* Returns the new task's RIP. @event: with TASK_EVENT, else NULL. */
u64 task_switch(struct cpu *cpu, u16 selector, enum task_switch_source source, u64 return_rip,
		const struct event *event);

/* event.c */
enum event_type {
	EVENT_TYPE_EXTERNAL, /* external interrupt */
	EVENT_TYPE_NMI,
	EVENT_TYPE_EXCEPTION,          /* hardware exception */
	EVENT_TYPE_SOFTWARE,           /* INT n */
	EVENT_TYPE_SOFTWARE_EXCEPTION, /* INT3, INTO */
	EVENT_TYPE_ICEBP,              /* INT1: privileged software exception */
};
/* Goes through the IVT or IDT with every check; returns the handler's RIP. Raises on failure. */
u64 event_deliver(struct cpu *cpu, u8 vector, enum event_type type, bool has_error, u32 error,
		  u64 return_rip);
/* RFLAGS as the event's frame has them. */
u64 event_pushed_rflags(struct cpu *cpu, u8 vector, enum event_type type);
/* Delivers the exception that stands in cpu->exception, #DF and shutdown included. Called by the
 * run loop with RIP committed; leaves the processor at the handler, or in ACTIVITY_SHUTDOWN. */
void event_deliver_exception(struct cpu *cpu);
/* A triple fault and its like: a guest of VMX or SVM may exit instead. */
void event_shutdown(struct cpu *cpu);
/* An access to user space broke off the delivery of an event: true if the run loop is to deliver
 * again (cpu->exception_due, or EVENT_TRAP is posted) instead of running the instruction at RIP. */
bool event_abandoned(struct cpu *cpu);
/* What #DB and #PF leave in the control registers before their handler runs: of the exception that
 * is due, unless it was injected. */
void event_set_side_registers(struct cpu *cpu);

/* event_pending.c */
/* The monitor trap flag: an instruction or the delivery of an event is over. */
void event_monitor_trap(struct cpu *cpu);
/* ORs EVENT_* bits into cpu->event; any thread. */
void event_post(struct cpu *cpu, u32 bits);
/* One of the events that other threads post (EVENT_NMI, _SMI, _INIT, _SIPI, _MACHINE_CHECK):
 * posted, or taken note of and still waiting. Setting leaves it posted or takes it back. */
bool event_is_pending(const struct cpu *cpu, u32 bit);
void event_set_pending(struct cpu *cpu, u32 bit, bool pending);
/* The external interrupt that has been acknowledged but not delivered; -1: none. Setting one gives
 * it to the processor as such. */
int event_external(const struct cpu *cpu);
void event_resume_external(struct cpu *cpu, u8 vector);
/* Leaves cpu_run with @exit before the next instruction or event; the processor's own thread. */
void event_stop(struct cpu *cpu, enum cpu_exit exit);
/* Between instructions: takes the highest-priority pending event (SDM 3A:6.9, table 6-2). Returns
 * true if the state changed (delivered, INIT taken, woken). */
bool event_take_pending(struct cpu *cpu);
/* The local APIC or the INTR pin has an interrupt, whatever RFLAGS.IF. */
bool event_interrupt_waiting(struct cpu *cpu);
/* Acknowledges it; its vector, or -1. EVENT_INTERRUPT stands for the next one. */
int event_acknowledge(struct cpu *cpu);
/* True if something would be taken now or would wake a halted processor. */
bool event_pending(struct cpu *cpu);

/* debug.c: SDM 3B:18. */
/* True while a breakpoint of DR7 is enabled that accesses have to be held against. */
bool debug_watches_data(const struct cpu *cpu);
/* Notes data breakpoints hit by an access, as DR6 bits in cpu->pending_debug. */
void debug_check_data(struct cpu *cpu, u64 linear, unsigned int size, bool write);
void debug_check_port(struct cpu *cpu, u16 port, unsigned int size);
/* Before each instruction of step mode: instruction breakpoint at @linear raises #DB before it
 * (RF and the MOV SS shadow suppress). Also forgets cpu->no_step of what went before. */
void debug_check_fetch(struct cpu *cpu, u64 linear);
/* After each instruction that retired in step mode: TF's trap (@branched: it took a branch, for
 * BTF), data and I/O breakpoints. Posts EVENT_TRAP if a #DB is due; cpu->shadow is by then what
 * holds for the next instruction (MOV SS delays the trap). */
void debug_after_instruction(struct cpu *cpu, bool tf_at_start, bool branched);
/* Asks for a #DB trap after the current instruction, with these DR6 bits. */
void debug_trap(struct cpu *cpu, u64 dr6);

/* stack.c: pushes and pops on SS:rSP in any mode, by explicit working RSP so that nothing is
 * committed before all succeeded. */
struct stack_cursor {
	u64 rsp;  /* working copy, within the stack-size mask */
	u64 mask; /* 0xffff, 0xffffffff or ~0 */
	u64 base;
	unsigned int access; /* walk_access privilege: 0 or WALK_USER */
	u32 error;           /* error code of #SS: the selector of a stack being switched to */
	u64 low, high;       /* offsets within the segment's limit */
	u64 context;         /* of the TLB */
};
void stack_open(struct cpu *cpu, struct stack_cursor *stack);
void stack_push_checked(struct cpu *cpu, struct stack_cursor *stack, u64 value, unsigned int size);
u64 stack_pop_checked(struct cpu *cpu, struct stack_cursor *stack, unsigned int size);

/* False: the TLB has no answer. */
ALWAYS_INLINE bool stack_store(struct cpu *cpu, const struct stack_cursor *stack, u64 linear,
			       u64 value, unsigned int size)
{
	struct tlb_entry *entry = tlb_data_slot(&cpu->tlb, linear);
	void *host;

	if (unlikely(entry->write_tag != tlb_tag(linear, size, stack->context)))
		return false;
	host = tlb_host(entry, linear);
	host_write(host, value, size);
	return true;
}

ALWAYS_INLINE bool stack_load(struct cpu *cpu, const struct stack_cursor *stack, u64 linear,
			      u64 *value, unsigned int size)
{
	struct tlb_entry *entry = tlb_data_slot(&cpu->tlb, linear);
	const void *host;

	if (unlikely(entry->read_tag != tlb_tag(linear, size, stack->context)))
		return false;
	host = tlb_host(entry, linear);
	*value = host_read(host, size);
	return true;
}

/* The bytes of [linear, linear + size) if they may be read or written in place, else NULL. */
ALWAYS_INLINE void *stack_write_pointer(struct cpu *cpu, const struct stack_cursor *stack,
					u64 linear, unsigned int size)
{
	struct tlb_entry *entry = tlb_data_slot(&cpu->tlb, linear);

	return entry->write_tag == tlb_tag(linear, size, stack->context) ? tlb_host(entry, linear)
									 : NULL;
}

ALWAYS_INLINE const void *stack_read_pointer(struct cpu *cpu, const struct stack_cursor *stack,
					     u64 linear, unsigned int size)
{
	struct tlb_entry *entry = tlb_data_slot(&cpu->tlb, linear);

	return entry->read_tag == tlb_tag(linear, size, stack->context) ? tlb_host(entry, linear)
									: NULL;
}

/* A flat 64-bit stack has no limits, and what the TLB holds is canonical. */
ALWAYS_INLINE bool stack_is_flat(const struct stack_cursor *stack)
{
	return stack->mask == UINT64_MAX;
}

ALWAYS_INLINE void stack_push(struct cpu *cpu, struct stack_cursor *stack, u64 value,
			      unsigned int size)
{
	if (likely(stack_is_flat(stack)) &&
	    likely(stack_store(cpu, stack, stack->rsp - size, value, size)))
		stack->rsp -= size;
	else
		stack_push_checked(cpu, stack, value, size);
}

ALWAYS_INLINE u64 stack_pop(struct cpu *cpu, struct stack_cursor *stack, unsigned int size)
{
	u64 value;

	if (unlikely(!stack_is_flat(stack)) ||
	    unlikely(!stack_load(cpu, stack, stack->rsp, &value, size)))
		return stack_pop_checked(cpu, stack, size);
	stack->rsp += size;
	return value;
}

/* Several at once; @words as they lie in memory, the top of the stack first. */
ALWAYS_INLINE void stack_push_words(struct cpu *cpu, struct stack_cursor *stack, const u64 *words,
				    unsigned int count)
{
	unsigned int bytes = count * 8;
	void *host = stack_write_pointer(cpu, stack, stack->rsp - bytes, bytes);

	if (likely(stack_is_flat(stack)) && likely(host)) {
		__builtin_memcpy(host, words, bytes);
		stack->rsp -= bytes;
		return;
	}
	while (count--)
		stack_push_checked(cpu, stack, words[count], 8);
}

ALWAYS_INLINE void stack_pop_words(struct cpu *cpu, struct stack_cursor *stack, u64 *words,
				   unsigned int count, unsigned int size)
{
	const void *host = stack_read_pointer(cpu, stack, stack->rsp, count * 8);
	unsigned int n;

	if (likely(size == 8) && likely(stack_is_flat(stack)) && likely(host)) {
		__builtin_memcpy(words, host, count * 8);
		stack->rsp += count * 8;
		return;
	}
	for (n = 0; n < count; n++)
		words[n] = stack_pop_checked(cpu, stack, size);
}

void stack_commit(struct cpu *cpu, const struct stack_cursor *stack);
/* Linear address of @size bytes at @offset, or #SS. */
u64 stack_linear(struct cpu *cpu, const struct stack_cursor *stack, u64 offset, unsigned int size);
/* Raises #SS unless @bytes more can be pushed within the limit. */
void stack_reserve(struct cpu *cpu, const struct stack_cursor *stack, unsigned int bytes);

/* cet.c */
bool cet_shadow_stack_enabled(const struct cpu *cpu); /* at the current CPL */
bool cet_endbranch_enabled(const struct cpu *cpu);
/* The tracker waits: only ENDBR32/64 may come next (MODE_ENDBRANCH). */
bool cet_waits(const struct cpu *cpu);
/* Near CALL and RET while cet_shadow_stack_enabled; @size: 2, 4 or 8. Call them after the ordinary
 * stack access and before the commit; they may raise. CALL rel32 = 0 does not push. */
void cet_near_call(struct cpu *cpu, const struct op *op, u64 return_rip, unsigned int size);
void cet_near_return(struct cpu *cpu, const struct op *op, u64 target, unsigned int size);
/* Near indirect JMP and CALL, past their last fault: starts the tracker if endbranches are
 * enabled and NOTRACK does not suspend it. Calls cpu_update_mode if it did. */
void cet_indirect_branch(struct cpu *cpu, const struct op *op);

/* control.c: moves to control registers with every check; raise #GP(0). */
void control_write_cr0(struct cpu *cpu, u64 value);
void control_write_cr3(struct cpu *cpu, u64 value);
void control_write_cr4(struct cpu *cpu, u64 value);
void control_write_cr8(struct cpu *cpu, u64 value);
void control_write_efer(struct cpu *cpu, u64 value);
void control_write_xcr0(struct cpu *cpu, u32 index, u64 value);

/* msr.c: false means #GP(0). @host: a save or restore through the KVM ABI, not the guest. */
bool msr_read(struct cpu *cpu, u32 number, u64 *value, bool host);
bool msr_write(struct cpu *cpu, u32 number, u64 value, bool host);

/* cpuid.c */
void cpuid_query(struct cpu *cpu, u32 leaf, u32 subleaf, u32 out[4]);
/* The bits of CR4 that a processor with these features has. */
u64 cpuid_cr4_bits(const u32 *feature);
/* Takes over KVM_SET_CPUID2's leaves: derives features, reserved bits, widths. */
void cpuid_adopt(struct cpu *cpu);

/* time.c: guest time of the current instruction in ns, and the TSC made from it. */
u64 cpu_time(const struct cpu *cpu);
u64 cpu_tsc(const struct cpu *cpu);
/* As RDTSC tells it: a guest of VMX or SVM sees another. */
u64 cpu_tsc_seen(const struct cpu *cpu);
/* The first ns at which the TSC is >= @tsc; a past time if it is already, UINT64_MAX if never. */
u64 cpu_tsc_to_time(const struct cpu *cpu, u64 tsc);
u64 cpu_tsc_at(const struct cpu *cpu, u64 time);
/* TSC ticks in a millisecond of guest time: the parameter's, or KVM_SET_TSC_KHZ's. */
#define TSC_KHZ_MIN 1000
#define TSC_KHZ_MAX 100000000
u32 cpu_tsc_khz(const struct cpu *cpu);
bool tsc_khz_valid(u64 khz);
void cpu_set_tsc_khz(struct cpu *cpu, u32 khz);

#endif
