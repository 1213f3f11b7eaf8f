/* SPDX-License-Identifier: Apache-2.0 */
/* machine/scheduler.c's and exit.c's rules, and KVM's exits (Documentation/virt/kvm/api.rst, 5). */
#include <pthread.h>
#include <unistd.h>

#include "fake_engine.h"
#include "machine/internal.h"
#include "tests/unit/check.h"

#define FOREVER (1ull << 40)

struct trace {
	unsigned int order[64];
	uint64_t start[64];
	unsigned int used;
	unsigned int turns_left;
};

static struct kvm_run *run_page(struct fake_engine *fake, unsigned int index)
{
	return (struct kvm_run *)fake->vcpus[index]->run;
}

static int port_out(struct fake_engine *fake, unsigned int index, uint16_t port, uint8_t value)
{
	struct kvm_run *run = run_page(fake, index);

	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = KVM_EXIT_IO_OUT;
	run->io.size = 1;
	run->io.port = port;
	run->io.count = 1;
	run->io.data_offset = FAKE_IO_DATA;
	fake->vcpus[index]->run[FAKE_IO_DATA] = value;
	return 0;
}

static int halt(struct fake_engine *fake, unsigned int index, bool interrupts)
{
	struct kvm_run *run = run_page(fake, index);

	fake->vcpus[index]->waiting = true;
	run->if_flag = interrupts;
	run->exit_reason = KVM_EXIT_HLT;
	return 0;
}

static struct machine *machine_for(int (*on_run)(struct fake_engine *, unsigned int), void *opaque,
				   struct machine_config config)
{
	struct machine *machine = machine_create(&config, NULL);

	fake_of(machine)->on_run = on_run;
	fake_of(machine)->opaque = opaque;
	return machine;
}

static struct machine_config exit_config(unsigned int vcpus)
{
	struct machine_config config = fake_config();

	config.vcpus = vcpus;
	config.exit_port = true;
	return config;
}

/* Computes for ever; ends the run by the exit port when the trace is full enough. */
static int spin(struct fake_engine *fake, unsigned int index)
{
	struct trace *trace = fake->opaque;

	if (!trace->turns_left--)
		return port_out(fake, index, 0xf4, 3);
	trace->order[trace->used] = index;
	trace->start[trace->used++] = fake->now;
	CU_ASSERT(fake_execute(fake, index, FOREVER));
	return 0;
}

static void test_turns(void)
{
	struct trace trace = {.turns_left = 9};
	struct machine_config config = exit_config(3);
	struct machine_result result;
	struct machine *machine;

	config.quantum_ns = 1000;
	machine = machine_for(spin, &trace, config);
	CHECK_EQUAL(machine_run(machine, &result, NULL), 0);
	CHECK_EQUAL(result.end, MACHINE_END_EXIT_PORT);
	CHECK_EQUAL(result.code, 7); /* (3 << 1) | 1 */
	CHECK_EQUAL(trace.used, 9);
	for (unsigned int i = 0; i < 9; i++) {
		CHECK_EQUAL(trace.order[i], i % 3);
		/* One line of time: no vCPU starts before another ended. */
		CHECK_EQUAL(trace.start[i], i * 1000);
	}
	machine_destroy(machine);
}

static void count_fire(struct ls_timer *timer, uint64_t now)
{
	*(uint64_t *)timer->opaque = now;
}

/* A deadline ends a turn and fires before the next one starts. */
static void test_deadline(void)
{
	struct trace trace = {.turns_left = 2};
	struct machine_config config = exit_config(2);
	uint64_t fired = 0;
	struct ls_timer timer = {.deadline = LS_NEVER, .fn = count_fire, .opaque = &fired};
	struct machine_result result;
	struct machine *machine;

	config.quantum_ns = 1000;
	machine = machine_for(spin, &trace, config);
	machine_clock(machine)->arm(machine_clock(machine), &timer, 400);
	machine_run(machine, &result, NULL);
	CHECK_EQUAL(fired, 400);
	CHECK_EQUAL(trace.start[1], 400);
	machine_destroy(machine);
}

