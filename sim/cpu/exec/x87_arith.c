/* SPDX-License-Identifier: Apache-2.0 */
/* x87: FADD, FMUL, FSUB, FSUBR, FDIV, FDIVR in all forms. */
#include "sim/cpu/exec/x87.h"

/*
 * The host's instruction works in place on @dest. With the guest's masks loaded it does the
 * right thing for unmasked exceptions too: I, D and Z leave the register, O and U leave the
 * result with its exponent wrapped (SDM 1:8.5.4, 8.5.5).
 */
#define HOST_ARITH(name, insn)                                                                     \
	ALWAYS_INLINE u16 host_##name##_reg(struct fpu_register *dest,                             \
					    const struct fpu_register *source)                     \
	{                                                                                          \
		u16 status;                                                                        \
		asm volatile("fldt %[source]\n\tfldt %[dest]\n\t" insn                             \
			     " %%st(1), %%st\n\t" HOST_STATUS "fstpt %[dest]\n\tfstp %%st(0)"      \
			     : "=&a"(status), [dest] "+m"(*dest)                                   \
			     : [source] "m"(*source)                                               \
			     : HOST_CLOBBERS);                                                     \
		return status;                                                                     \
	}                                                                                          \
	HOST_ARITH_MEMORY(name, m32, u32, insn "s")                                                \
	HOST_ARITH_MEMORY(name, m64, u64, insn "l")                                                \
	HOST_ARITH_MEMORY(name, i16, u16, "fi" #name "s")                                          \
	HOST_ARITH_MEMORY(name, i32, u32, "fi" #name "l")

#define HOST_ARITH_MEMORY(name, form, type, insn)                                                  \
	ALWAYS_INLINE u16 host_##name##_##form(struct fpu_register *dest, u64 operand)             \
	{                                                                                          \
		type source = (type)operand;                                                       \
		u16 status;                                                                        \
		asm volatile("fldt %[dest]\n\t" insn " %[source]\n\t" HOST_STATUS "fstpt %[dest]"  \
			     : "=&a"(status), [dest] "+m"(*dest)                                   \
			     : [source] "m"(source)                                                \
			     : HOST_CLOBBERS);                                                     \
		return status;                                                                     \
	}

HOST_ARITH(add, "fadd")
HOST_ARITH(mul, "fmul")
HOST_ARITH(sub, "fsub")
HOST_ARITH(subr, "fsubr")
HOST_ARITH(div, "fdiv")
HOST_ARITH(divr, "fdivr")

typedef u16 (*host_reg)(struct fpu_register *dest, const struct fpu_register *source);
typedef u16 (*host_memory)(struct fpu_register *dest, u64 operand);

/* Between two stack registers; @d and @s are numbers of ST. */
ALWAYS_INLINE void arith_registers(struct cpu *cpu, const struct op *op, unsigned int d,
				   unsigned int s, bool pop, host_reg host)
{
	u16 status;

	x87_begin(cpu, op);
	x87_track(cpu, op);
	if (unlikely(st_empty(cpu, d) || st_empty(cpu, s))) {
		if (!x87_stack_underflow(cpu, op))
			return;
		x87_set_indefinite(st_reg(cpu, d));
		st_use(cpu, d);
	} else {
		host_enter(cpu, cpu->fpu.control);
		status = host(st_reg(cpu, d), st_reg(cpu, s));
		host_leave(cpu, cpu->fpu.control, status);
		x87_merge(cpu, op, status);
		if (unlikely(x87_unmasked(cpu, status & FSW_BEFORE)))
			return;
	}
	if (pop)
		st_pop(cpu);
}

ALWAYS_INLINE void arith_memory(struct cpu *cpu, const struct op *op, unsigned int size,
				host_memory host)
{
	u64 operand;
	u16 status;

	x87_begin(cpu, op);
	operand = mem_load(cpu, op, ea_by_kind(cpu, op, size, false), size);
	x87_track_memory(cpu, op);
	if (unlikely(st_empty(cpu, 0))) {
		x87_st0_missing(cpu, op);
		return;
	}
	host_enter(cpu, cpu->fpu.control);
	status = host(st_reg(cpu, 0), operand);
	host_leave(cpu, cpu->fpu.control, status);
	x87_merge(cpu, op, status);
}

#define ARITH(op_)                                                                                 \
	BODY(f##op_##_st0, arith_registers(cpu, op, 0, op->rm, false, host_##op_##_reg))           \
	BODY(f##op_##_sti, arith_registers(cpu, op, op->rm, 0, false, host_##op_##_reg))           \
	BODY(f##op_##p, arith_registers(cpu, op, op->rm, 0, true, host_##op_##_reg))               \
	BODY(f##op_##_m32, arith_memory(cpu, op, 4, host_##op_##_m32))                             \
	BODY(f##op_##_m64, arith_memory(cpu, op, 8, host_##op_##_m64))                             \
	BODY(fi##op_##_m16, arith_memory(cpu, op, 2, host_##op_##_i16))                            \
	BODY(fi##op_##_m32, arith_memory(cpu, op, 4, host_##op_##_i32))

ARITH(add)
ARITH(mul)
ARITH(sub)
ARITH(subr)
ARITH(div)
ARITH(divr)
