/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions that exit, or are undefined, in a guest (SDM 3C:26.1, 26.3). */
#include "sim/cpu/descriptor.h"
#include "sim/cpu/operand.h"
#include "sim/vmx-model/fields.h"
#include "sim/vmx-model/vmx.h"

enum word { ALWAYS, PRIMARY, SECONDARY };

static const struct row {
	u32 control;
	u8 reason; /* 0: not in the table */
	u8 word;
} rows[INTERCEPT_COUNT] = {
#define EXITS(intercept, word_, control_, reason_)                                                 \
	[INTERCEPT_##intercept] = {.control = control_, .reason = REASON_##reason_, .word = word_},
#include "sim/vmx-model/intercepts.def"
#undef EXITS
};

static bool exits(const struct vmx *vmx, const struct row *row)
{
	switch (row->word) {
	case PRIMARY:
		return vmx->primary & row->control;
	case SECONDARY:
		return vmx->secondary & row->control;
	default:
		return true;
	}
}

/* Undefined unless a secondary control enables them. */
static void check_enabled(struct cpu *cpu, u32 control)
{
	if (!(vmx_of(cpu)->secondary & control))
		raise_ud(cpu);
}

/* --- exits that tell more than their reason --- */

_Noreturn static void leave_with_operand(struct cpu *cpu, const struct op *op, u32 reason,
					 u64 qualification)
{
	vmx_begin_exit(cpu, reason)->information = vmx_operand_information(op);
	vmx_leave(cpu, op, reason, qualification);
}

/* Tables 28-10 and 28-11: which instruction in bits 29:28. LGDT and its kin have the operand size
 * in bit 11 and no register. */
static void descriptor_table(struct cpu *cpu, const struct op *op, u32 reason, u32 which)
{
	u32 info;

	if (!VMX_SECONDARY(cpu, DESCRIPTOR_TABLE))
		return;
	info = vmx_operand_information(op) & (BIT(28) - 1);
	if (reason == REASON_GDTR_IDTR && op->width > 1)
		info |= BIT(11);
	vmx_begin_exit(cpu, reason)->information = info | which << 28;
	vmx_leave(cpu, op, reason, vmx_operand_displacement(cpu, op));
}

/* Table 28-14: the destination register, and the operand size in bits 12:11. */
static void random_number(struct cpu *cpu, const struct op *op, u32 control, u32 reason)
{
	if (!(vmx_of(cpu)->secondary & control))
		return;
	vmx_begin_exit(cpu, reason)->information = (u32)op->rm / 8 << 3 | ((u32)op->width - 1)
										  << 11;
	vmx_leave(cpu, op, reason, 0);
}

static void invlpg(struct cpu *cpu, const struct op *op, u64 linear)
{
	if (!VMX_PRIMARY(cpu, INVLPG))
		return;
	vmx_begin_exit(cpu, REASON_INVLPG)->linear = linear;
	vmx_leave(cpu, op, REASON_INVLPG, linear);
}

static void invpcid(struct cpu *cpu, const struct op *op)
{
	check_enabled(cpu, SECONDARY_INVPCID);
	if (VMX_PRIMARY(cpu, INVLPG))
		leave_with_operand(cpu, op, REASON_INVPCID, vmx_operand_displacement(cpu, op));
}

/* Table 28-4. Before the exceptions for the privilege level and for DR4 and DR5 (SDM 3C:26.1.3). */
static void debug_register(struct cpu *cpu, const struct op *op, unsigned int number, bool read)
{
	if (VMX_PRIMARY(cpu, MOV_DR))
		vmx_leave(cpu, op, REASON_MOV_DR,
			  number | (read ? BIT(4) : 0) | (u64)op->rm / 8 << 8);
}

static void msr(struct cpu *cpu, const struct op *op, u32 number, bool write)
{
	if (vmx_msr_exits(cpu, number, write))
		vmx_leave(cpu, op, write ? REASON_WRMSR : REASON_RDMSR, 0);
}

/* Table 28-5. Strings tell where, and with what address size and segment (table 28-8). */
static void io(struct cpu *cpu, const struct op *op, u64 info)
{
	unsigned int size = (info & INTERCEPT_IO_SIZE) >> 16;
	bool in = info & INTERCEPT_IO_IN, string = info & INTERCEPT_IO_STRING;
	u16 port = info & INTERCEPT_IO_PORT;
	u64 qualification =
		(size - 1) | (in ? BIT(3) : 0) | (string ? BIT(4) : 0) | (u64)port << 16;
	unsigned int address = op->flags & OP_ADDRESS_MASK;
	struct vmx_exit *exit;
	u64 offset;

	if (!vmx_port_exits(cpu, port, size))
		return;
	if (op->flags & (OP_REP | OP_REPNE) && string)
		qualification |= BIT(5);
	if (info & INTERCEPT_IO_IMMEDIATE)
		qualification |= BIT(6);
	exit = vmx_begin_exit(cpu, REASON_IO);
	if (string) {
		offset = cpu->reg[in ? REG_RDI : REG_RSI];
		offset = address == OP_ADDRESS_64   ? offset
			 : address == OP_ADDRESS_32 ? (u32)offset
						    : (u16)offset;
		exit->linear = offset + SEG_BASE(cpu, in ? SEG_ES : op->seg);
		if (!cpu_64bit(cpu))
			exit->linear = (u32)exit->linear;
		else if (!(op->seg == SEG_FS || op->seg == SEG_GS) || in)
			exit->linear = offset;
		exit->information = address << 7 | (in ? 0 : (u32)op->seg << 15);
	}
	vmx_leave(cpu, op, REASON_IO, qualification);
}

static void software_exception(struct cpu *cpu, const struct op *op, u8 vector, unsigned int type)
{
	struct vmx *vmx = vmx_of(cpu);

	if (!(vmx->value[VMCS_EXCEPTION_BITMAP] >> vector & 1))
		return;
	vmx_begin_exit(cpu, REASON_EXCEPTION_OR_NMI);
	vmx->exit.interruption = vmx_event_information(vector, type, false);
	vmx->exit.length = op->length;
	vmx->exit.shadow = cpu->single ? cpu->shadow_running : SHADOW_NONE;
	vmx->exit.rf = RF_CLEAR;
	vendor_exit(cpu);
}

static void switch_task(struct cpu *cpu, const struct op *op, u64 info)
{
	static const u8 sources[] = {
		[TASK_CALL] = 0, [TASK_IRET] = 1, [TASK_JMP] = 2, [TASK_EVENT] = 3};
	unsigned int source = info >> 16;
	struct vmx_exit *exit = vmx_begin_exit(cpu, REASON_TASK_SWITCH);

	exit->qualification = (u16)info | (u64)sources[source] << 30;
	if (op && source != TASK_EVENT)
		exit->length = op->length;
	if (source == TASK_EVENT)
		exit->rf = event_pushed_rflags(cpu, cpu->delivering.vector, cpu->delivering.type) &
					   FLAG_RF
				   ? RF_SET
				   : RF_CLEAR;
	vendor_exit(cpu);
}

/* XSS & the instruction's mask & the bitmap (SDM 3C:26.1.3). */
static void supervisor_state(struct cpu *cpu, const struct op *op, u64 mask, u32 reason)
{
	const u64 *value = vmx_of(cpu)->value;

	check_enabled(cpu, SECONDARY_XSAVES);
	if (mask & cpu->msr[MSR_XSS] & value[VMCS_XSS_EXITING_BITMAP])
		leave_with_operand(cpu, op, reason, 0);
}

/* PAUSE-loop exiting counts at level 0, while PAUSE exiting is off (SDM 3C:26.1.3). */
static void pause(struct cpu *cpu, const struct op *op)
{
	struct vmx *vmx = vmx_of(cpu);
	u64 now = cpu_tsc(cpu);

	if (VMX_PRIMARY(cpu, PAUSE))
		vmx_leave(cpu, op, REASON_PAUSE, 0);
	if (!VMX_SECONDARY(cpu, PAUSE_LOOP) || cpu->cpl)
		return;
	if (!vmx->pause_last || now - vmx->pause_last > vmx->value[VMCS_PLE_GAP])
		vmx->pause_first = now;
	else if (now - vmx->pause_first > vmx->value[VMCS_PLE_WINDOW])
		vmx_leave(cpu, op, REASON_PAUSE, 0);
	vmx->pause_last = now;
}

/* The others. */
static void look(struct cpu *cpu, const struct op *op, enum intercept what, u64 info)
{
	switch (what) {
	case INTERCEPT_RDTSCP_EXISTS: /* before any other exception (SDM 3C:26.3) */
	case INTERCEPT_RDPID:
		check_enabled(cpu, SECONDARY_RDTSCP);
		break;
	case INTERCEPT_RDRAND:
		random_number(cpu, op, SECONDARY_RDRAND, REASON_RDRAND);
		break;
	case INTERCEPT_RDSEED:
		random_number(cpu, op, SECONDARY_RDSEED, REASON_RDSEED);
		break;
	case INTERCEPT_RDMSR:
	case INTERCEPT_WRMSR:
		msr(cpu, op, info, what == INTERCEPT_WRMSR);
		break;
	case INTERCEPT_READ_DR:
	case INTERCEPT_WRITE_DR:
		debug_register(cpu, op, info, what == INTERCEPT_READ_DR);
		break;
	case INTERCEPT_SGDT:
	case INTERCEPT_SIDT:
	case INTERCEPT_LGDT:
	case INTERCEPT_LIDT:
		descriptor_table(cpu, op, REASON_GDTR_IDTR, what - INTERCEPT_SGDT);
		break;
	case INTERCEPT_SLDT:
	case INTERCEPT_STR:
	case INTERCEPT_LLDT:
	case INTERCEPT_LTR:
		descriptor_table(cpu, op, REASON_LDTR_TR, what - INTERCEPT_SLDT);
		break;
	case INTERCEPT_INVLPG:
		invlpg(cpu, op, info);
		break;
	case INTERCEPT_INVPCID:
		invpcid(cpu, op);
		break;
	case INTERCEPT_PAUSE:
		pause(cpu, op);
		break;
	case INTERCEPT_MWAIT:
		if (VMX_PRIMARY(cpu, MWAIT))
			vmx_leave(cpu, op, REASON_MWAIT, info);
		break;
	case INTERCEPT_IO:
		io(cpu, op, info);
		break;
	case INTERCEPT_INT1:
		software_exception(cpu, op, VECTOR_DB, TYPE_PRIVILEGED_SOFTWARE_EXCEPTION);
		break;
	case INTERCEPT_INT3:
		software_exception(cpu, op, VECTOR_BP, TYPE_SOFTWARE_EXCEPTION);
		break;
	case INTERCEPT_INTO:
		software_exception(cpu, op, VECTOR_OF, TYPE_SOFTWARE_EXCEPTION);
		break;
	case INTERCEPT_TASK_SWITCH:
		switch_task(cpu, op, info);
		break;
	case INTERCEPT_XSAVES:
		supervisor_state(cpu, op, info, REASON_XSAVES);
		break;
	case INTERCEPT_XRSTORS:
		supervisor_state(cpu, op, info, REASON_XRSTORS);
		break;
	default:
		break;
	}
}

void vmx_intercept(struct cpu *cpu, const struct op *op, enum intercept what, u64 info)
{
	const struct row *row = &rows[what];

	if (what == INTERCEPT_XSETBV && cpu->cpl)
		return; /* #GP comes first (3C:26.1.1) */
	if (what == INTERCEPT_UMWAIT || what == INTERCEPT_TPAUSE)
		check_enabled(cpu, SECONDARY_USER_WAIT_PAUSE);
	if (!row->reason)
		look(cpu, op, what, info);
	else if (exits(vmx_of(cpu), row))
		vmx_leave(cpu, op, row->reason, 0);
}
