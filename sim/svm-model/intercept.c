/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the guest's instructions exit, and what the exit tells of them (APM 2:15.8 to 15.11). */
#include "sim/cpu/apic_registers.h"
#include "sim/cpu/control.h"
#include "sim/cpu/operand.h"
#include "sim/svm-model/avic.h"

/* --- those that an intercept bit alone decides; 0: none --- */

static const u16 exit_codes[INTERCEPT_COUNT] = {
#define PLAIN(intercept, code) [INTERCEPT_##intercept] = code,
#include "sim/svm-model/intercepts.def"
#undef PLAIN
};

static void leave_if(struct cpu *cpu, const struct op *op, u64 code, u64 info1)
{
	if (svm_intercepted(svm_of(cpu), code))
		svm_leave(cpu, op, code, info1, 0);
}

/* --- MOV CR and DR: the general register, with decode assists (APM 2:15.8.1) --- */

#define INFO_MOV BIT(63)

static u64 move_info(const struct cpu *cpu, const struct op *op)
{
	return cpu_has(cpu, FEATURE_DECODEASSISTS) ? op->rm / 8 : 0;
}

/* CLTS, LMSW and SMSW tell nothing. */
static u64 cr_info(const struct cpu *cpu, const struct op *op, enum cr_access how)
{
	return how == CR_MOV && cpu_has(cpu, FEATURE_DECODEASSISTS) ? INFO_MOV | op->rm / 8 : 0;
}

u64 svm_read_cr(struct cpu *cpu, const struct op *op, enum cr_access how, unsigned int number)
{
	struct svm *svm = svm_of(cpu);

	leave_if(cpu, op, SVM_EXIT_CR0_READ + number, cr_info(cpu, op, how));
	if (number == 8 && (svm_masks_interrupts(svm) || svm_avic(cpu)))
		return svm->value[VMCB_V_INTR] & 0xf;
	switch (number) {
	case 0:
		return cpu->cr0;
	case 2:
		return cpu->cr2;
	case 3:
		return cpu->cr3;
	case 4:
		return cpu->cr4;
	default:
		return cpu_cr8(cpu);
	}
}

/* The guest's CR8 is V_TPR; without V_INTR_MASKING it is the host's, too (APM 2:15.21.2). */
static bool write_cr8(struct cpu *cpu, u64 value)
{
	struct svm *svm = svm_of(cpu);

	if (svm_avic(cpu)) { /* nor with AVIC (APM 2:15.29.4.1) */
		avic_set_cr8(cpu, value);
		return false;
	}
	svm->value[VMCB_V_INTR] = (svm->value[VMCB_V_INTR] & ~V_TPR) | value;
	event_post(cpu, EVENT_VENDOR);
	return !svm_masks_interrupts(svm);
}

bool svm_write_cr(struct cpu *cpu, const struct op *op, enum cr_access how, unsigned int number,
		  u64 *value)
{
	u64 changed = cpu->cr0 ^ *value;

	/* Exceptions that need no memory come before the intercepts (APM 2:15.9, table 15-7). */
	if (!control_allows(cpu, number, *value))
		raise_gp(cpu, 0);
	leave_if(cpu, op, SVM_EXIT_CR0_WRITE + number, cr_info(cpu, op, how));
	/* CR0_SEL_WRITE: changes of all but TS and MP, and LMSW whatever it changes; CLTS never
	 * (APM 2:15.9, table 15-7). */
	if (number == 0 && (how == CR_LMSW || (changed & ~(CR0_TS | CR0_MP))))
		leave_if(cpu, op, SVM_EXIT_CR0_SEL_WRITE, cr_info(cpu, op, how));
	return number == 8 ? write_cr8(cpu, *value) : true;
}

/* --- ports and MSRs --- */

/* APM 2:15.10.2, figure 15-2 */
static u64 io_info(const struct cpu *cpu, const struct op *op, u64 info)
{
	unsigned int size = (info & INTERCEPT_IO_SIZE) >> 16;
	unsigned int address = op->flags & OP_ADDRESS_MASK;
	bool string = info & INTERCEPT_IO_STRING;
	u64 exit = (info & INTERCEPT_IO_IN ? 1 : 0) | (string ? BIT(2) : 0) | size << 4 |
		   BIT(7 + address) | (info & INTERCEPT_IO_PORT) << 16;

	if (string && (op->flags & (OP_REP | OP_REPNE)))
		exit |= BIT(3);
	if (string && cpu_has(cpu, FEATURE_DECODEASSISTS))
		exit |= (u64)(info & INTERCEPT_IO_IN ? SEG_ES : op->seg) << 10;
	return exit;
}

static void intercept_io(struct cpu *cpu, const struct op *op, u64 info)
{
	unsigned int size = (info & INTERCEPT_IO_SIZE) >> 16;

	if (svm_intercepted(svm_of(cpu), SVM_EXIT_IOIO) &&
	    svm_port_intercepted(cpu, info & INTERCEPT_IO_PORT, size))
		svm_leave(cpu, op, SVM_EXIT_IOIO, io_info(cpu, op, info), OP_NEXT_RIP(cpu, op));
}

static void intercept_msr(struct cpu *cpu, const struct op *op, u64 number, bool write)
{
	if (svm_intercepted(svm_of(cpu), SVM_EXIT_MSR) && svm_msr_intercepted(cpu, number, write))
		svm_leave(cpu, op, SVM_EXIT_MSR, write, 0);
}

/* --- PAUSE --- */

/* APM 2:15.14.4: every PAUSE counts down, and the one that finds 0 exits. With a threshold, one
 * that comes later than that after the last begins anew, and goes on. */
