/* SPDX-License-Identifier: Apache-2.0 */
/* The local APIC's timer against SDM 3A:11.5.4. */
#include "../check.h"
#include "fake_vm.h"

static struct fake_vm vm;
static struct lapic *const apic = &vm.cpu[0].lapic;

#define VECTOR   0xee
#define DIVIDE_1 0xb

static void start(uint64_t hz)
{
	fake_vm_reset(&vm, 1,
		      (struct lapic_config){.version = LAPIC_VERSION_INTEL, .timer_hz = hz});
	lapic_write(apic, LAPIC_SVR, 0x1ff);
	lapic_write(apic, LAPIC_TIMER_DIVIDE, DIVIDE_1);
	fake_clock_set(&vm.clock, 1000);
}

static uint32_t current(void)
{
	return fake_read(apic, LAPIC_TIMER_CURRENT);
}

/* True, and ended, if the timer's interrupt is pending. */
static bool take(void)
{
	if (lapic_pending(apic) != VECTOR)
		return false;
	lapic_accept(apic);
	lapic_write(apic, LAPIC_EOI, 0);
	return true;
}

/* One-shot: counts down to 0, interrupts once, stays at 0. */
static void test_one_shot(void)
{
	start(0); /* 1 GHz: a count is a nanosecond */
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR);
	lapic_write(apic, LAPIC_TIMER_INITIAL, 500);
	CHECK_EQUAL(current(), 500);
	fake_clock_advance(&vm.clock, 200);
	CHECK_EQUAL(current(), 300);
	fake_clock_advance(&vm.clock, 299);
	CHECK_EQUAL(current(), 1);
	CU_ASSERT_FALSE(take());
	fake_clock_advance(&vm.clock, 1);
	CU_ASSERT_TRUE(take());
	CHECK_EQUAL(current(), 0);
	fake_clock_advance(&vm.clock, 10000);
	CHECK_EQUAL(current(), 0);
	CU_ASSERT_FALSE(take());
	CHECK_EQUAL(fake_read(apic, LAPIC_TIMER_INITIAL), 500);
	/* A write restarts, also in the middle. */
	lapic_write(apic, LAPIC_TIMER_INITIAL, 100);
	fake_clock_advance(&vm.clock, 50);
	lapic_write(apic, LAPIC_TIMER_INITIAL, 100);
	fake_clock_advance(&vm.clock, 99);
	CU_ASSERT_FALSE(take());
	fake_clock_advance(&vm.clock, 1);
	CU_ASSERT_TRUE(take());
}

/* Figure 11-10: the divide configuration's eight codes in bits 3, 1, 0. */
static void test_divide(void)
{
	static const struct {
		uint32_t code, divisor;
	} rows[] = {{0x0, 2},  {0x1, 4},  {0x2, 8},   {0x3, 16},
		    {0x8, 32}, {0x9, 64}, {0xa, 128}, {0xb, 1}};
	unsigned int i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start(0);
		lapic_write(apic, LAPIC_LVT_TIMER, VECTOR);
		lapic_write(apic, LAPIC_TIMER_DIVIDE, rows[i].code);
		lapic_write(apic, LAPIC_TIMER_INITIAL, 10);
		CHECK_EQUAL(fake_clock_next(&vm.clock), 1000 + 10 * rows[i].divisor);
		fake_clock_advance(&vm.clock, 3 * rows[i].divisor);
		CHECK_EQUAL(current(), 7);
	}
}

/* The divider may change on the way: what is left counts on at the new rate. */
static void test_divide_change(void)
{
	start(0);
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR);
	lapic_write(apic, LAPIC_TIMER_INITIAL, 100);
	fake_clock_advance(&vm.clock, 40);
	lapic_write(apic, LAPIC_TIMER_DIVIDE, 0x1); /* by 4 */
	CHECK_EQUAL(current(), 60);
	fake_clock_advance(&vm.clock, 4 * 59);
	CHECK_EQUAL(current(), 1);
	fake_clock_advance(&vm.clock, 4);
	CU_ASSERT_TRUE(take());
}

