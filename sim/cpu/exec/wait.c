/* SPDX-License-Identifier: Apache-2.0 */
/* HLT, and waiting for a store, for a time or for a moment. */
#include "sim/cpu/wait.h"
#include "sim/cpu/flags.h"
#include "sim/cpu/operand.h"
#include "sim/cpu/pmu.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/vendor.h"

static HANDLER(exec_hlt)
{
	FAULT_POINT(cpu, op);
	INTERCEPT(cpu, op, HLT, 0);
	cpu_halt(cpu);
	NEXT;
}
FAMILY_ONE(hlt, exec_hlt);

/* "An implementation-specific delay" (SDM 2B PAUSE): what processors since Skylake take, some 140
 * cycles (Intel's Optimization Reference Manual), so that a guest spins for few instructions. No
 * other deadline is missed; how many instructions may run makes no difference. */
#define PAUSE_NS 50

static HANDLER(exec_pause)
{
	u64 behind = cpu->time_base + cpu_retired(cpu) + op->number + 1;
	s64 room = (s64)(cpu->time_bound - behind), length = room < PAUSE_NS ? room : PAUSE_NS;
	s64 left = cpu->budget - op->number - 1;

	FAULT_POINT(cpu, op);
	INTERCEPT(cpu, op, PAUSE, 0);
	if (length > 0 && !__atomic_load_n(&cpu->event, __ATOMIC_RELAXED)) {
		cpu->time_base += length;
		if (left > room - length)
			cpu_set_budget(cpu, room - length + op->number + 1);
	}
	NEXT;
}
FAMILY_ONE(pause, exec_pause);

/* A byte at rAX (MONITOR) or in the operand (UMONITOR), in DS or as a prefix says, is checked as a
 * load. */
static NOINLINE void monitor(struct cpu *cpu, const struct op *op, u64 offset)
{
	unsigned int bits = op->flags & OP_ADDRESS_MASK;

	if (bits != OP_ADDRESS_64)
		offset = bits == OP_ADDRESS_32 ? (u32)offset : (u16)offset;
	offset = segment_linear(cpu, op, op->seg, offset, 1, false);
	monitor_arm(cpu, mem_load_gpa(cpu, op, offset, op->seg));
}

/* ECX, and in 64-bit mode RCX (SDM 2: MONITOR, MWAIT). */
static u64 extensions(const struct cpu *cpu, const struct op *op)
{
	return op->flags & OP_CODE64 ? cpu->reg[REG_RCX] : (u32)cpu->reg[REG_RCX];
}

static HANDLER(exec_monitor)
{
	FAULT_POINT(cpu, op);
	if (cpu->cpl != 0)
		raise_ud(cpu);
	INTERCEPT(cpu, op, MONITOR, 0);
	if (extensions(cpu, op))
		raise_gp(cpu, 0);
	monitor(cpu, op, cpu->reg[REG_RAX]);
	NEXT;
}
FAMILY_ONE(monitor, exec_monitor);

#define MWAIT_MASKED_TOO UINT64_C(1) /* interrupts end it even while they are masked */

static NOINLINE void mwait(struct cpu *cpu, const struct op *op)
{
	const struct wait wait = {
		.for_store = true,
		.masked_too = cpu->reg[REG_RCX] & MWAIT_MASKED_TOO,
		.until = UINT64_MAX,
	};

	if (cpu->cpl != 0)
		raise_ud(cpu);
	INTERCEPT(cpu, op, MWAIT, cpu->monitor.armed);
	if (extensions(cpu, op) & ~MWAIT_MASKED_TOO)
		raise_gp(cpu, 0);
	wait_begin(cpu, &wait);
}

static HANDLER(exec_mwait)
{
	FAULT_POINT(cpu, op);
	mwait(cpu, op);
	NEXT;
}
FAMILY_ONE(mwait, exec_mwait);

static HANDLER(exec_umonitor)
{
	FAULT_POINT(cpu, op);
	monitor(cpu, op, REG64(cpu, op->rm));
	NEXT;
}
FAMILY_ONE(umonitor, exec_umonitor);

/* IA32_UMWAIT_CONTROL[31:2] bounds the wait in TSC ticks, 0 does not. */
#define UMWAIT_LIMIT UINT64_C(0xfffffffc)

/* Waits for EDX:EAX of the TSC; interrupts end it even while they are masked (SDM 2: UMWAIT,
 * TPAUSE). CF tells that the OS's limit came first. */
static NOINLINE void wait_for_tsc(struct cpu *cpu, const struct op *op, bool for_store)
{
	u64 deadline = (u32)cpu->reg[REG_RAX] | cpu->reg[REG_RDX] << 32, now;
	u64 limit = cpu->msr[MSR_UMWAIT_CONTROL] & UMWAIT_LIMIT;
	struct wait wait = {.for_store = for_store, .masked_too = true};

	if ((cpu->cr4 & CR4_TSD) && cpu->cpl != 0)
		raise_gp(cpu, 0);
	if (for_store)
		INTERCEPT(cpu, op, UMWAIT, 0);
	else
		INTERCEPT(cpu, op, TPAUSE, 0);
	if (REG32(cpu, op->rm) & ~1u)
		raise_gp(cpu, 0);
	now = cpu_tsc(cpu);
	wait.limited = limit && deadline > now && deadline - now > limit;
	wait.until = cpu_tsc_to_time(cpu, wait.limited ? now + limit : deadline);
	flags_set_arith(cpu, 0);
	wait_begin(cpu, &wait);
}

static HANDLER(exec_umwait)
{
	FAULT_POINT(cpu, op);
	wait_for_tsc(cpu, op, true);
	NEXT;
}
FAMILY_ONE(umwait, exec_umwait);

static HANDLER(exec_tpause)
{
	FAULT_POINT(cpu, op);
	wait_for_tsc(cpu, op, false);
	NEXT;
}
FAMILY_ONE(tpause, exec_tpause);
