/* SPDX-License-Identifier: Apache-2.0 */
/* What a trace is told of VMRUNs, #VMEXITs and refusals. */
#include <string.h>

#include "sim/cpu/recorder.h"
#include "sim/svm-model/svm.h"

#define VENDOR  1
#define LEVEL   2
#define NOWHERE UINT64_MAX

void svm_record_entry(struct cpu *cpu, u64 caller)
{
	const u64 *value = svm_of(cpu)->value;
	u64 event = value[VMCB_EVENTINJ] & INJ_VALID ? value[VMCB_EVENTINJ] : 0;

	RECORD(cpu, VM_ENTRY, .vendor = VENDOR, .level = LEVEL, .structure = svm_of(cpu)->vmcb,
	       .rip = value[VMCB_RIP], .interruption_info = (u32)event,
	       .error_code = event & INJ_ERROR_VALID ? INJ_ERROR(event) : 0, .caller = caller,
	       .cr3 = value[VMCB_CR3], .tag = value[VMCB_GUEST_ASID],
	       .second = svm_nested_paging(svm_of(cpu)) ? value[VMCB_N_CR3] : 0,
	       .time = cpu_time(cpu));
}

void svm_record_exit(struct cpu *cpu)
{
	const struct svm_exit *exit = &svm_of(cpu)->exit;

	RECORD(cpu, VM_EXIT, .vendor = VENDOR, .level = LEVEL, .structure = svm_of(cpu)->vmcb,
	       .reason = exit->code, .qualification = exit->info1, .information = exit->info2,
	       .rip = svm_of(cpu)->value[VMCB_RIP], .idt_vectoring = (u32)exit->interrupted,
	       .idt_vectoring_error = INJ_ERROR(exit->interrupted), .next_rip = exit->next_rip,
	       .time = cpu_time(cpu));
}

void svm_record_failures(struct cpu *cpu, struct check_inputs *in, const struct check_row *row)
{
	for (; row; row = check_next_failure(in, row)) {
		bool field = row->subject < VMCB_FIELD_COUNT;

		RECORD_BYTES(cpu, ENTRY_CHECK, row->identifier, strlen(row->identifier),
			     .vendor = VENDOR, .verdict = CHECK_FAIL,
			     .field = field ? vmcb_fields[row->subject].offset : NOWHERE,
			     .value = in->value[row->subject], .rule = strlen(row->identifier));
	}
}
