/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x87: everything of one or two stack operands that is no basic arithmetic: FSQRT, FRNDINT,
 * FSCALE, FPREM, FXTRACT, the trigonometric and logarithmic functions. The host does the
 * mathematics, so the last bits of the transcendental ones are the host's.
 */
#include "sim/cpu/exec/x87.h"

/* What the host left: its ST(0), the register below, its status word. */
struct result {
	struct fpu_register st0, st1;
	u16 status;
};

/* Runs with ST(0) = @a and ST(1) = @b. The instruction may pop or push: FNINIT tidies up. */
#define HOST_FUNCTION(name)                                                                        \
	static NOINLINE struct result host_##name(const struct cpu *cpu, struct fpu_register a,    \
						  struct fpu_register b)                           \
	{                                                                                          \
		struct result result = {0};                                                        \
		host_enter(cpu, cpu->fpu.control);                                                 \
		asm volatile(                                                                      \
			"fldt %[b]\n\tfldt %[a]\n\t" #name "\n\t" HOST_STATUS                      \
			"fstpt %[st0]\n\tfstpt %[st1]\n\tfninit"                                   \
			: "=&a"(result.status), [st0] "+m"(result.st0), [st1] "+m"(result.st1)     \
			: [a] "m"(a), [b] "m"(b)                                                   \
			: HOST_CLOBBERS);                                                          \
		result.status &= ~FSW_SF;                                                          \
		return result;                                                                     \
	}

HOST_FUNCTION(f2xm1)
HOST_FUNCTION(fyl2x)
HOST_FUNCTION(fyl2xp1)
HOST_FUNCTION(fptan)
HOST_FUNCTION(fpatan)
HOST_FUNCTION(fxtract)
HOST_FUNCTION(fprem)
HOST_FUNCTION(fprem1)
HOST_FUNCTION(fsqrt)
HOST_FUNCTION(fsincos)
HOST_FUNCTION(frndint)
HOST_FUNCTION(fscale)
HOST_FUNCTION(fsin)
HOST_FUNCTION(fcos)

typedef struct result (*host_function)(const struct cpu *cpu, struct fpu_register a,
				       struct fpu_register b);

/* @codes: condition codes that the instruction defines, beside C1. */
static void set_codes(struct cpu *cpu, u16 codes, u16 status)
{
	cpu->fpu.status = (u16)((cpu->fpu.status & ~codes) | (status & codes));
}

/* ST(0) = f(ST(0)) */
static NOINLINE void unary(struct cpu *cpu, const struct op *op, u16 codes, host_function host)
{
	struct result result;

	x87_begin(cpu, op);
	x87_track(cpu, op);
	if (unlikely(st_empty(cpu, 0))) {
		set_codes(cpu, codes & FSW_C2, 0);
		if (x87_stack_underflow(cpu, op)) {
			x87_set_indefinite(st_reg(cpu, 0));
			st_use(cpu, 0);
		}
		return;
	}
	result = host(cpu, *st_reg(cpu, 0), *st_reg(cpu, 0));
	x87_merge(cpu, op, result.status);
	if (unlikely(x87_unmasked(cpu, result.status & FSW_BEFORE)))
		return;
	set_codes(cpu, codes, result.status);
	*st_reg(cpu, 0) = result.st0;
}

/* ST(@dest) = f(ST(0), ST(1)); @dest 1: and pop */
static NOINLINE void binary(struct cpu *cpu, const struct op *op, unsigned int dest, u16 codes,
			    host_function host)
{
	struct result result;

	x87_begin(cpu, op);
	x87_track(cpu, op);
	if (unlikely(st_empty(cpu, 0) || st_empty(cpu, 1))) {
		set_codes(cpu, codes, 0);
		if (!x87_stack_underflow(cpu, op))
			return;
		x87_set_indefinite(st_reg(cpu, dest));
		st_use(cpu, dest);
	} else {
		result = host(cpu, *st_reg(cpu, 0), *st_reg(cpu, 1));
		x87_merge(cpu, op, result.status);
		if (unlikely(x87_unmasked(cpu, result.status & FSW_BEFORE)))
			return;
		set_codes(cpu, codes, result.status);
		*st_reg(cpu, dest) = result.st0;
	}
	if (dest)
		st_pop(cpu);
}

