/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The x87 register stack, and what MMX does with it. cpu->fpu.tag holds 3 for an empty register
 * and 0 for a used one: like processors since the 486, the finer tags (zero, special) are made
 * from the contents when FSTENV or FSAVE shows them (SDM 1:8.1.7).
 */
#ifndef LOCKSTEP_SIM_CPU_FPU_H
#define LOCKSTEP_SIM_CPU_FPU_H

#include "sim/cpu/fault.h"
#include "sim/cpu/op.h"

/* Status word (SDM 1:8.1.3). The low six bits are masked by the same bits of the control word. */
#define FSW_IE         0x0001
#define FSW_DE         0x0002
#define FSW_ZE         0x0004
#define FSW_OE         0x0008
#define FSW_UE         0x0010
#define FSW_PE         0x0020
#define FSW_SF         0x0040 /* stack fault */
#define FSW_ES         0x0080 /* an unmasked exception is pending */
#define FSW_C0         0x0100
#define FSW_C1         0x0200
#define FSW_C2         0x0400
#define FSW_TOP        0x3800
#define FSW_C3         0x4000
#define FSW_B          0x8000 /* copies ES */
#define FSW_EXCEPTIONS 0x003f
#define FSW_CONDITIONS (FSW_C0 | FSW_C1 | FSW_C2 | FSW_C3)
#define FSW_TOP_SHIFT  11

/* Control word (SDM 1:8.1.5). */
#define FCW_MASKS      0x003f
#define FCW_PRECISION  0x0300
#define FCW_ROUNDING   0x0c00
#define FCW_RESERVED   0xe080 /* read as 0 */
#define FCW_ALWAYS_ONE 0x0040
#define FCW_INIT       0x037f

#define FPU_TAG_EMPTY  3
#define FPU_TAGS_EMPTY 0xffff

/* #MF for a pending exception, or with CR0.NE = 0 FERR# (x87_control.c). */
void fpu_raise_pending(struct cpu *cpu, const struct op *op);

/* What every waiting x87 instruction and every MMX instruction does before all else, its memory
 * access included (SDM 3A:6.15 #MF). */
ALWAYS_INLINE void fpu_wait(struct cpu *cpu, const struct op *op)
{
	if (unlikely(cpu->fpu.status & FSW_ES))
		fpu_raise_pending(cpu, op);
}

ALWAYS_INLINE unsigned int fpu_top(const struct cpu *cpu)
{
	return cpu->fpu.status >> FSW_TOP_SHIFT & 7;
}

/*
 * MMX (SDM 1:9.5.1). An MMX body reads: fpu_wait; memory operand; fpu_enter_mmx; mmx_write. After
 * every MMX instruction but EMMS, TOP is 0 and all registers are in use.
 */
ALWAYS_INLINE void fpu_enter_mmx(struct cpu *cpu)
{
	cpu->fpu.status &= (u16)~FSW_TOP;
	cpu->fpu.tag = 0;
}

ALWAYS_INLINE u64 mmx_read(const struct cpu *cpu, unsigned int index)
{
	return cpu->fpu.r[index & 7].mantissa;
}

/* A written register's sign and exponent become all ones. */
ALWAYS_INLINE void mmx_write(struct cpu *cpu, unsigned int index, u64 value)
{
	cpu->fpu.r[index & 7].mantissa = value;
	cpu->fpu.r[index & 7].sign_exponent = 0xffff;
}

/* FNINIT's state; RESET and INIT use it too. */
void fpu_init(struct cpu *cpu);
/* Stores the control word and recomputes ES and B, which follow the masks. */
void fpu_set_control(struct cpu *cpu, u16 control);
/* Status word with ES and B made consistent with the masks. */
void fpu_set_status(struct cpu *cpu, u16 status);
/* The full tag word as FSTENV shows it, and the abridged one of FXSAVE (1 = used). */
u16 fpu_full_tags(const struct cpu *cpu);
u8 fpu_abridged_tags(const struct cpu *cpu);
void fpu_set_abridged_tags(struct cpu *cpu, u8 tags);
/* The selectors as memory images show them. */
u16 fpu_code_selector(const struct cpu *cpu);
u16 fpu_data_selector(const struct cpu *cpu);

#endif
