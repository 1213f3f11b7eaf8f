/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of state.def, and what is made of them: KVM's structs, dumps and a hash. */
#ifndef LOCKSTEP_SIM_CPU_STATE_TABLE_H
#define LOCKSTEP_SIM_CPU_STATE_TABLE_H

#include "sim/cpu/cpu.h"

enum state_group {
	STATE_GENERAL,
	STATE_SEGMENT,
	STATE_TABLE,
	STATE_CONTROL,
	STATE_DEBUG,
	STATE_EVENT,
	STATE_X87,
	STATE_VECTOR,
	STATE_MSR,
	STATE_GROUPS
};

/* The structs that the rows can copy; STATE_IN_OTHER: functions of their own do. */
enum state_struct { STATE_IN_OTHER, STATE_IN_REGS, STATE_IN_SREGS, STATE_IN_DEBUGREGS };

struct state_field {
	const char *name, *manual;
	const char *kvm_struct, *kvm_member; /* as text; "NONE" if it has no place */
	enum state_group group;
	u16 bits, count;                /* count: 0 for a single one, else elements of an array */
	u16 size, stride;               /* in bytes, in struct cpu */
	u32 offset;                     /* in struct cpu */
	u64 (*get)(const struct cpu *); /* not NULL: it is made of others */
	enum state_struct in;
	bool rights; /* bit fields of a struct kvm_segment */
	u16 kvm_offset, kvm_size;
};

extern const struct state_field state_fields[];
extern const unsigned int state_field_count;
extern const char *const state_group_names[STATE_GROUPS];

/* Low 64 bits of a field, or of element @n of an array. */
u64 state_value(const struct cpu *cpu, const struct state_field *field, unsigned int n);

/* Copies every row with a place in that struct; STATE_IN_SREGS serves struct kvm_sregs2 as well.
 * Loading leaves out what other rows are made of (RFLAGS, CR8, IA32_APIC_BASE). */
void state_store_kvm(const struct cpu *cpu, enum state_struct in, void *to);
void state_load_kvm(struct cpu *cpu, enum state_struct in, const void *from);

/* Feeds every field, in the list's order, to @hash (LS_HASH_START or an earlier result). Exact
 * between instructions, after cpu_run has returned; performance counters are made true first. */
u64 cpu_state_hash(struct cpu *cpu, u64 hash);

#endif
