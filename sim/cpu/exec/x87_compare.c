/* SPDX-License-Identifier: Apache-2.0 */
/* x87: FCOM, FUCOM, FICOM, FCOMI, FTST, FXAM and FCMOVcc. */
#include "sim/cpu/exec/x87.h"
#include "sim/cpu/flags.h"

#define UNORDERED (FSW_C0 | FSW_C2 | FSW_C3)

/* What a comparison found: exceptions and condition codes, as in a status word. The host runs
 * masked; nothing but #I and #D can come of it. */
#define HOST_COMPARE(name, type, insn)                                                             \
	static NOINLINE u16 host_##name(struct cpu *cpu, const type *source)                       \
	{                                                                                          \
		const struct fpu_register *st0 = &cpu->fpu.r[fpu_top(cpu)];                        \
		u16 control = cpu->fpu.control | FCW_MASKS, status;                                \
		host_enter(cpu, control);                                                          \
		asm volatile("fldt %[st0]\n\t" insn "\n\tfnstsw %%ax\n\tfstp %%st(0)"              \
			     : "=&a"(status)                                                       \
			     : [st0] "m"(*st0), [source] "m"(*source)                              \
			     : HOST_CLOBBERS);                                                     \
		host_leave(cpu, control, status);                                                  \
		return status;                                                                     \
	}

#define HOST_COMPARE_REG(name, insn)                                                               \
	static NOINLINE u16 host_##name(struct cpu *cpu, const struct fpu_register *source)        \
	{                                                                                          \
		const struct fpu_register *st0 = &cpu->fpu.r[fpu_top(cpu)];                        \
		u16 control = cpu->fpu.control | FCW_MASKS, status;                                \
		host_enter(cpu, control);                                                          \
		asm volatile("fldt %[source]\n\tfldt %[st0]\n\t" insn                              \
			     " %%st(1)\n\tfnstsw %%ax\n\tfstp %%st(0)\n\tfstp %%st(0)"             \
			     : "=&a"(status)                                                       \
			     : [st0] "m"(*st0), [source] "m"(*source)                              \
			     : HOST_CLOBBERS);                                                     \
		host_leave(cpu, control, status);                                                  \
		return status;                                                                     \
	}

HOST_COMPARE_REG(fcom, "fcom")
HOST_COMPARE_REG(fucom, "fucom")
HOST_COMPARE(fcom_m32, u32, "fcoms %[source]")
HOST_COMPARE(fcom_m64, u64, "fcoml %[source]")
HOST_COMPARE(ficom_m16, u16, "ficoms %[source]")
HOST_COMPARE(ficom_m32, u32, "ficoml %[source]")

/* An unmasked exception withholds the answer on Intel's processors (SDM 2A FCOM, FCOMI), not on
 * AMD's; the stack is left alone on both. */
static bool answers(const struct cpu *cpu, u16 status)
{
	return cpu->amd || !x87_unmasked(cpu, status);
}

/* Condition codes and flags. False: no popping, an exception is unmasked. */
static bool commit(struct cpu *cpu, const struct op *op, u16 status)
{
	x87_merge(cpu, op, status & (FSW_EXCEPTIONS | FSW_SF));
	if (answers(cpu, status))
		cpu->fpu.status = (u16)((cpu->fpu.status & ~UNORDERED) | (status & UNORDERED));
	return !x87_unmasked(cpu, status);
}

static void pop_times(struct cpu *cpu, unsigned int pops)
{
	while (pops--)
		st_pop(cpu);
}

static NOINLINE void compare_registers(struct cpu *cpu, const struct op *op, unsigned int pops,
				       u16 (*host)(struct cpu *, const struct fpu_register *))
{
	u16 status = UNORDERED | FSW_IE | FSW_SF;

	x87_begin(cpu, op);
	x87_track(cpu, op);
	if (!st_empty(cpu, 0) && !st_empty(cpu, op->rm))
		status = host(cpu, st_reg(cpu, op->rm)) & ~FSW_SF;
	if (commit(cpu, op, status))
		pop_times(cpu, pops);
}

static NOINLINE void compare_u16(struct cpu *cpu, const struct op *op, unsigned int pops)
{
	u16 status = UNORDERED | FSW_IE | FSW_SF, operand;

	x87_begin(cpu, op);
	operand = (u16)mem_load(cpu, op, ea_by_kind(cpu, op, 2, false), 2);
	x87_track_memory(cpu, op);
	if (!st_empty(cpu, 0))
		status = host_ficom_m16(cpu, &operand) & ~FSW_SF;
	if (commit(cpu, op, status))
		pop_times(cpu, pops);
}

static NOINLINE void compare_u32(struct cpu *cpu, const struct op *op, unsigned int pops,
				 u16 (*host)(struct cpu *, const u32 *))
{
	u16 status = UNORDERED | FSW_IE | FSW_SF;
	u32 operand;

	x87_begin(cpu, op);
	operand = (u32)mem_load(cpu, op, ea_by_kind(cpu, op, 4, false), 4);
	x87_track_memory(cpu, op);
	if (!st_empty(cpu, 0))
		status = host(cpu, &operand) & ~FSW_SF;
	if (commit(cpu, op, status))
		pop_times(cpu, pops);
}

static NOINLINE void compare_u64(struct cpu *cpu, const struct op *op, unsigned int pops)
{
	u16 status = UNORDERED | FSW_IE | FSW_SF;
	u64 operand;

	x87_begin(cpu, op);
	operand = mem_load(cpu, op, ea_by_kind(cpu, op, 8, false), 8);
	x87_track_memory(cpu, op);
	if (!st_empty(cpu, 0))
		status = host_fcom_m64(cpu, &operand) & ~FSW_SF;
	if (commit(cpu, op, status))
		pop_times(cpu, pops);
}