static int three_ports(struct fake_engine *fake, unsigned int index)
{
	fake_execute(fake, index, 10);
	return port_out(fake, index, fake->vcpus[index]->runs == 4 ? 0xf4 : 0x80, 0);
}

/* exit.c: a port access takes 1 us of guest time. */
static void test_access_time(void)
{
	struct machine *machine = machine_for(three_ports, NULL, exit_config(1));
	struct machine_result result;

	machine_run(machine, &result, NULL);
	CHECK_EQUAL(fake_of(machine)->vcpus[0]->runs, 4);
	CHECK_EQUAL(fake_of(machine)->now, 4 * 1010);
	machine_destroy(machine);
}

static void wake_fire(struct ls_timer *timer, uint64_t now)
{
	struct fake_engine *fake = timer->opaque;

	(void)now;
	fake->vcpus[0]->waiting = false;
}

static int halt_then_exit(struct fake_engine *fake, unsigned int index)
{
	if (fake->now)
		return port_out(fake, index, 0xf4, 0);
	return halt(fake, index, true);
}

/* With nobody runnable, time skips to the deadline that wakes one. */
static void test_idle_skips(void)
{
	struct ls_timer timer = {.deadline = LS_NEVER, .fn = wake_fire};
	struct machine *machine = machine_for(halt_then_exit, NULL, exit_config(1));
	struct machine_result result;

	timer.opaque = fake_of(machine);
	machine_clock(machine)->arm(machine_clock(machine), &timer, 3600000000000);
	machine_run(machine, &result, NULL);
	CHECK_EQUAL(result.end, MACHINE_END_EXIT_PORT);
	CHECK_EQUAL(fake_of(machine)->now, 3600000000000);
	CHECK_EQUAL(fake_of(machine)->vcpus[0]->runs, 2);
	machine_destroy(machine);
}

static int halt_enabled(struct fake_engine *fake, unsigned int index)
{
	return halt(fake, index, true);
}

static int halt_disabled(struct fake_engine *fake, unsigned int index)
{
	return halt(fake, index, false);
}

static void rearm_fire(struct ls_timer *timer, uint64_t now)
{
	struct ls_clock *clock = timer->opaque;

	clock->arm(clock, timer, now + 1000000);
}

static void test_halted_for_ever(void)
{
	struct machine *machine = machine_for(halt_enabled, NULL, exit_config(2));
	struct ls_timer timer = {.deadline = LS_NEVER, .fn = rearm_fire};
	struct machine_result result;

	machine_run(machine, &result, NULL);
	CHECK_EQUAL(result.end, MACHINE_END_HALTED);
	CHECK_EQUAL(result.code, MACHINE_EXIT_HALTED);
	machine_destroy(machine);

	/* cli; hlt under a timer that nobody hears. */
	machine = machine_for(halt_disabled, NULL, exit_config(2));
	timer.opaque = machine_clock(machine);
	machine_clock(machine)->arm(machine_clock(machine), &timer, 1000000);
	machine_run(machine, &result, NULL);
	CHECK_EQUAL(result.end, MACHINE_END_HALTED);
	machine_destroy(machine);
}

/* Typed input raises an interrupt, and those are off. */
static void test_halted_on_a_terminal(void)
{
	struct machine_config config = exit_config(1);
	struct machine_result result;
	struct machine *machine;

	config.host_input = true;
	machine = machine_for(halt_disabled, NULL, config);
	machine_run(machine, &result, NULL);
	CHECK_EQUAL(result.end, MACHINE_END_HALTED);
	machine_destroy(machine);
}

static void test_limit(void)
{
	struct trace trace = {.turns_left = 60};
	struct machine_config config = exit_config(2);
	struct machine_result result;
	struct machine *machine;

	config.quantum_ns = 1000;
	config.max_instructions = 4321;
	machine = machine_for(spin, &trace, config);
	machine_run(machine, &result, NULL);
	CHECK_EQUAL(result.end, MACHINE_END_LIMIT);
	CHECK_EQUAL(result.code, 124);
	CHECK_EQUAL(fake_of(machine)->vcpus[0]->instructions +
			    fake_of(machine)->vcpus[1]->instructions,
		    4321);
	machine_destroy(machine);
}

