/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/side/fields.h"

#include <stdio.h>
#include <string.h>

/* Everything that KVM's calls give, in one piece, so that a field is an offset. */
struct raw_state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_fpu fpu;
	struct kvm_xsave xsave;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_vcpu_events events;
	struct kvm_mp_state mp_state;
};

static const struct {
	const char *name;
	unsigned long request;
	size_t offset;
} parts[] = {
#define PART(request, member)                                                                      \
	{                                                                                          \
#request, request, offsetof(struct raw_state, member)                              \
	}
	PART(KVM_GET_REGS, regs),
	PART(KVM_GET_SREGS, sregs),
	PART(KVM_GET_FPU, fpu),
	PART(KVM_GET_XSAVE, xsave),
	PART(KVM_GET_XCRS, xcrs),
	PART(KVM_GET_DEBUGREGS, debugregs),
	PART(KVM_GET_VCPU_EVENTS, events),
	PART(KVM_GET_MP_STATE, mp_state),
#undef PART
};

struct source {
	const char *name, *manual;
	unsigned int offset, size, count, words;
	bool rights;
	uint32_t msr;
};

#define AT(part)               (unsigned int)offsetof(struct raw_state, part)
#define SIZE_OF(part)          (unsigned int)sizeof(((struct raw_state *)0)->part)
#define SCALAR(part)           .offset = AT(part), .size = SIZE_OF(part), .count = 1, .words = 1
#define FROM_REGS(member)      SCALAR(regs.member)
#define FROM_SREGS(member)     SCALAR(sregs.member)
#define FROM_RIGHTS(member)    .offset = AT(sregs.member), .rights = true, .count = 1, .words = 1
#define FROM_DEBUGREGS(member) SCALAR(debugregs.member)
#define FROM_FPU(member)       SCALAR(fpu.member)
#define FROM_XCRS(member)      SCALAR(xcrs.member)
#define FROM_EVENTS(member)    .offset = AT(events.member), .size = 1, .count = 1, .words = 1
#define FROM_MP_STATE(member)  SCALAR(mp_state.member)
#define FROM_MSRS(number)      .msr = (number), .count = 1, .words = 1
/* Not in KVM's structs, or listed in fields.def. */
#define FROM_NONE(member)   .count = 0
#define FROM_SREGS2(member) .count = 0
#define FROM_XSAVE(member)  .count = 0

static const struct source sources[] = {
#define STATE(group, name, bits, field, from, member, manual) {name, manual, FROM_##from(member)},
#define STATE_GET(group, name, bits, function, from, member, manual)                               \
	{name, manual, FROM_##from(member)},
#define STATE_ARRAY(group, name, bits, count, array, field, from, member, manual)
#include "sim/cpu/state.def"
#undef STATE
#undef STATE_GET
#undef STATE_ARRAY
#define FIELD(name, part, member, size, count, words, manual)                                      \
	{name, manual, AT(part.member), size, count, words, false, 0},
#include "tools/diff/side/fields.def"
#undef FIELD
};

static const struct {
	const char *name;
	uint64_t bits;
} masks[] = {
#define FIELD_MASK(name, bits, why) {name, bits},
#include "tools/diff/side/fields.def"
#undef FIELD_MASK
};

/* --- the list --- */

union msr_list {
	struct kvm_msr_list head;
	uint8_t room[sizeof(struct kvm_msr_list) + 512 * sizeof(uint32_t)];
};

static void msr_list_read(struct ls_engine *engine, union msr_list *list)
{
	memset(list, 0, sizeof(*list));
	list->head.nmsrs = 512;
	if (ls_ioctl_ptr(engine, LS_SYSTEM, KVM_GET_MSR_INDEX_LIST, list) < 0)
		list->head.nmsrs = 0;
}

static bool msr_listed(const union msr_list *list, uint32_t msr)
{
	for (uint32_t i = 0; i < list->head.nmsrs; i++)
		if (list->head.indices[i] == msr)
			return true;
	return false;
}

static uint64_t mask_of(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(masks); i++)
		if (!strcmp(masks[i].name, name))
			return ~masks[i].bits;
	return ~UINT64_C(0);
}

static void add_source(GArray *rows, const struct source *source)
{
	for (unsigned int n = 0; n < source->count * source->words; n++) {
		struct diff_field row = {
			.manual = source->manual,
			.mask = mask_of(source->name),
			.msr = source->msr,
			.offset = source->offset + n * source->size,
			.size = source->size,
			.rights = source->rights,
		};
		unsigned int element = n / source->words, low = n % source->words * 64;

		if (source->count == 1)
			snprintf(row.name, sizeof(row.name), "%s", source->name);
		else
			snprintf(row.name, sizeof(row.name), "%s%u[%u:%u]", source->name, element,
				 low + 63, low);
		g_array_append_val(rows, row);
	}
}

