/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/trace_names.h"

#include <asm/svm.h>
#include <asm/vmx.h>
#include <inttypes.h>
#include <linux/kvm.h>

#include <lockstep/extension.h>

#include "tools/diff/side/side.h"

#define EXIT(name)                                                                                 \
	{                                                                                          \
		KVM_EXIT_##name, #name                                                             \
	}

static const struct {
	uint64_t reason;
	const char *name;
} exits[] = {
	EXIT(UNKNOWN),
	EXIT(EXCEPTION),
	EXIT(IO),
	EXIT(HYPERCALL),
	EXIT(DEBUG),
	EXIT(HLT),
	EXIT(MMIO),
	EXIT(IRQ_WINDOW_OPEN),
	EXIT(SHUTDOWN),
	EXIT(FAIL_ENTRY),
	EXIT(INTR),
	EXIT(SET_TPR),
	EXIT(TPR_ACCESS),
	EXIT(NMI),
	EXIT(INTERNAL_ERROR),
	EXIT(SYSTEM_EVENT),
	EXIT(IOAPIC_EOI),
	EXIT(X86_RDMSR),
	EXIT(X86_WRMSR),
	EXIT(DIRTY_RING_FULL),
	EXIT(AP_RESET_HOLD),
	EXIT(X86_BUS_LOCK),
	EXIT(NOTIFY),
	{LS_EXIT_BOUND, "BOUND"},
	{DIFF_START, "START"},
	{DIFF_END, "END"},
};

const char *trace_kvm_exit_name(uint64_t reason)
{
	for (size_t i = 0; i < G_N_ELEMENTS(exits); i++)
		if (exits[i].reason == reason)
			return exits[i].name;
	return NULL;
}

#define REASON_BASIC 0xffffu /* SDM 3C:24.9.1, table 24-18 */

const char *trace_vm_exit_name(bool svm, uint64_t reason)
{
	static const struct {
		uint32_t reason;
		const char *name;
	} vmx[] = {VMX_EXIT_REASONS}, amd[] = {SVM_EXIT_REASONS};

	for (size_t i = 0; !svm && i < G_N_ELEMENTS(vmx); i++)
		if (vmx[i].reason == (reason & REASON_BASIC))
			return vmx[i].name;
	for (size_t i = 0; svm && i < G_N_ELEMENTS(amd); i++)
		if (amd[i].reason == (uint32_t)reason)
			return amd[i].name;
	return NULL;
}

/* SDM 3A:6.3.1, table 6-1. */
const char *trace_vector_name(uint64_t vector)
{
	static const char *const names[] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM",
					    "#DF", NULL,  "#TS", "#NP", "#SS", "#GP", "#PF", NULL,
					    "#MF", "#AC", "#MC", "#XM", "#VE", "#CP"};

	return vector < G_N_ELEMENTS(names) ? names[vector] : NULL;
}

static const char *value_name(const struct trace_field *field, uint64_t value)
{
	switch (field->type) {
	case TRACE_TYPE_KVM_EXIT:
		return trace_kvm_exit_name(value);
	case TRACE_TYPE_VECTOR:
		return trace_vector_name(value);
	case TRACE_TYPE_BOOL:
		return value ? "yes" : "no";
	case TRACE_TYPE_VENDOR:
		return value ? "SVM" : "VMX";
	case TRACE_TYPE_VERDICT:
		return value == 0 ? "pass" : value == 1 ? "fail" : "unknown";
	default:
		return NULL;
	}
}

/* As tlb_flush in traces/events.def has them. */
static void append_space(GString *text, uint64_t space)
{
	if (!space)
		g_string_append(text, "host");
	else if (!(space >> 63))
		g_string_append_printf(text, "asid:%" PRIu32 "%s", (uint32_t)space,
				       space >> 61 & 1 ? ",avic" : "");
	else
		g_string_append_printf(text, "vpid:%" PRIu64, space >> 41 & 0xffff);
	if (space >> 63 && (space >> 40 & 1))
		g_string_append_printf(text, ",ept:0x%" PRIx64, (space << 24) >> 12);
}

void trace_append_value(GString *text, const struct trace_field *field, uint64_t value)
{
	const char *name = value_name(field, value);

	if (name)
		g_string_append(text, name);
	else if (field->type == TRACE_TYPE_SPACE)
		append_space(text, value);
	else if (field->type == TRACE_TYPE_SIGNED)
		g_string_append_printf(text, "%" PRId64, (int64_t)value);
	else if (field->type == TRACE_TYPE_NUMBER || field->type == TRACE_TYPE_KVM_EXIT ||
		 field->type == TRACE_TYPE_BYTES || field->type == TRACE_TYPE_TEXT)
		g_string_append_printf(text, "%" PRIu64, value);
	else
		g_string_append_printf(text, "0x%" PRIx64, value);
	if (*field->unit)
		g_string_append_printf(text, " %s", field->unit);
}

static void append_json_space(GString *text, uint64_t space)
{
	g_string_append_c(text, '"');
	append_space(text, space);
	g_string_append_c(text, '"');
}

void trace_append_json_value(GString *text, const struct trace_field *field, uint64_t value)
{
	const char *name = value_name(field, value);

	if (field->type == TRACE_TYPE_BOOL)
		g_string_append(text, value ? "true" : "false");
	else if (name)
		g_string_append_printf(text, "\"%s\"", name);
	else if (field->type == TRACE_TYPE_SPACE)
		append_json_space(text, value);
	else if (field->type == TRACE_TYPE_SIGNED)
		g_string_append_printf(text, "%" PRId64, (int64_t)value);
	else if (field->type == TRACE_TYPE_NUMBER || field->type == TRACE_TYPE_BYTES)
		g_string_append_printf(text, "%" PRIu64, value);
	else
		g_string_append_printf(text, "\"0x%" PRIx64 "\"", value);
}
