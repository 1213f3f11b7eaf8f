/* SPDX-License-Identifier: Apache-2.0 */
/* The table of VM-entry checks. */
#include "sim/vmx-model/checks.h"
#include "sim/vmx-model/check_words.h"

#define CHECK(identifier, section, group, outcome, subject, applies, holds, rule)                  \
	static bool applies_##identifier(struct check_inputs *in)                                  \
	{                                                                                          \
		(void)in;                                                                          \
		return applies;                                                                    \
	}                                                                                          \
	static bool holds_##identifier(struct check_inputs *in)                                    \
	{                                                                                          \
		return holds;                                                                      \
	}
#include "sim/vmx-model/checks_controls.def"
#include "sim/vmx-model/checks_guest.def"
#include "sim/vmx-model/checks_host.def"
#undef CHECK

static const struct check_row rows[] = {
#define CHECK(id, section, in_group, shown, blamed, when, what, text)                              \
	{.identifier = #id,                                                                        \
	 .manual = "SDM 3C:" section,                                                              \
	 .rule = text,                                                                             \
	 .group = VMX_CHECK_##in_group,                                                            \
	 .outcome = shown,                                                                         \
	 .subject = blamed,                                                                        \
	 .applies = applies_##id,                                                                  \
	 .holds = holds_##id},
#include "sim/vmx-model/checks_controls.def"
#include "sim/vmx-model/checks_host.def"
/* in the manual's order */
#include "sim/vmx-model/checks_guest.def"
#undef CHECK
};

static const char *input_name(unsigned int input)
{
	static const char *const names[] = {
#define VMX_INPUT(identifier, name) name,
#include "sim/vmx-model/check_inputs.def"
#undef VMX_INPUT
	};
	static const char *const msrs[VMX_MSR_COUNT] = {"IA32_VMX_BASIC",
							"IA32_VMX_PINBASED_CTLS",
							"IA32_VMX_PROCBASED_CTLS",
							"IA32_VMX_EXIT_CTLS",
							"IA32_VMX_ENTRY_CTLS",
							"IA32_VMX_MISC",
							"IA32_VMX_CR0_FIXED0",
							"IA32_VMX_CR0_FIXED1",
							"IA32_VMX_CR4_FIXED0",
							"IA32_VMX_CR4_FIXED1",
							"IA32_VMX_VMCS_ENUM",
							"IA32_VMX_PROCBASED_CTLS2",
							"IA32_VMX_EPT_VPID_CAP",
							"IA32_VMX_TRUE_PINBASED_CTLS",
							"IA32_VMX_TRUE_PROCBASED_CTLS",
							"IA32_VMX_TRUE_EXIT_CTLS",
							"IA32_VMX_TRUE_ENTRY_CTLS",
							"IA32_VMX_VMFUNC",
							"IA32_VMX_PROCBASED_CTLS3",
							"IA32_VMX_EXIT_CTLS2"};

	if (input < VMCS_FIELD_COUNT)
		return vmcs_fields[input].name;
	if (input < INPUT_CAPABILITY)
		return names[input - VMCS_FIELD_COUNT];
	return msrs[input - INPUT_CAPABILITY];
}

static const char *outcome_name(u8 outcome)
{
	switch (outcome) {
	case VMX_FAIL_INVALID:
		return "VMfailInvalid";
	case 4:
		return "VMfailValid(4)";
	case 5:
		return "VMfailValid(5)";
	case 7:
		return "VMfailValid(7)";
	case 8:
		return "VMfailValid(8)";
	case 26:
		return "VMfailValid(26)";
	case VMX_EXIT_33:
		return "exit 33, qualification 0";
	case VMX_EXIT_33 + 2:
		return "exit 33, qualification 2";
	case VMX_EXIT_33 + 3:
		return "exit 33, qualification 3";
	default:
		return "exit 33, qualification 4";
	}
}

static const char *group_name(u8 group)
{
	static const char *const names[] = {"basic", "controls", "host", "guest"};

	return names[group];
}

const struct check_table vmx_checks = {rows, ARRAY_SIZE(rows), input_name, group_name,
				       outcome_name};
