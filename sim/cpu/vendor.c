/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cpu/vendor.h"
#include "sim/cpu/dispatch.h"
#include "sim/cpu/fault.h"
#include "sim/cpu/platform_lock.h"
#include "sim/cpu/segment.h"

_Noreturn void vendor_exit(struct cpu *cpu)
{
	bus_unlock(cpu);
	longjmp(cpu->unwind, UNWIND_VENDOR);
}

void vendor_refused(struct cpu *cpu, const char *text)
{
	if (cpu->platform && cpu->platform->entry_refused)
		cpu->platform->entry_refused(cpu, text);
}

void vendor_reopen(struct cpu *cpu)
{
	u32 bits = EVENT_INTERRUPT | EVENT_VENDOR;

	cpu->interrupt_waits = false;
	bits |= cpu->nmi_pending ? EVENT_NMI : 0;
	bits |= cpu->smi_pending ? EVENT_SMI : 0;
	bits |= cpu->init_pending ? EVENT_INIT : 0;
	bits |= cpu->pending_debug ? EVENT_TRAP : 0;
	event_post(cpu, bits);
}

/* --- neither VMX nor SVM --- */

static void none_reset(struct cpu *cpu, bool init)
{
	(void)cpu;
	(void)init;
}

static u64 none_instruction(struct cpu *cpu, const struct op *op, enum vendor_instruction which)
{
	(void)op;
	(void)which;
	raise_ud(cpu);
}

static bool none_msr_read(struct cpu *cpu, u32 number, u64 *value, bool host)
{
	(void)cpu;
	(void)number;
	(void)value;
	(void)host;
	return false;
}

static bool none_msr_write(struct cpu *cpu, u32 number, u64 value, bool host)
{
	(void)cpu;
	(void)number;
	(void)value;
	(void)host;
	return false;
}

/* It has no guest and holds nothing back, so the others are never called. */
const struct vendor_ops vendor_none = {
	.name = "none",
	.reset = none_reset,
	.instruction = none_instruction,
	.msr_read = none_msr_read,
	.msr_write = none_msr_write,
};
