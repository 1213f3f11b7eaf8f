/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What trace-cmd recorded of KVM on a host: exits of the processor, with their reason and RIP. Of
 * these the reference has those that an instruction takes whatever KVM does; the kinds of them that
 * the trace has are compared, the others counted.
 */
#include <asm/svm.h>
#include <asm/vmx.h>
#include <inttypes.h>
#include <string.h>

#include "tools/diff/recorded/file.h"
#include "tools/trace_names.h"
#include "traces/events.h"
#include "traces/record.h"

#define VENDOR_AMD_EBX 0x68747541u /* "Auth" */

/* SDM 3C:26.1.2, 26.1.3; APM 2:15.9, as KVM has set its intercepts since Linux 2.6. */
static const struct {
	const char *mnemonic;
	uint32_t vmx, svm;
	bool string; /* one exit or several, as an engine likes */
} always[] = {
	{"in", EXIT_REASON_IO_INSTRUCTION, SVM_EXIT_IOIO, false},
	{"out", EXIT_REASON_IO_INSTRUCTION, SVM_EXIT_IOIO, false},
	{"ins", EXIT_REASON_IO_INSTRUCTION, SVM_EXIT_IOIO, true},
	{"outs", EXIT_REASON_IO_INSTRUCTION, SVM_EXIT_IOIO, true},
	{"cpuid", EXIT_REASON_CPUID, SVM_EXIT_CPUID, false},
	{"hlt", EXIT_REASON_HLT, SVM_EXIT_HLT, false},
	{"vmcall", EXIT_REASON_VMCALL, UINT32_MAX, false},
	{"vmmcall", UINT32_MAX, SVM_EXIT_VMMCALL, false},
	{"xsetbv", EXIT_REASON_XSETBV, SVM_EXIT_XSETBV, false},
};

static uint32_t reason_of(const struct recorded *recorded, size_t row)
{
	return recorded->svm ? always[row].svm : always[row].vmx;
}

static size_t row_of_reason(const struct recorded *recorded, uint64_t reason)
{
	size_t row = 0;

	while (row < G_N_ELEMENTS(always) && reason_of(recorded, row) != reason)
		row++;
	return row;
}

/* --- the machine --- */

static bool is_outermost(const uint64_t *record)
{
	const struct trace_fields_VM_EXIT *exit = (const void *)(record + 2);

	return exit->level == 1;
}

/* Which vendor's processor it was, and which kinds of exits there are. */
static int look(struct recorded *recorded, struct ls_error *err)
{
	const struct trace_fields_VM_EXIT *exit;
	const uint64_t *record;
	bool any = false;

	while ((record = recorded_record(recorded, err))) {
		size_t row;

		if (!is_outermost(record))
			continue;
		exit = (const void *)(record + 2);
		if (!any)
			recorded->svm = exit->vendor == 1;
		any = true;
		row = row_of_reason(recorded, exit->reason);
		if (row < G_N_ELEMENTS(always))
			recorded->reasons |= UINT64_C(1) << row;
	}
	trace_view_rewind(&recorded->view, 0);
	if (!err->code && !recorded->reasons)
		ls_error_set(
			err, -ENODATA,
			"'%s' has no exit that the reference can have, too: of IN, OUT, CPUID, "
			"HLT",
			recorded->path);
	return err->code;
}

static int make_machine(struct recorded *recorded, const struct diff_options *options,
			const struct diff_case *test, struct ls_error *err)
{
	g_autofree char *memory = g_strdup_printf("%" PRIu64, options->memory);
	char *words[12] = {(char *)"lockstep run", (char *)"--payload", test->image,
			   (char *)"--cpu", options->cpu};
	int count = 5;

	if (options->memory) {
		words[count++] = (char *)"--memory";
		words[count++] = memory;
	}
	if (test->append) {
		words[count++] = (char *)"--append";
		words[count++] = test->append;
	}
	return traced_run_make(&recorded->run, count, words, err);
}

