/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to a trace: decoding, choice of handlers, flags that nobody reads, edges. */
#include "sim/cpu/trace_build.h"
#include "sim/cpu/decode.h"
#include "sim/cpu/fault.h"
#include "sim/cpu/fuse.h"
#include "sim/cpu/memory.h"
#include "sim/cpu/opcode_flags.h"
#include "sim/cpu/pseudo_op.h"
#include "sim/cpu/recorder.h"

/* A trace in the making: what the passes need to know of each instruction. */
struct builder {
	const struct opcode_row *row[TRACE_MAX];
	const struct family *family[TRACE_MAX];
	u8 family_width[TRACE_MAX];
	struct trace *trace;
	struct decode_environment env;
	u64 page_offset;             /* of the trace in its page */
	const struct trace *nowhere; /* first guess of branches that leave the page */
	u64 watched;                 /* TRACE_NOWHERE: no instruction, or it is to be run alone */
};

static op_handler failure_handler(enum decode_status status)
{
	switch (status) {
	case DECODE_NM:
		return pseudo_op_not_available;
	case DECODE_GP:
	case DECODE_LONG:
		return pseudo_op_privileged;
	default:
		return pseudo_op_undefined;
	}
}

static op_handler family_handler(const struct family *family, unsigned int width,
				 const struct op *op, u32 mode)
{
	op_handler handler;

	if ((mode & MODE_CET) && family->guarded[width])
		return family->guarded[width];
	if (op->flags & OP_LOCK)
		return family->locked[width];
	handler = family->fn[width][op->kind];
	return handler || op->kind == KIND_REG ? handler : family->fn[width][KIND_ANY];
}

extern const struct family family_xchg, family_endbr64, family_endbr32, family_int3, family_int1;

/* CET: while the tracker waits, anything but ENDBRANCH of the code's own width faults; INT3 and
 * INT1 are let through for debuggers (SDM 1:17.3.4). */
static bool endbranch_missing(const struct builder *b, const struct instruction *insn)
{
	const struct family *wanted =
		(b->env.mode & MODE_CODE_MASK) == MODE_CODE64 ? &family_endbr64 : &family_endbr32;

	return (b->env.mode & MODE_ENDBRANCH) && b->trace->count == 0 &&
	       !(insn->row && (insn->row->family == wanted || insn->row->family == &family_int3 ||
			       insn->row->family == &family_int1));
}

/* What branches find their target trace by: dispatch.h. */
static void find_edge(struct builder *b, struct op *op, const struct instruction *insn)
{
	const struct family *family = insn->row->family;

	if (!(insn->row->flags & BRANCH) || insn->form->operand[0].place != PLACE_REL)
		return;
	op->imm += op->offset + op->length;
	op->is4 = (b->env.mode & MODE_CODE_MASK) == MODE_CODE64 && op->width == 3 &&
		  b->page_offset + op->imm < PAGE_SIZE_4K;
	op->disp = op->is4 ? 0 : (s64)b->nowhere;
	if (op->is4 && family->linked[3] && op->fn == family->fn[3][KIND_REG])
		op->fn = family->linked[3];
}

/* XCHG with memory locks without being told (SDM 2B XCHG). */
static bool locks_by_itself(const struct instruction *insn)
{
	return insn->row->family == &family_xchg && insn->op->kind != KIND_REG;
}

/* Appends one decoded instruction. True if the trace may go on behind it. */
static bool append(struct builder *b, const struct instruction *insn, enum decode_status status)
{
	struct trace *trace = b->trace;
	unsigned int n = trace->count;
	struct op *op = insn->op;

	op->offset = trace->bytes;
	op->number = n;
	b->row[n] = NULL;
	if (unlikely(trace->gpa + op->offset == b->watched)) {
		op->fn = pseudo_op_watched;
	} else if (endbranch_missing(b, insn)) {
		op->fn = pseudo_op_no_endbranch;
	} else if (status == DECODE_OK) {
		if (locks_by_itself(insn))
			op->flags |= OP_LOCK;
		if (insn->rip_relative)
			op->disp += op->offset + op->length;
		op->fn = family_handler(insn->row->family, insn->family_width, op, b->env.mode);
		b->row[n] = insn->row;
		b->family[n] = insn->row->family;
		b->family_width[n] = insn->family_width;
		find_edge(b, op, insn);
	} else {
		op->fn = failure_handler(status);
	}
	if (!op->fn)
		op->fn = pseudo_op_undefined;
	trace->count++;
	trace->bytes += op->length;
	return b->row[n] && !(b->row[n]->flags & END);
}

