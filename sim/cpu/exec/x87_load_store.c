/* SPDX-License-Identifier: Apache-2.0 */
/* x87: FLD, FST, FILD, FIST, FISTTP, FBLD, FBSTP and the constants. */
#include "sim/cpu/exec/x87.h"

/* Where pushing would overwrite a register in use, the overflow response is pushed. */
static bool push_allowed(struct cpu *cpu, const struct op *op)
{
	if (likely(st_empty(cpu, 7)))
		return true;
	if (x87_stack_overflow(cpu, op))
		x87_set_indefinite(st_push(cpu));
	return false;
}

/* --- loads: the host converts to the 80-bit format --- */

/* Zeros, denormals, infinities and NaNs, some of which raise #D or #I. */
ALWAYS_INLINE bool is_special(u64 operand, unsigned int mantissa_bits, u64 exponent_ones)
{
	u64 exponent = operand >> mantissa_bits & exponent_ones;

	return exponent == 0 || exponent == exponent_ones;
}

#define SPECIAL_fld_m32(operand) is_special(operand, 23, 0xff)
#define SPECIAL_fld_m64(operand) is_special(operand, 52, 0x7ff)
/* Integers are exact. */
#define SPECIAL_fild_m16(operand) false
#define SPECIAL_fild_m32(operand) false
#define SPECIAL_fild_m64(operand) false

