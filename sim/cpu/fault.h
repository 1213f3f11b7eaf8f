/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raising. A handler that must fault calls one of these and does not come back: the instruction
 * is abandoned with nothing committed, the run loop delivers the exception with the RIP of
 * cpu->op. So a handler sets cpu->op (FAULT_POINT) before anything that may raise, and commits
 * registers and flags only after its last access.
 *
 * cpu->op == NULL means that RIP and the budget stand committed already: in event delivery, and
 * past the commit point of a task switch, whose faults belong to the new task.
 */
#ifndef LOCKSTEP_SIM_CPU_FAULT_H
#define LOCKSTEP_SIM_CPU_FAULT_H

#include "sim/cpu/cpu.h"

#define FAULT_POINT(cpu, op) ((cpu)->op = (op))

_Noreturn void cpu_raise(struct cpu *cpu, u8 vector);		       /* no error code */
_Noreturn void cpu_raise_error(struct cpu *cpu, u8 vector, u32 error); /* #TS #NP #SS #GP #AC #CP */
_Noreturn void cpu_raise_page_fault(struct cpu *cpu, u64 linear, u32 error);
/* Abandons the instruction and leaves cpu_run with @exit; it is re-executed on the next run. */
_Noreturn void cpu_abandon(struct cpu *cpu, enum cpu_exit exit);

#define raise_ud(cpu)	      cpu_raise(cpu, VECTOR_UD)
#define raise_nm(cpu)	      cpu_raise(cpu, VECTOR_NM)
#define raise_gp(cpu, error)  cpu_raise_error(cpu, VECTOR_GP, error)
#define raise_ss(cpu, error)  cpu_raise_error(cpu, VECTOR_SS, error)
#define raise_np(cpu, error)  cpu_raise_error(cpu, VECTOR_NP, error)
#define raise_ts(cpu, error)  cpu_raise_error(cpu, VECTOR_TS, error)

#endif
