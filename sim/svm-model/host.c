/* SPDX-License-Identifier: Apache-2.0 */
/* What VMRUN keeps of the host, as the state-save area of a VMCB has it. */
#include "sim/cpu/flags.h"
#include "sim/svm-model/svm.h"

void svm_pack_host(const struct svm_host *host, u64 *value)
{
	for (unsigned int i = SEG_ES; i <= SEG_DS; i++)
		svm_pack_segment(&host->segment[i], host->base[i],
				 &value[VMCB_ES_SELECTOR + 4 * i]);
	value[VMCB_GDTR_BASE] = host->gdtr.base;
	value[VMCB_GDTR_LIMIT] = host->gdtr.limit;
	value[VMCB_IDTR_BASE] = host->idtr.base;
	value[VMCB_IDTR_LIMIT] = host->idtr.limit;
	value[VMCB_CPL] = 0;
	value[VMCB_EFER] = host->efer;
	value[VMCB_CR0] = host->cr0;
	value[VMCB_CR3] = host->cr3;
	value[VMCB_CR4] = host->cr4;
	value[VMCB_RFLAGS] = host->rflags;
	value[VMCB_RIP] = host->rip;
	value[VMCB_RSP] = host->rsp;
	value[VMCB_RAX] = host->rax;
	value[VMCB_G_PAT] = host->pat;
	value[VMCB_S_CET] = host->s_cet;
	value[VMCB_SSP] = host->ssp;
	value[VMCB_ISST_ADDR] = host->isst;
	for (unsigned int i = 0; i < SVM_BRANCH_MSRS; i++)
		value[VMCB_DBGCTL + i] = host->branch[i];
}

void svm_unpack_host(struct svm_host *host, const u64 *value)
{
	for (unsigned int i = SEG_ES; i <= SEG_DS; i++)
		svm_unpack_segment(&host->segment[i], &host->base[i], i,
				   &value[VMCB_ES_SELECTOR + 4 * i]);
	host->gdtr = (struct descriptor_table){value[VMCB_GDTR_BASE], (u16)value[VMCB_GDTR_LIMIT]};
	host->idtr = (struct descriptor_table){value[VMCB_IDTR_BASE], (u16)value[VMCB_IDTR_LIMIT]};
	host->efer = value[VMCB_EFER];
	host->cr0 = value[VMCB_CR0];
	host->cr3 = value[VMCB_CR3];
	host->cr4 = value[VMCB_CR4];
	host->rflags = value[VMCB_RFLAGS];
	host->rip = value[VMCB_RIP];
	host->rsp = value[VMCB_RSP];
	host->rax = value[VMCB_RAX];
	host->pat = value[VMCB_G_PAT];
	host->s_cet = value[VMCB_S_CET];
	host->ssp = value[VMCB_SSP];
	host->isst = value[VMCB_ISST_ADDR];
	for (unsigned int i = 0; i < SVM_BRANCH_MSRS; i++)
		host->branch[i] = value[VMCB_DBGCTL + i];
	host->step = host->rflags & FLAG_TF;
}

bool svm_host_valid(const struct cpu *cpu)
{
	const struct svm_host *host = &svm_of(cpu)->host;
	bool long_mode = (host->cr0 & CR0_PG) && (host->efer & EFER_LME);

	return (host->cr0 & CR0_PE) && !(host->cr0 >> 32) && !(host->rflags & FLAG_VM) &&
	       (host->efer & EFER_SVME) && !(host->efer & cpu->efer_reserved) &&
	       !(host->cr4 & cpu->cr4_reserved) && (!long_mode || (host->cr4 & CR4_PAE));
}