static void intercept_pause(struct cpu *cpu, const struct op *op)
{
	struct svm *svm = svm_of(cpu);
	u64 now = cpu_tsc(cpu), since = now - svm->last_pause;

	if (!svm_intercepted(svm, SVM_EXIT_PAUSE))
		return;
	svm->last_pause = now;
	if (cpu_has(cpu, FEATURE_PFTHRESHOLD) && svm->value[VMCB_PAUSE_THRESHOLD] &&
	    svm->value[VMCB_PAUSE_COUNT] && since > svm->value[VMCB_PAUSE_THRESHOLD]) {
		svm->pause_left = svm->value[VMCB_PAUSE_COUNT];
		return;
	}
	if (cpu_has(cpu, FEATURE_PAUSE_FILTER) && svm->pause_left) {
		svm->pause_left--;
		return;
	}
	svm_leave(cpu, op, SVM_EXIT_PAUSE, 0, 0);
}

/* --- HLT --- */

/* APM 2:15.9, table 15-7: idle HLT exits only if no virtual interrupt is pending. */
static void intercept_hlt(struct cpu *cpu, const struct op *op)
{
	leave_if(cpu, op, SVM_EXIT_HLT, 0);
	if (cpu_has(cpu, FEATURE_IDLE_HLT) && !svm_virtual_event_pending(cpu))
		leave_if(cpu, op, SVM_EXIT_IDLE_HLT, 0);
}

/* --- IRET ends the block of a virtual NMI --- */

static void intercept_iret(struct cpu *cpu, const struct op *op)
{
	struct svm *svm = svm_of(cpu);

	leave_if(cpu, op, SVM_EXIT_IRET, 0);
	if (!(svm->value[VMCB_V_INTR] & V_NMI_ENABLE))
		return;
	svm->value[VMCB_V_INTR] &= ~V_NMI_MASK;
	if (svm->value[VMCB_V_INTR] & V_NMI)
		event_post(cpu, EVENT_VENDOR);
}

/* --- task switches (APM 2:15.14.1): EXITINFO1 the selector, EXITINFO2 error code and cause --- */

#define TASK_FROM_IRET BIT(36)
#define TASK_FROM_JUMP BIT(38)
#define TASK_HAS_ERROR BIT(44)
#define TASK_RF        BIT(48)

static void intercept_task_switch(struct cpu *cpu, u64 info)
{
	enum task_switch_source source = info >> 16;
	u64 cause = cpu->rflags & FLAG_RF ? TASK_RF : 0;

	if (!svm_intercepted(svm_of(cpu), SVM_EXIT_TASK_SWITCH))
		return;
	if (source == TASK_IRET)
		cause |= TASK_FROM_IRET;
	else if (source == TASK_JMP)
		cause |= TASK_FROM_JUMP;
	else if (source == TASK_EVENT && cpu->delivering.has_error)
		cause |= TASK_HAS_ERROR | cpu->delivering.error;
	svm_leave_fault(cpu, SVM_EXIT_TASK_SWITCH, (u16)info, cause, false);
}

void svm_intercept(struct cpu *cpu, const struct op *op, enum intercept what, u64 info)
{
	struct svm *svm = svm_of(cpu);

	switch (what) {
	case INTERCEPT_RDMSR:
	case INTERCEPT_WRMSR:
		intercept_msr(cpu, op, info, what == INTERCEPT_WRMSR);
		break;
	case INTERCEPT_IO:
		intercept_io(cpu, op, info);
		break;
	case INTERCEPT_READ_DR:
		control_check_dr(cpu, info, 0);
		leave_if(cpu, op, SVM_EXIT_DR0_READ + info, move_info(cpu, op));
		break;
	case INTERCEPT_WRITE_DR:
		control_check_dr(cpu, info, register_by_mode(cpu, op, op->rm));
		leave_if(cpu, op, SVM_EXIT_DR0_WRITE + info, move_info(cpu, op));
		break;
	case INTERCEPT_INVLPG:
		leave_if(cpu, op, SVM_EXIT_INVLPG, cpu_has(cpu, FEATURE_DECODEASSISTS) ? info : 0);
		break;
	case INTERCEPT_INVPCID: /* the descriptor's address and the type (APM 2:15.9, appendix C) */
		if (svm_intercepted(svm, SVM_EXIT_INVPCID))
			svm_leave(cpu, op, SVM_EXIT_INVPCID, info, REG64(cpu, op->reg));
		break;
	case INTERCEPT_INT:
		leave_if(cpu, op, SVM_EXIT_SWINT, cpu_has(cpu, FEATURE_DECODEASSISTS) ? info : 0);
		break;
	case INTERCEPT_INT1: /* not by #DB's intercept (APM 2:15.12.2) */
		leave_if(cpu, op, SVM_EXIT_ICEBP, 0);
		break;
	case INTERCEPT_PAUSE:
		intercept_pause(cpu, op);
		break;
	case INTERCEPT_IRET:
		intercept_iret(cpu, op);
		break;
	case INTERCEPT_TASK_SWITCH:
		intercept_task_switch(cpu, info);
		break;
	case INTERCEPT_MWAIT: /* the conditional one first (APM 2:15.9, table 15-7) */
		if (info)
			leave_if(cpu, op, SVM_EXIT_MWAIT_CONDITIONAL, 0);
		leave_if(cpu, op, SVM_EXIT_MWAIT, 0);
		break;
	case INTERCEPT_HLT:
		intercept_hlt(cpu, op);
		break;
	default:
		if (exit_codes[what] && svm_intercepted(svm, exit_codes[what]))
			svm_leave(cpu, op, exit_codes[what], 0, 0);
	}
}
