/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An SMI that a guest meets without its intercept, and RSM back (APM 2:15.22): the handler runs
 * outside the guest. SMRAM keeps which VMCB it is (APM 2:10.2.3, table 10-1), and the host save
 * area the host: the handler may run guests of its own, and may be moved to another processor.
 */
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

/* --- the host save area, laid out as a VMCB --- */

static void save_host(struct cpu *cpu)
{
	u64 area = cpu->msr[MSR_VM_HSAVE_PA], value[VMCB_FIELD_COUNT] = {0};
	u8 *page = mem_physical_begin(cpu, area);

	if (!page)
		return;
	svm_pack_host(&svm_of(cpu)->host, value);
	vmcb_store_all(value, page);
	mem_physical_end(cpu, area, PAGE_SIZE_4K);
}

static bool load_host(struct cpu *cpu)
{
	const u8 *page = slots_host(cpu->slots, cpu->msr[MSR_VM_HSAVE_PA]);
	u64 value[VMCB_FIELD_COUNT];

	if (!page)
		return false;
	vmcb_fetch_all(value, page);
	svm_unpack_host(&svm_of(cpu)->host, value);
	return true;
}

/* --- SMI --- */

void svm_enter_smm(struct cpu *cpu)
{
	smm_save(cpu, SVM_GUEST, cpu->guest, 8);
	if (!cpu->guest)
		return;
	save_guest(cpu);
	save_host(cpu);
	svm_of(cpu)->interrupted = true;
	cpu->guest = false;
	svm_update_arbitration(cpu);
	if (svm_nested_paging(svm_of(cpu)))
		cpu->msr[MSR_PAT] = svm_of(cpu)->host.pat;
	svm_world_leave(cpu);
}

/* --- RSM --- */

/* The handler has run a guest, or this was another processor: controls and host come from memory.
 */
static bool fetch_guest(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);
	u64 vmcb = smm_load(cpu, GUEST_VMCB, 8);

	if (vmcb & PAGE_OFFSET_MASK)
		return false;
	svm->vmcb = vmcb;
	vmcb_fetch(svm->value, slots_host(cpu->slots, vmcb));
	svm->value[VMCB_V_INTR] = smm_load(cpu, GUEST_VIRTUAL_INTERRUPT, 8);
	svm->pause_left = svm->value[VMCB_PAUSE_COUNT];
	return load_host(cpu);
}

/* False if no VMRUN could have led to this. */
static bool load_guest(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);

	if (!svm->interrupted && !fetch_guest(cpu))
		return false;
	svm->interrupted = false;
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

/* --- SMM_CTL (APM 2:15.30.3): the signals alone --- */

#define DISMISS BIT(0)
#define ENTER   BIT(1)
#define EXIT    BIT(3)

/* SMRAM is always mapped here. The place where an SMI notes that NMIs are blocked does for this. */
static void enter(struct cpu *cpu)
{
	smm_set_inside_nmi(cpu, cpu->nmi_blocked);
	cpu->smm = cpu->nmi_blocked = true;
}

static void leave(struct cpu *cpu)
{
	cpu->nmi_blocked = smm_inside_nmi(cpu);
	cpu->smm = false;
	vendor_reopen(cpu);
}

/* In the order that the manual gives; the special cycles reach nobody. */
bool svm_write_smm_ctl(struct cpu *cpu, u64 value)
{
	if (cpu_has(cpu, FEATURE_NO_SMM_CTL_MSR) || (cpu->msr[MSR_HWCR] & HWCR_SMMLOCK))
		return false;
	if (value & ENTER)
		enter(cpu);
	if (value & DISMISS)
		cpu->smi_pending = false;
	if (value & EXIT)
		leave(cpu);
	return true;
}
