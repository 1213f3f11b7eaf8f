/* SPDX-License-Identifier: Apache-2.0 */
/* Identification, MSRs, time, random numbers, caches, NOPs. */
#include "apic/lapic.h"
#include "sim/cpu/flags.h"
#include "sim/cpu/msr_policy.h"
#include "sim/cpu/operand.h"
#include "sim/cpu/params.h"
#include "sim/cpu/pmu.h"
#include "sim/cpu/recorder.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/vendor.h"

/* Results in EDX:EAX, zero-extended. */
ALWAYS_INLINE void set_edx_eax(struct cpu *cpu, u64 value)
{
	cpu->reg[REG_RAX] = (u32)value;
	cpu->reg[REG_RDX] = value >> 32;
}

ALWAYS_INLINE u64 edx_eax(const struct cpu *cpu)
{
	return (u32)cpu->reg[REG_RAX] | cpu->reg[REG_RDX] << 32;
}

static NOINLINE void do_cpuid(struct cpu *cpu)
{
	u32 leaf = cpu->reg[REG_RAX], subleaf = cpu->reg[REG_RCX], out[4];

	cpuid_query(cpu, cpu->reg[REG_RAX], cpu->reg[REG_RCX], out);
	cpu->reg[REG_RAX] = out[0];
	cpu->reg[REG_RBX] = out[1];
	cpu->reg[REG_RCX] = out[2];
	cpu->reg[REG_RDX] = out[3];
	RECORD(cpu, CPUID, .leaf = leaf, .subleaf = subleaf, .eax = out[0], .ebx = out[1],
	       .ecx = out[2], .edx = out[3]);
}

static HANDLER(exec_cpuid)
{
	FAULT_POINT(cpu, op);
	INTERCEPT(cpu, op, CPUID, 0);
	do_cpuid(cpu);
	NEXT;
}
FAMILY_ONE(cpuid, exec_cpuid);

static NOINLINE void do_rdmsr(struct cpu *cpu)
{
	u64 value;

	if (!msr_guest_read(cpu, cpu->reg[REG_RCX], &value))
		raise_gp(cpu, 0);
	set_edx_eax(cpu, value);
}

static HANDLER(exec_rdmsr)
{
	FAULT_POINT(cpu, op);
	INTERCEPT(cpu, op, RDMSR, (u32)cpu->reg[REG_RCX]);
	do_rdmsr(cpu);
	NEXT;
}
FAMILY_ONE(rdmsr, exec_rdmsr);

static HANDLER(exec_wrmsr)
{
	FAULT_POINT(cpu, op);
	INTERCEPT(cpu, op, WRMSR, (u32)cpu->reg[REG_RCX]);
	if (!msr_guest_write(cpu, cpu->reg[REG_RCX], edx_eax(cpu)))
		raise_gp(cpu, 0);
	NEXT;
}
FAMILY_ONE(wrmsr, exec_wrmsr);

/* --- time --- */

/* CR4.TSD keeps the TSC from user mode (SDM 3B:17.17). */
ALWAYS_INLINE void check_tsd(struct cpu *cpu)
{
	if ((cpu->cr4 & CR4_TSD) && cpu->cpl != 0)
		raise_gp(cpu, 0);
}

static HANDLER(exec_rdtsc)
{
	FAULT_POINT(cpu, op);
	check_tsd(cpu);
	INTERCEPT(cpu, op, RDTSC, 0);
	set_edx_eax(cpu, cpu_tsc_seen(cpu));
	NEXT;
}
FAMILY_ONE(rdtsc, exec_rdtsc);

static HANDLER(exec_rdtscp)
{
	FAULT_POINT(cpu, op);
	INTERCEPT(cpu, op, RDTSCP_EXISTS, 0);
	check_tsd(cpu);
	INTERCEPT(cpu, op, RDTSCP, 0);
	set_edx_eax(cpu, cpu_tsc_seen(cpu));
	cpu->reg[REG_RCX] = (u32)cpu->msr[MSR_TSC_AUX];
	NEXT;
}
FAMILY_ONE(rdtscp, exec_rdtscp);

static HANDLER(exec_rdpid)
{
	FAULT_POINT(cpu, op);
	INTERCEPT(cpu, op, RDPID, 0);
	REG64(cpu, op->rm) = (u32)cpu->msr[MSR_TSC_AUX];
	NEXT;
}
FAMILY_ONE(rdpid, exec_rdpid);