/* Periodic: reloads from the initial count; expiries stay on the grid of the bus clock. */
static void test_periodic(void)
{
	const uint64_t hz = 24000001, n = 7;
	uint64_t k;

	start(hz);
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR | LAPIC_TIMER_PERIODIC);
	lapic_write(apic, LAPIC_TIMER_INITIAL, n);
	for (k = 1; k <= 1000; k++) {
		/* the first ns at which k * n clocks have passed since 1000 */
		uint64_t due = 1000 + (k * n * 1000000000 + hz - 1) / hz;

		CHECK_EQUAL(fake_clock_next(&vm.clock), due);
		fake_clock_set(&vm.clock, due - 1);
		CU_ASSERT_FALSE(take());
		fake_clock_set(&vm.clock, due);
		CU_ASSERT_TRUE(take());
		CHECK_EQUAL(current(), n);
	}
}

/* An owner whose clock jumps gets one interrupt for the periods gone by, not one each. */
static void test_periodic_late(void)
{
	start(0);
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR | LAPIC_TIMER_PERIODIC);
	lapic_write(apic, LAPIC_TIMER_INITIAL, 100);
	vm.clock.fired = 0;
	fake_clock_jump(&vm.clock, 1000 + 1000050);
	CHECK_EQUAL(vm.clock.fired, 1);
	CU_ASSERT_TRUE(take());
	CHECK_EQUAL(current(), 50);
	CHECK_EQUAL(fake_clock_next(&vm.clock), 1000 + 1000100);
	/* Due, but not fired yet: the count has wrapped all the same; one-shot: 0. */
	vm.clock.ns = 1000 + 1000130;
	CHECK_EQUAL(current(), 70);
	vm.clock.ns = 1000 + 1000100;
	CHECK_EQUAL(current(), 100);
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR);
	CHECK_EQUAL(current(), 0);
}

/* "A write of 0 to the initial-count register effectively stops the local APIC timer" */
static void test_zero(void)
{
	start(0);
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR | LAPIC_TIMER_PERIODIC);
	lapic_write(apic, LAPIC_TIMER_INITIAL, 100);
	lapic_write(apic, LAPIC_TIMER_INITIAL, 0);
	CHECK_EQUAL(fake_clock_next(&vm.clock), LS_NEVER);
	CHECK_EQUAL(current(), 0);
	fake_clock_advance(&vm.clock, 1000);
	CU_ASSERT_FALSE(take());
}

/* Masked, it counts but does not interrupt; unmasking does not deliver what was missed. */
static void test_masked(void)
{
	start(0);
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR | LAPIC_TIMER_PERIODIC | LAPIC_LVT_MASKED);
	lapic_write(apic, LAPIC_TIMER_INITIAL, 100);
	fake_clock_advance(&vm.clock, 150);
	CHECK_EQUAL(current(), 50);
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR | LAPIC_TIMER_PERIODIC);
	CU_ASSERT_FALSE(take());
	fake_clock_advance(&vm.clock, 50);
	CU_ASSERT_TRUE(take());
	lapic_write(apic, LAPIC_SVR, 0xff); /* masks all LVTs */
	fake_clock_advance(&vm.clock, 100);
	CU_ASSERT_FALSE(take());
}

/* Between one-shot and periodic the count goes on; a count that has reached 0 stays there. */
static void test_change_mode(void)
{
	start(0);
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR);
	lapic_write(apic, LAPIC_TIMER_INITIAL, 1000);
	fake_clock_advance(&vm.clock, 600);
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR | LAPIC_TIMER_PERIODIC);
	CHECK_EQUAL(fake_read(apic, LAPIC_TIMER_INITIAL), 1000);
	CHECK_EQUAL(current(), 400);
	fake_clock_advance(&vm.clock, 500);
	CU_ASSERT_TRUE(take());
	CHECK_EQUAL(current(), 900);
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR);
	CHECK_EQUAL(current(), 900);
	fake_clock_advance(&vm.clock, 900);
	CU_ASSERT_TRUE(take());
	CHECK_EQUAL(current(), 0);
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR | LAPIC_TIMER_PERIODIC);
	fake_clock_advance(&vm.clock, 5000);
	CHECK_EQUAL(current(), 0);
	CU_ASSERT_FALSE(take());
}

static void deadline_mode(void)
{
	start(0);
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR | LAPIC_TIMER_TSC_DEADLINE);
}

static uint64_t deadline(void)
{
	uint64_t value = 0xdead;

	CHECK_EQUAL(lapic_msr_read(apic, LAPIC_MSR_TSC_DEADLINE, &value), 0);
	return value;
}

static void set_deadline(uint64_t tsc)
{
	CHECK_EQUAL(lapic_msr_write(apic, LAPIC_MSR_TSC_DEADLINE, tsc), 0);
}

