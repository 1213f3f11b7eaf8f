/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts, exceptions and shutdown while a guest runs or GIF is 0 (APM 2:15.12, 15.13, 15.17,
 * 15.21). */
#include "sim/cpu/debug_registers.h"
#include "sim/svm-model/avic.h"
#include "sim/svm-model/translation.h"

#define ERROR_FETCH BIT(4) /* of a page-fault error code: I/D */
#define SX_INIT     1      /* the error code of #SX (APM 2:15.28) */

/* EXITINFO1 of an SMI: none comes from an I/O instruction here (APM 2:15.13.3). */
#define SMI_EXTERNAL 1

/* --- GIF, RFLAGS.IF --- */

static bool gif(const struct svm *svm)
{
	return svm->gif;
}

/* What holds virtual interrupts and NMIs back: the guest's own GIF if it has one. */
static bool guest_gif(const struct svm *svm)
{
	return svm_has_vgif(svm) ? (svm->value[VMCB_V_INTR] & V_GIF) != 0 : svm->gif;
}

static enum vendor_gate gate_exit(struct cpu *cpu, u64 code, u64 info1)
{
	svm_exit(cpu, code, info1, 0);
	return GATE_DONE;
}

/* An INIT becomes #SX if VM_CR.R_INIT says so (APM 2:15.21.8, table 15-12). */
static enum vendor_gate redirect_init(struct cpu *cpu)
{
	if (!(cpu->msr[MSR_VM_CR] & VM_CR_R_INIT))
		return GATE_OPEN;
	cpu->init_pending = false;
	cpu->activity = ACTIVITY_RUNNING;
	cpu->exception.vector = VECTOR_SX;
	cpu->exception.has_error = true;
	cpu->exception.error = SX_INIT;
	cpu->exception.injected = false;
	cpu->exception_due = true;
	return GATE_DONE;
}

bool svm_holds(const struct cpu *cpu, u32 event)
{
	(void)event;
	return !svm_of(cpu)->gif;
}

/* The intercept is ignored under HWCR.SmmLock (APM 2:15.13.3). */
static bool smi_intercepted(const struct cpu *cpu)
{
	return cpu->guest && svm_intercepted(svm_of(cpu), SVM_EXIT_SMI) &&
	       !(cpu->msr[MSR_HWCR] & HWCR_SMMLOCK);
}

/* The event stays pending: the host takes it when its GIF is 1 again. */
enum vendor_gate svm_gate(struct cpu *cpu, u32 event)
{
	struct svm *svm = svm_of(cpu);

	if (svm_holds(cpu, event))
		return GATE_HELD;
	switch (event) {
	case EVENT_SMI:
		return smi_intercepted(cpu) ? gate_exit(cpu, SVM_EXIT_SMI, SMI_EXTERNAL)
					    : GATE_OPEN;
	case EVENT_INIT:
		return cpu->guest && svm_intercepted(svm, SVM_EXIT_INIT)
			       ? gate_exit(cpu, SVM_EXIT_INIT, 0)
			       : redirect_init(cpu);
	case EVENT_NMI:
		return cpu->guest && svm_intercepted(svm, SVM_EXIT_NMI)
			       ? gate_exit(cpu, SVM_EXIT_NMI, 0)
			       : GATE_OPEN;
	case EVENT_MACHINE_CHECK:
		if (!cpu->guest || !svm_intercepted(svm, SVM_EXIT_EXCP0 + VECTOR_MC))
			return GATE_OPEN;
		cpu->machine_check_pending = false;
		return gate_exit(cpu, SVM_EXIT_EXCP0 + VECTOR_MC, 0);
	default:
		return GATE_OPEN;
	}
}

/* --- physical interrupts --- */

/* With V_INTR_MASKING the host's RFLAGS.IF counts, else the guest's (APM 2:15.21.1). */
static bool interrupts_enabled(const struct cpu *cpu)
{
	const struct svm *svm = svm_of(cpu);
	u64 rflags = cpu->guest && svm_masks_interrupts(svm) ? svm->host.rflags : cpu->rflags;

	return gif(svm) && (rflags & FLAG_IF);
}

/* The guest's interrupt shadow holds no #VMEXIT back. */
enum vendor_gate svm_interrupt(struct cpu *cpu)
{
	if (!interrupts_enabled(cpu))
		return GATE_HELD;
	if (cpu->guest && svm_intercepted(svm_of(cpu), SVM_EXIT_INTR))
		return gate_exit(cpu, SVM_EXIT_INTR, 0);
	return cpu->shadow == SHADOW_NONE ? GATE_OPEN : GATE_HELD;
}

/* --- virtual interrupts and NMIs --- */

/* AVIC has V_IRQ and what belongs to it ignored (APM 2:15.29.4.1). -1: there is none. */
static int virtual_interrupt(struct cpu *cpu)
{
	u64 v = svm_of(cpu)->value[VMCB_V_INTR];

	if (!guest_gif(svm_of(cpu)))
		return -1;
	if (svm_avic(cpu))
		return avic_pending(cpu);
	if (!(v & V_IRQ) || !((v & V_IGN_TPR) || V_PRIORITY(v) > (v & 0xf)))
		return -1;
	return V_VECTOR(v);
}

static bool virtual_interrupt_open(struct cpu *cpu)
{
	return cpu->guest && (cpu->rflags & FLAG_IF) && virtual_interrupt(cpu) >= 0;
}