#define JUMP_GAP 256 /* bytes */

extern const struct family family_jmp_rel;

/* A jump forward within the page, over a few bytes: what it leads to is taken into the trace. The
 * bytes between count as the trace's. */
static bool jump_inside(struct builder *b, unsigned int limit)
{
	struct trace *trace = b->trace;
	struct op *op = &trace->op[trace->count - 1];

	if (op->fn != family_jmp_rel.linked[3] || trace->count == limit ||
	    (b->env.mode & MODE_RECORDED) || op->imm - trace->bytes > JUMP_GAP)
		return false;
	op->fn = pseudo_op_jump_inside;
	trace->bytes = op->imm;
	return true;
}

/* True if nothing can look at the flags between this instruction and the next. */
static bool keeps_going(const struct opcode_row *row, const struct op *op)
{
	return row && (row->flags & NOFAULT) && op->kind == KIND_REG;
}

/* Walks backwards with the set of flags that somebody may still read. */
static void drop_dead_flags(struct builder *b)
{
	unsigned int live = ALL, n = b->trace->count;

	while (n--) {
		const struct opcode_row *row = b->row[n];
		struct op *op = &b->trace->op[n];
		op_handler quiet;

		if (!row) {
			live = ALL;
			continue;
		}
		if (op->fn == pseudo_op_jump_inside)
			continue;
		quiet = b->family[n]->quiet[b->family_width[n]][op->kind];
		if (row->writes && !(row->writes & live) && quiet && !(op->flags & OP_LOCK))
			op->fn = quiet;
		live = keeps_going(row, op) ? (live & ~row->writes) | row->reads : ALL;
	}
}

static void fuse_all(struct builder *b)
{
	unsigned int n = 0, count = b->trace->count;

	while (n < count)
		n += fuse(&b->row[n], count - n, &b->trace->op[n]);
}

/* The pseudo-op behind the last instruction. */
static void close_trace(struct builder *b, bool open)
{
	struct trace *trace = b->trace;
	struct op *op = &trace->op[trace->count];
	bool code64 = (b->env.mode & MODE_CODE_MASK) == MODE_CODE64;

	*op = (struct op){
		.offset = trace->bytes, .number = trace->count, .flags = code64 ? OP_CODE64 : 0};
	if (open && code64 && b->page_offset + trace->bytes < PAGE_SIZE_4K) {
		op->fn = pseudo_op_fall_through;
		return;
	}
	op->fn = open && code64 ? pseudo_op_next_page : pseudo_op_leave;
	op->disp = (s64)b->nowhere;
}

/* Somebody watches: an op in front of each instruction. */
static void add_records(struct builder *b, const u8 *bytes)
{
	struct op *op = b->trace->op;
	unsigned int n = b->trace->count;

	if (!(b->env.mode & MODE_RECORDED))
		return;
	op[2 * n] = op[n];
	while (n--) {
		op[2 * n + 1] = op[n];
		recorder_op(&op[2 * n], &op[2 * n + 1], b->row[n], bytes + op[2 * n + 1].offset,
			    b->env.mode);
	}
}

static void begin(struct builder *b, struct cpu *cpu, const struct fetch_page *page,
		  struct trace *trace)
{
	*trace = (struct trace){.gpa = page->gpa, .mode = cpu->mode};
	b->trace = trace;
	b->nowhere = cpu->traces->nowhere;
	b->watched = cpu->debugger.watches_physical && !cpu->single ? cpu->debugger.physical
								    : TRACE_NOWHERE;
	b->env = (struct decode_environment){
		.mode = cpu->mode, .feature = cpu->feature, .amd = cpu->amd};
	b->page_offset = page->gpa & PAGE_OFFSET_MASK;
}

bool trace_build(struct cpu *cpu, const struct fetch_page *page, unsigned int limit,
		 struct trace *trace)
{
	struct builder b;
	struct instruction insn;
	enum decode_status status;
	bool open = true;

