/* SPDX-License-Identifier: Apache-2.0 */
/* Control and debug registers, and the flags and bases that work like them. */
#include "sim/cpu/control.h"
#include "sim/cpu/apic_registers.h"
#include "sim/cpu/debug_registers.h"
#include "sim/cpu/flags.h"
#include "sim/cpu/operand.h"
#include "sim/cpu/recorder.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/vendor.h"
#include "sim/cpu/xstate.h"

/* --- MOV CR: 64 bits wide in 64-bit mode, 32 elsewhere --- */

ALWAYS_INLINE void register_out(struct cpu *cpu, const struct op *op, u64 value)
{
	REG64(cpu, op->rm) = op->flags & OP_CODE64 ? value : (u32)value;
}

/* Not in a handler: see op.h. */
static NOINLINE void record_cr(struct cpu *cpu, unsigned int number, bool write, u64 value)
{
	RECORD(cpu, CR_ACCESS, .number = number, .write = write, .value = value);
}

static u64 read_cr(struct cpu *cpu, unsigned int number)
{
	switch (number) {
	case 0:
		return cpu->cr0;
	case 2:
		return cpu->cr2;
	case 3:
		return cpu->cr3;
	case 4:
		return cpu->cr4;
	case 8:
		return cpu_cr8(cpu);
	default:
		raise_ud(cpu);
	}
}

static HANDLER(exec_mov_from_cr)
{
	u64 value;

	FAULT_POINT(cpu, op);
	value = read_cr(cpu, op->reg);
	if (unlikely(cpu->guest))
		value = cpu->vendor->read_cr(cpu, op, CR_MOV, op->reg);
	register_out(cpu, op, value);
	if (unlikely(cpu->recorder))
		record_cr(cpu, op->reg, false, value);
	NEXT;
}
FAMILY_ONE(mov_from_cr, exec_mov_from_cr);

static bool cr_exists(unsigned int number)
{
	return BIT(number) & (BIT(0) | BIT(2) | BIT(3) | BIT(4) | BIT(8));
}

static void write_cr(struct cpu *cpu, const struct op *op, enum cr_access how, unsigned int number,
		     u64 value)
{
	if (unlikely(cpu->guest) && !cpu->vendor->write_cr(cpu, op, how, number, &value))
		return;
	if (unlikely(cpu->recorder))
		record_cr(cpu, number, true, value);
	switch (number) {
	case 0:
		control_write_cr0(cpu, value);
		break;
	case 2:
		cpu->cr2 = value;
		break;
	case 3:
		control_write_cr3(cpu, value);
		break;
	case 4:
		control_write_cr4(cpu, value);
		break;
	default:
		control_write_cr8(cpu, value);
		break;
	}
}

static HANDLER(exec_mov_to_cr)
{
	FAULT_POINT(cpu, op);
	if (!cr_exists(op->reg))
		raise_ud(cpu);
	write_cr(cpu, op, CR_MOV, op->reg, register_by_mode(cpu, op, op->rm));
	NEXT;
}
FAMILY_ONE(mov_to_cr, exec_mov_to_cr);

/* --- MOV DR (SDM 3B:18.2, SDM 2: MOV DR) --- */

/* Where the exceptions come among the exits is the vendor's: it looks at them itself, or not. */
static unsigned int debug_register(struct cpu *cpu, const struct op *op, bool write)
{
	unsigned int number = op->reg;

	if (write)
		INTERCEPT(cpu, op, WRITE_DR, number);
	else
		INTERCEPT(cpu, op, READ_DR, number);
	control_check_dr(cpu, number, write ? register_by_mode(cpu, op, op->rm) : 0);
	return number == 4 || number == 5 ? number + 2 : number;
}

static HANDLER(exec_mov_from_dr)
{
	FAULT_POINT(cpu, op);
	register_out(cpu, op, cpu->dr[debug_register(cpu, op, false)]);
	NEXT;
}
FAMILY_ONE(mov_from_dr, exec_mov_from_dr);

static void write_dr(struct cpu *cpu, const struct op *op, u64 value)
{
	unsigned int number = debug_register(cpu, op, true);

	if (number == 6)
		value = (value & DR6_KNOWN) | DR6_ONES;
	else if (number == 7)
		value = (value & DR7_KNOWN) | DR7_ONES;
	cpu->dr[number] = value;
	cpu_update_mode(cpu);
}

static HANDLER(exec_mov_to_dr)
{
	FAULT_POINT(cpu, op);
	write_dr(cpu, op, register_by_mode(cpu, op, op->rm));
	NEXT;
}
FAMILY_ONE(mov_to_dr, exec_mov_to_dr);

/* --- the machine status word --- */

static NOINLINE void do_clts(struct cpu *cpu, const struct op *op)
{
	u64 value = cpu->cr0 & ~CR0_TS;

	if (unlikely(cpu->guest) && !cpu->vendor->write_cr(cpu, op, CR_CLTS, 0, &value))
		return;
	if (unlikely(cpu->recorder))
		record_cr(cpu, 0, true, value);
	cpu->cr0 = value;
	cpu_update_mode(cpu);
}

static HANDLER(exec_clts)
{
	FAULT_POINT(cpu, op);
	do_clts(cpu, op);
	NEXT;
}
FAMILY_ONE(clts, exec_clts);

