/* SPDX-License-Identifier: Apache-2.0 */
/* RESET and INIT (SDM 3A:9.1, table 9-1; APM 2:14.1). */
#include "sim/cpu/debug_registers.h"
#include "sim/cpu/flags.h"
#include "sim/cpu/msr.h"
#include "sim/cpu/pmu.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/vendor.h"
#include "sim/cpu/xstate.h"

#define RIGHTS_DATA 0x93u /* present, read/write, accessed */
#define RIGHTS_CODE 0x9bu
#define RIGHTS_LDT  0x82u
#define RIGHTS_TSS  0x8bu

#define RESET_VECTOR 0xfff0

static void reset_segments(struct cpu *cpu)
{
	unsigned int n;

	for (n = SEG_ES; n <= SEG_GS; n++) {
		cpu->seg[n] = (struct segment){.limit = 0xffff, .rights = RIGHTS_DATA};
		SEG_BASE(cpu, n) = 0;
	}
	cpu->seg[SEG_CS].selector = 0xf000;
	cpu->seg[SEG_CS].rights = RIGHTS_CODE;
	SEG_BASE(cpu, SEG_CS) = 0xffff0000;
	cpu->seg[SEG_LDTR] = (struct segment){.limit = 0xffff, .rights = RIGHTS_LDT};
	cpu->seg[SEG_TR] = (struct segment){.limit = 0xffff, .rights = RIGHTS_TSS};
	SEG_BASE(cpu, SEG_LDTR) = SEG_BASE(cpu, SEG_TR) = 0;
	cpu->gdtr = cpu->idtr = (struct descriptor_table){.limit = 0xffff};
}

static void reset_general(struct cpu *cpu)
{
	u32 version[4] = {0};
	unsigned int n;

	for (n = REG_RAX; n <= REG_ZERO; n++)
		cpu->reg[n] = 0;
	if (cpu->cpuid)
		cpuid_query(cpu, 1, 0, version);
	cpu->reg[REG_RDX] = version[0]; /* the processor's signature */
	cpu->reg[REG_RIP] = RESET_VECTOR;
	cpu_set_rflags(cpu, FLAG_FIXED);
}

/* Table 9-1's column for power-up: INIT leaves these alone. */
static void reset_extended(struct cpu *cpu)
{
	unsigned int n;

	__builtin_memset(cpu->vec, 0, sizeof(cpu->vec));
	__builtin_memset(cpu->opmask, 0, sizeof(cpu->opmask));
	cpu->fpu = (struct fpu){.control = 0x40, .tag = 0x5555};
	for (n = 0; n < 8; n++)
		cpu->fpu.r[n] = (struct fpu_register){0};
	cpu->mxcsr = MXCSR_INIT;
	cpu->xcr0 = 1;
	cpu->pkru = 0;
}

static void reset_events(struct cpu *cpu)
{
	cpu->shadow = SHADOW_NONE;
	cpu->nmi_blocked = cpu->nmi_pending = cpu->smi_pending = false;
	cpu->pending_debug = 0;
	cpu->exception_due = cpu->rerun_alone = cpu->interrupt_waits = false;
	cpu->delivering.active = cpu->delivering.injected = false;
	cpu->nmi_virtual = cpu->iret_keeps_nmi = false;
	cpu->monitor_trap.on = cpu->monitor_trap.due = false;
	cpu->user_interrupt = 0;
	cpu->init_received = false;
	cpu->io.completed = cpu->io.consumed = 0;
	cpu->single = false;
	cpu->secure_startup = false;
}

void cpu_reset(struct cpu *cpu, bool init)
{
	/* INIT keeps CD and NW as they were. */
	u64 cache = init ? cpu->cr0 & (CR0_CD | CR0_NW) : CR0_CD | CR0_NW;
	unsigned int n;

	reset_general(cpu);
	reset_segments(cpu);
	cpu->cr0 = CR0_ET | cache;
	cpu->cr2 = cpu->cr3 = cpu->cr4 = cpu->efer = 0;
	for (n = 0; n < 4; n++)
		cpu->dr[n] = 0;
	cpu->dr[6] = DR6_ONES;
	cpu->dr[7] = DR7_ONES;
	cpu->cpl = 0;
	cpu->ssp = 0;
	cpu->smm = false;
	if (!init) {
		reset_extended(cpu);
		cpu->smbase = 0x30000;
	}
	msr_reset(cpu, init);
	reset_events(cpu);
	if (cpu->vendor)
		cpu->vendor->reset(cpu, init);
	cpu->activity = ACTIVITY_RUNNING;
	if (!init)
		pmu_reset(cpu);
	cpu_update_mode(cpu);
	cpu_flush_all(cpu);
}
