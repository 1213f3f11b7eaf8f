/* SPDX-License-Identifier: Apache-2.0 */
/* The model's life, its MSRs, and the struct through which the interpreter reaches it. */
#include "sim/svm-model/avic.h"
#include "sim/svm-model/translation.h"

void svm_turn_off(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);

	svm->gif = true;
	svm->interrupted = false;
	svm->avic_written = 0;
	cpu->guest = false;
	svm_update_arbitration(cpu);
	if (cpu->delivering.injected)
		cpu->delivering.active = cpu->delivering.injected = false;
	second_stage_flush(&svm->second);
	svm_world_leave(cpu);
}

/* INIT leaves a guest, too, and sets GIF (APM 2:15.17, 14.1.3); SVMDIS stays if it is locked
 * (15.30.1). */
static void reset(struct cpu *cpu, bool init)
{
	svm_turn_off(cpu);
	if (init && !(cpu->msr[MSR_VM_CR] & VM_CR_LOCK))
		cpu->msr[MSR_VM_CR] &= ~VM_CR_SVMDIS;
}

static void settle(struct cpu *cpu)
{
	second_stage_flush(&svm_of(cpu)->second);
	svm_update_arbitration(cpu);
	cpu_update_mode(cpu);
	if (cpu->guest)
		svm_world_return(cpu);
	else /* a state that was loaded over a guest's */
		svm_world_leave(cpu);
}

/* --- MSRs --- */

/* The keys read as 0. */
static bool read_msr(struct cpu *cpu, u32 number, u64 *value, bool host)
{
	enum msr_index index = msr_find(cpu, number)->index;
	bool key = index == MSR_SVM_KEY || index == MSR_SMM_KEY;

	*value = key && !host ? 0 : cpu->msr[index];
	return index != MSR_SMM_CTL;
}

/* APM 2:15.31.1, 15.32.2: sets the key while @lock is clear in that register, and clears it with
 * the same key, which must not be 0. */
static void write_key(struct cpu *cpu, enum msr_index key, u64 value, enum msr_index locked,
		      u64 lock)
{
	if (!(cpu->msr[locked] & lock))
		cpu->msr[key] = value;
	else if (value && value == cpu->msr[key])
		cpu->msr[locked] &= ~lock;
}

/* APM 2:15.30.1: LOCK keeps itself and SVMDIS as they are; SVMDIS cannot be set under EFER.SVME. */
static bool write_vm_cr(struct cpu *cpu, u64 value, bool host)
{
	u64 old = cpu->msr[MSR_VM_CR], locked = VM_CR_LOCK | VM_CR_SVMDIS;

	if (!host && (value & VM_CR_SVMDIS) && (cpu->efer & EFER_SVME))
		return false;
	if (!host && (old & VM_CR_LOCK))
		value = (value & ~locked) | (old & locked);
	cpu->msr[MSR_VM_CR] = value;
	svm_update_arbitration(cpu);
	return true;
}

static bool write_msr(struct cpu *cpu, u32 number, u64 value, bool host)
{
	const struct msr_row *row = msr_find(cpu, number);

	if (row->index == MSR_SMM_CTL)
		return svm_write_smm_ctl(cpu, value);
	if (row->index == MSR_VM_CR)
		return write_vm_cr(cpu, value, host);
	if (row->index == MSR_VM_HSAVE_PA &&
	    ((value & PAGE_OFFSET_MASK) || value >> cpu->physical_bits))
		return false;
	if (row->index == MSR_SVM_KEY && !host)
		write_key(cpu, MSR_SVM_KEY, value, MSR_VM_CR, VM_CR_LOCK);
	else if (row->index == MSR_SMM_KEY && !host)
		write_key(cpu, MSR_SMM_KEY, value, MSR_HWCR, HWCR_SMMLOCK);
	else
		cpu->msr[row->index] = value;
	return true;
}

static u64 *host_pat(struct cpu *cpu)
{
	return svm_nested_paging(svm_of(cpu)) ? &svm_of(cpu)->host.pat : NULL;
}

const struct vendor_ops svm_ops = {
	.name = "svm",
	.state_size = sizeof(struct svm),
	.reset = reset,
	.startup = svm_startup,
	.instruction = svm_instruction,
	.intercept = svm_intercept,
	.read_cr = svm_read_cr,
	.write_cr = svm_write_cr,
	.msr_read = read_msr,
	.msr_write = write_msr,
	.exception = svm_exception,
	.shutdown = svm_shutdown,
	.second_stage_fault = svm_second_stage_fault,
	.apic_access = svm_apic_access,
	.x2apic = svm_x2apic,
	.gate = svm_gate,
	.holds = svm_holds,
	.interrupt = svm_interrupt,
	.due = svm_due,
	.would_wake = svm_would_wake,
	.host_paging = svm_host_paging,
	.settle = settle,
	.host_pat = host_pat,
	.bus_lock = svm_bus_lock,
	.get_nested = svm_get_nested,
	.set_nested = svm_set_nested,
	.enter_smm = svm_enter_smm,
	.leave_smm = svm_leave_smm,
	.exit = svm_switch_to_host,
};