/* SDM 2: LMSW loads PE, MP, EM and TS, and can't clear PE. */
static HANDLER(exec_lmsw)
{
	u64 word, four = CR0_PE | CR0_MP | CR0_EM | CR0_TS;

	FAULT_POINT(cpu, op);
	word = op->kind == KIND_REG ? REG16(cpu, op->rm)
				    : mem_load(cpu, op, ea_by_kind(cpu, op, 2, false), 2);
	write_cr(cpu, op, CR_LMSW, 0, (cpu->cr0 & ~(four & ~CR0_PE)) | (word & four));
	NEXT;
}
FAMILY_ONE(lmsw, exec_lmsw);

/* --- XCR0 --- */

static void check_osxsave(struct cpu *cpu)
{
	if (!(cpu->cr4 & CR4_OSXSAVE))
		raise_ud(cpu);
}

/* ECX = 1: XCR0 & XINUSE, where CPUID offers it (SDM 1:13.2). */
static u64 read_xcr(struct cpu *cpu, u32 index)
{
	if (index == 0)
		return cpu->xcr0;
	if (index != 1 || !cpu_has(cpu, FEATURE_XGETBV1))
		raise_gp(cpu, 0);
	return cpu->xcr0 & xstate_in_use(cpu);
}

static HANDLER(exec_xgetbv)
{
	u64 value;

	FAULT_POINT(cpu, op);
	check_osxsave(cpu);
	value = read_xcr(cpu, cpu->reg[REG_RCX]);
	cpu->reg[REG_RAX] = (u32)value;
	cpu->reg[REG_RDX] = value >> 32;
	NEXT;
}
FAMILY_ONE(xgetbv, exec_xgetbv);

static HANDLER(exec_xsetbv)
{
	FAULT_POINT(cpu, op);
	check_osxsave(cpu);
	INTERCEPT(cpu, op, XSETBV, 0); /* SVM's comes before #GP (APM 2:15.9, table 15-7) */
	if (cpu->cpl)
		raise_gp(cpu, 0);
	control_write_xcr0(cpu, cpu->reg[REG_RCX],
			   (u32)cpu->reg[REG_RAX] | cpu->reg[REG_RDX] << 32);
	NEXT;
}
FAMILY_ONE(xsetbv, exec_xsetbv);

/* --- PKRU --- */

static HANDLER(exec_rdpkru)
{
	FAULT_POINT(cpu, op);
	if (!(cpu->cr4 & CR4_PKE))
		raise_ud(cpu);
	if ((u32)cpu->reg[REG_RCX])
		raise_gp(cpu, 0);
	cpu->reg[REG_RAX] = cpu->pkru;
	cpu->reg[REG_RDX] = 0;
	NEXT;
}
FAMILY_ONE(rdpkru, exec_rdpkru);

static HANDLER(exec_wrpkru)
{
	FAULT_POINT(cpu, op);
	if (!(cpu->cr4 & CR4_PKE))
		raise_ud(cpu);
	if ((u32)cpu->reg[REG_RCX] || (u32)cpu->reg[REG_RDX])
		raise_gp(cpu, 0);
	cpu->pkru = cpu->reg[REG_RAX];
	cpu_update_mode(cpu);
	NEXT;
}
FAMILY_ONE(wrpkru, exec_wrpkru);

/* --- EFLAGS.AC --- */

static void set_ac(struct cpu *cpu, u64 ac)
{
	if (cpu->cpl != 0)
		raise_ud(cpu);
	if ((cpu->rflags & FLAG_AC) == ac)
		return;
	cpu->rflags ^= FLAG_AC;
	cpu_update_mode(cpu);
}

static HANDLER(exec_clac)
{
	FAULT_POINT(cpu, op);
	set_ac(cpu, 0);
	NEXT;
}
FAMILY_ONE(clac, exec_clac);

static HANDLER(exec_stac)
{
	FAULT_POINT(cpu, op);
	set_ac(cpu, FLAG_AC);
	NEXT;
}
FAMILY_ONE(stac, exec_stac);

/* --- FS and GS bases --- */

static HANDLER(exec_swapgs)
{
	u64 base = SEG_BASE(cpu, SEG_GS);

	SEG_BASE(cpu, SEG_GS) = cpu->msr[MSR_KERNEL_GS_BASE];
	cpu->msr[MSR_KERNEL_GS_BASE] = base;
	NEXT;
}
FAMILY_ONE(swapgs, exec_swapgs);

static void check_fsgsbase(struct cpu *cpu)
{
	if (!(cpu->cr4 & CR4_FSGSBASE))
		raise_ud(cpu);
}

ALWAYS_INLINE void base_out(struct cpu *cpu, const struct op *op, enum segment_index seg)
{
	check_fsgsbase(cpu);
	REG64(cpu, op->rm) = op->width == 3 ? SEG_BASE(cpu, seg) : (u32)SEG_BASE(cpu, seg);
}

ALWAYS_INLINE void base_in(struct cpu *cpu, const struct op *op, enum segment_index seg)
{
	u64 base = op->width == 3 ? REG64(cpu, op->rm) : REG32(cpu, op->rm);

	check_fsgsbase(cpu);
	if (!base_canonical(cpu, base))
		raise_gp(cpu, 0);
	SEG_BASE(cpu, seg) = base;
}

#define BASE_HANDLER(name, move, seg)                                                              \
	static HANDLER(exec_##name)                                                                \
	{                                                                                          \
		FAULT_POINT(cpu, op);                                                              \
		move(cpu, op, seg);                                                                \
		NEXT;                                                                              \
	}                                                                                          \
	FAMILY_ONE(name, exec_##name)

BASE_HANDLER(rdfsbase, base_out, SEG_FS);
BASE_HANDLER(rdgsbase, base_out, SEG_GS);
BASE_HANDLER(wrfsbase, base_in, SEG_FS);
BASE_HANDLER(wrgsbase, base_in, SEG_GS);
