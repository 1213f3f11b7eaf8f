/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the segment, transfer, task and event files: descriptors taken apart (SDM 3A:3.4.5,
 * 3A:5.8.3, 3A:6.11), implicit supervisor accesses with a fast path, and the commit of CS and SS.
 */
#ifndef LOCKSTEP_SIM_CPU_DESCRIPTOR_H
#define LOCKSTEP_SIM_CPU_DESCRIPTOR_H

#include "sim/cpu/segment.h"

/* System-segment and gate types (SDM 3A:3.5, table 3-2). */
enum descriptor_type {
	TYPE_TSS16 = 1,
	TYPE_LDT = 2,
	TYPE_TSS16_BUSY = 3,
	TYPE_CALL_GATE16 = 4,
	TYPE_TASK_GATE = 5,
	TYPE_INTERRUPT_GATE16 = 6,
	TYPE_TRAP_GATE16 = 7,
	TYPE_TSS32 = 9,
	TYPE_TSS32_BUSY = 11,
	TYPE_CALL_GATE32 = 12,
	TYPE_INTERRUPT_GATE32 = 14,
	TYPE_TRAP_GATE32 = 15,
};
#define TYPE_BUSY 2u

/* TSS layouts (SDM 3A:7.2.1, 7.6, 7.7). */
#define TSS32_IO_MAP_BASE 102
#define TSS64_RSP0        4
#define TSS64_IST1        36

#define SEG_RIGHTS_DESCRIPTOR 0xf0ffu /* the bits of rights that come from a descriptor */

/* Rights of the flat segments that SYSCALL and SYSENTER make up. */
#define RIGHTS_FLAT_CODE (SEG_G | SEG_P | SEG_S | 0xbu)
#define RIGHTS_FLAT_DATA (SEG_G | SEG_DB | SEG_P | SEG_S | 0x3u)

ALWAYS_INLINE unsigned int rights_type(u32 rights)
{
	return rights & SEG_TYPE;
}

ALWAYS_INLINE unsigned int rights_dpl(u32 rights)
{
	return (rights & SEG_DPL) >> SEG_DPL_SHIFT;
}

ALWAYS_INLINE bool rights_code(u32 rights)
{
	return (rights & (SEG_S | SEG_TYPE_CODE)) == (SEG_S | SEG_TYPE_CODE);
}

ALWAYS_INLINE bool rights_conforming(u32 rights)
{
	return rights & SEG_TYPE_CONFORMING;
}

ALWAYS_INLINE bool rights_writable_data(u32 rights)
{
	return (rights & (SEG_S | SEG_TYPE_CODE | SEG_TYPE_WRITABLE)) ==
	       (SEG_S | SEG_TYPE_WRITABLE);
}

ALWAYS_INLINE bool selector_null(u16 selector)
{
	return !(selector & 0xfffc);
}

/* Selector part of an error code; EXT is added where an event is in delivery. */
ALWAYS_INLINE u32 selector_error(u16 selector)
{
	return selector & 0xfffc;
}

/* Attributes as AMD packs them, in the SMM state-save area and in a VMCB: rights without the gap
 * (APM 2:10.2.3, 15.5.2). Null is what is not present. */
ALWAYS_INLINE u16 amd_pack_rights(u32 rights)
{
	if (rights & SEG_UNUSABLE)
		return (rights & SEG_DPL);
	return (rights & 0xff) | (rights >> 4 & 0xf00);
}

ALWAYS_INLINE u32 amd_unpack_rights(u16 packed)
{
	u32 rights = (packed & 0xff) | (packed & 0xf00) << 4;

	return packed & SEG_P ? rights : rights | SEG_UNUSABLE;
}

/* --- gates --- */
ALWAYS_INLINE u16 gate_selector(const struct descriptor *gate)
{
	return gate->raw >> 16;
}

ALWAYS_INLINE u64 gate_offset32(const struct descriptor *gate)
{
	return (gate->raw & 0xffff) | (gate->raw >> 32 & 0xffff0000);
}

ALWAYS_INLINE u64 gate_offset64(const struct descriptor *gate)
{
	return gate_offset32(gate) | gate->high << 32;
}

ALWAYS_INLINE u64 system_base(const struct descriptor *descriptor)
{
	return descriptor->base | descriptor->high << 32;
}

/* --- addresses --- */
ALWAYS_INLINE bool address_canonical(const struct cpu *cpu, u64 linear)
{
	unsigned int shift = cpu->cr4 & CR4_LA57 ? 7 : 16;

	return (u64)((s64)(linear << shift) >> shift) == linear;
}