static int shutdown_exit(struct fake_engine *fake, unsigned int index)
{
	fake->vcpus[index]->regs.rip = 0x1234;
	run_page(fake, index)->exit_reason = KVM_EXIT_SHUTDOWN;
	return 0;
}

static int internal_error(struct fake_engine *fake, unsigned int index)
{
	run_page(fake, index)->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run_page(fake, index)->internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
	return 0;
}

static int failed_entry(struct fake_engine *fake, unsigned int index)
{
	run_page(fake, index)->exit_reason = KVM_EXIT_FAIL_ENTRY;
	run_page(fake, index)->fail_entry.hardware_entry_failure_reason = 0x80000021;
	return 0;
}

static int unknown_exit(struct fake_engine *fake, unsigned int index)
{
	run_page(fake, index)->exit_reason = 77;
	return 0;
}

static int system_shutdown(struct fake_engine *fake, unsigned int index)
{
	run_page(fake, index)->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	run_page(fake, index)->system_event.type = KVM_SYSTEM_EVENT_SHUTDOWN;
	return 0;
}

static int failing_run(struct fake_engine *fake, unsigned int index)
{
	(void)fake;
	(void)index;
	return -EFAULT;
}

static void test_ends(void)
{
	static const struct {
		int (*on_run)(struct fake_engine *fake, unsigned int index);
		enum machine_end end;
		int code;
		const char *phrase;
	} ends[] = {
		{shutdown_exit, MACHINE_END_SHUTDOWN, MACHINE_EXIT_SHUTDOWN,
		 "0x1234: triple fault"},
		{internal_error, MACHINE_END_ERROR, MACHINE_EXIT_ERROR, "jumped out of its memory"},
		{failed_entry, MACHINE_END_ERROR, MACHINE_EXIT_ERROR, "0x80000021"},
		{unknown_exit, MACHINE_END_ERROR, MACHINE_EXIT_ERROR, "exit reason 77"},
		{system_shutdown, MACHINE_END_POWER_OFF, 0, "powered"},
		{failing_run, MACHINE_END_ERROR, MACHINE_EXIT_ERROR, "KVM_RUN failed"},
	};

	for (unsigned int i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct machine *machine = machine_for(ends[i].on_run, NULL, exit_config(1));
		struct machine_result result;

		machine_run(machine, &result, NULL);
		CHECK_EQUAL(result.end, ends[i].end);
		CHECK_EQUAL(result.code, ends[i].code);
		CU_ASSERT_PTR_NOT_NULL(strstr(result.text, ends[i].phrase));
		machine_destroy(machine);
	}
}

/* String I/O: run->io.count items at one port; MMIO reads fill run->mmio.data. */
static int string_io(struct fake_engine *fake, unsigned int index)
{
	struct kvm_run *run = run_page(fake, index);
	uint8_t *data = fake->vcpus[index]->run + FAKE_IO_DATA;

	switch (fake->vcpus[index]->runs) {
	case 1:
		port_out(fake, index, 0x3f8, 0);
		run->io.count = 3;
		memcpy(data, "abc", 3);
		return 0;
	case 2:
		port_out(fake, index, 0x510, 0);
		run->io.size = 2;
		memset(data, 0, 2);
		return 0;
	case 3:
		port_out(fake, index, 0x511, 0);
		run->io.direction = KVM_EXIT_IO_IN;
		run->io.count = 4;
		return 0;
	case 4:
		CHECK_EQUAL(memcmp(data, "QEMU", 4), 0);
		run->exit_reason = KVM_EXIT_MMIO;
		run->mmio.phys_addr = 0xff000010;
		run->mmio.len = 4;
		run->mmio.is_write = 1;
		memcpy(run->mmio.data, "\1\2\3\4", 4);
		return 0;
	case 5:
		run->mmio.is_write = 0;
		run->mmio.phys_addr = 0xff000012;
		run->mmio.len = 2;
		return 0;
	case 6:
		CHECK_EQUAL(run->mmio.data[0], 3);
		CHECK_EQUAL(run->mmio.data[1], 4);
		return port_out(fake, index, 0xf4, 0);
	}
	return -EIO;
}