/* FCOMI and FUCOMI answer in ZF, PF and CF (SDM 1:8.1.4). */
static NOINLINE void compare_to_flags(struct cpu *cpu, const struct op *op, bool pop,
				      u16 (*host)(struct cpu *, const struct fpu_register *))
{
	u16 status = UNORDERED | FSW_IE | FSW_SF, c1 = cpu->fpu.status & FSW_C1;

	x87_begin(cpu, op);
	x87_track(cpu, op);
	if (!st_empty(cpu, 0) && !st_empty(cpu, op->rm)) {
		status = host(cpu, st_reg(cpu, op->rm)) & ~FSW_SF;
		/* Without a stack fault AMD processors leave C1; Intel's clear it (SDM 2A FCOMI).
		 */
		if (cpu->amd)
			status |= c1;
	}
	x87_merge(cpu, op, status & (FSW_EXCEPTIONS | FSW_SF | FSW_C1));
	if (answers(cpu, status))
		flags_set_arith(cpu, (status & FSW_C0 ? FLAG_CF : 0) |
					     (status & FSW_C2 ? FLAG_PF : 0) |
					     (status & FSW_C3 ? FLAG_ZF : 0));
	if (pop && !x87_unmasked(cpu, status))
		st_pop(cpu);
}

static NOINLINE void test_zero(struct cpu *cpu, const struct op *op)
{
	static const struct fpu_register zero;
	u16 status = UNORDERED | FSW_IE | FSW_SF;

	x87_begin(cpu, op);
	x87_track(cpu, op);
	if (!st_empty(cpu, 0))
		status = host_fcom(cpu, &zero) & ~FSW_SF;
	commit(cpu, op, status);
}

/* Classes of SDM 2A FXAM, table 3-36. */
static u16 classify(const struct fpu_register *reg)
{
	unsigned int exponent = reg->sign_exponent & 0x7fff;
	bool integer_bit = reg->mantissa >> 63;

	if (!exponent)
		return reg->mantissa ? FSW_C3 | FSW_C2 : FSW_C3; /* denormal, zero */
	if (!integer_bit)
		return 0; /* unsupported */
	if (exponent != 0x7fff)
		return FSW_C2;
	return reg->mantissa << 1 ? FSW_C0 : FSW_C2 | FSW_C0; /* NaN, infinity */
}

static HANDLER(exec_fxam)
{
	u16 status;

	x87_begin(cpu, op);
	x87_track(cpu, op);
	status = st_empty(cpu, 0) ? FSW_C3 | FSW_C0 : classify(st_reg(cpu, 0));
	if (st_reg(cpu, 0)->sign_exponent & 0x8000)
		status |= FSW_C1;
	cpu->fpu.status = (u16)((cpu->fpu.status & ~FSW_CONDITIONS) | status);
	NEXT;
}

static NOINLINE void move_if(struct cpu *cpu, const struct op *op, bool condition)
{
	x87_begin(cpu, op);
	x87_track(cpu, op);
	if (unlikely(st_empty(cpu, 0) || st_empty(cpu, op->rm))) {
		x87_st0_missing(cpu, op);
		return;
	}
	if (condition)
		st_copy(st_reg(cpu, 0), st_reg(cpu, op->rm));
	/* C1 is left alone by AMD processors; SDM 2A FCMOVcc clears it on a stack fault only. */
}

BODY(fcom, compare_registers(cpu, op, 0, host_fcom))
BODY(fcomp, compare_registers(cpu, op, 1, host_fcom))
BODY(fcompp, compare_registers(cpu, op, 2, host_fcom))
BODY(fucom, compare_registers(cpu, op, 0, host_fucom))
BODY(fucomp, compare_registers(cpu, op, 1, host_fucom))
BODY(fucompp, compare_registers(cpu, op, 2, host_fucom))
BODY(fcom_m32, compare_u32(cpu, op, 0, host_fcom_m32))
BODY(fcomp_m32, compare_u32(cpu, op, 1, host_fcom_m32))
BODY(fcom_m64, compare_u64(cpu, op, 0))
BODY(fcomp_m64, compare_u64(cpu, op, 1))
BODY(ficom_m16, compare_u16(cpu, op, 0))
BODY(ficomp_m16, compare_u16(cpu, op, 1))
BODY(ficom_m32, compare_u32(cpu, op, 0, host_ficom_m32))
BODY(ficomp_m32, compare_u32(cpu, op, 1, host_ficom_m32))
BODY(fcomi, compare_to_flags(cpu, op, false, host_fcom))
BODY(fcomip, compare_to_flags(cpu, op, true, host_fcom))
BODY(fucomi, compare_to_flags(cpu, op, false, host_fucom))
BODY(fucomip, compare_to_flags(cpu, op, true, host_fucom))
BODY(ftst, test_zero(cpu, op))
FAMILY_ONE(fxam, exec_fxam);
BODY(fcmovb, move_if(cpu, op, flag_cf(cpu)))
BODY(fcmove, move_if(cpu, op, flag_zf(cpu)))
BODY(fcmovbe, move_if(cpu, op, flag_cf(cpu) || flag_zf(cpu)))
BODY(fcmovu, move_if(cpu, op, flag_pf(cpu)))
BODY(fcmovnb, move_if(cpu, op, !flag_cf(cpu)))
BODY(fcmovne, move_if(cpu, op, !flag_zf(cpu)))
BODY(fcmovnbe, move_if(cpu, op, !flag_cf(cpu) && !flag_zf(cpu)))
BODY(fcmovnu, move_if(cpu, op, !flag_pf(cpu)))
