/* SPDX-License-Identifier: Apache-2.0 */
/* machine/history.h: a machine that is taken back to anywhere is what it was there, and does the
 * same again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lockstep/hash.h>

#include "machine/internal.h"
#include "tests/unit/check.h"

#define CODE   0x1000
#define STEP   10000u
#define PLACES 300u
#define EVERY  4000u /* instructions from a point to the next: more than are kept */

/* Writes over 32 KiB, each time something else, and prints a byte each time around. */
extern const uint8_t guest[], guest_end[];
__asm__(".pushsection .rodata\n.code16\nguest:\n"
	"1: imul $25173, %ax, %ax\nadd $13849, %ax\nadd %ax, 0x2000(%bx)\nadd $2, %bx\n"
	"and $0x7fff, %bx\njnz 1b\nmov $0x3f8, %dx\noutb %al, %dx\njmp 1b\n"
	"guest_end:\n.code64\n.popsection");

struct rig {
	struct machine *machine;
	uint64_t hash[PLACES]; /* at each multiple of STEP */
	unsigned int place;
	bool stopped;
	void (*next)(struct rig *rig); /* at a stop */
	unsigned int printed;
	unsigned int *order;
};

static uint64_t hash_of(struct machine *machine)
{
	uint64_t hash = machine_ext(machine)->vcpu_state_hash(machine->engine, machine->vcpus[0].fd,
							      LS_HASH_START);
	const uint64_t *ram = machine_memory_ptr(machine, 0, 1 << 16);

	for (unsigned int i = 0; i < (1 << 16) / 8; i++)
		hash = ls_hash_word(hash, ram[i]);
	return hash;
}

static void note_stop(void *opaque, unsigned int vcpu, const struct kvm_debug_exit_arch *exit)
{
	struct rig *rig = opaque;

	(void)vcpu;
	(void)exit;
	rig->stopped = true;
}

static void count_output(void *opaque, const uint8_t *bytes, size_t n)
{
	(void)bytes;
	((struct rig *)opaque)->printed += (unsigned int)n;
}

static int fill(void *opaque, struct pollfd *fds, int room, int *timeout_ms)
{
	(void)fds;
	(void)room;
	if (((struct rig *)opaque)->stopped)
		*timeout_ms = 0;
	return 0;
}

static void ready(void *opaque, struct pollfd *fds, int count)
{
	struct rig *rig = opaque;

	(void)fds;
	(void)count;
	if (!rig->stopped || !rig->machine->parked)
		return;
	rig->stopped = false;
	rig->next(rig);
}

static void run_to(struct rig *rig, uint64_t instructions)
{
	machine_run_to(rig->machine, MACHINE_EVERY_VCPU, instructions);
	machine_resume(rig->machine);
}

/* The guest from its first instruction on, with @next at the first and at each further stop. */
static void run(struct rig *rig, void (*next)(struct rig *rig))
{
	struct machine_config config = {.engine = &ls_engine_sim,
					.vcpus = 2, /* the other waits for a SIPI */
					.quantum_ns = EVERY,
					.memory = 2 << 20,
					.serial = true,
					.console_output = count_output,
					.output_opaque = rig,
					.record_every = EVERY,
					.debug = note_stop,
					.debug_opaque = rig,
					.history = true};
	const struct poll_source source = {.fill = fill, .ready = ready, .opaque = rig};
	struct machine *machine = machine_create(&config, NULL);
	struct kvm_regs regs = {.rip = CODE, .rflags = 2};
	struct machine_result result;
	struct kvm_sregs sregs;

	rig->machine = machine;
	rig->next = next;
	rig->stopped = true;
	machine_dma_write(machine, CODE, guest, (uint64_t)(guest_end - guest));
	ls_ioctl_ptr(machine->engine, machine->vcpus[0].fd, KVM_GET_SREGS, &sregs);
	sregs.cs.base = sregs.cs.selector = 0;
	ls_ioctl_ptr(machine->engine, machine->vcpus[0].fd, KVM_SET_SREGS, &sregs);
	ls_ioctl_ptr(machine->engine, machine->vcpus[0].fd, KVM_SET_REGS, &regs);
	machine_poll_add(machine, &source);
	machine_pause(machine);
	machine_run(machine, &result, NULL);
	machine_destroy(machine);
}

/* --- anywhere, in any order --- */

static const unsigned int backwards[] = {298, 290, 200, 150, 149, 148, 40, 3,
					 2,   1,   299, 250, 7,   298, 0};

static void go_next(struct rig *rig);