static void test_io(void)
{
	struct fake_output output = {0};
	struct machine_config config = exit_config(1);
	struct machine_result result;
	struct machine *machine;

	config.testdev = true;
	config.serial = true;
	config.console_output = fake_take_output;
	config.output_opaque = &output;
	machine = machine_for(string_io, NULL, config);
	machine_run(machine, &result, NULL);
	CHECK_EQUAL(result.end, MACHINE_END_EXIT_PORT);
	CHECK_EQUAL(result.unclaimed, 0);
	CU_ASSERT_STRING_EQUAL(output.text, "abc");
	machine_destroy(machine);
}

/* A reset puts back what KVM_CREATE_VCPU left and lets the run go on. */
static int reset_once(struct fake_engine *fake, unsigned int index)
{
	struct fake_vcpu *vcpu = fake->vcpus[index];

	if (vcpu->runs == 1) {
		vcpu->regs.rip = 0x777;
		vcpu->sregs.cs.base = 0;
		return port_out(fake, index, 0xcf9, 6);
	}
	CHECK_EQUAL(vcpu->regs.rip, 0xfff0);
	CHECK_EQUAL(vcpu->sregs.cs.base, 0xffff0000);
	CU_ASSERT(vcpu->completions > 0); /* the OUT was finished first */
	return port_out(fake, index, 0xf4, 5);
}

static void test_reset(void)
{
	struct machine *machine = machine_for(reset_once, NULL, exit_config(1));
	struct machine_result result;

	machine_run(machine, &result, NULL);
	CHECK_EQUAL(result.end, MACHINE_END_EXIT_PORT);
	CHECK_EQUAL(result.code, 11);
	machine_destroy(machine);
}

static int spin_slowly(struct fake_engine *fake, unsigned int index)
{
	struct kvm_run *run = run_page(fake, index);

	for (int i = 0; i < 10 && !__atomic_load_n(&run->immediate_exit, __ATOMIC_RELAXED); i++)
		usleep(100);
	fake_execute(fake, index, 10);
	run->exit_reason = KVM_EXIT_INTR;
	return -EINTR;
}

struct meddler {
	struct machine *machine;
	bool paused_clean;
};

static void *meddle(void *argument)
{
	struct meddler *meddler = argument;
	unsigned int runs, i;

	usleep(20000);
	machine_pause(meddler->machine);
	machine_pause(meddler->machine); /* nests */
	machine_resume(meddler->machine);
	runs = fake_of(meddler->machine)->vcpus[0]->runs;
	for (i = 0; i < 20; i++) {
		usleep(1000);
		if (fake_of(meddler->machine)->vcpus[0]->runs != runs)
			break;
	}
	meddler->paused_clean = i == 20;
	machine_resume(meddler->machine);
	usleep(20000);
	machine_stop(meddler->machine);
	return NULL;
}

/* machine_pause and machine_stop from another thread, for both schedules. */
static void test_pause_and_stop(void)
{
	for (int parallel = 0; parallel < 2; parallel++) {
		struct machine_config config = exit_config(2);
		struct machine_result result;
		struct meddler meddler = {0};
		pthread_t thread;

		config.schedule = parallel ? MACHINE_PARALLEL : MACHINE_ROUND_ROBIN;
		meddler.machine = machine_for(spin_slowly, NULL, config);
		pthread_create(&thread, NULL, meddle, &meddler);
		machine_run(meddler.machine, &result, NULL);
		pthread_join(thread, NULL);
		CU_ASSERT(meddler.paused_clean);
		CHECK_EQUAL(result.end, MACHINE_END_INTERRUPTED);
		CHECK_EQUAL(result.code, 130);
		machine_destroy(meddler.machine);
	}
}

