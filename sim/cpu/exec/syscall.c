/* SPDX-License-Identifier: Apache-2.0 */
/* SYSCALL, SYSRET, SYSENTER, SYSEXIT (SDM 2B; APM 3 "SYSCALL" …), where the vendors differ. */
#include "sim/cpu/cet.h"
#include "sim/cpu/debug_registers.h"
#include "sim/cpu/flags.h"

/* SYSRET: RFLAGS := (R11 & 3C7FD7H) | 2. */
#define SYSRET_FLAGS UINT64_C(0x3c7fd7)

/* SYSCALL and SYSRET trap by the TF that they load, not by the one they started with. */
static void step_by_new_flags(struct cpu *cpu)
{
	cpu->no_step = true;
	if (cpu->rflags & FLAG_TF)
		debug_trap(cpu, DR6_BS);
}

/* --- SYSCALL --- */

/* Whatever level the shadow stack was of: keeping level 3's is up to software. */
static void enter_kernel_shadow(struct cpu *cpu)
{
	if (cet_shadow_stack_enabled(cpu))
		cpu->msr[MSR_PL3_SSP] = cpu->ssp;
	cpu->cpl = 0;
	if (cet_shadow_stack_at(cpu, 0))
		cpu->ssp = 0;
	cet_start_tracker(cpu, 0);
}

static void load_kernel_segments(struct cpu *cpu, u16 code, u16 stack, bool code64)
{
	segment_commit_flat(cpu, SEG_CS, code, RIGHTS_FLAT_CODE | (code64 ? SEG_L : SEG_DB));
	segment_commit_flat(cpu, SEG_SS, stack, RIGHTS_FLAT_DATA);
}

/* RPL is forced to 0 in CS alone. */
static void load_syscall_segments(struct cpu *cpu, bool code64)
{
	u16 selector = (u16)(cpu->msr[MSR_STAR] >> 32);

	load_kernel_segments(cpu, selector & 0xfffc, selector + 8, code64);
}

static u64 syscall_long(struct cpu *cpu, const struct op *op)
{
	u64 target = cpu->msr[cpu_64bit(cpu) ? MSR_LSTAR : MSR_CSTAR];
	u64 flags = cpu_rflags(cpu);

	cpu->reg[REG_RCX] = OP_NEXT_RIP(cpu, op);
	cpu->reg[REG_R11] = flags & ~FLAG_RF;
	cpu_set_rflags(cpu, flags & ~(cpu->msr[MSR_SFMASK] | FLAG_RF));
	load_syscall_segments(cpu, true);
	if (unlikely(cpu->cr4 & CR4_CET))
		enter_kernel_shadow(cpu);
	cpu->cpl = 0;
	return target;
}

/* AMD outside long mode. */
static u64 syscall_legacy(struct cpu *cpu, const struct op *op)
{
	cpu->reg[REG_RCX] = (u32)OP_NEXT_RIP(cpu, op);
	cpu->rflags &= ~(FLAG_VM | FLAG_IF | FLAG_RF);
	load_syscall_segments(cpu, false);
	cpu->cpl = 0;
	return (u32)cpu->msr[MSR_STAR];
}

NOINLINE static u64 do_syscall(struct cpu *cpu, const struct op *op)
{
	u64 rip;

	FAULT_POINT(cpu, op);
	if (!(cpu->efer & EFER_SCE) || (!cpu->amd && !cpu_64bit(cpu)))
		raise_ud(cpu);
	rip = cpu_long_mode(cpu) ? syscall_long(cpu, op) : syscall_legacy(cpu, op);
	step_by_new_flags(cpu);
	cpu_update_privilege(cpu);
	return rip;
}

HANDLER(exec_syscall)
{
	u64 rip = do_syscall(cpu, op);

	CPU_BRANCH(rip);
}

FAMILY_ONE(syscall, exec_syscall);

/* --- SYSRET --- */

static void load_user_segments(struct cpu *cpu, u16 code, u16 stack, bool code64)
{
	segment_commit_flat(cpu, SEG_CS, code | 3,
			    RIGHTS_FLAT_CODE | SEG_DPL | (code64 ? SEG_L : SEG_DB));
	/* AMD leaves the hidden part of SS as it is (APM 3 SYSRET). */
	if (cpu->amd) {
		cpu->seg[SEG_SS].selector = stack | 3;
		cpu->seg[SEG_SS].rights |= SEG_DPL;
	} else {
		segment_commit_flat(cpu, SEG_SS, stack | 3, RIGHTS_FLAT_DATA | SEG_DPL);
	}
}

