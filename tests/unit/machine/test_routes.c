/* SPDX-License-Identifier: Apache-2.0 */
/* Devices' messages by eventfd (api.rst 4.75, KVM_IRQFD) and their routes (4.53), on an engine that
 * has them, that refuses them, and that has none. */
#include <unistd.h>

#include "machine/internal.h"
#include "tests/unit/check.h"
#include "tests/unit/machine/fake_engine.h"

#define ADDRESS 0xfee01000u
#define DATA    0x4041u

#define EVENTS_MAX 256

/* What the engine was told. */
static struct {
	struct kvm_irq_routing_entry entries[ROUTES_BOARD + ROUTES_MESSAGES];
	unsigned int nr, tables;
	struct kvm_irqfd events[EVENTS_MAX];
	int held[EVENTS_MAX]; /* a second handle of each eventfd: what it counts */
	unsigned int count;
	bool refuses;
} told;

static int take_table(const struct kvm_irq_routing *table)
{
	memcpy(told.entries, table->entries, table->nr * sizeof(told.entries[0]));
	told.nr = table->nr;
	told.tables++;
	return 0;
}

static int take_event(const struct kvm_irqfd *irqfd)
{
	if (told.refuses)
		return -EINVAL;
	told.held[told.count] = dup((int)irqfd->fd);
	told.events[told.count++] = *irqfd;
	return 0;
}

static int with_irqfd(struct ls_engine *engine, int handle, unsigned long request,
		      unsigned long arg)
{
	if (request == KVM_CHECK_EXTENSION && arg == KVM_CAP_IRQFD)
		return 1;
	if (request == KVM_SET_GSI_ROUTING)
		return take_table((const void *)arg);
	if (request == KVM_IRQFD)
		return take_event((const void *)arg);
	return fake_ioctl(engine, handle, request, arg);
}

FAKE_VARIANT(irqfd_engine, with_irqfd, NULL)

static struct machine *start(void)
{
	struct machine_config config = fake_config();
	struct machine *machine;

