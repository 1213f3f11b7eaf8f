/* SPDX-License-Identifier: Apache-2.0 */
/* What there is to say of a VMCB, and of a processor with SVM. */
#include <inttypes.h>

#include "sim/cpu/check_report.h"
#include "sim/svm-model/dump.h"

static const char *exit_name(u64 code, char text[32])
{
	const char *name = svm_exit_name(code, text);

	return name ? name : "no exit code of the manual";
}

void svm_explain_dump(struct svm_inputs *inputs, FILE *to)
{
	u64 code = inputs->in.value[VMCB_EXITCODE];
	struct check_tally tally;
	char text[32];

	_Static_assert(SVM_INPUT_WORDS <= CHECK_INPUT_WORDS, "a tally has no room for the inputs");
	check_report_all(&inputs->in, 0, &tally, to);
	if (inputs->known[VMCB_EXITCODE / 64] >> VMCB_EXITCODE % 64 & 1)
		fprintf(to, "the dump itself: exit code 0x%" PRIx64 ", %s\n", code,
			exit_name(code, text));
	check_report_tally(inputs->in.table, &tally, to);
}

static void print_vmcb(const struct svm *svm, FILE *to)
{
	const u64 *value = svm->value;
	char text[32];

	fprintf(to, "VMCB: %" PRIx64 "\n", svm->vmcb);
	fprintf(to, "last exit: %s EXITINFO1=%" PRIx64 " EXITINFO2=%" PRIx64 "\n",
		exit_name(svm->exit.code, text), svm->exit.info1, svm->exit.info2);
	fprintf(to,
		"guest: RIP=%" PRIx64 " ASID=%" PRIu64 " N_CR3=%" PRIx64 " V_INTR=%" PRIx64 "\n",
		value[VMCB_RIP], value[VMCB_GUEST_ASID],
		svm_nested_paging(svm) ? value[VMCB_N_CR3] : 0, value[VMCB_V_INTR]);
}

void svm_print_info(const struct cpu *cpu, FILE *to)
{
	const struct svm *svm = svm_of(cpu);

	fprintf(to, "SVM %s, %s mode, GIF=%d\n", cpu->efer & EFER_SVME ? "enabled" : "disabled",
		cpu->guest ? "guest" : "host", svm->gif);
	if (svm->value[VMCB_GUEST_ASID] || svm->failures)
		print_vmcb(svm, to);
	fprintf(to, "refused entries: %" PRIu64 "\n", svm->failures);
	if (svm->failures)
		fprintf(to, "%s\n", svm->failure);
}