NOINLINE static u64 do_sysret(struct cpu *cpu, const struct op *op)
{
	u16 base = (u16)(cpu->msr[MSR_STAR] >> 48);
	bool long_mode = cpu_long_mode(cpu), code64 = long_mode && op->width == 3;
	u64 rip;

	FAULT_POINT(cpu, op);
	if (!(cpu->efer & EFER_SCE) || (!cpu->amd && !cpu_64bit(cpu)))
		raise_ud(cpu);
	if (cpu->cpl)
		raise_gp(cpu, 0);
	rip = code64 ? cpu->reg[REG_RCX] : (u32)cpu->reg[REG_RCX];
	/* Intel faults here, with CPL 0; AMD at the first fetch, with CPL 3. */
	if (code64 && !cpu->amd && !address_canonical(cpu, rip))
		raise_gp(cpu, 0);
	if (long_mode)
		cpu_set_rflags(cpu, cpu->reg[REG_R11] & SYSRET_FLAGS);
	else
		cpu->rflags |= FLAG_IF;
	load_user_segments(cpu, code64 ? base + 16 : base, base + 8, code64);
	cpu->cpl = 3;
	if (unlikely(cpu->cr4 & CR4_CET) && cet_shadow_stack_at(cpu, 3))
		cpu->ssp = cpu->msr[MSR_PL3_SSP];
	step_by_new_flags(cpu);
	cpu_update_privilege(cpu);
	return rip;
}

HANDLER(exec_sysret)
{
	u64 rip = do_sysret(cpu, op);

	CPU_BRANCH(rip);
}

FAMILY_ONE(sysret, exec_sysret);

/* --- SYSENTER and SYSEXIT --- */

NOINLINE static u64 do_sysenter(struct cpu *cpu, const struct op *op)
{
	u16 selector = (u16)cpu->msr[MSR_SYSENTER_CS] & 0xfffc;
	bool long_mode = cpu_long_mode(cpu);
	u64 rip;

	FAULT_POINT(cpu, op);
	if (long_mode && cpu->amd)
		raise_ud(cpu);
	if (cpu_real_mode(cpu) || !selector)
		raise_gp(cpu, 0);
	cpu->rflags &= ~(FLAG_VM | FLAG_IF | FLAG_RF);
	if (unlikely(cpu->cr4 & CR4_CET))
		enter_kernel_shadow(cpu);
	load_kernel_segments(cpu, selector, selector + 8, long_mode);
	cpu->cpl = 0;
	rip = cpu->msr[MSR_SYSENTER_EIP];
	cpu->reg[REG_RSP] = cpu->msr[MSR_SYSENTER_ESP];
	if (!long_mode) {
		rip = (u32)rip;
		cpu->reg[REG_RSP] = (u32)cpu->reg[REG_RSP];
	}
	cpu_update_privilege(cpu);
	return rip;
}

HANDLER(exec_sysenter)
{
	u64 rip = do_sysenter(cpu, op);

	CPU_BRANCH(rip);
}

FAMILY_ONE(sysenter, exec_sysenter);

NOINLINE static u64 do_sysexit(struct cpu *cpu, const struct op *op)
{
	u16 base = (u16)cpu->msr[MSR_SYSENTER_CS] & 0xfffc;
	bool code64 = op->width == 3;
	u64 rip = cpu->reg[REG_RDX], rsp = cpu->reg[REG_RCX];

	FAULT_POINT(cpu, op);
	if (cpu_long_mode(cpu) && cpu->amd)
		raise_ud(cpu);
	if (!base || cpu->cpl || cpu_real_mode(cpu))
		raise_gp(cpu, 0);
	if (code64 && !(address_canonical(cpu, rip) && address_canonical(cpu, rsp)))
		raise_gp(cpu, 0);
	base += code64 ? 32 : 16;
	segment_commit_flat(cpu, SEG_CS, base | 3,
			    RIGHTS_FLAT_CODE | SEG_DPL | (code64 ? SEG_L : SEG_DB));
	segment_commit_flat(cpu, SEG_SS, (base + 8) | 3, RIGHTS_FLAT_DATA | SEG_DPL);
	cpu->reg[REG_RSP] = code64 ? rsp : (u32)rsp;
	cpu->cpl = 3;
	if (unlikely(cpu->cr4 & CR4_CET) && cet_shadow_stack_at(cpu, 3))
		cpu->ssp = cpu->msr[MSR_PL3_SSP];
	cpu_update_privilege(cpu);
	return code64 ? rip : (u32)rip;
}

HANDLER(exec_sysexit)
{
	u64 rip = do_sysexit(cpu, op);

	CPU_BRANCH(rip);
}

FAMILY_ONE(sysexit, exec_sysexit);
