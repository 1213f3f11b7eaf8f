/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A decoded instruction, and how handlers are written.
 *
 * A trace is an array of ops. Every handler gets the processor and its op, does its work and
 * ends with NEXT. Where the compiler turns calls in tail position into jumps (LS_TAIL_CALLS) the
 * handlers run as one chain; elsewhere each returns the next op to a loop. A handler must not
 * pass the address of a local variable to anything that is not inlined: that would keep its
 * frame alive and break the chain.
 */
#ifndef LOCKSTEP_SIM_CPU_OP_H
#define LOCKSTEP_SIM_CPU_OP_H

#include "sim/cpu/cpu.h"

#ifdef LS_TAIL_CALLS
#define HANDLER(name) void name(struct cpu *cpu, const struct op *op)
typedef void (*op_handler)(struct cpu *cpu, const struct op *op);
#define DISPATCH(target)                                                                           \
	do {                                                                                       \
		const struct op *dispatch_next = (target);                                         \
		return dispatch_next->fn(cpu, dispatch_next);                                      \
	} while (0)
/* Returns to the run loop; registers, RIP and budget are in place. */
#define LEAVE return
/* Ends a handler by going on in another function of the same shape. */
#define CONTINUE_IN(function) return function(cpu, op)
#else
#define HANDLER(name)         const struct op *name(struct cpu *cpu, const struct op *op)
typedef const struct op *(*op_handler)(struct cpu *cpu, const struct op *op);
#define DISPATCH(target)      return (target)
#define LEAVE                 return NULL
#define CONTINUE_IN(function) return function(cpu, op)
#endif

#define NEXT DISPATCH(op + 1)

/* How the memory operand's address is formed, resolved at decode. */
enum op_kind {
	KIND_REG,   /* no memory operand, or the r/m operand is a register */
	KIND_BASE,  /* 64-bit mode: base + disp, no segment base */
	KIND_INDEX, /* 64-bit mode: base + (index << scale) + disp + segment base */
	KIND_ANY,   /* everything else: 16- and 32-bit addresses, segment checks */
	KINDS
};

struct op {
	op_handler fn;
	u64 imm;  /* immediate, sign-extended to 64 bits; relative branches: the target, from the
		   * start of the trace */
	s64 disp; /* displacement (RIP-relative: from the start of the trace); moffs; relative
		   * branches: the trace they go to (dispatch.h) */
	/* Operands by their place in the encoding. General registers: byte offset into
	 * cpu->reg (AH…BH included). Others: the register's number. */
	u8 reg;  /* ModRM.reg */
	u8 rm;   /* ModRM.r/m if a register, or the register in the opcode byte */
	u8 vvvv; /* VEX.vvvv */
	u8 is4;  /* second immediate: is4 register number, ENTER's level */
	u8 base; /* byte offsets into cpu->reg */
	u8 index;
	u8 scale;    /* 0..3 */
	u8 seg_base; /* byte offset of the segment base (REG_ZERO where it counts as 0) */
	u16 offset;  /* of the instruction from the start of its trace, in bytes */
	u8 length;   /* of the instruction, 1..15; 0 for pseudo-ops */
	u8 number;   /* instructions before it in its trace */
	u8 seg;      /* enum segment_index of the memory operand, SEG_SS where none */
	u8 width;    /* log2 of the operand size in bytes: 0..3 (vectors: 4, 5) */
	u8 flags;    /* OP_* */
	u8 kind;     /* enum op_kind */
};

enum {
	OP_ADDRESS_MASK = 3, /* address size: 0 = 16, 1 = 32, 2 = 64 bits */
	OP_LOCK = 1 << 2,
	OP_REP = 1 << 3,   /* F3 */
	OP_REPNE = 1 << 4, /* F2 */
	OP_REX_W = 1 << 5,
	OP_CODE64 = 1 << 6,  /* decoded in 64-bit mode */
	OP_NOTRACK = 1 << 7, /* 3E on an indirect branch (CET) */
};

#define OP_ADDRESS_16 0
#define OP_ADDRESS_32 1
#define OP_ADDRESS_64 2

/*
 * The handlers of one instruction body. [width][kind]: integer rows use log2 of the operand
 * size as width; vector rows 0 = no VEX, 1 = VEX.128, 2 = VEX.256, 3 = EVEX.512 (later). A NULL
 * entry for KIND_BASE or KIND_INDEX falls back to KIND_ANY. `quiet` (may be NULL) does not keep the
 * arithmetic flags: used where the trace overwrites them unread. `locked` serves LOCK. `moved` and
 * `moved_quiet` do a MOV between registers with the instruction behind it that works on what was moved
 * (fuse.h). Near branches only: `linked` is used where the target lies in the page of the trace,
 * `guarded` while CET protects the current privilege (MODE_CET).
 */
struct family {
	op_handler fn[4][KINDS];
	op_handler quiet[4][KINDS];
	op_handler locked[4];
	op_handler moved[4];
	op_handler moved_quiet[4];
	op_handler linked[4];
	op_handler guarded[4];
};

/* One handler for every width and kind; it looks at op->kind and op->width itself. */
#define FAMILY_ONE(body, handler)                                                                  \
	const struct family family_##body = {                                                      \
		.fn = {{handler, handler, handler, handler},                                       \
		       {handler, handler, handler, handler},                                       \
		       {handler, handler, handler, handler},                                       \
		       {handler, handler, handler, handler}},                                      \
	}

/* Accessors for the byte offsets of struct op. */
#define REG8(cpu, offset)  (*(u8 *)((char *)(cpu)->reg + (offset)))
#define REG16(cpu, offset) (*(u16 *)((char *)(cpu)->reg + (offset)))
#define REG32(cpu, offset) (*(u32 *)((char *)(cpu)->reg + (offset)))
#define REG64(cpu, offset) (*(u64 *)((char *)(cpu)->reg + (offset)))

/* RIP of the instruction, and of the one after it (not truncated to the code size). */
#define OP_RIP(cpu, op)      ((cpu)->reg[REG_RIP] + (op)->offset)
#define OP_NEXT_RIP(cpu, op) ((cpu)->reg[REG_RIP] + (op)->offset + (op)->length)
/* Where a relative branch goes: the trace builder counts its displacement from the trace's start.
 */
#define OP_TARGET(cpu, op) ((cpu)->reg[REG_RIP] + (op)->imm)

/*
 * For instructions that change RIP or the mode (flag END in the opcode table): commits @rip as
 * the next instruction's address, retires the ops up to and including this one, and goes back
 * to the run loop, which looks for events.  Use as `CPU_BRANCH(rip);` in place of NEXT.
 */
#define COMMIT_BRANCH(target_rip)                                                                  \
	do {                                                                                       \
		cpu->reg[REG_RIP] = (target_rip);                                                  \
		cpu->budget -= op->number + 1;                                                     \
	} while (0)
#define CPU_BRANCH(target_rip)                                                                     \
	do {                                                                                       \
		COMMIT_BRANCH(target_rip);                                                         \
		LEAVE;                                                                             \
	} while (0)

#endif