static int adopt(struct recorded *recorded, struct diff_options *options, struct diff_case *test,
		 struct ls_error *err)
{
	if (!test->image)
		return ls_error_set(err, -EINVAL, "'%s' does not tell its payload: name it",
				    recorded->path);
	if (test->vcpus > 1 || recorded_number(recorded, "vcpus") > 1)
		return ls_error_set(err, -ENOTSUP,
				    "'%s' is of several vCPUs, which are in no order that two "
				    "engines share",
				    recorded->path);
	if (look(recorded, err))
		return err->code;
	test->vcpus = 1;
	if (!options->cpu)
		options->cpu = g_strdup(recorded->svm ? "amd" : "intel");
	return make_machine(recorded, options, test, err);
}

static int start(struct recorded *recorded, struct diff_fields *fields, struct machine *reference,
		 struct ls_error *err)
{
	g_autofree union cpuid_buffer *leaves = g_new0(union cpuid_buffer, 1);
	const struct kvm_cpuid_entry2 *vendor = NULL;

	(void)fields;
	leaves->head.nent = CPUID_ROOM;
	if (ls_ioctl_ptr(machine_engine(reference), machine_vcpu(reference, 0), KVM_GET_CPUID2,
			 leaves) >= 0)
		vendor = cpuid_find(&leaves->head, 0, 0);
	return !vendor || (vendor->ebx == VENDOR_AMD_EBX) == recorded->svm
		       ? 0
		       : ls_error_set(err, -EINVAL,
				      "'%s' is of a processor of %s's, and --cpu says another",
				      recorded->path, recorded->svm ? "AMD" : "Intel");
}

/* --- the host's exits --- */

static void host_exit(struct diff_event *event, uint64_t reason, uint64_t rip)
{
	event->exit =
		(struct machine_exit){.reason = DIFF_HOST_EXIT, .address = rip, .value = reason};
}

static bool is_again(const struct recorded *recorded, const struct trace_fields_VM_EXIT *exit)
{
	return recorded->string && exit->rip == recorded->string_rip &&
	       exit->reason == reason_of(recorded, 0);
}

static int take(struct recorded *recorded, struct diff_event *event, struct ls_error *err)
{
	const uint64_t *record;

	event->partial = true;
	while (event->exit.reason == DIFF_TORN && (record = recorded_record(recorded, err))) {
		const struct trace_fields_VM_EXIT *exit = (const void *)(record + 2);

		if (!is_outermost(record) || is_again(recorded, exit))
			continue;
		if (row_of_reason(recorded, exit->reason) < G_N_ELEMENTS(always))
			host_exit(event, exit->reason, exit->rip);
		else
			recorded->passed++;
	}
	recorded->string = false;
	return err->code;
}

static void tell(const struct recorded *recorded, GPtrArray *lines)
{
	g_ptr_array_add(lines, g_strdup_printf("registers, memory, and %" PRIu64
					       " exits of the host that an instruction alone does "
					       "not bring",
					       recorded->passed));
}

const struct recorded_kind recorded_host = {
	.events = UINT64_C(1) << TRACE_VM_EXIT,
	.wants = UINT64_C(1) << TRACE_INSTRUCTION,
	.adopt = adopt,
	.start = start,
	.take = take,
	.tell = tell,
};

/* --- the reference's --- */

bool recorded_host_exit(struct recorded *recorded, const struct ls_instruction *instruction,
			uint64_t rip, struct diff_event *event)
{
	for (size_t row = 0; row < G_N_ELEMENTS(always); row++) {
		uint32_t reason = reason_of(recorded, row);

		if (!instruction->mnemonic || strcmp(always[row].mnemonic, instruction->mnemonic))
			continue;
		if (reason == UINT32_MAX ||
		    !(recorded->reasons >> row_of_reason(recorded, reason) & 1))
			return false;
		recorded->string = always[row].string;
		recorded->string_rip = rip;
		host_exit(event, reason, rip);
		return true;
	}
	return false;
}