static bool take_virtual_interrupt(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);
	int vector = cpu->guest ? virtual_interrupt(cpu) : -1;

	if (vector < 0)
		return false;
	if (!(cpu->rflags & FLAG_IF)) {
		cpu->interrupt_waits = true;
		return false;
	}
	if (cpu->shadow) {
		event_post(cpu, EVENT_VENDOR);
		return false;
	}
	if (svm_intercepted(svm, SVM_EXIT_VINTR)) {
		svm_exit(cpu, SVM_EXIT_VINTR, 0, 0);
		return true;
	}
	if (svm_avic(cpu))
		avic_accept(cpu, vector);
	else
		svm->value[VMCB_V_INTR] &= ~V_IRQ;
	cpu->stats.interrupts++;
	cpu->activity = ACTIVITY_RUNNING;
	cpu->reg[REG_RIP] =
		event_deliver(cpu, vector, EVENT_TYPE_EXTERNAL, false, 0, cpu->reg[REG_RIP]);
	return true;
}

static bool virtual_nmi_ready(const struct svm *svm)
{
	return (svm->value[VMCB_V_INTR] & (V_NMI_ENABLE | V_NMI | V_NMI_MASK)) ==
		       (V_NMI_ENABLE | V_NMI) &&
	       guest_gif(svm);
}

/* APM 2:15.21.10 */
static bool take_virtual_nmi(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);

	if (!cpu->guest || !virtual_nmi_ready(svm))
		return false;
	if (cpu->shadow) {
		event_post(cpu, EVENT_VENDOR);
		return false;
	}
	svm->value[VMCB_V_INTR] = (svm->value[VMCB_V_INTR] & ~V_NMI) | V_NMI_MASK;
	cpu->activity = ACTIVITY_RUNNING;
	cpu->reg[REG_RIP] =
		event_deliver(cpu, VECTOR_NMI, EVENT_TYPE_NMI, false, 0, cpu->reg[REG_RIP]);
	return true;
}

bool svm_due(struct cpu *cpu, enum vendor_stage stage)
{
	switch (stage) {
	case STAGE_FIRST:
		return avic_act(cpu);
	case STAGE_AFTER_TRAP:
		return take_virtual_nmi(cpu);
	case STAGE_AFTER_INTERRUPT:
		return take_virtual_interrupt(cpu);
	default:
		return false;
	}
}

bool svm_virtual_event_pending(struct cpu *cpu)
{
	u64 v = svm_of(cpu)->value[VMCB_V_INTR];
	bool interrupt = svm_avic(cpu) ? avic_pending(cpu) >= 0 : v & V_IRQ;

	return interrupt || (v & (V_NMI_ENABLE | V_NMI)) == (V_NMI_ENABLE | V_NMI);
}

bool svm_would_wake(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);

	if (interrupts_enabled(cpu) && event_interrupt_waiting(cpu))
		return true;
	return cpu->guest && (virtual_nmi_ready(svm) || virtual_interrupt_open(cpu));
}

/* --- exceptions --- */

/* A #DB that exits has been noted in DR6 and DR7 all the same; CR2 stays as it was for a #PF, whose
 * address is in EXITINFO2 (APM 2:15.12.2, 15.12.15). */
static void settle_debug(struct cpu *cpu)
{
	cpu->dr[6] = (cpu->dr[6] & ~DR6_TRAPS) | cpu->exception.address;
	cpu->dr[7] &= ~DR7_GD;
	cpu->pending_debug = 0;
}

bool svm_exception(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);
	u8 vector = cpu->exception.vector;
	bool page_fault = vector == VECTOR_PF;

	if (!svm_intercepted(svm, SVM_EXIT_EXCP0 + vector))
		return false;
	if (vector == VECTOR_DB)
		settle_debug(cpu);
	cpu->shadow = cpu->shadow_running;
	svm->exit = (struct svm_exit){
		.code = SVM_EXIT_EXCP0 + vector,
		.info1 = cpu->exception.has_error ? cpu->exception.error : 0,
		.info2 = page_fault ? cpu->exception.address : 0,
		.interrupted = svm_interrupted(cpu),
		.fetch = page_fault && !(cpu->exception.error & ERROR_FETCH),
	};
	svm_switch_to_host(cpu);
	return true;
}

/* Without the intercept the processor itself shuts down (APM 2:15.14.3): no guest is left that its
 * reset, or whoever restarts it, would have to leave. */
bool svm_shutdown(struct cpu *cpu)
{
	if (!svm_intercepted(svm_of(cpu), SVM_EXIT_SHUTDOWN)) {
		cpu->guest = false;
		svm_update_arbitration(cpu);
		svm_world_leave(cpu);
		return false;
	}
	svm_exit(cpu, SVM_EXIT_SHUTDOWN, 0, 0);
	return true;
}

/* --- bus lock threshold (APM 2:15.14.5) --- */

void svm_bus_lock(struct cpu *cpu)
{
	u64 *count = &svm_of(cpu)->value[VMCB_BUS_LOCK_COUNT];

	if (!*count)
		svm_leave_fault(cpu, SVM_EXIT_BUSLOCK, 0, 0, false);
	--*count;
}

/* --- nested page faults (APM 2:15.25.6) --- */

#define NPF_FINAL BIT(32) /* of the guest's final physical address */
#define NPF_TABLE BIT(33) /* of a guest's page table */

void svm_second_stage_fault(struct cpu *cpu, u64 linear, unsigned int access,
			    const struct walk_result *walk)
{
	u64 where = walk->second.final ? NPF_FINAL : NPF_TABLE;

	(void)linear, (void)access;
	svm_leave_fault(cpu, SVM_EXIT_NPF, walk->second.error | where, walk->second.gpa,
			!(walk->second.error & ERROR_FETCH));
}
