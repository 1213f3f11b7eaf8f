/* SPDX-License-Identifier: Apache-2.0 */
/* Which pages were written, by the dirty log (api.rst 4.8) and by dirty rings (8.29), on an engine
 * whose log and rings the test fills. */
#include <sys/mman.h>

#include "machine/internal.h"
#include "tests/unit/check.h"
#include "tests/unit/machine/fake_engine.h"

#define PAGE    4096u
#define ENTRIES 256u /* what the engine offers at most */

static struct {
	int ring_bytes; /* KVM_CHECK_EXTENSION's answer; 0: it has no rings */
	bool refuses;
	uint64_t enabled;
	struct kvm_dirty_gfn *ring;
	uint32_t next, resets; /* of the producer; calls of KVM_RESET_DIRTY_RINGS */
	uint64_t log;          /* the first 64 pages of slot 0 */
} told;

static int enable(const struct kvm_enable_cap *cap)
{
	if (told.refuses)
		return -EINVAL;
	CHECK_EQUAL(cap->cap, KVM_CAP_DIRTY_LOG_RING);
	told.enabled = cap->args[0];
	return 0;
}

/* KVM: takes back what was harvested, from where it left off. */
static int reset_rings(void)
{
	unsigned int count = 0;

	told.resets++;
	for (uint32_t i = 0; i < ENTRIES; i++) {
		count += told.ring[i].flags == KVM_DIRTY_GFN_F_RESET;
		if (told.ring[i].flags == KVM_DIRTY_GFN_F_RESET)
			told.ring[i].flags = 0;
	}
	return (int)count;
}

static int get_log(const struct kvm_dirty_log *log)
{
	uint64_t *bitmap = log->dirty_bitmap;

	memset(bitmap, 0, (16 << 20) / PAGE / 8);
	if (log->slot == 0)
		bitmap[0] = told.log;
	told.log = 0;
	return 0;
}

static int written_ioctl(struct ls_engine *engine, int handle, unsigned long request,
			 unsigned long arg)
{
	switch (request) {
	case KVM_CHECK_EXTENSION:
		if (arg == KVM_CAP_DIRTY_LOG_RING)
			return told.ring_bytes;
		break;
	case KVM_ENABLE_CAP:
		return enable((const void *)arg);
	case KVM_RESET_DIRTY_RINGS:
		return reset_rings();
	case KVM_GET_DIRTY_LOG:
		return told.enabled ? -ENXIO : get_log((const void *)arg);
	}
	return fake_ioctl(engine, handle, request, arg);
}

static void *map(struct ls_engine *engine, int vcpu, size_t offset, size_t size)
{
	(void)engine;
	(void)vcpu;
	CHECK_EQUAL(offset, KVM_DIRTY_LOG_PAGE_OFFSET * PAGE);
	CHECK_EQUAL(size, told.enabled);
	told.ring = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return told.ring;
}

/* Without a way to tell it of writes. */
static void take_written(struct ls_extension *extension)
{
	extension->memory_written = NULL;
}

FAKE_VARIANT(written_engine, written_ioctl, take_written, .mmap_at = map)

/* What a vCPU's write does. */
static void produce(uint32_t slot, uint64_t page)
{
	struct kvm_dirty_gfn *entry = &told.ring[told.next++ % ENTRIES];

	CHECK_EQUAL(entry->flags, 0);
	*entry = (struct kvm_dirty_gfn){
		.flags = KVM_DIRTY_GFN_F_DIRTY, .slot = slot, .offset = page};
}

struct pages {
	uint64_t gpa[16];
	unsigned int count;
};

static void note(void *opaque, uint64_t gpa, const uint8_t *bytes)
{
	struct pages *pages = opaque;

	(void)bytes;
	if (pages->count < 16)
		pages->gpa[pages->count] = gpa;
	pages->count++;
}

static struct pages ask(struct machine *machine)
{
	struct pages pages = {.count = 0};

	CHECK_EQUAL(machine_written(machine, note, &pages), 0);
	return pages;
}

static struct machine *start(int ring_bytes, enum machine_dirty dirty)
{
	struct machine_config config = fake_config();
	struct machine *machine;

	memset(&told, 0, sizeof(told));
	told.ring_bytes = ring_bytes;
	config.engine = &written_engine;
	config.log_written = true;
	config.dirty = dirty;
	machine = machine_create(&config, NULL);
	if (machine)
		ask(machine); /* what building it has written */
	return machine;
}