/* What can raise nothing depends on no control either. */
#define HOST_LOAD(name, type, insn)                                                                \
	static NOINLINE u16 host_##name(struct cpu *cpu, u64 operand, struct fpu_register *to)     \
	{                                                                                          \
		u16 control = cpu->fpu.control | FCW_MASKS, status;                                \
		type source = (type)operand;                                                       \
		if (likely(!SPECIAL_##name(operand))) {                                            \
			asm volatile(insn " %[source]\n\tfstpt %[to]"                              \
				     : [to] "=m"(*to)                                              \
				     : [source] "m"(source)                                        \
				     : HOST_CLOBBERS);                                             \
			return 0;                                                                  \
		}                                                                                  \
		host_enter(cpu, control);                                                          \
		asm volatile(insn " %[source]\n\tfnstsw %%ax\n\tfstpt %[to]"                       \
			     : "=&a"(status), [to] "=m"(*to)                                       \
			     : [source] "m"(source)                                                \
			     : HOST_CLOBBERS);                                                     \
		host_leave(cpu, control, status);                                                  \
		return status & ~FSW_C1;                                                           \
	}

HOST_LOAD(fld_m32, u32, "flds")
HOST_LOAD(fld_m64, u64, "fldl")
HOST_LOAD(fild_m16, u16, "filds")
HOST_LOAD(fild_m32, u32, "fildl")
HOST_LOAD(fild_m64, u64, "fildll")

static NOINLINE void load(struct cpu *cpu, const struct op *op, unsigned int size,
			  u16 (*host)(struct cpu *, u64, struct fpu_register *))
{
	struct fpu_register value;
	u64 operand;
	u16 status;

	x87_begin(cpu, op);
	operand = mem_load(cpu, op, ea_by_kind(cpu, op, size, false), size);
	x87_track_memory(cpu, op);
	if (!push_allowed(cpu, op))
		return;
	status = host(cpu, operand, &value);
	x87_merge(cpu, op, status);
	/* An unmasked #D does not keep a load from being made. */
	if (!x87_unmasked(cpu, status & FSW_IE))
		st_copy(st_push(cpu), &value);
}

static NOINLINE void load_m80(struct cpu *cpu, const struct op *op)
{
	struct fpu_register value = {0};

	x87_begin(cpu, op);
	mem_load_block(cpu, op, ea_by_kind(cpu, op, 10, false), &value, 10);
	x87_track_memory(cpu, op);
	if (!push_allowed(cpu, op))
		return;
	cpu->fpu.status &= (u16)~FSW_C1;
	st_copy(st_push(cpu), &value);
}

static NOINLINE void load_bcd(struct cpu *cpu, const struct op *op)
{
	u16 control = cpu->fpu.control | FCW_MASKS;
	struct fpu_register value = {0};

	x87_begin(cpu, op);
	mem_load_block(cpu, op, ea_by_kind(cpu, op, 10, false), &value, 10);
	x87_track_memory(cpu, op);
	if (!push_allowed(cpu, op))
		return;
	host_enter(cpu, control);
	asm volatile("fbld %[value]\n\tfstpt %[value]" : [value] "+m"(value) : : HOST_CLOBBERS);
	host_leave_quiet(control);
	cpu->fpu.status &= (u16)~FSW_C1;
	st_copy(st_push(cpu), &value);
}

static NOINLINE void load_sti(struct cpu *cpu, const struct op *op)
{
	struct fpu_register value;

	x87_begin(cpu, op);
	x87_track(cpu, op);
	/* With both faults processors report the empty source. */
	if (st_empty(cpu, op->rm)) {
		if (x87_stack_underflow(cpu, op))
			x87_set_indefinite(st_push(cpu));
		return;
	}
	if (!push_allowed(cpu, op))
		return;
	st_copy(&value, st_reg(cpu, op->rm));
	cpu->fpu.status &= (u16)~FSW_C1;
	st_copy(st_push(cpu), &value);
}

/* Constants are rounded as RC says (SDM 1:8.3.2). */
#define CONSTANT(name)                                                                             \
	static HANDLER(exec_##name)                                                                \
	{                                                                                          \
		u16 control = cpu->fpu.control | FCW_MASKS;                                        \
		struct fpu_register value;                                                         \
		x87_begin(cpu, op);                                                                \
		x87_track(cpu, op);                                                                \
		if (push_allowed(cpu, op)) {                                                       \
			host_enter(cpu, control);                                                  \
			asm volatile(#name "\n\tfstpt %[value]"                                    \
				     : [value] "=m"(value)                                         \
				     :                                                             \
				     : HOST_CLOBBERS);                                             \
			host_leave_quiet(control);                                                 \
			cpu->fpu.status &= (u16)~FSW_C1;                                           \
			st_copy(st_push(cpu), &value);                                             \
		}                                                                                  \
		NEXT;                                                                              \
	}                                                                                          \
	FAMILY_ONE(name, exec_##name);

CONSTANT(fld1)
CONSTANT(fldl2t)
CONSTANT(fldl2e)
CONSTANT(fldpi)
CONSTANT(fldlg2)
CONSTANT(fldln2)
CONSTANT(fldz)

/* --- stores --- */
struct stored {
	u64 value;
	u16 status;
};

/* A float needs the guest's masks: an unmasked underflow is raised for exact tiny results too
 * (SDM 1:4.9.1.5). */
#define HOST_STORE(name, type, insn)                                                               \
	static NOINLINE struct stored host_##name(struct cpu *cpu)                                 \
	{                                                                                          \
		const struct fpu_register *st0 = &cpu->fpu.r[fpu_top(cpu)];                        \
		type value = 0;                                                                    \
		u16 status;                                                                        \
		host_enter(cpu, cpu->fpu.control);                                                 \
		asm volatile("fldt %[st0]\n\t" insn " %[value]\n\t" HOST_STATUS "fstp %%st(0)"     \
			     : "=&a"(status), [value] "+m"(value)                                  \
			     : [st0] "m"(*st0)                                                     \
			     : HOST_CLOBBERS);                                                     \
		host_leave(cpu, cpu->fpu.control, status);                                         \
		return (struct stored){value, status};                                             \
	}

/* Integers can only raise #I and #P. The popping forms exist in every size. */
#define HOST_STORE_INTEGER(name, type, insn)                                                       \
	static NOINLINE struct stored host_##name(struct cpu *cpu)                                 \
	{                                                                                          \
		const struct fpu_register *st0 = &cpu->fpu.r[fpu_top(cpu)];                        \
		u16 control = cpu->fpu.control | FCW_MASKS, status;                                \
		type value = 0;                                                                    \
		host_enter(cpu, control);                                                          \
		asm volatile("fldt %[st0]\n\t" insn " %[value]\n\tfnstsw %%ax"                     \
			     : "=&a"(status), [value] "+m"(value)                                  \
			     : [st0] "m"(*st0)                                                     \
			     : HOST_CLOBBERS);                                                     \
		host_leave(cpu, control, status);                                                  \
		return (struct stored){value, status};                                             \
	}

HOST_STORE(fst_m32, u32, "fsts")
HOST_STORE(fst_m64, u64, "fstl")
HOST_STORE_INTEGER(fist_m16, u16, "fistps")
HOST_STORE_INTEGER(fist_m32, u32, "fistpl")
HOST_STORE_INTEGER(fist_m64, u64, "fistpll")
HOST_STORE_INTEGER(fisttp_m16, u16, "fisttps")
HOST_STORE_INTEGER(fisttp_m32, u32, "fisttpl")
HOST_STORE_INTEGER(fisttp_m64, u64, "fisttpll")

/* The store comes before the flags are committed: it may fault. An exception that is not masked
 * keeps memory as it is, but the address is checked all the same. */
static NOINLINE void store(struct cpu *cpu, const struct op *op, unsigned int size, bool pop,
			   u64 indefinite, struct stored (*host)(struct cpu *))
{
	struct stored stored = {indefinite, FSW_IE | FSW_SF};
	u64 linear;
	bool refused;

	x87_begin(cpu, op);
	linear = ea_by_kind(cpu, op, size, true);
	if (likely(!st_empty(cpu, 0))) {
		stored = host(cpu);
		stored.status &= ~FSW_SF;
	}
	refused = x87_unmasked(cpu, stored.status & ~FSW_PE);
	if (unlikely(refused))
		mem_probe(cpu, op, linear, size, WALK_WRITE);
	else
		mem_store(cpu, op, linear, stored.value, size);
	x87_track_memory(cpu, op);
	x87_merge(cpu, op, stored.status);
	if (pop && !refused)
		st_pop(cpu);
}

/* Ten bytes without conversion: only the stack can be wrong. @value outlives the call. */
static void store_ten(struct cpu *cpu, const struct op *op, const struct fpu_register *value,
		      u16 status)
{
	u64 linear = ea_by_kind(cpu, op, 10, true);
	bool refused = x87_unmasked(cpu, status & ~FSW_PE);

	if (unlikely(refused))
		mem_probe(cpu, op, linear, 10, WALK_WRITE);
	else
		mem_store_block(cpu, op, linear, value, 10);
	x87_track_memory(cpu, op);
	x87_merge(cpu, op, status);
	if (!refused)
		st_pop(cpu);
}

static const struct fpu_register indefinite_m80 = {X87_INDEFINITE_MANTISSA, 0xffff};

static NOINLINE void store_m80(struct cpu *cpu, const struct op *op)
{
	x87_begin(cpu, op);
	if (unlikely(st_empty(cpu, 0)))
		store_ten(cpu, op, &indefinite_m80, FSW_IE | FSW_SF);
	else
		store_ten(cpu, op, st_reg(cpu, 0), 0);
}

static NOINLINE void store_bcd(struct cpu *cpu, const struct op *op)
{
	u16 control = cpu->fpu.control | FCW_MASKS, status;
	struct fpu_register value = {0};

	x87_begin(cpu, op);
	if (unlikely(st_empty(cpu, 0))) {
		/* The BCD indefinite is the same ten bytes (SDM 1:4.7). */
		store_ten(cpu, op, &indefinite_m80, FSW_IE | FSW_SF);
		return;
	}
	host_enter(cpu, control);
	asm volatile("fldt %[st0]\n\tfbstp %[value]\n\tfnstsw %%ax"
		     : "=&a"(status), [value] "+m"(value)
		     : [st0] "m"(*st_reg(cpu, 0))
		     : HOST_CLOBBERS);
	host_leave(cpu, control, status);
	store_ten(cpu, op, &value, status & ~FSW_SF);
}

/* FST and FSTP to a register copy the bits. */
static NOINLINE void store_sti(struct cpu *cpu, const struct op *op, bool pop)
{
	x87_begin(cpu, op);
	x87_track(cpu, op);
	if (unlikely(st_empty(cpu, 0))) {
		if (!x87_stack_underflow(cpu, op))
			return;
		x87_set_indefinite(st_reg(cpu, op->rm));
	} else {
		cpu->fpu.status &= (u16)~FSW_C1;
		st_copy(st_reg(cpu, op->rm), st_reg(cpu, 0));
	}
	st_use(cpu, op->rm);
	if (pop)
		st_pop(cpu);
}

/* FSTP1 does not look whether ST(0) is empty: then it only pops. */
static NOINLINE void store_unchecked(struct cpu *cpu, const struct op *op)
{
	x87_begin(cpu, op);
	x87_track(cpu, op);
	cpu->fpu.status &= (u16)~FSW_C1;
	if (!st_empty(cpu, 0)) {
		st_copy(st_reg(cpu, op->rm), st_reg(cpu, 0));
		st_use(cpu, op->rm);
	}
	st_pop(cpu);
}

BODY(fld_sti, load_sti(cpu, op))
BODY(fld_m32, load(cpu, op, 4, host_fld_m32))
BODY(fld_m64, load(cpu, op, 8, host_fld_m64))
BODY(fld_m80, load_m80(cpu, op))
BODY(fild_m16, load(cpu, op, 2, host_fild_m16))
BODY(fild_m32, load(cpu, op, 4, host_fild_m32))
BODY(fild_m64, load(cpu, op, 8, host_fild_m64))
BODY(fbld, load_bcd(cpu, op))
BODY(fst_sti, store_sti(cpu, op, false))
BODY(fstp_sti, store_sti(cpu, op, true))
BODY(fstp1, store_unchecked(cpu, op))

#define M32_INDEFINITE 0xffc00000u
#define M64_INDEFINITE UINT64_C(0xfff8000000000000)
#define I16_INDEFINITE 0x8000u
#define I32_INDEFINITE 0x80000000u
#define I64_INDEFINITE BIT(63)

BODY(fst_m32, store(cpu, op, 4, false, M32_INDEFINITE, host_fst_m32))
BODY(fstp_m32, store(cpu, op, 4, true, M32_INDEFINITE, host_fst_m32))
BODY(fst_m64, store(cpu, op, 8, false, M64_INDEFINITE, host_fst_m64))
BODY(fstp_m64, store(cpu, op, 8, true, M64_INDEFINITE, host_fst_m64))
BODY(fstp_m80, store_m80(cpu, op))
BODY(fist_m16, store(cpu, op, 2, false, I16_INDEFINITE, host_fist_m16))
BODY(fistp_m16, store(cpu, op, 2, true, I16_INDEFINITE, host_fist_m16))
BODY(fist_m32, store(cpu, op, 4, false, I32_INDEFINITE, host_fist_m32))
BODY(fistp_m32, store(cpu, op, 4, true, I32_INDEFINITE, host_fist_m32))
BODY(fistp_m64, store(cpu, op, 8, true, I64_INDEFINITE, host_fist_m64))
BODY(fisttp_m16, store(cpu, op, 2, true, I16_INDEFINITE, host_fisttp_m16))
BODY(fisttp_m32, store(cpu, op, 4, true, I32_INDEFINITE, host_fisttp_m32))
BODY(fisttp_m64, store(cpu, op, 8, true, I64_INDEFINITE, host_fisttp_m64))
BODY(fbstp, store_bcd(cpu, op))
