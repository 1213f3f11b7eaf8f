/* SPDX-License-Identifier: Apache-2.0 */
/* A trace of a run, instruction by instruction, with the records up to each: streams.c reads them.
 */
#include "tools/diff/recorded/file.h"
#include "traces/events.h"

/* The file's state rows are what it tells of registers. Where the next instruction is, only that
 * one's record tells. */
static int start(struct recorded *recorded, struct diff_fields *fields, struct machine *reference,
		 struct ls_error *err)
{
	const char *row;

	fold_start(&recorded->fold, fields);
	for (unsigned int n = 0; (row = trace_reader_text(recorded->view.reader, "state", n)); n++)
		fold_add_row(&recorded->fold, machine_engine(reference), row);
	fold_finish(&recorded->fold);
	recorded_leave_out(recorded, fields, recorded->fold.column);
	fields->row[fields->rip].mask = 0;
	for (unsigned int n = 0; n < recorded->vcpus; n++)
		if (recorded_give_leaves(recorded, reference, n, err))
			return err->code;
	return recorded_open_vcpus(recorded, err);
}

static void tell(const struct recorded *recorded, GPtrArray *lines)
{
	g_ptr_array_add(lines, g_strdup("memory that no instruction stores to"));
	if (recorded->vcpus > 1)
		g_ptr_array_add(lines,
				g_strdup_printf("in which order the %u vCPUs did what each did",
						recorded->vcpus));
}

#define EVENTS (~(UINT64_C(1) << TRACE_FEED | UINT64_C(1) << TRACE_SNAPSHOT))

const struct recorded_kind recorded_instructions = {
	.events = EVENTS,
	.step = true,
	.wants = EVENTS,
	.adopt = recorded_adopt_run,
	.tell = tell,
	.start = start,
};
