/* SPDX-License-Identifier: Apache-2.0 */
/* struct kvm_nested_state of a processor with SVM (api.rst 4.114, 4.115): GIF, and with a guest the
 * control area of its VMCB, beside which the save area holds the host. */
#include <errno.h>

#include "sim/svm-model/translation.h"

/* What newer kernels have behind vmcb_pa in struct kvm_svm_nested_state_hdr: the guest's PAT, with
 * nested paging (KVM_STATE_SVM_VALID_GPAT). */
#define SVM_STATE_VALID_PAT 1u
struct svm_state_pat {
	u32 flags, reserved;
	u64 pat;
};

/* --- get --- */

static void write_vmcb(const struct cpu *cpu, bool injects, u8 *page)
{
	const struct svm *svm = svm_of(cpu);
	u64 value[VMCB_FIELD_COUNT];

	__builtin_memcpy(value, svm->value, sizeof(value));
	svm_pack_host(&svm->host, value);
	if (!injects) /* the field keeps what VMRUN found */
		value[VMCB_EVENTINJ] &= ~INJ_VALID;
	__builtin_memset(page, 0, PAGE_SIZE_4K);
	vmcb_store_all(value, page);
}

static void write_pat(const struct cpu *cpu, struct kvm_nested_state *to)
{
	struct svm_state_pat pat = {.flags = SVM_STATE_VALID_PAT, .pat = cpu->msr[MSR_PAT]};

	if (svm_nested_paging(svm_of(cpu)))
		__builtin_memcpy((u8 *)&to->hdr.svm + sizeof(to->hdr.svm), &pat, sizeof(pat));
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
	write_pat(cpu, to);
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

/* Where the state has the guest's, the MSR was the host's; a kernel that does not tell had one for
 * both. */
static void read_pat(struct cpu *cpu, const struct kvm_nested_state *from, bool nested_paging)
{
	struct svm_state_pat pat;

	__builtin_memcpy(&pat, (const u8 *)&from->hdr.svm + sizeof(from->hdr.svm), sizeof(pat));
	if (!nested_paging || !(pat.flags & SVM_STATE_VALID_PAT))
		return;
	svm_of(cpu)->host.pat = cpu->msr[MSR_PAT];
	cpu->msr[MSR_PAT] = pat.pat;
}

static bool load_guest(struct cpu *cpu, const struct kvm_nested_state *from)
{
	struct svm *svm = svm_of(cpu);
	u64 value[VMCB_FIELD_COUNT];

	vmcb_fetch_all(value, from->data.svm->vmcb12);
	svm_unpack_host(&svm->host, value);
	read_pat(cpu, from, value[VMCB_NP_CONTROL] & NP_ENABLE);
	__builtin_memcpy(svm->value, value, sizeof(value));
	svm_save_guest(cpu);
	/* KVM wants paging, too. */
	if (!(svm->host.cr0 & CR0_PG) || !svm_host_valid(cpu) || !svm_could_resume(cpu))
		return false;
	svm->vmcb = from->hdr.svm.vmcb_pa;
	svm->pause_left = svm->value[VMCB_PAUSE_COUNT];
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