/* 11.5.4.1: one interrupt at the deadline, reads back until then, 0 afterwards. */
static void test_deadline(void)
{
	deadline_mode();
	CHECK_EQUAL(deadline(), 0);
	set_deadline(3001 + 3 * 50); /* TSC is 3000 now; reached in ns 51 */
	CHECK_EQUAL(deadline(), 3151);
	fake_clock_advance(&vm.clock, 50);
	CU_ASSERT_FALSE(take());
	fake_clock_advance(&vm.clock, 1);
	CU_ASSERT_TRUE(take());
	CHECK_EQUAL(deadline(), 0);
	CHECK_EQUAL(fake_clock_next(&vm.clock), LS_NEVER);
	/* The TSC's own value, and one that has passed, expire at once; rewriting moves it; 0
	 * disarms. */
	set_deadline(fake_tsc_now(&vm.cpu[0]));
	CU_ASSERT_TRUE(take());
	set_deadline(1);
	CU_ASSERT_TRUE(take());
	CHECK_EQUAL(deadline(), 0);
	set_deadline(10000);
	set_deadline(20000);
	fake_clock_set(&vm.clock, 5000);
	CU_ASSERT_FALSE(take());
	set_deadline(0);
	CHECK_EQUAL(deadline(), 0);
	fake_clock_set(&vm.clock, 50000);
	CU_ASSERT_FALSE(take());
}

/* "In TSC-deadline mode, writes to the initial-count register are ignored; and current-count
 * register always reads 0"; in other modes the MSR reads 0 and ignores writes. */
static void test_deadline_exclusive(void)
{
	deadline_mode();
	lapic_write(apic, LAPIC_TIMER_INITIAL, 100);
	CHECK_EQUAL(fake_read(apic, LAPIC_TIMER_INITIAL), 0);
	set_deadline(1000000);
	CHECK_EQUAL(current(), 0);
	start(0);
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR);
	set_deadline(1000000);
	CHECK_EQUAL(deadline(), 0);
	CHECK_EQUAL(fake_clock_next(&vm.clock), LS_NEVER);
}

/* "Transitioning between TSC-deadline mode and other timer modes also disarms the timer." */
static void test_deadline_transition(void)
{
	deadline_mode();
	set_deadline(9000);
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR);
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR | LAPIC_TIMER_TSC_DEADLINE);
	CHECK_EQUAL(deadline(), 0);
	CHECK_EQUAL(fake_clock_next(&vm.clock), LS_NEVER);
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR);
	lapic_write(apic, LAPIC_TIMER_INITIAL, 100);
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR | LAPIC_TIMER_TSC_DEADLINE);
	CHECK_EQUAL(fake_clock_next(&vm.clock), LS_NEVER);
	/* A new vector or mask is no transition. */
	set_deadline(30000);
	lapic_write(apic, LAPIC_LVT_TIMER, 0x40 | LAPIC_TIMER_TSC_DEADLINE);
	CHECK_EQUAL(deadline(), 30000);
}

/* Without CPUID.1:ECX[24] the MSR does not exist. */
static void test_deadline_absent(void)
{
	uint64_t value;

	start(0);
	lapic_set_features(apic, &(struct lapic_features){.phys_bits = 40});
	CHECK_EQUAL(lapic_msr_read(apic, LAPIC_MSR_TSC_DEADLINE, &value), -1);
	CHECK_EQUAL(lapic_msr_write(apic, LAPIC_MSR_TSC_DEADLINE, 0), -1);
}

/* The deadline is an absolute TSC value: writing the TSC moves it (SDM 3B:18.17.3). */
static void test_tsc_write(void)
{
	deadline_mode();
	set_deadline(9000); /* ns 3000 */
	vm.cpu[0].tsc_offset = 3000;
	lapic_tsc_changed(apic);
	CHECK_EQUAL(fake_clock_next(&vm.clock), 2000);
	vm.cpu[0].tsc_offset = 9000;
	lapic_tsc_changed(apic);
	CU_ASSERT_TRUE(take());
	CHECK_EQUAL(deadline(), 0);
}

