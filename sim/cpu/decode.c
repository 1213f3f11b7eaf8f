/* SPDX-License-Identifier: Apache-2.0 */
/* The decoder: SDM 2A:2 (formats), the rows of opcodes.def for everything else. */
#include "sim/cpu/decode.h"
#include "sim/cpu/parse.h"

/* #UD and #NM of the state classes (SDM 3A:2.5 table 2-2, 3A:13.1; 2A:2.4 for VEX). */
static enum decode_status check_class(u32 flags, u32 mode)
{
	if ((flags & (MMX | SSE)) && (mode & MODE_EM))
		return DECODE_UD;
	if ((flags & SSE) && !(mode & MODE_OSFXSR))
		return DECODE_UD;
	if ((flags & AVX) && !(mode & MODE_AVX))
		return DECODE_UD;
	if ((flags & X87) && (mode & (MODE_EM | MODE_TS)))
		return DECODE_NM;
	if ((flags & (MMX | SSE | AVX)) && (mode & MODE_TS))
		return DECODE_NM;
	return DECODE_OK;
}

static enum decode_status check_row(const struct opcode_row *row, u32 mode)
{
	enum decode_status status;

	if ((row->flags & PM) && !(mode & MODE_PROTECTED))
		return DECODE_UD;
	status = check_class(row->flags, mode);
	if (status != DECODE_OK)
		return status;
	if ((row->flags & CPL0) && (mode & MODE_CPL_MASK))
		return DECODE_GP;
	return DECODE_OK;
}

static u8 op_flags(const struct parse *p, u32 row_flags)
{
	return p->address_size | (p->lock ? OP_LOCK : 0) | (p->repeat == 0xf3 ? OP_REP : 0) |
	       (p->repeat == 0xf2 ? OP_REPNE : 0) | (rex_w(p) ? OP_REX_W : 0) |
	       (code64(p) ? OP_CODE64 : 0) |
	       ((row_flags & (END | BRANCH)) && p->has_3e ? OP_NOTRACK : 0);
}

static enum decode_status failure(const struct parse *p, enum decode_status otherwise)
{
	/* The length limit is looked at first: it holds even if more bytes can't be had. */
	if (p->failed_long)
		return DECODE_LONG;
	return p->failed_more ? DECODE_MORE : otherwise;
}

enum decode_status decode_instruction(const struct decode_environment *env, const u8 *bytes,
				      unsigned int available, struct instruction *out)
{
	struct parse p = {.env = env, .bytes = bytes, .available = available, .segment = ANY};
	enum decode_status status = DECODE_UD;
	struct op *op = out->op;

	__builtin_memset(op, 0, sizeof(*op));
	__builtin_memset(out, 0, sizeof(*out));
	out->op = op;
	op->seg = SEG_SS;
	op->seg_base = op->base = op->index = REG_OFFSET(REG_ZERO);
	if (parse_opcode(&p) && !p.failed_more && !p.failed_long) {
		out->form = parse_form(&p);
		if (out->form && !p.failed_more && !p.failed_long) {
			out->row = &opcode_rows[out->form->row];
			parse_sizes(&p, out->form);
			status = parse_operands(&p, out) ? check_row(out->row, env->mode) : DECODE_UD;
		}
	}
	out->op->length = p.at;
	if (p.failed_long || p.failed_more || !out->row)
		return failure(&p, DECODE_UD);
	out->opcode = p.opcode;
	out->op->flags = op_flags(&p, out->row->flags);
	if (out->row->flags & X87) /* x87 instructions remember their opcode: FOP */
		out->op->imm = (p.opcode & 7) << 8 | p.modrm;
	parse_width(&p, out);
	return status;
}
