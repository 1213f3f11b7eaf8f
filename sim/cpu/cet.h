/* SPDX-License-Identifier: Apache-2.0 */
/* Control-flow enforcement inside far transfers and event delivery (SDM 1:17). */
#ifndef LOCKSTEP_SIM_CPU_CET_H
#define LOCKSTEP_SIM_CPU_CET_H

#include "sim/cpu/descriptor.h"

/* Bits of IA32_U_CET and IA32_S_CET (SDM 1:17.1.2). */
#define CET_SH_STK_EN    BIT(0)
#define CET_WR_SHSTK_EN  BIT(1)
#define CET_ENDBR_EN     BIT(2)
#define CET_LEG_IW_EN    BIT(3)
#define CET_NO_TRACK_EN  BIT(4)
#define CET_SUPPRESS_DIS BIT(5)
#define CET_SUPPRESS     BIT(10)
#define CET_TRACKER      BIT(11) /* 1: WAIT_FOR_ENDBRANCH */

/* Error codes of #CP (SDM 3A:6.15). */
enum { CP_NEAR_RET = 1, CP_FAR_RET = 2, CP_ENDBRANCH = 3, CP_RSTORSSP = 4, CP_SETSSBSY = 5 };

#define SHADOW_STACK_BUSY BIT(0)

/* May IA32_U_CET or IA32_S_CET hold @value on this processor? */
u64 cet_control_reserved(const struct cpu *cpu);
bool cet_control_valid(const struct cpu *cpu, u64 value);

bool cet_shadow_stack_at(const struct cpu *cpu, unsigned int cpl);
/* The same once VM is clear: virtual-8086 mode itself has none. */
bool cet_shadow_stack_of_handler(const struct cpu *cpu, unsigned int cpl);
bool cet_endbranch_at(const struct cpu *cpu, unsigned int cpl);

/* No ENDBRANCH stands where the tracker waits for one: true if the instruction may run all the
 * same, the tracker having gone idle. */
bool cet_legacy_page(struct cpu *cpu);

/* Shadow-stack accesses with user or supervisor privilege. */
u64 cet_load(struct cpu *cpu, u64 linear, bool user);
void cet_store(struct cpu *cpu, u64 linear, u64 value, unsigned int size, bool user);
/* Token compare-exchange; returns the value found. */
u64 cet_exchange(struct cpu *cpu, u64 linear, u64 expected, u64 desired, bool user);

/* The tracker of @cpl waits for an ENDBRANCH: far CALL and JMP, events. */
void cet_start_tracker(struct cpu *cpu, unsigned int cpl);

/* CS, LIP and SSP, 8 bytes each (SDM 1:17.2.3). */
#define CET_FRAME_SIZE 24
/* Stores the frame below @at, which is aligned; returns its address. */
u64 cet_store_frame(struct cpu *cpu, u64 at, u16 cs, u64 lip, u64 ssp, bool user);
/* Aligns @ssp and pushes CS, LIP and SSP; returns the new SSP. */
u64 cet_push_frame(struct cpu *cpu, u64 ssp, u16 cs, u64 lip, bool user);
/* Holds the frame at @ssp against CS and LIP, #CP(FAR-RET/IRET); returns the SSP in it. */
u64 cet_check_frame(struct cpu *cpu, u64 ssp, u16 cs, u64 lip, bool user);
/* An SSP to be loaded has to be canonical, and below 4 GiB outside 64-bit mode: #GP(0). */
void cet_check_low(struct cpu *cpu, u64 ssp, bool code64);
/* Takes the shadow stack whose token lies at @ssp: #GP(0) if it can't. */
void cet_acquire(struct cpu *cpu, u64 ssp, bool code64, bool user);
/* Gives it back; a token that doesn't match is left alone. */
void cet_release(struct cpu *cpu, u64 ssp, bool user);
/* The SSP of an inner level from IA32_PLx_SSP, its token made busy. From an outer supervisor
 * level the frame is pushed on it. */
u64 cet_enter_inner(struct cpu *cpu, u64 ssp, u16 cs, u64 lip, bool code64);
u64 cet_level_ssp(const struct cpu *cpu, unsigned int cpl);

/* A return to an outer level in two steps: checks and the new SSP, then what may not fault. */
struct cet_outer_return {
	bool leaves, enters; /* shadow stacks in use at the old and the new level */
	u64 old_token, ssp;
};
void cet_check_outer(struct cpu *cpu, struct cet_outer_return *out, u16 cs, u64 lip, bool code64);
void cet_commit_outer(struct cpu *cpu, const struct cet_outer_return *out);
/* IRET at the same level in IA-32e mode: gives an IST's shadow stack back that it leaves. */
void cet_leave_interrupt_stack(struct cpu *cpu, u64 ssp);
/* Task switches (cet_task.c): what of the old task's shadow stack the new one has to know. */
struct cet_task {
	bool returns;  /* by IRET: SSP comes from there, not from the TSS */
	bool pushes;   /* CALL and events: the frame goes on the new task's shadow stack */
	bool verifies; /* IRET: the frame that the old task's shadow stack held */
	u64 cs, lip, ssp;
};
/* Only with the old task's shadow stack enabled, before anything is committed. */
void cet_leave_task(struct cpu *cpu, struct cet_task *task, enum task_switch_source source,
		    u64 return_rip, unsigned int new_cpl);
/* In the new task; @ssp: of its TSS. */
void cet_enter_task(struct cpu *cpu, const struct cet_task *task, u32 ssp);

/* A far return at the same level: the new SSP. */
u64 cet_check_same(struct cpu *cpu, u16 cs, u64 lip, bool code64);

#endif