/* An x87 register is 10 bytes. */
static void trim_x87(struct diff_fields *fields)
{
	for (unsigned int i = 0; i < fields->count; i++)
		if (g_str_has_prefix(fields->row[i].name, "ST") &&
		    g_str_has_suffix(fields->row[i].name, "[127:64]"))
			fields->row[i].mask = 0xffff;
}

struct diff_fields *diff_fields_create(struct ls_engine *one, struct ls_engine *other)
{
	struct diff_fields *fields = g_new0(struct diff_fields, 1);
	g_autofree union msr_list *lists = g_new0(union msr_list, 2);
	GArray *rows = g_array_new(FALSE, TRUE, sizeof(struct diff_field));

	msr_list_read(one, &lists[0]);
	msr_list_read(other, &lists[1]);
	for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
		uint32_t msr = sources[i].msr;

		if (sources[i].count &&
		    (!msr || (msr_listed(&lists[0], msr) && msr_listed(&lists[1], msr))))
			add_source(rows, &sources[i]);
	}
	fields->count = rows->len;
	fields->row = (struct diff_field *)(void *)g_array_free(rows, FALSE);
	fields->rip = (unsigned int)diff_fields_find(fields, "RIP");
	fields->rflags = (unsigned int)diff_fields_find(fields, "RFLAGS");
	fields->cs_base = (unsigned int)diff_fields_find(fields, "CS base");
	trim_x87(fields);
	return fields;
}

void diff_fields_free(struct diff_fields *fields)
{
	if (fields)
		g_free(fields->row);
	g_free(fields);
}

int diff_fields_find(const struct diff_fields *fields, const char *name)
{
	for (unsigned int i = 0; i < fields->count; i++)
		if (!strcmp(fields->row[i].name, name))
			return (int)i;
	return -1;
}

/* --- reading --- */

/* The layout of VMX's access rights (SDM 3C:24.4.1), without G: on AMD's KVM makes it of the limit,
 * which is compared. Of an unusable register nothing else counts.
 */
static uint64_t segment_rights(const struct kvm_segment *segment)
{
	if (segment->unusable)
		return 1u << 16;
	return segment->type | (uint64_t)segment->s << 4 | (uint64_t)segment->dpl << 5 |
	       (uint64_t)segment->present << 7 | (uint64_t)segment->avl << 12 |
	       (uint64_t)segment->l << 13 | (uint64_t)segment->db << 14;
}

union msr_one {
	struct kvm_msrs head;
	uint8_t room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
};

static uint64_t msr_read(struct ls_engine *engine, int vcpu, uint32_t number)
{
	union msr_one one = {.head.nmsrs = 1};

	one.head.entries[0].index = number;
	return ls_ioctl_ptr(engine, vcpu, KVM_GET_MSRS, &one) == 1 ? one.head.entries[0].data : 0;
}

static void msr_write(struct ls_engine *engine, int vcpu, uint32_t number, uint64_t value)
{
	union msr_one one = {.head.nmsrs = 1};

	one.head.entries[0] = (struct kvm_msr_entry){.index = number, .data = value};
	ls_ioctl_ptr(engine, vcpu, KVM_SET_MSRS, &one);
}

/* Where an XSAVE area holds what (SDM 1:13.4). */
enum {
	XSAVE_FCW = 0,
	XSAVE_FSW = 2,
	XSAVE_FTW = 4,
	XSAVE_MXCSR = 24,
	XSAVE_ST = 32,
	XSAVE_XMM = 160,
	XSAVE_BV = 512,
	XSAVE_YMM = 576,
};
#define BV_X87     1u
#define BV_SSE     2u
#define BV_AVX     4u
#define FCW_INIT   0x37f
#define MXCSR_INIT 0x1f80

/* A component whose bit in XSTATE_BV is clear is in its initial state, whatever the area holds
 * (SDM 1:13.6); KVM_GET_FPU does not look at that bit. */
static void fpu_from_xsave(struct raw_state *raw)
{
	const char *area = (const char *)raw->xsave.region;
	struct kvm_fpu *fpu = &raw->fpu;
	uint64_t there;

	memcpy(&there, area + XSAVE_BV, sizeof(there));
	memset(fpu, 0, sizeof(*fpu));
	fpu->fcw = FCW_INIT;
	fpu->mxcsr = MXCSR_INIT;
	if (there & BV_X87) {
		memcpy(&fpu->fcw, area + XSAVE_FCW, sizeof(fpu->fcw));
		memcpy(&fpu->fsw, area + XSAVE_FSW, sizeof(fpu->fsw));
		memcpy(&fpu->ftwx, area + XSAVE_FTW, sizeof(fpu->ftwx));
		memcpy(fpu->fpr, area + XSAVE_ST, sizeof(fpu->fpr));
	}
	if (there & BV_SSE)
		memcpy(fpu->xmm, area + XSAVE_XMM, sizeof(fpu->xmm));
	if (there & (BV_SSE | BV_AVX))
		memcpy(&fpu->mxcsr, area + XSAVE_MXCSR, sizeof(fpu->mxcsr));
	if (!(there & BV_AVX))
		memset((char *)raw->xsave.region + XSAVE_YMM, 0, 256);
}

