/* SPDX-License-Identifier: Apache-2.0 */
/* The tables behind `lockstep list` that VMX and SVM have: control blocks and exits. */
#include "sim/svm-model/exit_codes.h"
#include "sim/svm-model/vmcb.h"
#include "sim/tables.h"
#include "sim/vmx-model/vmcs.h"

#define print sim_table_print

/* --- vmcs-fields --- */

static const char *const vmcs_titles[] = {"name",   "encoding", "width", "group",
					  "access", "offset",   "needs", "manual"};

/* The condition as the table has it: "SECONDARY(EPT)". */
static const char *const vmcs_needs[VMCS_FIELD_COUNT] = {
#define VMCS_FIELD(identifier, encoding, offset, exists, name) [VMCS_##identifier] = #exists,
#include "sim/cpu/vmcs_fields.def"
#undef VMCS_FIELD
};

/* Appendix B goes by width, then by type; there is no 16-bit read-only data field. */
static const char *vmcs_manual(struct ls_engine *engine, enum vmcs_width width, enum vmcs_type type)
{
	bool skips = width == VMCS_WIDTH_16 && type > VMCS_TYPE_READ_ONLY;

	return print(engine, "SDM 3D:B.%d.%d", width + 1, type + 1 - skips);
}

static const char *vmcs_cell(struct ls_engine *engine, size_t row, unsigned int column)
{
	static const char *const widths[] = {"16", "64", "32", "natural"};
	static const char *const groups[] = {"control", "exit information", "guest state",
					     "host state"};
	const struct vmcs_field_row *field = &vmcs_fields[row];
	enum vmcs_width width = ENCODING_WIDTH(field->encoding);
	enum vmcs_type type = ENCODING_TYPE(field->encoding);

	switch (column) {
	case 0:
		return field->name;
	case 1:
		return print(engine, "0x%04x", field->encoding);
	case 2:
		return widths[width];
	case 3:
		return groups[type];
	case 4:
		return type == VMCS_TYPE_READ_ONLY ? "read-only" : "read-write";
	case 5:
		return print(engine, "0x%x", field->offset);
	case 6:
		return vmcs_needs[row];
	default:
		return vmcs_manual(engine, width, type);
	}
}

const struct ls_table sim_table_vmcs_fields = {"vmcs-fields", ARRAY_SIZE(vmcs_titles), vmcs_titles,
					       VMCS_FIELD_COUNT, vmcs_cell};

/* --- vmcb-fields --- */

#define VMCB_STATE_SAVE_AREA 0x400

static const char *const vmcb_titles[] = {"name",  "offset", "bytes", "area",
					  "group", "clean",  "manual"};

static const char *const vmcb_clean[VMCB_FIELD_COUNT] = {
#define VMCB(identifier, offset, size, group, clean, name) [VMCB_##identifier] = #clean,
#include "sim/svm-model/vmcb_fields.def"
#undef VMCB
};

static const char *vmcb_cell(struct ls_engine *engine, size_t row, unsigned int column)
{
	static const char *const groups[] = {
		[VMCB_GROUP_NONE] = "not offered",
		[VMCB_GROUP_CONTROL] = "VMRUN reads",
		[VMCB_GROUP_EXIT] = "#VMEXIT writes",
		[VMCB_GROUP_BOTH] = "VMRUN reads, #VMEXIT writes",
		[VMCB_GROUP_STATE] = "VMRUN loads, #VMEXIT saves",
		[VMCB_GROUP_LOAD] = "VMLOAD loads, VMSAVE saves",
		[VMCB_GROUP_NESTED] = "as state, with nested paging",
		[VMCB_GROUP_CET] = "as state, with CET",
		[VMCB_GROUP_LBR] = "as state, with LBR virtualization",
		[VMCB_GROUP_SPEC] = "as state, with virtual SPEC_CTRL",
	};
	const struct vmcb_field_row *field = &vmcb_fields[row];
	bool state = field->offset >= VMCB_STATE_SAVE_AREA;

	switch (column) {
	case 0:
		return field->name;
	case 1:
		return print(engine, "0x%03x", field->offset);
	case 2:
		return print(engine, "%u", field->size);
	case 3:
		return state ? "state save" : "control";
	case 4:
		return groups[field->group];
	case 5:
		return vmcb_clean[row];
	default:
		return state ? "APM 2 table B-2" : "APM 2 table B-1";
	}
}

const struct ls_table sim_table_vmcb_fields = {"vmcb-fields", ARRAY_SIZE(vmcb_titles), vmcb_titles,
					       VMCB_FIELD_COUNT, vmcb_cell};

/* --- exits --- */

static const char *const exit_titles[] = {"vendor", "number", "name", "manual"};

static const struct {
	unsigned int number;
	const char *name;
} vmx_exits[] = {
#define EXIT_REASON(identifier, number, name) {number, name},
#include "sim/vmx-model/exit_reasons.def"
#undef EXIT_REASON
};
#define EXIT(identifier, code, name) +1
enum {
	SVM_EXITS = 0
#include "sim/svm-model/exit_codes.def"
};
#undef EXIT

static const char *vmx_exit_cell(struct ls_engine *engine, size_t row, unsigned int column)
{
	switch (column) {
	case 0:
		return "intel";
	case 1:
		return print(engine, "%u", vmx_exits[row].number);
	case 2:
		return vmx_exits[row].name;
	default:
		return "SDM 3D appendix C";
	}
}

/* A row may stand for a run of codes. */
static const char *svm_exit_cell(struct ls_engine *engine, size_t row, unsigned int column)
{
	const struct svm_exit_row *exit = &svm_exit_rows[row];
	u64 last = svm_exit_last(exit->code);
	bool run = last != exit->code;
	char text[32];

	switch (column) {
	case 0:
		return "amd";
	case 1:
		if (run)
			return print(engine, "0x%02llx-0x%02llx", (long long)exit->code,
				     (long long)last);
		return print(engine, "0x%02llx", (long long)exit->code);
	case 2:
		if (run)
			return print(engine, "%s to %s", exit->name, svm_exit_name(last, text));
		return exit->name;
	default:
		return "APM 2 table C-1";
	}
}

static const char *exit_cell(struct ls_engine *engine, size_t row, unsigned int column)
{
	if (row < ARRAY_SIZE(vmx_exits))
		return vmx_exit_cell(engine, row, column);
	return svm_exit_cell(engine, row - ARRAY_SIZE(vmx_exits), column);
}

const struct ls_table sim_table_exits = {"exits", ARRAY_SIZE(exit_titles), exit_titles,
					 ARRAY_SIZE(vmx_exits) + SVM_EXITS, exit_cell};
