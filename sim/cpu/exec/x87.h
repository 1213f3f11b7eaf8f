/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the x87 files share: the register stack, the exception rules, and the way in to the host's
 * unit.
 *
 * An instruction reads: x87_begin; memory operand; x87_track; stack checks; arithmetic; flags. A
 * fault at the memory operand leaves everything as it was.
 */
#ifndef LOCKSTEP_SIM_CPU_EXEC_X87_H
#define LOCKSTEP_SIM_CPU_EXEC_X87_H

#include "sim/cpu/fpu.h"
#include "sim/cpu/operand.h"

/* Exceptions found before the operation: unmasked, they leave operands and stack alone (SDM
 * 1:8.4, 8.5). Unmasked overflow, underflow and precision still write a register. */
#define FSW_BEFORE (FSW_IE | FSW_DE | FSW_ZE)

#define X87_INDEFINITE_MANTISSA UINT64_C(0xc000000000000000)

/* --- the stack --- */
ALWAYS_INLINE unsigned int st_index(const struct cpu *cpu, unsigned int i)
{
	return (fpu_top(cpu) + i) & 7;
}

ALWAYS_INLINE struct fpu_register *st_reg(struct cpu *cpu, unsigned int i)
{
	return &cpu->fpu.r[st_index(cpu, i)];
}

ALWAYS_INLINE bool st_empty(const struct cpu *cpu, unsigned int i)
{
	return cpu->fpu.tag >> 2 * st_index(cpu, i) & 1; /* a tag is 0 or 3 */
}

ALWAYS_INLINE void st_use(struct cpu *cpu, unsigned int i)
{
	cpu->fpu.tag &= (u16) ~(3u << 2 * st_index(cpu, i));
}

ALWAYS_INLINE void st_free(struct cpu *cpu, unsigned int i)
{
	cpu->fpu.tag |= (u16)(3u << 2 * st_index(cpu, i));
}

ALWAYS_INLINE void st_move_top(struct cpu *cpu, unsigned int by)
{
	cpu->fpu.status = (u16)((cpu->fpu.status & ~FSW_TOP) | st_index(cpu, by) << FSW_TOP_SHIFT);
}

/* Field by field: a load of all 16 bytes would wait for the host's FSTP, which stores eight and
 * two. */
ALWAYS_INLINE void st_copy(struct fpu_register *dest, const struct fpu_register *source)
{
	dest->mantissa = source->mantissa;
	dest->sign_exponent = source->sign_exponent;
}

ALWAYS_INLINE void st_pop(struct cpu *cpu)
{
	st_free(cpu, 0);
	st_move_top(cpu, 1);
}

/* The register that becomes ST(0). */
ALWAYS_INLINE struct fpu_register *st_push(struct cpu *cpu)
{
	st_move_top(cpu, 7);
	st_use(cpu, 0);
	return st_reg(cpu, 0);
}

ALWAYS_INLINE void x87_set_indefinite(struct fpu_register *reg)
{
	reg->mantissa = X87_INDEFINITE_MANTISSA;
	reg->sign_exponent = 0xffff;
}

/* --- exceptions --- */
ALWAYS_INLINE bool x87_unmasked(const struct cpu *cpu, u16 flags)
{
	return flags & ~cpu->fpu.control & FSW_EXCEPTIONS;
}

/* Sets ES and B, and the pointers that are only kept for unmasked exceptions. */
void x87_pend(struct cpu *cpu, const struct op *op);

/* Flags and C1 of an operation: @status as the host's status word. */
ALWAYS_INLINE void x87_merge(struct cpu *cpu, const struct op *op, u16 status)
{
	cpu->fpu.status =
		(u16)((cpu->fpu.status & ~FSW_C1) | (status & (FSW_C1 | FSW_SF | FSW_EXCEPTIONS)));
	if (unlikely(x87_unmasked(cpu, status)))
		x87_pend(cpu, op);
}

/* Stack faults (SDM 1:8.5.1.1). Return true if masked: the response, an indefinite, is due. */
bool x87_stack_underflow(struct cpu *cpu, const struct op *op);
bool x87_stack_overflow(struct cpu *cpu, const struct op *op);
/* ST(0), which is to be replaced, is empty. */
void x87_st0_missing(struct cpu *cpu, const struct op *op);

/* --- instruction and operand pointers (SDM 1:8.1.8) --- */
ALWAYS_INLINE void x87_begin(struct cpu *cpu, const struct op *op)
{
	FAULT_POINT(cpu, op);
	fpu_wait(cpu, op);
}

/* Every non-control instruction. FOP follows each of them on AMD processors; Intel's keep it for
 * unmasked exceptions (SDM 1:8.1.9.1, fopcode compatibility off). The decoder leaves the 11
 * opcode bits in op->imm. */
ALWAYS_INLINE void x87_track(struct cpu *cpu, const struct op *op)
{
	cpu->fpu.ip = OP_RIP(cpu, op);
	cpu->fpu.cs = cpu->seg[SEG_CS].selector;
	if (cpu->amd)
		cpu->fpu.opcode = op->imm & 0x7ff;
}

ALWAYS_INLINE void x87_track_operand(struct cpu *cpu, const struct op *op)
{
	cpu->fpu.dp = ea_offset(cpu, op);
	cpu->fpu.ds = cpu->seg[op->seg].selector;
}

ALWAYS_INLINE void x87_track_memory(struct cpu *cpu, const struct op *op)
{
	x87_track(cpu, op);
	if (!cpu_has(cpu, FEATURE_FDP_EXCPTN_ONLY))
		x87_track_operand(cpu, op);
}

/* --- the host's unit --- */
#define HOST_CLOBBERS "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "cc"

/* After the instruction: its status word to AX; a pending exception must be gone before the next
 * waiting instruction. */
#define HOST_STATUS                                                                                \
	"fnstsw %%ax\n\t"                                                                          \
	"testb $0x80, %%al\n\t"                                                                    \
	"jz 1f\n\t"                                                                                \
	"fnclex\n"                                                                                 \
	"1:\n\t"

/*
 * Loads the guest's rounding, precision and masks. FNCLEX costs more than an FADD, so flags that
 * the host still has from before stay where they can't be told from the guest's own: set there
 * too, and masked. FNSTSW costs as much as an FADD, so which they are is remembered.
 */
ALWAYS_INLINE void host_enter(struct cpu *cpu, u16 control)
{
	const u16 flags = FSW_EXCEPTIONS | FSW_SF;
	u16 alike = cpu->fpu.status & (control | FSW_SF);

	if (unlikely(flags & ~(cpu->host_x87_clear | alike))) {
		asm volatile("fnclex");
		cpu->host_x87_clear = flags;
	}
	if (unlikely(control != FCW_INIT))
		asm volatile("fldcw %0" : : "m"(control));
}

/* After what raises nothing. */
ALWAYS_INLINE void host_leave_quiet(u16 control)
{
	static const u16 standard = FCW_INIT;

	if (unlikely(control != FCW_INIT))
		asm volatile("fldcw %0" : : "m"(standard));
}

/* @status: the host's, after what it has done. */
ALWAYS_INLINE void host_leave(struct cpu *cpu, u16 control, u16 status)
{
	cpu->host_x87_clear = (u16)~status;
	host_leave_quiet(control);
}

/* An instruction that does @call, which has cpu and op. */
#define BODY(name, call)                                                                           \
	static HANDLER(exec_##name)                                                                \
	{                                                                                          \
		call;                                                                              \
		NEXT;                                                                              \
	}                                                                                          \
	FAMILY_ONE(name, exec_##name);

#endif
