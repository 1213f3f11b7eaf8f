/* SPDX-License-Identifier: Apache-2.0 */
/* The tables behind `lockstep list`. */
#include "sim/tables.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/cpu/model.h"
#include "sim/cpu/msr.h"
#include "sim/cpu/opcode_table.h"
#include "sim/cpu/state_table.h"
#include "sim/svm-model/svm.h"
#include "sim/vm.h"
#include "sim/vmx-model/checks.h"

#define print sim_table_print

static char *cell_buffer(struct ls_engine *engine)
{
	return ((struct sim_engine *)engine)->cell;
}

const char *sim_table_print(struct ls_engine *engine, const char *format, ...)
{
	char *cell = cell_buffer(engine);
	va_list args;

	va_start(args, format);
	vsnprintf(cell, sizeof(((struct sim_engine *)engine)->cell), format, args);
	va_end(args);
	return cell;
}

/* By enum vendor. */
static const char *const vendor_sets[] = {"", "intel", "amd", "any"};

static const char *feature_name(enum cpu_feature feature)
{
	return feature == FEATURE_BASE ? "base" : feature_infos[feature].name;
}

/* --- cpus --- */

static const char *const cpu_titles[] = {"name",  "vendor",   "family",
					 "model", "stepping", "summary"};

static const char *cpu_cell(struct ls_engine *engine, size_t row, unsigned int column)
{
	const struct model_info *info = &model_infos[row];

	switch (column) {
	case 0:
		return info->name;
	case 1:
		return info->vendor == VENDOR_AMD ? "amd" : "intel";
	case 2:
		return print(engine, "0x%x", info->family);
	case 3:
		return print(engine, "0x%x", info->model);
	case 4:
		return print(engine, "%u", info->stepping);
	default:
		return info->summary;
	}
}

/* --- features --- */

static const char *const feature_titles[] = {"name",     "leaf", "subleaf",
					     "register", "bit",  "models"};

static const char *feature_models(struct ls_engine *engine, enum cpu_feature feature)
{
	char *cell = cell_buffer(engine);
	unsigned int n;

	cell[0] = 0;
	for (n = 0; n < model_info_count; n++)
		if (model_offers(n, feature)) {
			if (cell[0])
				strcat(cell, " ");
			strcat(cell, model_infos[n].name);
		}
	return cell;
}

static const char *feature_cell(struct ls_engine *engine, size_t row, unsigned int column)
{
	static const char *const registers[] = {"eax", "ebx", "ecx", "edx"};
	const struct feature_info *info = &feature_infos[row];

	switch (column) {
	case 0:
		return info->name;
	case 1:
		return print(engine, "0x%x", info->leaf);
	case 2:
		return print(engine, "%u", info->subleaf);
	case 3:
		return registers[info->reg];
	case 4:
		return print(engine, "%u", info->bit);
	default:
		return feature_models(engine, row);
	}
}

/* --- msrs --- */

static const char *const msr_titles[] = {"number",   "name",    "reset",
					 "reserved", "vendors", "manual"};

static const char *msr_cell(struct ls_engine *engine, size_t row, unsigned int column)
{
	const struct msr_row *msr = &msr_rows[row];

	switch (column) {
	case 0:
		return print(engine, "0x%x", msr->number);
	case 1:
		return msr->name;
	case 2:
		return print(engine, "0x%llx", (unsigned long long)msr->reset);
	case 3:
		return print(engine, "0x%llx", (unsigned long long)msr->reserved);
	case 4:
		return vendor_sets[msr->vendors & 3];
	default:
		return msr->manual;
	}
}

/* --- cpuid --- */

static const char *const cpuid_titles[] = {"leaf", "subleaves", "vendors", "needs", "manual"};

