/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stepping both sides alike. KVM steps by the guest's own TF: it stops nowhere that TF is not, and
 * TF shows where flags are stored. So the reference goes first, the other gets a breakpoint where
 * it stopped, and TF is taken out of what was stored; each use of such a quirk needs its row in
 * quirks.def.
 */
#include <string.h>

#include "machine/memory.h"
#include "machine/view.h"
#include "tools/diff/comparison.h"
#include "tools/diff/side/gates.h"

#define INSTRUCTION_MAX 15
#define FRAME           40   /* bytes of the largest that an event pushes, with an error code */
#define TSS_FLAGS       0x24 /* EFLAGS in a 32-bit TSS (SDM 3A:7.2.1) */
#define FLAG_NT         UINT64_C(0x4000)
#define DR6_BS          UINT64_C(0x4000)

static uint64_t value_of(const struct comparison *c, unsigned int who, const char *field)
{
	return registers_of(c, who)[diff_fields_find(c->fields, field)];
}

static int quirk(struct comparison *c, enum quirk_kind kind, const char *mnemonic)
{
	return c->by_trap && mnemonic ? quirk_find(c->dut, c->version, kind, mnemonic) : -1;
}

/* The reference runs a guest of its own. */
static bool is_guest(const struct comparison *c)
{
	return machine_level(side_machine(c->side[REF]), 0) == 2;
}

static bool fell_through(const struct comparison *c)
{
	uint64_t far = c->now[REF]->linear_rip - c->before.linear_rip;

	return c->before.known && far && far <= INSTRUCTION_MAX;
}

/* Whatever takes TF away leaves no trap behind the step: events, task switches, SYSCALL. */
static bool lost_trap(const struct comparison *c)
{
	const char *mnemonic = c->before.instruction.mnemonic;

	return !fell_through(c) &&
	       ((mnemonic && (!strcmp(mnemonic, "syscall") || !strcmp(mnemonic, "sysenter"))) ||
		(c->before.known && c->before.tss != value_of(c, REF, "TR base")) ||
		gate_entered(c->side[REF], c->fields, c->now[REF]) >= 0);
}

/* It may take another exception than the reference. */
static void stop_at_handlers(struct comparison *c)
{
	uint64_t handler[GATES], gpa, here = c->now[REF]->linear_rip;
	unsigned int count = gates_of(c->side[REF], c->fields, c->now[REF], handler);

	for (unsigned int n = 0; n < count; n++)
		if (here - handler[n] >= INSTRUCTION_MAX && handler[n] - here >= INSTRUCTION_MAX &&
		    side_linear_ptr(c->side[REF], handler[n], &gpa))
			side_stop_at(c->side[DUT], handler[n], gpa);
}

static void bound_step(struct comparison *c)
{
	const struct diff_event *ref = c->now[REF];

	if (c->recorded)
		return;
	if (c->in_guest)
		side_run_on(c->side[DUT]);
	if (!c->by_trap || !is_step(ref) || !(c->in_guest || lost_trap(c)))
		return;
	side_stop_at(c->side[DUT], ref->linear_rip, ref->physical_rip);
	if (gate_entered(c->side[REF], c->fields, ref) >= 0)
		stop_at_handlers(c);
}

void step_remember(struct comparison *c)
{
	const struct diff_event *ref = c->now[REF];
	struct ls_instruction done = c->before.instruction;
	bool lost = c->by_trap && c->before.known && !is_step(ref) && lost_trap(c);

	c->before = (struct moment_before){
		.known = is_step(ref),
		.lost = lost,
		.linear_rip = ref->linear_rip,
		.rflags = registers_of(c, REF)[c->fields->rflags],
		.tss = value_of(c, REF, "TR base"),
		.rax = value_of(c, REF, "RAX"),
	};
	if (!is_step(ref))
		c->before.access = done;
	side_instruction(c->side[REF], ref->bytes, &c->before.instruction);
}

void step_begin(struct comparison *c)
{
	struct ls_engine *engine = machine_engine(side_machine(c->side[REF]));
	g_autofree uint64_t *registers = g_new0(uint64_t, c->fields->count);
	uint8_t bytes[INSTRUCTION_MAX] = {0};

	diff_fields_read(c->fields, engine, machine_vcpu(side_machine(c->side[REF]), 0), NULL,
			 registers);
	c->before = (struct moment_before){
		.known = true,
		.linear_rip = registers[c->fields->rip] + registers[c->fields->cs_base],
		.rflags = registers[c->fields->rflags],
		.tss = registers[diff_fields_find(c->fields, "TR base")],
	};
	side_read(c->side[REF], c->before.linear_rip, bytes, sizeof(bytes));
	side_instruction(c->side[REF], bytes, &c->before.instruction);
}

/* Behind an access that a handler begins with, where TF was lost, the other ends no step. */
static bool pass_access(struct comparison *c)
{
	if (!c->before.lost || !is_step(c->now[REF]) ||
	    c->now[REF]->linear_rip != c->before.linear_rip)
		return true;
	c->result->merged++;
	step_remember(c);
	return comparison_next(c, REF);
}

/* The other makes one step of this instruction and the next: so does the reference. */
static bool merge(struct comparison *c)
{
	bool access = c->now[REF]->linear_rip == c->before.linear_rip;
	int row = quirk(c, QUIRK_MERGES,
			access ? c->before.access.mnemonic : c->before.instruction.mnemonic);

	if (row < 0 || !is_step(c->now[REF]) || !(access || fell_through(c)))
		return true;
	c->quirk_used[row] = true;
	c->result->merged++;
	c->undefined |= c->before.instruction.undefined;
	step_remember(c);
	return comparison_next(c, REF);
}