	memset(&told, 0, sizeof(told));
	config.engine = &irqfd_engine;
	machine = machine_create(&config, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(machine);
	return machine;
}

static void end(struct machine *machine)
{
	machine_destroy(machine);
	for (unsigned int i = 0; i < told.count; i++)
		close(told.held[i]);
}

/* How often the eventfd of the nth call was raised since. */
static uint64_t raised(unsigned int n)
{
	uint64_t times = 0;

	return read(told.held[n], &times, sizeof(times)) > 0 ? times : 0;
}

static const struct kvm_irq_routing_entry *route_of(uint32_t gsi)
{
	const struct kvm_irq_routing_entry *found = NULL;

	for (unsigned int i = 0; i < told.nr; i++)
		if (told.entries[i].gsi == gsi)
			found = &told.entries[i];
	return found;
}

/* A GSI of its own behind the board's pins, whose routes stay. */
static void test_send(void)
{
	struct machine *machine = start();
	const struct kvm_irq_routing_entry *route;
	unsigned int board = told.nr;

	irq_send_message(machine, ADDRESS, DATA);
	CHECK_EQUAL(told.nr, board + 1);
	CHECK_EQUAL(route_of(1)->type, KVM_IRQ_ROUTING_IRQCHIP);
	CHECK_EQUAL(told.count, 1);
	CHECK_EQUAL(told.events[0].flags, 0);
	CU_ASSERT_TRUE(told.events[0].gsi >= IRQ_GSI_COUNT);
	route = route_of(told.events[0].gsi);
	CU_ASSERT_PTR_NOT_NULL_FATAL(route);
	CHECK_EQUAL(route->type, KVM_IRQ_ROUTING_MSI);
	CHECK_EQUAL(route->u.msi.address_lo, ADDRESS);
	CHECK_EQUAL(route->u.msi.address_hi, 0);
	CHECK_EQUAL(route->u.msi.data, DATA);
	CHECK_EQUAL(raised(0), 1);
	irq_send_message(machine, ADDRESS, DATA); /* the same again */
	CHECK_EQUAL(told.count, 1);
	CHECK_EQUAL(raised(0), 1);
	irq_send_message(machine, ADDRESS, DATA + 1);
	CHECK_EQUAL(told.count, 2);
	CU_ASSERT_TRUE(told.events[1].gsi != told.events[0].gsi);
	CHECK_EQUAL(route_of(told.events[0].gsi)->u.msi.data, DATA);
	CHECK_EQUAL(route_of(told.events[1].gsi)->u.msi.data, DATA + 1);
	CHECK_EQUAL(fake_of(machine)->msi_count, 0);
	irq_send_message(machine, 0xfed00000, DATA); /* to nobody */
	CHECK_EQUAL(told.count, 2);
	end(machine);
}

/* Before the chips are looked at each eventfd is taken away, which has KVM deliver what it holds.
 */
static void test_settle(void)
{
	struct machine *machine = start();

	irq_send_message(machine, ADDRESS, DATA);
	routes_settle(machine);
	CHECK_EQUAL(told.count, 2);
	CHECK_EQUAL(told.events[1].flags, KVM_IRQFD_FLAG_DEASSIGN);
	CHECK_EQUAL(told.events[1].gsi, told.events[0].gsi);
	routes_settle(machine);
	CHECK_EQUAL(told.count, 2);
	irq_send_message(machine, ADDRESS, DATA);
	CHECK_EQUAL(told.count, 3);
	CHECK_EQUAL(told.events[2].flags, 0);
	CHECK_EQUAL(raised(2), 1);
	end(machine);
}

/* With more messages than GSIs, the one that was not sent for longest gives up its own. */
static void test_full(void)
{
	struct machine *machine = start();
	uint32_t gsi;

	for (uint32_t i = 0; i < ROUTES_MESSAGES; i++)
		irq_send_message(machine, ADDRESS, i);
	irq_send_message(machine, ADDRESS, 0);
	CHECK_EQUAL(told.count, ROUTES_MESSAGES);
	gsi = told.events[1].gsi;
	irq_send_message(machine, ADDRESS, ROUTES_MESSAGES);
	CHECK_EQUAL(told.count, ROUTES_MESSAGES + 2);
	CHECK_EQUAL(told.events[ROUTES_MESSAGES].flags, KVM_IRQFD_FLAG_DEASSIGN);
	CHECK_EQUAL(told.events[ROUTES_MESSAGES].gsi, gsi);
	CHECK_EQUAL(told.events[ROUTES_MESSAGES + 1].gsi, gsi);
	CHECK_EQUAL(route_of(gsi)->u.msi.data, ROUTES_MESSAGES);
	CHECK_EQUAL(raised(ROUTES_MESSAGES + 1), 1);
	end(machine);
}

static void test_refused(void)
{
	struct machine *machine = start();

	told.refuses = true;
	irq_send_message(machine, ADDRESS, DATA);
	irq_send_message(machine, ADDRESS, DATA);
	CHECK_EQUAL(fake_of(machine)->msi_count, 2);
	CHECK_EQUAL(fake_of(machine)->msi.data, DATA);
	end(machine);
}

static void test_without(void)
{
	struct machine *machine = fake_machine();

	irq_send_message(machine, ADDRESS, DATA);
	CHECK_EQUAL(fake_of(machine)->msi_count, 1);
	CHECK_EQUAL(fake_of(machine)->msi.address_lo, ADDRESS);
	irq_send_message(machine, 0xfed00000, DATA);
	CHECK_EQUAL(fake_of(machine)->msi_count, 1);
	machine_destroy(machine);
}

static CU_TestInfo tests[] = {
	{"a message has an eventfd", test_send}, {"what was sent arrives", test_settle},
	{"more messages than GSIs", test_full},  {"an engine that refuses", test_refused},
	{"an engine without", test_without},     CU_TEST_INFO_NULL,
};

CHECK_MAIN("machine/routes", tests)