static void look(struct rig *rig)
{
	CHECK_EQUAL(machine_retired(rig->machine, MACHINE_EVERY_VCPU), *rig->order * STEP);
	CHECK_EQUAL(hash_of(rig->machine), rig->hash[*rig->order]);
	if (!*rig->order++) {
		machine_stop(rig->machine);
		return;
	}
	go_next(rig);
}

/* Of a later place than where it is only forwards: no point there is known to lead on. */
static void go_next(struct rig *rig)
{
	uint64_t place = *rig->order * STEP;

	if (place < machine_retired(rig->machine, MACHINE_EVERY_VCPU))
		CHECK_EQUAL(machine_go_back(rig->machine, MACHINE_EVERY_VCPU, place, NULL), 0);
	CHECK_EQUAL(machine_is_past(rig->machine), true);
	rig->next = look;
	run_to(rig, place);
}

static void note_place(struct rig *rig)
{
	struct machine *machine = rig->machine;

	if (!rig->place)
		CHECK_EQUAL(machine_history_begin(machine, NULL), 0);
	rig->hash[rig->place++] = hash_of(machine);
	if (rig->place < PLACES) {
		run_to(rig, rig->place * STEP);
		return;
	}
	CHECK_EQUAL(machine_history_first(machine), 0);
	CU_ASSERT(machine->history.count > 10 && machine->history.count < 100);
	CHECK_EQUAL(machine_is_past(machine), false);
	rig->order = (unsigned int *)backwards;
	go_next(rig);
}

static void test_anywhere(void)
{
	struct rig rig = {0};

	run(&rig, note_place);
	CU_ASSERT(rig.place == PLACES && rig.order == backwards + sizeof(backwards) / 4);
	/* One time around is 16384 times six instructions, and three more. */
	CHECK_EQUAL(rig.printed, (PLACES - 1) * STEP / (16384 * 6 + 3));
}

/* --- what is too much is given up --- */

static void stuff(struct rig *rig)
{
	static const uint8_t frame[1 << 20];
	struct machine *machine = rig->machine;

	if (!rig->place)
		CHECK_EQUAL(machine_history_begin(machine, NULL), 0);
	for (unsigned int n = 0; n < 16; n++)
		input_log_add(machine, INPUT_NET, 0, frame, sizeof(frame));
	if (++rig->place < 20) {
		run_to(rig, rig->place * 100000);
		return;
	}
	CU_ASSERT(machine_history_first(machine) > 0);
	CU_ASSERT(machine->history.input_bytes < 256u << 20);
	CHECK_EQUAL(machine_go_back(machine, MACHINE_EVERY_VCPU, 0, NULL), -ENOENT);
	machine_stop(machine);
}

static void test_budget(void)
{
	struct rig rig = {0};

	run(&rig, stuff);
}

/* --- pages --- */

static struct history_pages pages_of(unsigned int count, const uint32_t *numbers, uint8_t value)
{
	struct history_pages pages = {.count = count,
				      .number = calloc(count, sizeof(uint32_t)),
				      .bytes = calloc(count, sizeof(uint8_t *))};

	for (unsigned int n = 0; n < count; n++) {
		pages.number[n] = numbers[n];
		if (n % 2)
			continue; /* zeros */
		pages.bytes[n] = malloc(4096);
		memset(pages.bytes[n], value, 4096);
		pages.full++;
	}
	return pages;
}

/* What both have is as the newer has it. */
static void test_merge(void)
{
	static const uint32_t first[] = {1, 3, 5, 9}, second[] = {0, 3, 5};
	static const uint32_t numbers[] = {0, 1, 3, 5, 9};
	static const uint8_t values[] = {2, 1, 0, 2, 0};
	struct history_pages older = pages_of(4, first, 1), newer = pages_of(3, second, 2);

	CHECK_EQUAL(history_pages_merge(&older, &newer), 0);
	CHECK_EQUAL(older.count, 0);
	CHECK_EQUAL(newer.count, 5);
	CHECK_EQUAL(newer.full, 3);
	for (unsigned int n = 0; n < 5; n++) {
		CHECK_EQUAL(newer.number[n], numbers[n]);
		CHECK_EQUAL(newer.bytes[n] ? *newer.bytes[n] : 0, values[n]);
	}
	history_pages_free(&newer);
}

static CU_TestInfo tests[] = {
	{"any place of a history is found again", test_anywhere},
	{"what is too much is given up", test_budget},
	{"pages of two points become one's", test_merge},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("history", tests)