/* TLB context of a privilege in the current address space. */
ALWAYS_INLINE u64 access_context(const struct cpu *cpu, unsigned int privilege)
{
	if (unlikely(cpu->data_context == TLB_CONTEXT_NEVER))
		return TLB_CONTEXT_NEVER;
	return (cpu->data_context & ~UINT64_C(3)) | privilege;
}

/* Implicit supervisor load: SMAP holds whatever EFLAGS.AC (SDM 3A:4.6.1). */
ALWAYS_INLINE u64 system_load64(struct cpu *cpu, u64 linear)
{
	struct tlb_entry *entry = tlb_data_slot(&cpu->tlb, linear);

	if (likely(entry->read_tag == tlb_tag(linear, 8, access_context(cpu, TLB_SUPERVISOR))))
		return *(u64 *)(linear + entry->addend);
	return mem_load_system(cpu, linear, 8);
}

/* Linear address of @rip in a code segment; 64-bit code has no base. */
ALWAYS_INLINE u64 code_linear(bool code64, u64 base, u64 rip)
{
	return code64 ? rip : (u32)(base + rip);
}

/* The same in the current one: CET's LIP. */
ALWAYS_INLINE u64 current_linear(const struct cpu *cpu, u64 rip)
{
	return code_linear(cpu_64bit(cpu), SEG_BASE(cpu, SEG_CS), rip);
}

/* --- segment.c --- */
void descriptor_parse(struct descriptor *descriptor, u64 raw);
/* The upper 8 bytes of a 16-byte descriptor (long mode); #GP(selector) if they lie outside the
 * table or are not of the form. */
void descriptor_read_high(struct cpu *cpu, u16 selector, u8 vector, struct descriptor *descriptor);
/* Sets the accessed bit in memory if it is clear there, and in @descriptor. Most have it. */
void descriptor_mark_accessed(struct cpu *cpu, u16 selector, struct descriptor *descriptor);
ALWAYS_INLINE void descriptor_set_accessed(struct cpu *cpu, u16 selector,
					   struct descriptor *descriptor)
{
	if (unlikely(!(descriptor->rights & SEG_TYPE_ACCESSED)))
		descriptor_mark_accessed(cpu, selector, descriptor);
}
/* Sets or clears a TSS descriptor's busy bit in memory. */
void descriptor_set_busy(struct cpu *cpu, u16 selector, bool busy);
/* Takes a checked descriptor into a segment register. */
ALWAYS_INLINE void segment_commit(struct cpu *cpu, enum segment_index seg, u16 selector,
				  const struct descriptor *descriptor)
{
	cpu->seg[seg].selector = selector;
	cpu->seg[seg].limit = descriptor->limit;
	cpu->seg[seg].rights = descriptor->rights;
	SEG_BASE(cpu, seg) = descriptor->base;
}
/* A null selector: unusable, with @dpl. */
void segment_commit_null(struct cpu *cpu, enum segment_index seg, u16 selector, unsigned int dpl);
/* Flat code and stack segments as SYSCALL and SYSENTER set them. */
void segment_commit_flat(struct cpu *cpu, enum segment_index seg, u16 selector, u32 rights);
/* On a return to an outer level: nulls the data segments that it may not keep (SDM 2: RET). */
void segment_drop_inner(struct cpu *cpu, unsigned int cpl);

/* --- code_segment.c: checks that the transfers share --- */
/* Descriptor of a far transfer's target: #GP(0) if null, #GP(selector) if it is outside its table.
 */
void code_descriptor_read(struct cpu *cpu, u16 selector, struct descriptor *code);
/* JMP and CALL straight to a code segment (SDM 3A:5.8.1): type, privilege, presence. */
void code_check_direct(struct cpu *cpu, u16 selector, const struct descriptor *code);
/* RET and IRET (SDM 3A:5.8.6). */
void code_check_return(struct cpu *cpu, u16 selector, const struct descriptor *code);
/* The new RIP against limit or canonical form: #GP(0). Returns it truncated to the mode. */
u64 code_check_rip(struct cpu *cpu, const struct descriptor *code, u64 rip);
/* Will a transfer to @code run in 64-bit mode? */
ALWAYS_INLINE bool code_is_64bit(const struct cpu *cpu, const struct descriptor *code)
{
	return cpu_long_mode(cpu) && (code->rights & SEG_L);
}
/* CS, CPL and accessed bit; the caller ends with cpu_update_mode. */
void code_commit(struct cpu *cpu, u16 selector, unsigned int cpl, struct descriptor *code);

