/* SPDX-License-Identifier: Apache-2.0 */
/* HLT, and waiting for a store, for a time or for a moment. */
#include "sim/cpu/flags.h"
#include "sim/cpu/operand.h"
#include "sim/cpu/pmu.h"
#include "sim/cpu/segment.h"

static HANDLER(exec_hlt)
{
	cpu->activity = ACTIVITY_HALTED;
	pmu_halted(cpu);
	NEXT;
}
FAMILY_ONE(hlt, exec_hlt);

/*
 * MWAIT, UMWAIT and TPAUSE may end for any reason of the implementation's own (SDM 2: MWAIT). Here
 * they sleep until the next thing that the run loop would look up for, or for NAP_MAX: time goes on
 * without instructions. So nobody needs to watch stores.
 */
#define NAP_MAX 100000

static void nap(struct cpu *cpu, const struct op *op, u64 most)
{
	s64 left = cpu->budget - op->number - 1;
	s64 length = most < NAP_MAX ? (s64)most : NAP_MAX;

	if (__atomic_load_n(&cpu->event, __ATOMIC_RELAXED) || left <= 0)
		return;
	if (length > left)
		length = left;
	cpu->time_base += length;
	cpu_set_budget(cpu, cpu->budget - length);
}

/* "An implementation-specific delay" (SDM 2B PAUSE): what processors since Skylake take, some 140
 * cycles (Intel's Optimization Reference Manual), so that a guest spins for few instructions. */
#define PAUSE_NS 50

static HANDLER(exec_pause)
{
	nap(cpu, op, PAUSE_NS);
	NEXT;
}
FAMILY_ONE(pause, exec_pause);

/* A byte at rAX (MONITOR) or in the operand (UMONITOR), in DS, is checked as a load. */
static void monitor(struct cpu *cpu, const struct op *op, u64 offset)
{
	unsigned int bits = op->flags & OP_ADDRESS_MASK;

	if (bits != OP_ADDRESS_64)
		offset = bits == OP_ADDRESS_32 ? (u32)offset : (u16)offset;
	mem_load_slow(cpu, op, segment_linear(cpu, op, SEG_DS, offset, 1, false), 1, SEG_DS);
	cpu->monitor_armed = true;
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
	if (extensions(cpu, op))
		raise_gp(cpu, 0);
	monitor(cpu, op, cpu->reg[REG_RAX]);
	NEXT;
}
FAMILY_ONE(monitor, exec_monitor);

static HANDLER(exec_mwait)
{
	FAULT_POINT(cpu, op);
	if (cpu->cpl != 0)
		raise_ud(cpu);
	if (extensions(cpu, op) & ~UINT64_C(1)) /* bit 0: interrupts end it even if masked */
		raise_gp(cpu, 0);
	if (cpu->monitor_armed)
		nap(cpu, op, UINT64_MAX);
	cpu->monitor_armed = false;
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

static u64 tsc_to_instructions(const struct cpu *cpu, u64 ticks)
{
	u64 khz = cpu_tsc_khz(cpu);

	return (u128)ticks * 1000000 / khz;
}

/* Waits for EDX:EAX of the TSC. CF tells that the OS's limit came first. */
static void wait_until(struct cpu *cpu, const struct op *op, bool asleep)
{
	u64 deadline = (u32)cpu->reg[REG_RAX] | cpu->reg[REG_RDX] << 32, now;
	u64 limit = cpu->msr[MSR_UMWAIT_CONTROL] & UMWAIT_LIMIT, ticks;
	bool limited;

	if (((cpu->cr4 & CR4_TSD) && cpu->cpl != 0) || (REG32(cpu, op->rm) & ~1u))
		raise_gp(cpu, 0);
	now = cpu_tsc(cpu);
	ticks = deadline > now ? deadline - now : 0;
	limited = limit && ticks > limit;
	if (asleep)
		nap(cpu, op, tsc_to_instructions(cpu, limited ? limit : ticks));
	flags_set_arith(cpu, limited && asleep ? FLAG_CF : 0);
}

static HANDLER(exec_umwait)
{
	FAULT_POINT(cpu, op);
	wait_until(cpu, op, cpu->monitor_armed);
	cpu->monitor_armed = false;
	NEXT;
}
FAMILY_ONE(umwait, exec_umwait);

static HANDLER(exec_tpause)
{
	FAULT_POINT(cpu, op);
	wait_until(cpu, op, true);
	NEXT;
}
FAMILY_ONE(tpause, exec_tpause);
