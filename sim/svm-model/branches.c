/* SPDX-License-Identifier: Apache-2.0 */
/* LBR virtualization (APM 2:15.23.1): guest and host have records of branches of their own. */
#include "sim/cpu/debug_registers.h"
#include "sim/svm-model/svm.h"

static const struct {
	enum msr_index msr;
	enum vmcb_field field;
} moved[SVM_BRANCH_MSRS] = {
	{MSR_DEBUGCTL, VMCB_DBGCTL},        {MSR_LASTBRANCHFROMIP, VMCB_BR_FROM},
	{MSR_LASTBRANCHTOIP, VMCB_BR_TO},   {MSR_LASTINTFROMIP, VMCB_LASTEXCPFROM},
	{MSR_LASTINTTOIP, VMCB_LASTEXCPTO},
};

/* Bits of DBGCTL that are not there are not checked; they read as 0. */
void svm_enter_branches(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);

	for (unsigned int i = 0; i < SVM_BRANCH_MSRS; i++) {
		svm->host.branch[i] = cpu->msr[moved[i].msr];
		cpu->msr[moved[i].msr] = svm->value[moved[i].field];
	}
	cpu->msr[MSR_DEBUGCTL] &= DEBUGCTL_LBR | DEBUGCTL_BTF;
}

void svm_leave_branches(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);

	for (unsigned int i = 0; i < SVM_BRANCH_MSRS; i++) {
		svm->value[moved[i].field] = cpu->msr[moved[i].msr];
		cpu->msr[moved[i].msr] = svm->host.branch[i];
	}
}