/* Replaces ST(0) and pushes a second result. @codes & C2: reduction may be refused, then nothing is
 * pushed. */
static NOINLINE void pushing(struct cpu *cpu, const struct op *op, u16 codes, host_function host)
{
	struct result result;
	bool masked;

	x87_begin(cpu, op);
	x87_track(cpu, op);
	if (unlikely(st_empty(cpu, 0) || !st_empty(cpu, 7))) {
		set_codes(cpu, codes, 0);
		masked = st_empty(cpu, 0) ? x87_stack_underflow(cpu, op)
					  : x87_stack_overflow(cpu, op);
		if (masked) {
			x87_set_indefinite(st_reg(cpu, 0));
			st_use(cpu, 0);
			x87_set_indefinite(st_push(cpu));
		}
		return;
	}
	result = host(cpu, *st_reg(cpu, 0), *st_reg(cpu, 0));
	x87_merge(cpu, op, result.status);
	if (unlikely(x87_unmasked(cpu, result.status & FSW_BEFORE)))
		return;
	set_codes(cpu, codes, result.status);
	if (result.status & codes & FSW_C2) {
		*st_reg(cpu, 0) = result.st0;
		return;
	}
	*st_reg(cpu, 0) = result.st1;
	*st_push(cpu) = result.st0;
}

static NOINLINE void change_sign(struct cpu *cpu, const struct op *op, u16 and_not, u16 xor)
{
	struct fpu_register *st0 = st_reg(cpu, 0);

	x87_begin(cpu, op);
	x87_track(cpu, op);
	if (unlikely(st_empty(cpu, 0))) {
		if (x87_stack_underflow(cpu, op)) {
			x87_set_indefinite(st0);
			st_use(cpu, 0);
		}
		return;
	}
	st0->sign_exponent = (st0->sign_exponent & (u16)~and_not) ^ xor;
	cpu->fpu.status &= (u16)~FSW_C1;
}

#define BODY(name, call)                                                                           \
	static HANDLER(exec_##name)                                                                \
	{                                                                                          \
		call;                                                                              \
		NEXT;                                                                              \
	}                                                                                          \
	FAMILY_ONE(name, exec_##name);

#define PARTIAL (FSW_C0 | FSW_C2 | FSW_C3) /* quotient bits, and whether it is complete */

BODY(fchs, change_sign(cpu, op, 0, 0x8000))
BODY(fabs, change_sign(cpu, op, 0x8000, 0))
BODY(fsqrt, unary(cpu, op, 0, host_fsqrt))
BODY(frndint, unary(cpu, op, 0, host_frndint))
BODY(f2xm1, unary(cpu, op, 0, host_f2xm1))
BODY(fsin, unary(cpu, op, FSW_C2, host_fsin))
BODY(fcos, unary(cpu, op, FSW_C2, host_fcos))
BODY(fscale, binary(cpu, op, 0, 0, host_fscale))
BODY(fprem, binary(cpu, op, 0, PARTIAL, host_fprem))
BODY(fprem1, binary(cpu, op, 0, PARTIAL, host_fprem1))
BODY(fyl2x, binary(cpu, op, 1, 0, host_fyl2x))
BODY(fyl2xp1, binary(cpu, op, 1, 0, host_fyl2xp1))
BODY(fpatan, binary(cpu, op, 1, 0, host_fpatan))
BODY(fxtract, pushing(cpu, op, 0, host_fxtract))
BODY(fptan, pushing(cpu, op, FSW_C2, host_fptan))
BODY(fsincos, pushing(cpu, op, FSW_C2, host_fsincos))