/* Entries are given back as harvested, KVM is told, and the pages come in their order, once. */
static void test_ring(void)
{
	struct machine *machine = start(ENTRIES * sizeof(struct kvm_dirty_gfn), MACHINE_DIRTY_ANY);
	struct pages pages;

	CU_ASSERT_PTR_NOT_NULL_FATAL(machine);
	CHECK_EQUAL(told.enabled, ENTRIES * sizeof(struct kvm_dirty_gfn));
	CHECK_EQUAL(fake_of(machine)->slots[0].flags, KVM_MEM_LOG_DIRTY_PAGES);
	CHECK_EQUAL(ask(machine).count, 0);
	told.resets = 0;
	produce(0, 9);
	produce(0, 3);
	produce(0, 9);
	pages = ask(machine);
	CHECK_EQUAL(told.resets, 1);
	CHECK_EQUAL(pages.count, 2);
	CHECK_EQUAL(pages.gpa[0], 3 * PAGE);
	CHECK_EQUAL(pages.gpa[1], 9 * PAGE);
	CHECK_EQUAL(ask(machine).count, 0);
	/* Round the ring. */
	for (unsigned int i = 0; i < 3 * ENTRIES; i++) {
		produce(0, 5);
		pages = ask(machine);
		CHECK_EQUAL(pages.count, 1);
		CHECK_EQUAL(pages.gpa[0], 5 * PAGE);
	}
	/* What cannot be: KVM is not believed. */
	produce(7, 1);
	produce(0, UINT64_MAX);
	CHECK_EQUAL(ask(machine).count, 0);
	machine_destroy(machine);
}

static int fill_or_end(struct fake_engine *fake, unsigned int index)
{
	struct kvm_run *run = (struct kvm_run *)fake->vcpus[index]->run;
	unsigned int *runs = fake->opaque;

	if ((*runs)++ == 4) {
		machine_stop(*(struct machine **)(runs + 2));
		return -EINTR;
	}
	for (uint32_t i = 0; i < ENTRIES; i++)
		produce(0, i % 8);
	run->exit_reason = KVM_EXIT_DIRTY_RING_FULL;
	return 0;
}

/* A full ring is emptied, the vCPU goes on, and the pages are still there for who asks. */
static void test_full(void)
{
	struct machine *machine = start(ENTRIES * sizeof(struct kvm_dirty_gfn), MACHINE_DIRTY_RING);
	struct machine_result result;
	struct {
		unsigned int runs, pad;
		struct machine *machine;
	} state = {.machine = machine};

	CU_ASSERT_PTR_NOT_NULL_FATAL(machine);
	fake_of(machine)->on_run = fill_or_end;
	fake_of(machine)->opaque = &state;
	CHECK_EQUAL(machine_run(machine, &result, NULL), 0);
	CHECK_EQUAL(result.end, MACHINE_END_INTERRUPTED);
	CHECK_EQUAL(state.runs, 5);
	CHECK_EQUAL(ask(machine).count, 8);
	machine_destroy(machine);
}

static void test_log(void)
{
	struct machine *machine = start(ENTRIES * sizeof(struct kvm_dirty_gfn), MACHINE_DIRTY_LOG);
	struct pages pages;

	CU_ASSERT_PTR_NOT_NULL_FATAL(machine);
	CHECK_EQUAL(told.enabled, 0);
	told.log = 1 << 2 | 1 << 4;
	pages = ask(machine);
	CHECK_EQUAL(pages.count, 2);
	CHECK_EQUAL(pages.gpa[1], 4 * PAGE);
	CHECK_EQUAL(ask(machine).count, 0);
	machine_destroy(machine);
}

/* By the log where there are no rings, or an engine that says so refuses them; who insists hears of
 * it. */
static void test_choice(void)
{
	struct machine *machine = start(0, MACHINE_DIRTY_ANY);

	CU_ASSERT_PTR_NOT_NULL_FATAL(machine);
	CHECK_EQUAL(told.enabled, 0);
	machine_destroy(machine);
	CU_ASSERT_PTR_NULL(start(0, MACHINE_DIRTY_RING));
	machine = start(1 << 20, MACHINE_DIRTY_ANY); /* no more than is of use */
	CU_ASSERT_PTR_NOT_NULL_FATAL(machine);
	CU_ASSERT_TRUE(told.enabled < 1 << 20);
	machine_destroy(machine);
}

/* A device's writes are not KVM's to tell (api.rst 4.8: what the guest wrote). */
static void test_own_writes(void)
{
	struct machine *machine = start(0, MACHINE_DIRTY_ANY);
	const uint8_t bytes[2] = {1, 2};
	struct pages pages;

	CU_ASSERT_PTR_NOT_NULL_FATAL(machine);
	machine_dma_write(machine, 7 * PAGE - 1, bytes, sizeof(bytes));
	pages = ask(machine);
	CHECK_EQUAL(pages.count, 2);
	CHECK_EQUAL(pages.gpa[0], 6 * PAGE);
	CHECK_EQUAL(pages.gpa[1], 7 * PAGE);
	CHECK_EQUAL(ask(machine).count, 0);
	machine_destroy(machine);
}

static CU_TestInfo tests[] = {
	{"by rings", test_ring},
	{"a full ring", test_full},
	{"by the log", test_log},
	{"which of them", test_choice},
	{"the machine's own writes", test_own_writes},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("machine/written", tests)
