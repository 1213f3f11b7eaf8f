/* SPDX-License-Identifier: Apache-2.0 */
/* An SMI that a guest meets without its intercept, and RSM back (APM 2:15.22): the handler runs
 * outside the guest. SMRAM keeps which VMCB it is (APM 2:10.2.3, table 10-1); the host stays where
 * VMRUN has put it. */
#include "sim/cpu/smm.h"
#include "sim/svm-model/translation.h"

/* Offsets as smm_save() has them. */
#define SVM_GUEST               0x7ed8
#define GUEST_VMCB              0x7ee0
#define GUEST_VIRTUAL_INTERRUPT 0x7ee8
#define GUEST_PAT               0x7f20
#define HOST_EFER               0x7f28
#define HOST_CR4                0x7f30
#define HOST_CR3                0x7f38
#define HOST_CR0                0x7f40

static void save_guest(struct cpu *cpu)
{
	const struct svm *svm = svm_of(cpu);

	smm_save(cpu, GUEST_VMCB, svm->vmcb, 8);
	smm_save(cpu, GUEST_VIRTUAL_INTERRUPT, svm->value[VMCB_V_INTR], 8);
	smm_save(cpu, GUEST_PAT, cpu->msr[MSR_PAT], 8);
	smm_save(cpu, HOST_EFER, svm->host.efer, 8);
	smm_save(cpu, HOST_CR4, svm->host.cr4, 8);
	smm_save(cpu, HOST_CR3, svm->host.cr3, 8);
	smm_save(cpu, HOST_CR0, svm->host.cr0, 8);
}

void svm_enter_smm(struct cpu *cpu)
{
	smm_save(cpu, SVM_GUEST, cpu->guest, 8);
	if (!cpu->guest)
		return;
	save_guest(cpu);
	cpu->guest = false;
	svm_update_arbitration(cpu);
	if (svm_nested_paging(svm_of(cpu)))
		cpu->msr[MSR_PAT] = svm_of(cpu)->host.pat;
	svm_world_leave(cpu);
}

/* The handler may have run a guest of its own: the controls come from the VMCB again. False if no
 * VMRUN could have led to this. */
static bool load_guest(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);

	svm->vmcb = smm_load(cpu, GUEST_VMCB, 8);
	if (svm->vmcb & PAGE_OFFSET_MASK)
		return false;
	vmcb_fetch(svm->value, slots_host(cpu->slots, svm->vmcb));
	svm->value[VMCB_V_INTR] = smm_load(cpu, GUEST_VIRTUAL_INTERRUPT, 8);
	if (svm_nested_paging(svm))
		cpu->msr[MSR_PAT] = smm_load(cpu, GUEST_PAT, 8);
	svm_save_guest(cpu);
	return svm_host_valid(cpu) && svm_could_resume(cpu);
}

/* The registers of SMRAM are loaded. */
void svm_leave_smm(struct cpu *cpu)
{
	if (!(smm_load(cpu, SVM_GUEST, 8) & 1))
		return;
	if (!load_guest(cpu)) {
		cpu->activity = ACTIVITY_SHUTDOWN;
		return;
	}
	svm_load_pdptes(cpu);
	svm_begin_guest(cpu);
	svm_world_return(cpu);
	vendor_reopen(cpu);
}
