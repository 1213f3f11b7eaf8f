/* SPDX-License-Identifier: Apache-2.0 */
/* Debug registers: breakpoints and single steps (SDM 3B:18.2, 18.3; APM 2:13.1). */
#include "sim/cpu/debug_registers.h"
#include "sim/cpu/segment.h"

enum breakpoint_kind { BREAK_EXECUTE, BREAK_WRITE, BREAK_IO, BREAK_ACCESS };

static bool enabled(const struct cpu *cpu, unsigned int n)
{
	return cpu_breakpoints(cpu)[7] >> 2 * n & 3;
}

static enum breakpoint_kind kind_of(const struct cpu *cpu, unsigned int n)
{
	return cpu_breakpoints(cpu)[7] >> (16 + 4 * n) & 3;
}

/* LENn: 1, 2, 8 or 4 bytes. */
static unsigned int length_of(const struct cpu *cpu, unsigned int n)
{
	static const u8 length[] = {1, 2, 8, 4};

	return length[cpu_breakpoints(cpu)[7] >> (18 + 4 * n) & 3];
}

/* Do [address, address + size) and the breakpoint's aligned range overlap? */
static bool overlaps(const struct cpu *cpu, unsigned int n, u64 address, unsigned int size)
{
	unsigned int length = length_of(cpu, n);
	u64 start = cpu_breakpoints(cpu)[n] & ~(u64)(length - 1);

	return address - start < length || start - address < size;
}

bool debug_watches_data(const struct cpu *cpu)
{
	unsigned int n;

	if (likely(!cpu_watches(cpu)))
		return false;
	for (n = 0; n < 4; n++)
		if (enabled(cpu, n) && (kind_of(cpu, n) & 1))
			return true;
	return false;
}

void debug_check_data(struct cpu *cpu, u64 linear, unsigned int size, bool write)
{
	unsigned int n;

	for (n = 0; n < 4; n++) {
		enum breakpoint_kind kind = kind_of(cpu, n);

		if (enabled(cpu, n) && (kind == BREAK_ACCESS || (kind == BREAK_WRITE && write)) &&
		    overlaps(cpu, n, linear, size))
			cpu->pending_debug |= BIT(n);
	}
}

void debug_check_port(struct cpu *cpu, u16 port, unsigned int size)
{
	unsigned int n;

	if (!cpu_watches(cpu) || !(cpu->cr4 & CR4_DE))
		return;
	for (n = 0; n < 4; n++)
		if (enabled(cpu, n) && kind_of(cpu, n) == BREAK_IO && overlaps(cpu, n, port, size))
			cpu->pending_debug |= BIT(n);
}

/* Intel's MOV SS and POP SS hold back a breakpoint on the next instruction (SDM 3A:6.8.3); AMD's
 * hold back only what their own execution raised (APM 2:13.1). */
static bool fetch_shadowed(const struct cpu *cpu)
{
	return cpu->shadow == SHADOW_MOV_SS && !cpu->amd;
}

void debug_check_fetch(struct cpu *cpu, u64 linear)
{
	u64 hit = 0;
	unsigned int n;

	cpu->no_step = false;
	if (!cpu_watches(cpu) || (cpu->rflags & FLAG_RF) || fetch_shadowed(cpu))
		return;
	for (n = 0; n < 4; n++)
		if (enabled(cpu, n) && kind_of(cpu, n) == BREAK_EXECUTE &&
		    cpu_breakpoints(cpu)[n] == linear)
			hit |= BIT(n);
	if (!hit)
		return;
	cpu->exception.address = hit;
	cpu_raise(cpu, VECTOR_DB);
}

void debug_trap(struct cpu *cpu, u64 dr6)
{
	cpu->pending_debug |= dr6;
	event_post(cpu, EVENT_TRAP);
}

void debug_after_instruction(struct cpu *cpu, bool tf_at_start, bool branched)
{
	/* MOV SS and POP SS hold breakpoints back, but a single step after them is lost. */
	bool steps = tf_at_start && !cpu->no_step && cpu->shadow != SHADOW_MOV_SS;

	if (steps && (branched || !(cpu->msr[MSR_DEBUGCTL] & DEBUGCTL_BTF)))
		cpu->pending_debug |= DR6_BS;
	/* A debugger's step ends at every instruction but those that hold traps back. */
	if (cpu->debugger.control & KVM_GUESTDBG_SINGLESTEP && cpu->shadow != SHADOW_MOV_SS)
		cpu->pending_debug |= DR6_BS;
	if (cpu->pending_debug && cpu->shadow != SHADOW_MOV_SS)
		event_post(cpu, EVENT_TRAP);
}
