/* SPDX-License-Identifier: Apache-2.0 */
/* What a trace is told of VM entries, exits and refusals. */
#include <string.h>

#include "sim/cpu/recorder.h"
#include "sim/vmx-model/vmx.h"

#define VENDOR  0
#define LEVEL   2
#define NOWHERE UINT64_MAX

void vmx_record_entry(struct cpu *cpu, u64 caller)
{
	const u64 *value = vmx_of(cpu)->value;
	bool injects = value[VMCS_ENTRY_INTERRUPTION_INFO] & BIT(31);

	RECORD(cpu, VM_ENTRY, .vendor = VENDOR, .level = LEVEL, .structure = vmx_of(cpu)->current,
	       .rip = value[VMCS_GUEST_RIP],
	       .interruption_info = injects ? value[VMCS_ENTRY_INTERRUPTION_INFO] : 0,
	       .error_code = injects ? value[VMCS_ENTRY_EXCEPTION_ERROR_CODE] : 0,
	       .instruction_length = injects ? value[VMCS_ENTRY_INSTRUCTION_LENGTH] : 0,
	       .caller = caller, .cr3 = value[VMCS_GUEST_CR3],
	       .tag = VMX_SECONDARY(cpu, VPID) ? value[VMCS_VPID] : 0,
	       .second = VMX_SECONDARY(cpu, EPT) ? value[VMCS_EPTP] : 0, .time = cpu_time(cpu));
}

void vmx_record_exit(struct cpu *cpu)
{
	const struct vmx_exit *exit = &vmx_of(cpu)->exit;
	const u64 *value = vmx_of(cpu)->value;

	RECORD(cpu, VM_EXIT, .vendor = VENDOR, .level = LEVEL, .structure = vmx_of(cpu)->current,
	       .reason = value[VMCS_EXIT_REASON], .qualification = value[VMCS_EXIT_QUALIFICATION],
	       .rip = value[VMCS_GUEST_RIP], .interruption_info = exit->interruption,
	       .error_code = exit->error, .idt_vectoring = exit->vectoring,
	       .idt_vectoring_error = exit->vectoring_error, .instruction_length = exit->length,
	       .instruction_info = exit->information, .linear = exit->linear,
	       .physical = exit->physical, .time = cpu_time(cpu));
}

void vmx_record_failures(struct cpu *cpu, struct check_inputs *in, const struct check_row *row)
{
	for (; row; row = check_next_failure(in, row)) {
		bool field = row->subject < VMCS_FIELD_COUNT;

		RECORD_BYTES(cpu, ENTRY_CHECK, row->identifier, strlen(row->identifier),
			     .vendor = VENDOR, .verdict = CHECK_FAIL,
			     .field = field ? vmcs_fields[row->subject].encoding : NOWHERE,
			     .value = in->value[row->subject], .rule = strlen(row->identifier));
	}
}