/* 11.4.7.3: INIT and disabling stop it. */
static void test_stops(void)
{
	deadline_mode();
	set_deadline(9000);
	lapic_reset_init(apic);
	CHECK_EQUAL(fake_clock_next(&vm.clock), LS_NEVER);
	start(0);
	lapic_write(apic, LAPIC_TIMER_INITIAL, 100);
	lapic_set_base(apic, 0xfee00100, false);
	CHECK_EQUAL(fake_clock_next(&vm.clock), LS_NEVER);
	lapic_set_base(apic, 0xfee00900, false);
	lapic_write(apic, LAPIC_TIMER_INITIAL, 100);
	lapic_destroy(apic);
	CHECK_EQUAL(fake_clock_next(&vm.clock), LS_NEVER);
}

/* KVM_SET_LAPIC: counts on from the current count it is given. */
static void test_restore(void)
{
	struct kvm_lapic_state page;

	start(0);
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR | LAPIC_TIMER_PERIODIC);
	lapic_write(apic, LAPIC_TIMER_INITIAL, 1000);
	fake_clock_advance(&vm.clock, 300);
	lapic_get_state(apic, &page, false);
	start(0);
	CHECK_EQUAL(lapic_set_state(apic, &page, false), 0);
	CHECK_EQUAL(current(), 700);
	fake_clock_advance(&vm.clock, 700);
	CU_ASSERT_TRUE(take());
	fake_clock_advance(&vm.clock, 1000);
	CU_ASSERT_TRUE(take());
	/* A one-shot that has run out does not start again. */
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR);
	fake_clock_advance(&vm.clock, 1000);
	CU_ASSERT_TRUE(take());
	lapic_get_state(apic, &page, false);
	lapic_write(apic, LAPIC_TIMER_INITIAL, 500);
	lapic_set_state(apic, &page, false);
	CHECK_EQUAL(fake_clock_next(&vm.clock), LS_NEVER);
	/* A periodic one at 0 begins a period; TSC-deadline mode waits for its MSR. */
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR | LAPIC_TIMER_PERIODIC);
	lapic_get_state(apic, &page, false);
	lapic_set_state(apic, &page, false);
	CHECK_EQUAL(fake_clock_next(&vm.clock), vm.clock.ns + 1000);
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR | LAPIC_TIMER_TSC_DEADLINE);
	set_deadline(1000000);
	lapic_get_state(apic, &page, false);
	lapic_set_state(apic, &page, false);
	CHECK_EQUAL(fake_clock_next(&vm.clock), LS_NEVER);
}

/* min_timer_period_us: a floor under periods, so that a guest cannot drown itself. */
static void test_least_period(void)
{
	fake_vm_reset(&vm, 1,
		      (struct lapic_config){.version = LAPIC_VERSION_INTEL, .min_period_ns = 200});
	lapic_write(apic, LAPIC_SVR, 0x1ff);
	lapic_write(apic, LAPIC_TIMER_DIVIDE, DIVIDE_1);
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR | LAPIC_TIMER_PERIODIC);
	lapic_write(apic, LAPIC_TIMER_INITIAL, 1);
	CHECK_EQUAL(fake_clock_next(&vm.clock), 200);
	CHECK_EQUAL(current(), 1);
	fake_clock_advance(&vm.clock, 200);
	CU_ASSERT_TRUE(take());
	CHECK_EQUAL(fake_clock_next(&vm.clock), 400);
	lapic_write(apic, LAPIC_TIMER_INITIAL, 0);
	CHECK_EQUAL(fake_clock_next(&vm.clock), LS_NEVER);
	lapic_write(apic, LAPIC_LVT_TIMER, VECTOR);
	lapic_write(apic, LAPIC_TIMER_INITIAL, 1); /* one-shots are free */
	CHECK_EQUAL(fake_clock_next(&vm.clock), 201);
}

static CU_TestInfo tests[] = {
	{"one-shot", test_one_shot},
	{"divide configuration", test_divide},
	{"divide configuration on the way", test_divide_change},
	{"periodic", test_periodic},
	{"periodic, late", test_periodic_late},
	{"initial count 0", test_zero},
	{"masked", test_masked},
	{"one-shot to periodic and back", test_change_mode},
	{"TSC deadline", test_deadline},
	{"TSC deadline and counts exclude each other", test_deadline_exclusive},
	{"TSC deadline transitions", test_deadline_transition},
	{"TSC deadline not offered", test_deadline_absent},
	{"TSC written", test_tsc_write},
	{"INIT and disable", test_stops},
	{"KVM_SET_LAPIC", test_restore},
	{"least period", test_least_period},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("local APIC timer", tests)
