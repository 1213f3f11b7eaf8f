/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any guest, in any mode, with any tables: it never crashes the interpreter, never makes it run on
 * past its bound, and never reaches memory that is not the guest's. The input is a state, taken
 * field by field, and then code.
 */
#include "sim/cpu/cpu.h" /* the build looks for the rooms here */
#include "tests/fuzz/processor_rig.h"

/* Where things lie; everything else of the memory is zero. */
#define CODE  0x8000u
#define PML4  0x10000u /* and three tables behind it */
#define GDT   0x18000u
#define IDT   0x1a000u
#define TSS   0x1c000u
#define STACK 0x20000u

enum mode { REAL, V86, PROTECTED_16, PROTECTED_32, LONG_64, COMPATIBILITY, MODES };

/* A value of the kind that finds edges. */
static u64 take_value(struct input *input)
{
	switch (take(input, 1) % 8) {
	case 0:
		return take(input, 8);
	case 1:
		return MEMORY - take(input, 1);
	case 2:
		return UINT32_MAX - take(input, 1);
	case 3:
		return UINT64_MAX - take(input, 1);
	case 4:
		return BIT(47) - take(input, 1);
	case 5:
		return (take(input, 1) << PAGE_SHIFT) - take(input, 1);
	case 6:
		return take(input, 1);
	default:
		return STACK + take(input, 2);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	rig_open("max", &vendor_none, NULL);
	return 0;
}

/* --- tables: their entries follow from one word of the input --- */

static u64 next(u64 *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *seed ^ *seed >> 33;
}

static void make_tables(u64 seed)
{
	unsigned int n;

	/* Mostly present, writable and a user's; some are anything. */
	for (n = 0; n < 4 * 512; n++) {
		u64 random = next(&seed), flags = random & 7 ? 0x67 : random >> 8 & 0xfff;
		u64 level = n < 3 * 512 && (random & 0x10) ? PML4 + (random >> 5 & 3) * 0x1000
							   : random >> 20 & (MEMORY - 0x1000);

		put(PML4 + 8 * n, level | flags);
	}
	/* Segments of every kind, gates and garbage. */
	for (n = 0; n < 512; n++) {
		u64 random = next(&seed), rights = random >> 8 & 0xff;

		if (random & 1)
			random = UINT64_C(0x00cf00000000ffff) | (rights | 0x10) << 40 |
				 (random >> 20 & 1) << 53;
		else if (random & 2)
			random = (u64)CODE | (random >> 16 & 0x1f8) << 16 | (rights | 0x80) << 40;
		put(GDT + 8 * n, random);
	}
	for (n = 0; n < 512; n++) {
		u64 random = next(&seed), type = random & 1 ? 0x8e : 0x80 | (random >> 8 & 0x6f);

		put(IDT + 8 * n,
		    (CODE + (random >> 16 & 0xfff)) | (random >> 32 & 0x1f8) << 16 | type << 40);
	}
	for (n = 0; n < 0x100; n++)
		put(TSS + 8 * n, next(&seed) & 0x0003fff80003fff8);
}

/* --- the state --- */

static void set_segment(enum segment_index index, u32 rights, struct input *input)
{
	u64 shape = take(input, 1);

	cpu->seg[index] = (struct segment){
		.selector = (u16)take(input, 2) & 0x1ff,
		.limit = shape & 1 ? (u32)take_value(input) : UINT32_MAX,
		.rights = rights | (shape & 2 ? SEG_DB | SEG_G : 0) |
			  (shape & 0xf0 ? 0 : SEG_UNUSABLE),
	};
	SEG_BASE(cpu, index) = shape & 4 ? (u32)take_value(input) : 0;
}

static void set_segments(enum mode mode, unsigned int cpl, struct input *input)
{
	u32 dpl = cpl << SEG_DPL_SHIFT;

	for (unsigned int n = SEG_ES; n <= SEG_GS; n++)
		set_segment(n, 0x93 | dpl, input);
	cpu->seg[SEG_CS] =
		(struct segment){.selector = 8, .limit = UINT32_MAX, .rights = 0x9b | dpl};
	SEG_BASE(cpu, SEG_CS) = 0;
	if (mode == PROTECTED_32 || mode == COMPATIBILITY)
		cpu->seg[SEG_CS].rights |= SEG_DB;
	if (mode == LONG_64)
		cpu->seg[SEG_CS].rights |= SEG_L;
	cpu->seg[SEG_TR] = (struct segment){.selector = 0x40, .limit = 0x7ff, .rights = 0x8b};
	SEG_BASE(cpu, SEG_TR) = TSS;
	cpu->seg[SEG_LDTR] = (struct segment){.selector = 0x50, .limit = 0xfff, .rights = 0x82};
	SEG_BASE(cpu, SEG_LDTR) = GDT;
	cpu->gdtr = (struct descriptor_table){.base = GDT, .limit = 0xfff};
	cpu->idtr = (struct descriptor_table){.base = IDT, .limit = 0xfff};
}

static void set_control(enum mode mode, struct input *input)
{
	const u64 cr0 = CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_WP | CR0_AM;

	cpu->cr0 = CR0_ET | (take(input, 4) & cr0) | (mode == REAL ? 0 : CR0_PE);
	cpu->cr4 = (take(input, 8) | CR4_OSFXSR | CR4_OSXSAVE) & ~cpu->cr4_reserved & ~CR4_LA57;
	cpu->cr3 = PML4;
	cpu->efer = EFER_SCE;
	if (mode >= LONG_64) {
		cpu->efer |= EFER_LME | EFER_LMA | (take(input, 1) & 1 ? EFER_NXE : 0);
		cpu->cr4 |= CR4_PAE;
		cpu->cr0 |= CR0_PG;
	} else {
		cpu->cr4 &= ~CR4_PCIDE;
		cpu->cr0 |= mode != REAL && (take(input, 1) & 1) ? CR0_PG : 0;
	}
	if (!(cpu->cr0 & CR0_WP))
		cpu->cr4 &= ~CR4_CET; /* SDM 3A:2.5 */
	cpu->xcr0 = 7 & cpu->xcr0_supported;
}

static void set_state(struct input *input)
{
	enum mode mode = take(input, 1) % MODES;
	unsigned int n, cpl = mode == REAL ? 0 : mode == V86 ? 3 : take(input, 1) & 3;

	cpu_reset(cpu, false);
	for (n = 0; n < 16; n++)
		cpu->reg[n] = take_value(input);
	set_segments(mode, cpl, input);
	set_control(mode, input);
	cpu->cpl = cpl;
	cpu_set_rflags(cpu, (take(input, 4) & ~FLAG_VM) | (mode == V86 ? FLAG_VM : 0));
	for (n = 0; n < 4; n++)
		cpu->dr[n] = take_value(input);
	cpu->dr[7] = 0x400 | (take(input, 4) & 0xffff23ff);
	cpu->msr[MSR_U_CET] = take(input, 1) & 0x3f;
	cpu->msr[MSR_S_CET] = take(input, 1) & 0x3f;
	cpu->ssp = take_value(input) & ~UINT64_C(7);
	cpu->msr[MSR_STAR] = take(input, 8);
	cpu->msr[MSR_LSTAR] = cpu->msr[MSR_CSTAR] = CODE;
	cpu->msr[MSR_SYSENTER_CS] = take(input, 2);
	cpu->msr[MSR_SYSENTER_EIP] = CODE;
	cpu->smbase = (u32)take_value(input);
	cpu->pkru = (u32)take(input, 4);
	cpu->reg[REG_RIP] = CODE;
	cpu->io.completed = cpu->io.consumed = 0;
	cpu_flush_tlb(cpu);
	cpu_update_mode(cpu);
}

/* --- the run --- */

/* User space's answer to an access that it was left. */
static void complete_access(void)
{
	if (cpu->io.completed < CPU_IO_FRAGMENTS)
		cpu->io.fragment[cpu->io.completed++].data = 0x5a5a5a5a5a5a5a5a;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	u64 events;

	cpuid_adopt(cpu);
	memset(memory, 0, MEMORY);
	make_tables(take(&input, 4));
	events = take(&input, 8);
	set_state(&input);
	memcpy(memory + CODE, input.data, input.left < 0x4000 ? input.left : 0x4000);
	trace_cache_flush(cpu);
	for (unsigned int run = 0; run < RUNS && cpu->activity != ACTIVITY_SHUTDOWN; run++) {
		u64 before;

		cpu->activity = ACTIVITY_RUNNING;
		cpu_set_budget(cpu, BUDGET);
		before = cpu_retired(cpu);
		if (events >> run & 1)
			event_post(cpu, 1u << (events >> (8 + 4 * run) & 7));
		if (cpu_run(cpu) == CPU_EXIT_IO)
			complete_access();
		require(cpu_retired(cpu) - before <= BUDGET);
		require(cpu->cpl <= 3);
		require(cpu_64bit(cpu) || cpu->reg[REG_RIP] <= UINT32_MAX);
	}
	return 0;
}
