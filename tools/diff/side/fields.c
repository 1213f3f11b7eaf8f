/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/side/fields.h"

#include <stdio.h>
#include <string.h>

#include "tools/diff/side/msr.h"

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
	g_autofree union diff_msr_list *lists = g_new0(union diff_msr_list, 2);
	GArray *rows = g_array_new(FALSE, TRUE, sizeof(struct diff_field));

	diff_msr_list_read(one, &lists[0]);
	diff_msr_list_read(other, &lists[1]);
	for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
		uint32_t msr = sources[i].msr;

		if (sources[i].count &&
		    (!msr || (diff_msr_listed(&lists[0], msr) && diff_msr_listed(&lists[1], msr))))
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
 * which is compared. Of an unusable register nothing else counts; one that is not present is
 * unusable, for a usable one has P set (SDM 3C:27.3.1.2), and not every KVM says so.
 */
static uint64_t segment_rights(const struct kvm_segment *segment)
{
	if (segment->unusable || !segment->present)
		return 1u << 16;
	return segment->type | (uint64_t)segment->s << 4 | (uint64_t)segment->dpl << 5 |
	       (uint64_t)segment->present << 7 | (uint64_t)segment->avl << 12 |
	       (uint64_t)segment->l << 13 | (uint64_t)segment->db << 14;
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
			all->entries[i].data = diff_msr_read(engine, vcpu, all->entries[i].index);
	for (unsigned int i = 0; i < fields->count; i++)
		if (fields->row[i].msr && fields->row[i].mask)
			values[i] = all->entries[n++].data;
}

void diff_fields_read(const struct diff_fields *fields, struct ls_engine *engine, int vcpu,
		      const struct kvm_sync_regs *synced, uint64_t *values)
{
	struct raw_state raw;

	memset(&raw, 0, sizeof(raw));
	raw_state_read(&raw, engine, vcpu, synced);
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