/* All in one call; one by one if the engine stumbles over one of them. */
static void msrs_read(const struct diff_fields *fields, struct ls_engine *engine, int vcpu,
		      uint64_t *values)
{
	g_autofree struct kvm_msrs *all =
		g_malloc0(sizeof(*all) + fields->count * sizeof(struct kvm_msr_entry));
	uint32_t n = 0;

	for (unsigned int i = 0; i < fields->count; i++)
		if (fields->row[i].msr && fields->row[i].mask)
			all->entries[all->nmsrs++].index = fields->row[i].msr;
	if (ls_ioctl_ptr(engine, vcpu, KVM_GET_MSRS, all) != (int)all->nmsrs)
		for (uint32_t i = 0; i < all->nmsrs; i++)
			all->entries[i].data = msr_read(engine, vcpu, all->entries[i].index);
	for (unsigned int i = 0; i < fields->count; i++)
		if (fields->row[i].msr && fields->row[i].mask)
			values[i] = all->entries[n++].data;
}

void diff_fields_read(const struct diff_fields *fields, struct ls_engine *engine, int vcpu,
		      uint64_t *values)
{
	struct raw_state raw;

	memset(&raw, 0, sizeof(raw));
	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
		if (parts[i].request != KVM_GET_FPU)
			ls_ioctl_ptr(engine, vcpu, parts[i].request,
				     (char *)&raw + parts[i].offset);
	fpu_from_xsave(&raw);
	for (unsigned int i = 0; i < fields->count; i++) {
		const struct diff_field *row = &fields->row[i];
		const void *from = (const char *)&raw + row->offset;

		values[i] = 0;
		if (row->msr)
			continue;
		if (row->rights)
			values[i] = segment_rights(from);
		else
			memcpy(&values[i], from, row->size);
	}
	msrs_read(fields, engine, vcpu, values);
}

/* --- the start --- */

/* As after FNINIT (SDM 3A:9.1.1, table 9-1: power-up leaves other values than INIT). */
static void fpu_initialise(struct ls_engine *engine, int vcpu)
{
	struct kvm_xsave xsave = {0};
	uint16_t control = FCW_INIT;
	uint32_t mxcsr = MXCSR_INIT;

	memcpy((char *)xsave.region + XSAVE_FCW, &control, sizeof(control));
	memcpy((char *)xsave.region + XSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
	xsave.region[XSAVE_BV / 4] = BV_X87 | BV_SSE;
	ls_ioctl_ptr(engine, vcpu, KVM_SET_XSAVE, &xsave);
}

/* A part of the state that the engine does not tell is not compared. */
static void leave_out_untold(struct diff_fields *fields, struct ls_engine *engine, int vcpu)
{
	struct raw_state raw;

	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
		size_t end = i + 1 < G_N_ELEMENTS(parts) ? parts[i + 1].offset : sizeof(raw);

		if (ls_ioctl_ptr(engine, vcpu, parts[i].request, (char *)&raw + parts[i].offset) >=
		    0)
			continue;
		for (unsigned int n = 0; n < fields->count; n++) {
			struct diff_field *row = &fields->row[n];

			if (row->msr || row->offset < parts[i].offset || row->offset >= end)
				continue;
			row->mask = 0;
		}
		fields->untold[i] = parts[i].name;
	}
}

void diff_fields_leave_out(struct diff_fields *fields, unsigned int field)
{
	fields->row[field].mask = 0;
	fields->row[field].left_out = true;
}

static void equalise_msr(struct diff_fields *fields, unsigned int field, struct ls_engine *engine,
			 int vcpu, uint64_t wanted)
{
	const struct diff_field *row = &fields->row[field];

	if (!((msr_read(engine, vcpu, row->msr) ^ wanted) & row->mask))
		return;
	msr_write(engine, vcpu, row->msr, wanted);
	if ((msr_read(engine, vcpu, row->msr) ^ wanted) & row->mask)
		diff_fields_leave_out(fields, field);
}

void diff_fields_equalise(struct diff_fields *fields, struct ls_engine *from, int from_vcpu,
			  struct ls_engine *to, int to_vcpu)
{
	leave_out_untold(fields, from, from_vcpu);
	leave_out_untold(fields, to, to_vcpu);
	fpu_initialise(from, from_vcpu);
	fpu_initialise(to, to_vcpu);
	for (unsigned int i = 0; i < fields->count; i++)
		if (fields->row[i].msr)
			equalise_msr(fields, i, to, to_vcpu,
				     msr_read(from, from_vcpu, fields->row[i].msr));
}

void diff_fields_equalise_to(struct diff_fields *fields, struct ls_engine *engine, int vcpu,
			     const uint64_t *values)
{
	leave_out_untold(fields, engine, vcpu);
	fpu_initialise(engine, vcpu);
	for (unsigned int i = 0; i < fields->count; i++)
		if (fields->row[i].msr)
			equalise_msr(fields, i, engine, vcpu, values[i]);
}