/* Several devices on one GSI: the line is up while any of them is. */
static void test_shared_wire(void)
{
	struct irq_wire a = {.gsi = 17}, b = {.gsi = 17};
	struct machine *machine = fake_machine();
	struct fake_engine *fake = fake_of(machine);

	irq_set(machine, &a, true);
	irq_set(machine, &b, true);
	irq_set(machine, &a, false);
	CHECK_EQUAL(fake->level[17], 1);
	irq_set(machine, &a, false); /* twice is once */
	CHECK_EQUAL(fake->level[17], 1);
	irq_set(machine, &b, false);
	CHECK_EQUAL(fake->level[17], 0);
	CHECK_EQUAL(fake->rises[17], 1);
	CHECK_EQUAL(irq_send_msi(machine, 0xfee01000, 0x4041), 1);
	CHECK_EQUAL(fake->msi.address_lo, 0xfee01000);
	CHECK_EQUAL(fake->msi.data, 0x4041);
	CHECK_EQUAL(irq_send_msi(machine, 0xfed01000, 0x4041), -EINVAL);
	CHECK_EQUAL(fake->msi_count, 1);
	machine_destroy(machine);
}

/* Writes above the seam are told to the engine; nothing outside RAM is touched. */
static void test_memory(void)
{
	struct machine_config config = fake_config();
	struct machine *machine;
	struct fake_engine *fake;
	uint32_t value = 1;
	unsigned int told;

	config.memory = 4ull << 30;
	machine = machine_create(&config, NULL);
	fake = fake_of(machine);
	CHECK_EQUAL(fake->slot_count, 2);
	CHECK_EQUAL(fake->slots[0].memory_size, 3ull << 30);
	CHECK_EQUAL(fake->slots[1].guest_phys_addr, 4ull << 30);
	told = fake->writes_told;
	CHECK_EQUAL(machine_dma_write(machine, 0x1234, &value, 4), 0);
	CHECK_EQUAL(fake->writes_told, told + 1);
	CHECK_EQUAL(fake->last_written, 0x1234);
	CHECK_EQUAL(fake->last_length, 4);
	CHECK_EQUAL(machine_dma_write(machine, (3ull << 30) - 2, &value, 4), -EFAULT);
	CHECK_EQUAL(machine_dma_write(machine, (5ull << 30) - 4, &value, 4), 0);
	CHECK_EQUAL(machine_dma_read(machine, (5ull << 30) - 3, &value, 4), -EFAULT);
	CHECK_EQUAL(machine_dma_read(machine, UINT64_MAX - 1, &value, 4), -EFAULT);
	CHECK_EQUAL(fake->writes_told, told + 2);
	machine_destroy(machine);
}

static void test_bad_config(void)
{
	struct machine_config config = fake_config();
	struct machine_param param = {"ept", "1"};
	struct ls_error err = {0};

	config.memory = 4096;
	CU_ASSERT_PTR_NULL(machine_create(&config, &err));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "2 MiB"));
	config = fake_config();
	config.cpu = "6502";
	err.code = 0;
	CU_ASSERT_PTR_NULL(machine_create(&config, &err));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "6502"));
	config = fake_config();
	config.params = &param;
	config.param_count = 1;
	err.code = 0;
	CU_ASSERT_PTR_NULL(machine_create(&config, &err));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "ept"));
	config = fake_config();
	config.vcpus = 1000;
	err.code = 0;
	CU_ASSERT_PTR_NULL(machine_create(&config, &err));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "1 to 64"));
}

static CU_TestInfo tests[] = {
	{"turns are fixed and time is one line", test_turns},
	{"a deadline ends a turn", test_deadline},
	{"device accesses take guest time", test_access_time},
	{"idle time is skipped", test_idle_skips},
	{"halted for ever is an end", test_halted_for_ever},
	{"... also where somebody could type", test_halted_on_a_terminal},
	{"the instruction limit is exact over all vCPUs", test_limit},
	{"every exit that ends a run", test_ends},
	{"string I/O and MMIO", test_io},
	{"reset", test_reset},
	{"pause and stop from another thread", test_pause_and_stop},
	{"wires and messages", test_shared_wire},
	{"guest memory", test_memory},
	{"configurations that cannot be", test_bad_config},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("machine/scheduler", tests)
