/* SPDX-License-Identifier: Apache-2.0 */
/* What VMRUN keeps of the host, as the state-save area of a VMCB has it. */
#include "sim/cpu/flags.h"
#include "sim/svm-model/svm.h"

/* Members of struct svm_host that are a field as they are. */
#define HOST_WORDS(WORD)                                                                           \
	WORD(efer, EFER)                                                                           \
	WORD(cr0, CR0)                                                                             \
	WORD(cr3, CR3)                                                                             \
	WORD(cr4, CR4)                                                                             \
	WORD(rflags, RFLAGS)                                                                       \
	WORD(rip, RIP)                                                                             \
	WORD(rsp, RSP)                                                                             \
	WORD(rax, RAX)                                                                             \
	WORD(pat, G_PAT)                                                                           \
	WORD(s_cet, S_CET)                                                                         \
	WORD(ssp, SSP)                                                                             \
	WORD(isst, ISST_ADDR)

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
#define PACK(member, field) value[VMCB_##field] = host->member;
	HOST_WORDS(PACK)
#undef PACK
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
#define UNPACK(member, field) host->member = value[VMCB_##field];
	HOST_WORDS(UNPACK)
#undef UNPACK
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