static NOINLINE void do_rdpmc(struct cpu *cpu, const struct op *op)
{
	u64 value;

	/* Real mode has CPL 0, virtual-8086 mode 3. */
	if (cpu->cpl && !(cpu->cr4 & CR4_PCE))
		raise_gp(cpu, 0);
	INTERCEPT(cpu, op, RDPMC, 0);
	if (!pmu_read_by_number(cpu, cpu->reg[REG_RCX], &value))
		raise_gp(cpu, 0);
	set_edx_eax(cpu, value);
}

static HANDLER(exec_rdpmc)
{
	FAULT_POINT(cpu, op);
	do_rdpmc(cpu, op);
	NEXT;
}
FAMILY_ONE(rdpmc, exec_rdpmc);

/* APM 3: RDPRU. Both counters run with the TSC, at the P0 frequency; other numbers give 0. */
static HANDLER(exec_rdpru)
{
	FAULT_POINT(cpu, op);
	check_tsd(cpu);
	INTERCEPT(cpu, op, RDPRU, 0);
	set_edx_eax(cpu, (u32)cpu->reg[REG_RCX] <= 1 ? cpu_tsc_seen(cpu) : 0);
	NEXT;
}
FAMILY_ONE(rdpru, exec_rdpru);

/* --- random numbers: a sequence that the seed, the processor and the draw determine --- */

/* splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). */
static u64 mix(u64 z)
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static u64 random_draw(struct cpu *cpu)
{
	u64 seed = cpu->params ? cpu->params->random_seed : 1;
	u64 stream = mix(seed + (cpu->lapic ? (u64)cpu->lapic->config.id << 32 : 0));

	return mix(stream + ++cpu->random_count * UINT64_C(0x9e3779b97f4a7c15));
}

static void random_out(struct cpu *cpu, const struct op *op)
{
	u64 value = random_draw(cpu);

	switch (op->width) {
	case 1:
		REG16(cpu, op->rm) = value;
		break;
	case 2:
		REG64(cpu, op->rm) = (u32)value;
		break;
	default:
		REG64(cpu, op->rm) = value;
		break;
	}
	flags_set_arith(cpu, FLAG_CF);
}

#define RANDOM_HANDLER(name, intercept)                                                            \
	static HANDLER(exec_##name)                                                                \
	{                                                                                          \
		FAULT_POINT(cpu, op);                                                              \
		INTERCEPT(cpu, op, intercept, 0);                                                  \
		random_out(cpu, op);                                                               \
		NEXT;                                                                              \
	}                                                                                          \
	FAMILY_ONE(name, exec_##name)

RANDOM_HANDLER(rdrand, RDRAND);
RANDOM_HANDLER(rdseed, RDSEED);

/* --- caches and order --- */

static HANDLER(exec_nop)
{
	(void)cpu;
	NEXT;
}
FAMILY_ONE(nop, exec_nop);

/* There are no caches to write back or to drop. */
#define CACHE_HANDLER(name, intercept)                                                             \
	static HANDLER(exec_##name)                                                                \
	{                                                                                          \
		FAULT_POINT(cpu, op);                                                              \
		INTERCEPT(cpu, op, intercept, 0);                                                  \
		NEXT;                                                                              \
	}                                                                                          \
	FAMILY_ONE(name, exec_##name)

CACHE_HANDLER(invd, INVD);
CACHE_HANDLER(wbinvd, WBINVD);

/* SDM 2: CLFLUSH is checked as a load of a byte. */
static HANDLER(exec_cache_line)
{
	FAULT_POINT(cpu, op);
	mem_probe(cpu, op, ea_by_kind(cpu, op, 1, false), 1, WALK_READ);
	NEXT;
}
FAMILY_ONE(cache_line, exec_cache_line);

/* APM 3: CLZERO writes the line of rAX in DS, or the segment that a prefix names. */
static HANDLER(exec_clzero)
{
	unsigned int bits = op->flags & OP_ADDRESS_MASK;
	u64 offset = cpu->reg[REG_RAX] & ~UINT64_C(63), linear;

	FAULT_POINT(cpu, op);
	if (bits != OP_ADDRESS_64)
		offset = bits == OP_ADDRESS_32 ? (u32)offset : (u16)offset;
	linear = segment_linear(cpu, op, op->seg, offset, 64, true);
	for (unsigned int i = 0; i < 64; i += 8)
		mem_store_slow(cpu, op, linear + i, 0, 8, op->seg);
	NEXT;
}
FAMILY_ONE(clzero, exec_clzero);

static HANDLER(exec_mfence)
{
	(void)cpu;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	NEXT;
}
FAMILY_ONE(mfence, exec_mfence);

static HANDLER(exec_ud)
{
	FAULT_POINT(cpu, op);
	raise_ud(cpu);
}
FAMILY_ONE(ud, exec_ud);
