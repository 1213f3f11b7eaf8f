/* SPDX-License-Identifier: Apache-2.0 */
/* What both sides have alike before the first instruction. */
#include "tools/diff/side/fields.h"
#include "tools/diff/side/msr.h"

/* A part of the state that the engine does not tell is not compared. */
static void leave_out_untold(struct diff_fields *fields, struct ls_engine *engine, int vcpu)
{
	struct raw_state raw;

	for (size_t i = 0; i < RAW_PARTS; i++) {
		size_t end = i + 1 < RAW_PARTS ? raw_part[i + 1].offset : sizeof(raw);

		if (ls_ioctl_ptr(engine, vcpu, raw_part[i].request,
				 (char *)&raw + raw_part[i].offset) >= 0)
			continue;
		for (unsigned int n = 0; n < fields->count; n++) {
			struct diff_field *row = &fields->row[n];

			if (row->msr || row->offset < raw_part[i].offset || row->offset >= end)
				continue;
			row->mask = 0;
		}
		fields->untold[i] = raw_part[i].name;
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

	if (!((diff_msr_read(engine, vcpu, row->msr) ^ wanted) & row->mask))
		return;
	diff_msr_write(engine, vcpu, row->msr, wanted);
	if ((diff_msr_read(engine, vcpu, row->msr) ^ wanted) & row->mask)
		diff_fields_leave_out(fields, field);
}

void diff_fields_equalise(struct diff_fields *fields, struct ls_engine *from, int from_vcpu,
			  struct ls_engine *to, int to_vcpu)
{
	leave_out_untold(fields, from, from_vcpu);
	leave_out_untold(fields, to, to_vcpu);
	raw_initialise_fpu(from, from_vcpu);
	raw_initialise_fpu(to, to_vcpu);
	for (unsigned int i = 0; i < fields->count; i++)
		if (fields->row[i].msr)
			equalise_msr(fields, i, to, to_vcpu,
				     diff_msr_read(from, from_vcpu, fields->row[i].msr));
}

void diff_fields_equalise_to(struct diff_fields *fields, struct ls_engine *engine, int vcpu,
			     const uint64_t *values)
{
	leave_out_untold(fields, engine, vcpu);
	raw_initialise_fpu(engine, vcpu);
	for (unsigned int i = 0; i < fields->count; i++)
		if (fields->row[i].msr)
			equalise_msr(fields, i, engine, vcpu, values[i]);
}
