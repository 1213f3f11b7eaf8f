/* SPDX-License-Identifier: Apache-2.0 */
/* Doorbells (api.rst 4.59, KVM_IOEVENTFD), on an engine that has them and on one that has not. */
#include <unistd.h>

#include "machine/doorbell.h"
#include "machine/internal.h"
#include "tests/unit/check.h"
#include "tests/unit/machine/fake_engine.h"

#define PLACE 0xfe000000ull

FAKE_CAPABILITY(events, KVM_CAP_IOEVENTFD, 1)

static void rung(void *context)
{
	(*(unsigned int *)context)++;
}

/* No call is made, and nothing is polled between two turns. */
static void test_without(void)
{
	struct machine *machine = fake_machine();
	size_t sources = machine->source_count;
	struct doorbell *bell = doorbell_create(machine, rung, NULL);

	doorbell_place(bell, PLACE, 2, 4);
	CHECK_EQUAL(fake_of(machine)->event_count, 0);
	CHECK_EQUAL(machine->source_count, sources);
	doorbell_destroy(bell);
	machine_destroy(machine);
}

static void test_with(void)
{
	struct machine_config config = fake_config();
	uint64_t one = 1;
	unsigned int count = 0;
	struct doorbell *bell;
	struct fake_engine *fake;
	struct machine *machine;

	config.engine = &events;
	machine = machine_create(&config, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(machine);
	fake = (struct fake_engine *)machine_engine(machine);
	bell = doorbell_create(machine, rung, &count);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bell);
	doorbell_place(bell, PLACE, 2, 4);
	CHECK_EQUAL(fake->event_count, 2);
	CHECK_EQUAL(fake->event.addr, PLACE + 4);
	CHECK_EQUAL(fake->event.len, 2);
	CHECK_EQUAL(fake->event.flags, 0);
	doorbell_place(bell, PLACE, 2, 4); /* it is there already */
	CHECK_EQUAL(fake->event_count, 2);
	poll_sources(machine, 0);
	CHECK_EQUAL(count, 0);
	CHECK_EQUAL(write(fake->event.fd, &one, sizeof(one)), sizeof(one));
	poll_sources(machine, 0);
	CHECK_EQUAL(count, 1);
	poll_sources(machine, 0); /* once is once */
	CHECK_EQUAL(count, 1);
	doorbell_destroy(bell);
	CHECK_EQUAL(fake->event_count, 4);
	CHECK_EQUAL(fake->event.flags, KVM_IOEVENTFD_FLAG_DEASSIGN);
	machine_destroy(machine);
}

/* What rang before a machine's state is read must not be asleep in an eventfd afterwards. */
static void test_settle(void)
{
	struct machine_config config = fake_config();
	unsigned int count = 0;
	uint64_t one = 1;
	struct machine *machine;
	struct doorbell *bell;

	config.engine = &events;
	machine = machine_create(&config, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(machine);
	bell = doorbell_create(machine, rung, &count);
	doorbell_place(bell, PLACE, 1, 4);
	CHECK_EQUAL(write(fake_of(machine)->event.fd, &one, sizeof(one)), sizeof(one));
	doorbells_settle(machine);
	CHECK_EQUAL(count, 1);
	doorbells_settle(machine);
	CHECK_EQUAL(count, 1);
	doorbell_destroy(bell);
	machine_destroy(machine);
}

/* A new VM is told of the bells that are there, without a word to the old one. */
static void test_attach(void)
{
	struct machine_config config = fake_config();
	struct machine *machine;
	struct doorbell *bell;
	unsigned int count = 0;
	size_t sources;

	config.engine = &events;
	machine = machine_create(&config, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(machine);
	bell = doorbell_create(machine, rung, &count);
	doorbell_place(bell, PLACE, 1, 4);
	sources = machine->source_count;
	doorbells_attach(machine);
	CHECK_EQUAL(fake_of(machine)->event_count, 2);
	CHECK_EQUAL(fake_of(machine)->event.addr, PLACE);
	CHECK_EQUAL(fake_of(machine)->event.flags, 0);
	CHECK_EQUAL(machine->source_count, sources);
	doorbell_destroy(bell);
	machine_destroy(machine);
}

static CU_TestInfo tests[] = {
	{"none where the engine has none", test_without},
	{"placed, rung, taken away", test_with},
	{"rung while nothing runs", test_settle},
	{"a new VM", test_attach},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("machine/doorbell", tests)