/* --- inner_stack.c: stacks that the TSS gives --- */
struct inner_stack {
	struct stack_cursor cursor;
	u16 selector;
	bool null; /* 64-bit: SS becomes null */
	struct descriptor ss;
};
/* The stack of level @dpl from the TSS, checked (#TS, #SS); @code64: for a 64-bit handler. */
void inner_stack_find(struct cpu *cpu, struct inner_stack *stack, unsigned int dpl, bool code64);
void inner_stack_commit(struct cpu *cpu, struct inner_stack *stack, unsigned int dpl);
/* The 8 bytes at @offset of the 64-bit TSS (RSPn, ISTn): #TS(TR) beyond its limit. */
u64 tss64_load(struct cpu *cpu, unsigned int offset);

/* --- stack.c --- */
/* A cursor for the stack segment described, at @rsp. */
void stack_open_segment(struct cpu *cpu, struct stack_cursor *stack, u64 base, u32 limit,
			u32 rights, u64 rsp, unsigned int cpl);
ALWAYS_INLINE unsigned int stack_access(unsigned int cpl)
{
	return cpl == 3 ? WALK_USER : 0;
}

ALWAYS_INLINE u64 stack_context(const struct cpu *cpu, unsigned int cpl)
{
	if (cpl == 3)
		return access_context(cpu, TLB_USER);
	return access_context(cpu, cpu->rflags & FLAG_AC ? TLB_SUPERVISOR_AC : TLB_SUPERVISOR);
}

/* At @rsp of 64-bit code. */
ALWAYS_INLINE void stack_open_flat(struct cpu *cpu, struct stack_cursor *stack, u64 rsp,
				   unsigned int cpl)
{
	*stack = (struct stack_cursor){
		.rsp = rsp,
		.mask = UINT64_MAX,
		.high = UINT64_MAX,
		.access = stack_access(cpl),
		.context = stack_context(cpu, cpl),
	};
}

/* --- far_transfer.c --- */
/* The end of a JMP or CALL to @code at the same level; a call's frame goes to @stack,
 * where it has been found to fit. */
void far_jump_commit(struct cpu *cpu, u16 selector, struct descriptor *code);
void far_call_commit(struct cpu *cpu, struct stack_cursor *stack, u16 selector,
		     struct descriptor *code, u64 return_rip, unsigned int size);

/* --- call_gate.c --- */
u64 call_gate_jump(struct cpu *cpu, const struct op *op, u16 selector, struct descriptor *gate);
u64 call_gate_call(struct cpu *cpu, const struct op *op, u16 selector, struct descriptor *gate,
		   u64 return_rip);

/* --- inner_stack.c: the outer stack that a far return or IRET goes back to --- */
struct outer_stack {
	u16 selector;
	u64 rsp;
	bool null;
	struct descriptor ss;
};
void outer_stack_check(struct cpu *cpu, struct outer_stack *stack, u16 cs_selector,
		       const struct descriptor *code);
void outer_stack_commit(struct cpu *cpu, struct outer_stack *stack, unsigned int cpl);

/* --- parts of event delivery --- */
struct event {
	u8 vector;
	enum event_type type;
	bool has_error;
	u32 error;
	u64 return_rip;
	u64 rflags; /* image to be pushed */
};
ALWAYS_INLINE bool event_is_software(enum event_type type)
{
	return type == EVENT_TYPE_SOFTWARE || type == EVENT_TYPE_SOFTWARE_EXCEPTION;
}
/* It returns behind the instruction that makes it: INT n, INT3, INTO, INT1. */
ALWAYS_INLINE bool event_has_length(enum event_type type)
{
	return event_is_software(type) || type == EVENT_TYPE_ICEBP;
}
u64 event_deliver_real(struct cpu *cpu, const struct event *event); /* event_real.c */
/* event_code.c: what every IDT gate is asked, whatever its width; raise. */
u32 event_gate_error(u8 vector); /* the error code that names the gate */
void event_check_gate(struct cpu *cpu, const struct event *event, const struct descriptor *gate);
void event_read_code(struct cpu *cpu, u16 selector, struct descriptor *code);
u64 event_deliver_gate(struct cpu *cpu, const struct event *event); /* event_gate.c */
u64 event_deliver_long(struct cpu *cpu, const struct event *event); /* event_long.c */
/* VME: INT n in virtual-8086 mode through the 8086 program's own vector table (event_real.c). */
bool event_redirected(struct cpu *cpu, u8 vector);
u64 event_deliver_redirected(struct cpu *cpu, const struct event *event);

#endif