	begin(&b, cpu, page, trace);
	if ((b.env.mode & MODE_RECORDED) && limit > TRACE_MAX / 2)
		limit = TRACE_MAX / 2;
	while (open && trace->count < limit && b.page_offset + trace->bytes < PAGE_SIZE_4K) {
		unsigned int available = PAGE_SIZE_4K - b.page_offset - trace->bytes;

		insn.op = &trace->op[trace->count];
		status = decode_instruction(&b.env, page->host + trace->bytes, available, &insn);
		if (status == DECODE_MORE)
			break;
		open = append(&b, &insn, status) || jump_inside(&b, limit);
	}
	if (!trace->count)
		return false;
	if (!(b.env.mode & MODE_RECORDED)) {
		drop_dead_flags(&b);
		if (cpu->traces->max > 1)
			fuse_all(&b);
	}
	close_trace(&b, open);
	add_records(&b, page->host);
	return true;
}

/* --- fetching --- */

bool fetch_within_limit(const struct cpu *cpu, unsigned int bytes)
{
	return (cpu->mode & MODE_FLAT_CS) ||
	       cpu->reg[REG_RIP] + bytes - 1 <= cpu->seg[SEG_CS].limit;
}

static void fetch_translate_linear(struct cpu *cpu, u64 linear, struct fetch_page *page)
{
	struct tlb_code_entry *entry = tlb_code_slot(&cpu->tlb, linear);

	if (unlikely(entry->tag != tlb_tag(linear, 1, cpu->code_context)))
		mem_fill_code(cpu, linear, entry);
	page->linear = linear;
	page->gpa = entry->gpa | (linear & PAGE_OFFSET_MASK);
	page->host = entry->host ? entry->host + (linear & PAGE_OFFSET_MASK) : NULL;
	page->cacheable = entry->host != NULL;
}

static u64 fetch_linear(const struct cpu *cpu, u64 rip)
{
	return (cpu->mode & MODE_CODE_MASK) == MODE_CODE64 ? rip
							   : (u32)(SEG_BASE(cpu, SEG_CS) + rip);
}

void fetch_translate(struct cpu *cpu, struct fetch_page *page)
{
	cpu->op = NULL;
	if (!fetch_within_limit(cpu, 1))
		raise_gp(cpu, 0);
	fetch_translate_linear(cpu, fetch_linear(cpu, cpu->reg[REG_RIP]), page);
}

/* Copies what can be read of the instruction at RIP; reads on into the next page only when
 * decoding asked for more. Bytes outside memory slots read as ones, as an open bus does. */
static unsigned int fetch_bytes(struct cpu *cpu, const struct fetch_page *page, u8 *bytes,
				bool second_page)
{
	unsigned int n = PAGE_SIZE_4K - (page->linear & PAGE_OFFSET_MASK), i;
	struct fetch_page next;

	if (n > INSTRUCTION_MAX)
		n = INSTRUCTION_MAX;
	for (i = 0; i < n; i++)
		bytes[i] = page->cacheable ? page->host[i] : 0xff;
	if (!second_page)
		return n;
	fetch_translate_linear(cpu, fetch_linear(cpu, cpu->reg[REG_RIP] + n), &next);
	for (; i < INSTRUCTION_MAX; i++)
		bytes[i] = next.cacheable ? next.host[i - n] : 0xff;
	return INSTRUCTION_MAX;
}

void trace_build_crossing(struct cpu *cpu, const struct fetch_page *page, struct trace *trace)
{
	u8 bytes[INSTRUCTION_MAX];
	struct builder b;
	struct instruction insn = {.op = trace->op};
	enum decode_status status;
	unsigned int available;

	begin(&b, cpu, page, trace);
	b.page_offset = PAGE_SIZE_4K; /* no edge is within the page */
	available = fetch_bytes(cpu, page, bytes, false);
	status = decode_instruction(&b.env, bytes, available, &insn);
	if (status == DECODE_MORE) {
		available = fetch_bytes(cpu, page, bytes, true);
		status = decode_instruction(&b.env, bytes, available, &insn);
	}
	if (!fetch_within_limit(cpu, insn.op->length))
		raise_gp(cpu, 0);
	append(&b, &insn, status);
	close_trace(&b, false);
	add_records(&b, bytes);
}