static const struct {
	u32 function, subleaves;
	enum vendor vendors;
	enum cpu_feature gate;
	const char *manual;
} cpuid_rows[] = {
#define LEAF(function, subleaves, vendors, gate, maker, manual)                                    \
	{function, subleaves, VENDOR_##vendors, FEATURE_##gate, manual},
#include "sim/cpu/cpuid.def"
#undef LEAF
};

static const char *cpuid_cell(struct ls_engine *engine, size_t row, unsigned int column)
{
	switch (column) {
	case 0:
		return print(engine, "0x%x", cpuid_rows[row].function);
	case 1:
		return print(engine, "%u", cpuid_rows[row].subleaves);
	case 2:
		return vendor_sets[cpuid_rows[row].vendors];
	case 3:
		return feature_name(cpuid_rows[row].gate);
	default:
		return cpuid_rows[row].manual;
	}
}

/* --- opcodes --- */

static const char *const opcode_titles[] = {"mnemonic", "encoding", "operands", "feature"};

static const char *opcode_cell(struct ls_engine *engine, size_t row, unsigned int column)
{
	const struct opcode_row *opcode = &opcode_rows[row];

	(void)engine;
	switch (column) {
	case 0:
		return opcode->mnemonic;
	case 1:
		return opcode->encoding;
	case 2:
		return opcode->operands;
	default:
		return feature_name(opcode->gate);
	}
}

/* --- state --- */

static const char *const state_titles[] = {"name", "group", "bits", "kvm", "manual"};

static const char *state_name(struct ls_engine *engine, const struct state_field *field)
{
	if (!field->count)
		return field->name;
	return print(engine, "%s0-%u", field->name, field->count - 1);
}

static const char *state_place(struct ls_engine *engine, const struct state_field *field)
{
	if (!strcmp(field->kvm_struct, "NONE"))
		return "-";
	return print(engine, "%s.%s", field->rights ? "SREGS" : field->kvm_struct,
		     field->kvm_member);
}

static const char *state_cell(struct ls_engine *engine, size_t row, unsigned int column)
{
	const struct state_field *field = &state_fields[row];

	switch (column) {
	case 0:
		return state_name(engine, field);
	case 1:
		return state_group_names[field->group];
	case 2:
		return print(engine, "%u", field->bits);
	case 3:
		return state_place(engine, field);
	default:
		return field->manual;
	}
}

/* --- params --- */

static const char *const param_titles[] = {"name", "type", "default", "description"};

static const char *param_cell(struct ls_engine *engine, size_t row, unsigned int column)
{
	const struct param_info *info = &param_infos[row];
	char text[32];

	switch (column) {
	case 0:
		return info->name;
	case 1:
		return param_type_name(info->type);
	case 2:
		return print(engine, "%s", param_value(info, info->preset, text));
	default:
		return info->description;
	}
}

/* --- checks --- */

static const char *const check_titles[] = {"name",    "manual", "group", "outcome",
					   "subject", "tests",  "rule"};

/* Made at build time of the very tables that the unit tests go through. */
static const struct {
	const char *check, *test;
} check_tests[] = {
#include "check_tests.inc"
};

/* "unit.vmx-model.vmx_checks: rules_host.h:5, rules_host.h:6" */
static const char *tests_of(struct ls_engine *engine, const char *check)
{
	char text[sizeof(((struct sim_engine *)engine)->cell)] = "";
	size_t used = 0;

	for (unsigned int n = 0; n < ARRAY_SIZE(check_tests) && used < sizeof(text); n++) {
		const char *test = check_tests[n].test;

		if (strcmp(check_tests[n].check, check))
			continue;
		if (used)
			test = strchr(test, ' ') + 1;
		used += snprintf(text + used, sizeof(text) - used, "%s%s", used ? ", " : "", test);
	}
	return print(engine, "%s", text);
}

static const char *check_cell(struct ls_engine *engine, size_t row, unsigned int column)
{
	bool vmx = row < vmx_checks.count;
	const struct check_table *table = vmx ? &vmx_checks : &svm_checks;
	const struct check_row *check = &table->rows[vmx ? row : row - vmx_checks.count];

	switch (column) {
	case 0:
		return check->identifier;
	case 1:
		return check->manual;
	case 2:
		return table->group_name(check->group);
	case 3:
		return table->outcome_name(check->outcome);
	case 4:
		return table->input_name(check->subject);
	case 5:
		return tests_of(engine, check->identifier);
	default:
		return check->rule;
	}
}

const struct ls_table *sim_table(struct ls_engine *engine, const char *name)
{
	struct sim_engine *sim = (struct sim_engine *)engine;
	const struct ls_table tables[] = {
		{"checks", 7, check_titles, vmx_checks.count + svm_checks.count, check_cell},
		{"cpuid", 5, cpuid_titles, ARRAY_SIZE(cpuid_rows), cpuid_cell},
		{"cpus", 6, cpu_titles, model_info_count, cpu_cell},
		{"features", 6, feature_titles, FEATURE_BASE, feature_cell},
		{"msrs", 6, msr_titles, MSR_INDEX_COUNT, msr_cell},
		{"opcodes", 4, opcode_titles, opcode_row_count, opcode_cell},
		{"params", 4, param_titles, param_info_count, param_cell},
		{"state", 5, state_titles, state_field_count, state_cell},
		sim_table_exits,
		sim_table_not_offered(),
		sim_table_vmcb_fields,
		sim_table_vmcs_fields,
	};

	for (unsigned int n = 0; n < ARRAY_SIZE(tables); n++)
		if (!strcmp(tables[n].name, name)) {
			sim->table = tables[n];
			return &sim->table;
		}
	return NULL;
}
