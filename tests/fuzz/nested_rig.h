/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A processor with a hypervisor of a few instructions and a guest, for fuzzers of control blocks:
 * the input is a stream of choices, and the run is entries and exits until it is used up.
 */
#ifndef LOCKSTEP_TESTS_FUZZ_NESTED_RIG_H
#define LOCKSTEP_TESTS_FUZZ_NESTED_RIG_H

#include <lockstep/engine.h>

#include "sim/cpu/msr.h"
#include "sim/explain.h"
#include "tests/fuzz/processor_rig.h"

/* Where things lie; everything else of the memory is zero. */
#define HOST_CODE  0x8000u
#define HOST_STACK 0xa000u
#define GUEST_CODE 0xb000u
#define PML4       0x10000u /* and two tables behind it */
#define GDT        0x18000u
#define IDT        0x19000u
#define TSS        0x1a000u

/* --- the host --- */

/* Its tables, which the guest shares; 2 MiB are mapped. */
static void rig_make_memory(void)
{
	memset(memory, 0, MEMORY);
	put(PML4, (PML4 + 0x1000) | 7);
	put(PML4 + 0x1000, (PML4 + 0x2000) | 7);
	put(PML4 + 0x2000, 0x87);
	put(GDT + 8, UINT64_C(0x00af9b000000ffff));
	put(GDT + 16, UINT64_C(0x00cf93000000ffff));
	put(GDT + 24, UINT64_C(0x00008b0000000067) | (u64)TSS << 16);
	for (unsigned int n = 0; n < 32; n++)
		put(IDT + 16 * n, UINT64_C(0x00008e0000080000) | GUEST_CODE);
}

/* In 64-bit mode at HOST_CODE; @cr4 and @efer: more bits of these. */
static void rig_set_host(u64 cr4, u64 efer)
{
	cpuid_adopt(cpu);
	cpu_reset(cpu, false);
	cpu->guest = false;
	cpu->cr0 = CR0_PE | CR0_NE | CR0_ET | CR0_PG | CR0_WP;
	cpu->cr3 = PML4;
	cpu->cr4 = CR4_PAE | cr4;
	cpu->efer = EFER_LME | EFER_LMA | EFER_NXE | efer;
	cpu->seg[SEG_CS] = (struct segment){.selector = 8, .limit = UINT32_MAX, .rights = 0xa09b};
	SEG_BASE(cpu, SEG_CS) = 0;
	cpu->gdtr = (struct descriptor_table){.base = GDT, .limit = 0xff};
	cpu->idtr = (struct descriptor_table){.base = IDT, .limit = 0x1ff};
	cpu->reg[REG_RSP] = HOST_STACK;
	cpu->reg[REG_RIP] = HOST_CODE;
	cpu->io.completed = cpu->io.consumed = 0;
}

/* --- the run --- */

/* The rest of the input is the guest's code. It never runs on past its bound. */
static void rig_run(struct input *input, u64 events)
{
	memcpy(memory + GUEST_CODE, input->data, input->left < 0x1000 ? input->left : 0x1000);
	cpu_flush_all(cpu);
	cpu_update_mode(cpu);
	trace_cache_flush(cpu);
	for (unsigned int n = 0; n < RUNS && cpu->activity != ACTIVITY_SHUTDOWN; n++) {
		u64 before;

		cpu->activity = ACTIVITY_RUNNING;
		cpu_set_budget(cpu, BUDGET);
		before = cpu_retired(cpu);
		if (events >> n & 1)
			event_post(cpu, 1u << (events >> (8 + 3 * n) & 7));
		if (cpu_run(cpu) == CPU_EXIT_IO && cpu->io.completed < CPU_IO_FRAGMENTS)
			cpu->io.fragment[cpu->io.completed++].data = 0x5a5a5a5a5a5a5a5a;
		require(cpu_retired(cpu) - before <= BUDGET);
		require(cpu->cpl <= 3);
	}
}

/* The rest of the input as a dump: it is explained or refused. */
static void rig_explain(const struct input *input)
{
	char *copy = malloc(input->left + 1);

	memcpy(copy, input->data, input->left);
	copy[input->left] = 0;
	free(sim_explain(NULL, NULL, copy, input->left, NULL));
	free(copy);
}

/* One field of a control block is changed. */
static void rig_change(u64 *value, unsigned int fields, struct input *input)
{
	unsigned int field = take(input, 1) % fields, how = take(input, 1);

	if (how & 0x80)
		value[field] = take(input, 8);
	else if (how & 0x40)
		value[field] = take(input, 3);
	else
		value[field] ^= BIT(how & 63);
}

/* Of the fuzzer: a guest is entered, with what the input says. */
static void run(struct input *input);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};

	if (take(&input, 1) & 7)
		run(&input);
	else
		rig_explain(&input);
	return 0;
}

#endif
