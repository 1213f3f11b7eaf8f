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

/* The host's unit in the guest's state but for its registers, so that condition codes which the
 * instruction leaves alone are the guest's. TOP = 0, all empty. */
static void host_enter_exact(struct cpu *cpu)
{
	const u16 keep = FSW_CONDITIONS | FSW_SF | (cpu->fpu.control & FSW_EXCEPTIONS);
	struct {
		u32 control, status, tag, pointers[4];
	} environment = {cpu->fpu.control, cpu->fpu.status & keep, FPU_TAGS_EMPTY, {0}};

	asm volatile("fldenv %0" : : "m"(environment) : HOST_CLOBBERS);
	cpu->host_x87_clear = FSW_EXCEPTIONS | FSW_SF; /* after FNINIT */
}

/* Runs with ST(0) = @a and ST(1) = @b. The instruction may pop or push: FNINIT tidies up. */
#define HOST_FUNCTION(name)                                                                        \
	static NOINLINE struct result host_##name(struct cpu *cpu, struct fpu_register a,          \
						  struct fpu_register b)                           \
	{                                                                                          \
		struct result result = {0};                                                        \
		host_enter_exact(cpu);                                                             \
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
HOST_FUNCTION(fsincos)
HOST_FUNCTION(fscale)
HOST_FUNCTION(fsin)
HOST_FUNCTION(fcos)

/* These two leave all condition codes but C1 alone. */
#define HOST_IN_PLACE(name)                                                                        \
	ALWAYS_INLINE u16 host_##name(struct fpu_register *dest)                                   \
	{                                                                                          \
		u16 status;                                                                        \
		asm volatile("fldt %[dest]\n\t" #name "\n\t" HOST_STATUS "fstpt %[dest]"           \
			     : "=&a"(status), [dest] "+m"(*dest)                                   \
			     :                                                                     \
			     : HOST_CLOBBERS);                                                     \
		return status;                                                                     \
	}

HOST_IN_PLACE(fsqrt)
HOST_IN_PLACE(frndint)

typedef struct result (*host_function)(struct cpu *cpu, struct fpu_register a,
				       struct fpu_register b);

/* Flags and all condition codes. False: the operands stay as they are. */
static bool commit(struct cpu *cpu, const struct op *op, const struct result *result)
{
	x87_merge(cpu, op, result->status);
	cpu->fpu.status =
		(u16)((cpu->fpu.status & ~FSW_CONDITIONS) | (result->status & FSW_CONDITIONS));
	return likely(!x87_unmasked(cpu, result->status & FSW_BEFORE));
}

/* C2 tells of a reduction that is not complete: a stack fault is the end of it. */
static void clear_codes(struct cpu *cpu, u16 codes)
{
	cpu->fpu.status &= (u16)~codes;
}

ALWAYS_INLINE void in_place(struct cpu *cpu, const struct op *op,
			    u16 (*host)(struct fpu_register *dest))
{
	u16 status;

	x87_begin(cpu, op);
	x87_track(cpu, op);
	if (unlikely(st_empty(cpu, 0))) {
		x87_st0_missing(cpu, op);
		return;
	}
	host_enter(cpu, cpu->fpu.control);
	status = host(st_reg(cpu, 0));
	host_leave(cpu, cpu->fpu.control, status);
	x87_merge(cpu, op, status);
}

/* ST(0) = f(ST(0)) */
static NOINLINE void unary(struct cpu *cpu, const struct op *op, u16 codes, host_function host)
{
	struct result result;

	x87_begin(cpu, op);
	x87_track(cpu, op);
	if (unlikely(st_empty(cpu, 0))) {
		clear_codes(cpu, codes);
		x87_st0_missing(cpu, op);
		return;
	}
	result = host(cpu, *st_reg(cpu, 0), *st_reg(cpu, 0));
	if (!commit(cpu, op, &result))
		return;
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
		clear_codes(cpu, codes);
		if (!x87_stack_underflow(cpu, op))
			return;
		x87_set_indefinite(st_reg(cpu, dest));
		st_use(cpu, dest);
	} else {
		result = host(cpu, *st_reg(cpu, 0), *st_reg(cpu, 1));
		if (!commit(cpu, op, &result))
			return;
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
		clear_codes(cpu, codes);
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
	if (!commit(cpu, op, &result))
		return;
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
		x87_st0_missing(cpu, op);
		return;
	}
	st0->sign_exponent = (st0->sign_exponent & (u16)~and_not) ^ xor;
	cpu->fpu.status &= (u16)~FSW_C1;
}

BODY(fchs, change_sign(cpu, op, 0, 0x8000))
BODY(fabs, change_sign(cpu, op, 0x8000, 0))
BODY(fsqrt, in_place(cpu, op, host_fsqrt))
BODY(frndint, in_place(cpu, op, host_frndint))
BODY(f2xm1, unary(cpu, op, 0, host_f2xm1))
BODY(fsin, unary(cpu, op, FSW_C2, host_fsin))
BODY(fcos, unary(cpu, op, FSW_C2, host_fcos))
BODY(fscale, binary(cpu, op, 0, 0, host_fscale))
BODY(fprem, binary(cpu, op, 0, FSW_C2, host_fprem))
BODY(fprem1, binary(cpu, op, 0, FSW_C2, host_fprem1))
BODY(fyl2x, binary(cpu, op, 1, 0, host_fyl2x))
BODY(fyl2xp1, binary(cpu, op, 1, 0, host_fyl2xp1))
BODY(fpatan, binary(cpu, op, 1, 0, host_fpatan))
BODY(fxtract, pushing(cpu, op, 0, host_fxtract))
BODY(fptan, pushing(cpu, op, FSW_C2, host_fptan))
BODY(fsincos, pushing(cpu, op, FSW_C2, host_fsincos))
