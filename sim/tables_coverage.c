/* SPDX-License-Identifier: Apache-2.0 */
/* `lockstep list not-offered`, which docs/coverage.md is printed from. */
#include "sim/cpu/not_offered.h"
#include "sim/tables.h"

#define print sim_table_print

static const char *const titles[] = {"area", "place", "name", "reason"};

#define SVM_LEAF 0x8000000a

static const char *area(const struct not_offered_row *row)
{
	switch (row->kind) {
	case NOT_OFFERED_CONTROL:
		return "VMX";
	case NOT_OFFERED_CPUID:
		return row->leaf == SVM_LEAF ? "SVM" : "CPUID";
	default:
		return row->area;
	}
}

static const char *place(struct ls_engine *engine, const struct not_offered_row *row)
{
	static const char *const registers[] = {"EAX", "EBX", "ECX", "EDX"};

	switch (row->kind) {
	case NOT_OFFERED_CONTROL:
		return print(engine, "%s bit %u", row->group, row->bit);
	case NOT_OFFERED_CPUID:
		return print(engine, "%X.%u %s[%u]", row->leaf, row->subleaf, registers[row->reg],
			     row->bit);
	default:
		return "-";
	}
}

static const char *cell(struct ls_engine *engine, size_t row, unsigned int column)
{
	const struct not_offered_row *it = &not_offered_rows[row];

	switch (column) {
	case 0:
		return area(it);
	case 1:
		return place(engine, it);
	case 2:
		return it->name;
	default:
		return it->reason;
	}
}

/* The row count is known only where the rows are. */
struct ls_table sim_table_not_offered(void)
{
	return (struct ls_table){"not-offered", ARRAY_SIZE(titles), titles, not_offered_row_count,
				 cell};
}
