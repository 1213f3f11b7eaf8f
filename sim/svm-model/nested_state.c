/* SPDX-License-Identifier: Apache-2.0 */
/* struct kvm_nested_state of a processor with SVM (api.rst 4.114, 4.115): GIF, and with a guest the
 * control area of its VMCB, beside which the save area holds the host. */
#include <errno.h>

#include "sim/cpu/flags.h"
#include "sim/svm-model/translation.h"

/* --- the host, as a save area has it --- */

static void pack_host(const struct svm_host *host, u64 *value)
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
}

static void unpack_host(struct svm_host *host, const u64 *value)
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
	host->step = host->rflags & FLAG_TF;
}

/* --- get --- */

static void write_vmcb(const struct cpu *cpu, bool injects, u8 *page)
{
	const struct svm *svm = svm_of(cpu);
	u64 value[VMCB_FIELD_COUNT];

	__builtin_memcpy(value, svm->value, sizeof(value));
	pack_host(&svm->host, value);
	if (!injects) /* the field keeps what VMRUN found */
		value[VMCB_EVENTINJ] &= ~INJ_VALID;
	__builtin_memset(page, 0, PAGE_SIZE_4K);
	vmcb_store_all(value, page);
}

u32 svm_get_nested(struct cpu *cpu, struct kvm_nested_state *to, u32 room)
{
	const struct svm *svm = svm_of(cpu);
	u32 size = sizeof(*to) + (cpu->guest ? KVM_STATE_NESTED_SVM_VMCB_SIZE : 0);
	bool injects = cpu->delivering.active && cpu->delivering.injected;

	if (room < size)
		return size;
	*to = (struct kvm_nested_state){
		.format = KVM_STATE_NESTED_FORMAT_SVM,
		.size = size,
		.flags = svm->gif ? KVM_STATE_NESTED_GIF_SET : 0,
	};
	if (!cpu->guest)
		return size;
	to->flags |= KVM_STATE_NESTED_GUEST_MODE | (injects ? KVM_STATE_NESTED_RUN_PENDING : 0);
	to->hdr.svm.vmcb_pa = svm->vmcb;
	write_vmcb(cpu, injects, to->data.svm->vmcb12);
	return size;
}

/* --- set --- */

static bool acceptable(const struct cpu *cpu, const struct kvm_nested_state *from)
{
	u64 vmcb = from->hdr.svm.vmcb_pa;

	if (from->format != KVM_STATE_NESTED_FORMAT_SVM ||
	    (from->flags & KVM_STATE_NESTED_MTF_PENDING))
		return false;
	if (!(cpu->efer & EFER_SVME))
		return from->flags == KVM_STATE_NESTED_GIF_SET;
	if (!(from->flags & KVM_STATE_NESTED_GUEST_MODE))
		return true;
	return !cpu->smm && !(vmcb & PAGE_OFFSET_MASK) && !(vmcb >> cpu->physical_bits) &&
	       from->size >= sizeof(*from) + KVM_STATE_NESTED_SVM_VMCB_SIZE;
}

bool svm_host_valid(const struct cpu *cpu)
{
	const struct svm_host *host = &svm_of(cpu)->host;
	u64 paging = CR0_PE | CR0_PG;
	bool long_mode = host->efer & EFER_LME;

	return (host->cr0 & paging) == paging && !(host->cr0 >> 32) && !(host->rflags & FLAG_VM) &&
	       (host->efer & EFER_SVME) && !(host->efer & cpu->efer_reserved) &&
	       !(host->cr4 & cpu->cr4_reserved) && (!long_mode || (host->cr4 & CR4_PAE));
}

static bool load_guest(struct cpu *cpu, const struct kvm_nested_state *from)
{
	struct svm *svm = svm_of(cpu);
	u64 value[VMCB_FIELD_COUNT];

	vmcb_fetch_all(value, from->data.svm->vmcb12);
	unpack_host(&svm->host, value);
	__builtin_memcpy(svm->value, value, sizeof(value));
	svm_save_guest(cpu);
	if (!svm_host_valid(cpu) || !svm_could_resume(cpu))
		return false;
	svm->vmcb = from->hdr.svm.vmcb_pa;
	svm_begin_guest(cpu);
	svm_world_return(cpu);
	svm_inject(cpu);
	return true;
}

int svm_set_nested(struct cpu *cpu, const struct kvm_nested_state *from)
{
	struct svm *svm = svm_of(cpu);

	if (!acceptable(cpu, from))
		return -EINVAL;
	svm_turn_off(cpu);
	if ((from->flags & KVM_STATE_NESTED_GUEST_MODE) && !load_guest(cpu, from))
		return -EINVAL;
	svm->gif = from->flags & KVM_STATE_NESTED_GIF_SET;
	svm_update_arbitration(cpu);
	vendor_reopen(cpu);
	return 0;
}