static uint64_t page_at(const struct comparison *c, uint64_t gpa)
{
	gpa &= ~UINT64_C(0xfff);
	return machine_memory_ptr(side_machine(c->side[REF]), gpa, 0x1000) ? gpa : NO_PAGE;
}

/* The other runs the guest that VMRUN enters up to its end, or up to what it leaves the machine
 * for: so does the reference. Of the VMCB, at RAX, much is left open by an exit (APM 2:15.6): what
 * the hypervisor reads is compared. */
static bool run_guest(struct comparison *c)
{
	const char *mnemonic = c->before.instruction.mnemonic;
	int row = quirk(c, QUIRK_RUNS_GUEST, c->in_guest ? "vmrun" : mnemonic);

	c->in_guest = row >= 0;
	if (row < 0)
		return true;
	c->quirk_used[row] = true;
	if (c->before.instruction.mnemonic && !strcmp(c->before.instruction.mnemonic, "vmrun"))
		c->open_page = page_at(c, c->before.rax);
	while (is_step(c->now[REF]) && is_guest(c)) {
		c->result->merged++;
		step_remember(c);
		if (!comparison_next(c, REF))
			return false;
	}
	return true;
}

/* --- flags where they were stored --- */

/* A byte of the guest's memory on both sides; NULL: it is not mapped. */
struct stored {
	const uint8_t *ref;
	uint8_t *dut;
	uint64_t gpa;
};

static struct stored stored_at(struct comparison *c, uint64_t linear)
{
	struct stored byte = {0};

	byte.ref = side_linear_ptr(c->side[REF], linear, &byte.gpa);
	byte.dut = byte.ref ? machine_memory_ptr(side_machine(c->side[DUT]), byte.gpa, 1) : NULL;
	return byte;
}

/* Byte @index of the flags at @linear, if a bit of it is all that differs there. */
static bool mend(struct comparison *c, uint64_t linear, unsigned int index, uint64_t flag)
{
	struct stored byte = stored_at(c, linear + index);

	if (!byte.dut || (*byte.ref ^ *byte.dut) != (uint8_t)(flag >> 8 * index))
		return false;
	*byte.dut = *byte.ref;
	side_memory_changed(c->side[DUT], byte.gpa);
	return true;
}

/* Where the reference stored the flags as they were before the step (IRET from a task stores NT
 * clear). */
static void mend_flags_at(struct comparison *c, uint64_t linear, int tf_row, int rf_row)
{
	const uint8_t *low = stored_at(c, linear).ref, *high = stored_at(c, linear + 1).ref;

	if (!low || !high || (((uint64_t)*high << 8 | *low) ^ c->before.rflags) & 0xffff & ~FLAG_NT)
		return;
	if (tf_row >= 0 && mend(c, linear, 1, FLAG_TF))
		c->quirk_used[tf_row] = true;
	if (rf_row >= 0 && mend(c, linear, 2, FLAG_RF))
		c->quirk_used[rf_row] = true;
}

/* On the stack that they were pushed to, or in the TSS that was left. */
static void mend_flags(struct comparison *c)
{
	const char *mnemonic = c->before.instruction.mnemonic;
	int tf_row = quirk(c, QUIRK_STORES_TF, fell_through(c) && mnemonic ? mnemonic : "any");
	int rf_row = quirk(c, QUIRK_FORGETS_RF, "any");
	uint64_t stack = value_of(c, REF, "SS base") + value_of(c, REF, "RSP");

	/* What was recorded has been mended. */
	if (c->recorded || !c->before.known || c->now[REF]->memory == c->now[DUT]->memory)
		return;
	for (unsigned int n = 0; n < FRAME; n += 2)
		mend_flags_at(c, stack + n, tf_row, rf_row);
	mend_flags_at(c, c->before.tss + TSS_FLAGS, tf_row, rf_row);
}

/* --- both --- */

/* Up to when it is the same again. What was recorded is as it was left here. */
static void leave_page_open(struct comparison *c)
{
	if (c->open_page != NO_PAGE && !c->recorded &&
	    !side_leave_open(c->side[DUT], c->side[REF], c->open_page))
		c->open_page = NO_PAGE;
}

bool step_next_pair(struct comparison *c)
{
	if (!comparison_next(c, REF) || !pass_access(c) || !merge(c) || !run_guest(c))
		return false;
	bound_step(c);
	c->in_guest &= is_guest(c);
	if (!comparison_next(c, DUT))
		return false;
	mend_flags(c);
	leave_page_open(c);
	c->undefined |= c->before.instruction.undefined;
	return true;
}

/* A step takes what the guest's own debug registers and TF ask for to the debugger, too, who has to
 * give it back (api.rst: KVM_SET_GUEST_DEBUG). An event's delivery clears TF and is no instruction
 * (SDM 3B:18.3.1.4). */
static uint64_t guest_traps(struct comparison *c)
{
	uint64_t traps = c->now[REF]->exit.value;

	if (c->before.known && c->before.rflags & FLAG_TF &&
	    gate_entered(c->side[REF], c->fields, c->now[REF]) < 0)
		traps |= DR6_BS;
	return traps;
}

void step_pair_done(struct comparison *c)
{
	const struct diff_event *ref = c->now[REF];
	uint64_t traps = is_step(ref) ? guest_traps(c) : 0;

	for (unsigned int who = REF; who <= DUT && traps; who++)
		if (c->side[who])
			side_give_debug(c->side[who], traps);
	step_remember(c);
}
