/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine makes of an engine that offers less: KVM_CHECK_EXTENSION and NULL members of
 * the extension say what is not there. */
#include "machine/internal.h"
#include "machine/vcpu_state.h"
#include "tests/unit/check.h"
#include "tests/unit/machine/fake_engine.h"

FAKE_CAPABILITY(lacking, KVM_CAP_SIGNAL_MSI, 0)

static void take_all(struct ls_extension *extension)
{
	*extension = (struct ls_extension){0};
}

FAKE_VARIANT(plain, fake_ioctl, take_all)

FAKE_CAPABILITY(hiding, KVM_CAP_VCPU_EVENTS, 0)

static int halving_ioctl(struct ls_engine *engine, int handle, unsigned long request,
			 unsigned long arg)
{
	if (request == KVM_GET_XSAVE)
		return 0;
	return fake_ioctl(engine, handle, request, arg);
}

FAKE_VARIANT(halving, halving_ioctl, NULL)

static void expect_refusal(const struct machine_config *config, const char *words)
{
	struct ls_error err = {0};

	CU_ASSERT_PTR_NULL(machine_create(config, &err));
	CHECK_ROW(strstr(err.text, words), "'%s' doesn't say '%s'", err.text, words);
}

static void test_missing_capability(void)
{
	struct machine_config config = fake_config();

	config.engine = &lacking;
	expect_refusal(&config, "KVM_CAP_SIGNAL_MSI");
}

/* An engine that stops at bounds: turns and virtual time. */
static void test_turns(void)
{
	struct machine *machine = fake_machine();

	CHECK_EQUAL(machine->config.schedule, MACHINE_ROUND_ROBIN);
	CHECK_EQUAL(machine->config.clock, MACHINE_CLOCK_VIRTUAL);
	CHECK_EQUAL(machine->config.epoch, MACHINE_DEFAULT_EPOCH);
	machine_destroy(machine);
}

/* One that knows only KVM's calls: threads, real time, today's date. */
static void test_no_turns(void)
{
	struct machine_config config = fake_config();
	struct machine *machine;

	config.engine = &plain;
	machine = machine_create(&config, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(machine);
	CHECK_EQUAL(machine->config.schedule, MACHINE_PARALLEL);
	CHECK_EQUAL(machine->config.clock, MACHINE_CLOCK_HOST);
	CU_ASSERT(machine->config.epoch > MACHINE_DEFAULT_EPOCH);
	machine_destroy(machine);
}

static void test_refusals(void)
{
	struct machine_config config = fake_config();

	config.engine = &plain;
	config.schedule = MACHINE_ROUND_ROBIN;
	expect_refusal(&config, "in turns");
	config.schedule = MACHINE_SCHEDULE_ANY;
	config.clock = MACHINE_CLOCK_VIRTUAL;
	expect_refusal(&config, "virtual time");
	config.clock = MACHINE_CLOCK_ANY;
	config.max_instructions = 1;
	expect_refusal(&config, "count instructions");
	config.max_instructions = 0;
	config.state_hash_every = 1;
	expect_refusal(&config, "hash");
}

/* A trigger that cannot come, and an engine that hides what a guest is carried in, are refused
 * before the guest starts: not when it is on its way. */
static void test_leaving(void)
{
	struct machine_config config = fake_config();

	config.leave.save = "/nowhere";
	config.leave.at = (struct machine_trigger){MACHINE_TRIGGER_INSTRUCTIONS, 1};
	config.schedule = MACHINE_PARALLEL;
	expect_refusal(&config, "does not count the instructions");
	config = fake_config();
	config.leave.to = &hiding;
	config.leave.times = 1;
	expect_refusal(&config, "engine hiding does not tell pending events");
	config = fake_config();
	config.engine = &plain;
	config.leave.save = "/nowhere";
	config.leave.at = (struct machine_trigger){MACHINE_TRIGGER_PHYSICAL, 0x1000};
	expect_refusal(&config, "engine plain does not stop at physical addresses");
	config = fake_config();
	config.engine = &hiding;
	config.leave.save = "/nowhere";
	expect_refusal(&config, "engine hiding does not tell pending events");
	/* It comes on the first engine, and would have to come on the other. */
	config = fake_config();
	config.leave.to = &plain;
	config.leave.times = 2;
	config.leave.at = (struct machine_trigger){MACHINE_TRIGGER_INSTRUCTIONS, 1};
	expect_refusal(&config, "engine plain does not count the instructions");
}

/* Of a guest from another machine nothing may be lost in silence; a reset goes back to what this
 * engine has shown itself. */
static void test_refused_part(void)
{
	struct machine_config config = fake_config();
	struct vcpu_state *state = vcpu_state_new();
	struct machine *machine;
	struct ls_error err = {0};

	config.engine = &halving;
	machine = machine_create(&config, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(machine);
	CHECK_EQUAL(vcpu_restore(&machine->vcpus[0], NULL), 0);
	CHECK_EQUAL(vcpu_state_save(&machine->vcpus[0], state, NULL), 0);
	CHECK_EQUAL(vcpu_state_load(&machine->vcpus[0], state, &err), -EINVAL);
	CHECK_ROW(strstr(err.text,
			 "engine halving does not take the state of vCPU 0 (KVM_SET_XSAVE)"),
		  "'%s' doesn't name engine, vCPU and call", err.text);
	free(state);
	machine_destroy(machine);
}

static CU_TestInfo tests[] = {
	{"a capability that is missing is named", test_missing_capability},
	{"with bounded runs: turns, virtual time", test_turns},
	{"without: threads, real time", test_no_turns},
	{"what such an engine cannot do is refused", test_refusals},
	{"an engine that no guest can leave, or go to", test_leaving},
	{"a part of a guest's state that is refused", test_refused_part},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("machine/engine", tests)
