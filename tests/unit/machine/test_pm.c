/* SPDX-License-Identifier: Apache-2.0 */
/* ACPI specification 6.4, 4.8.3 (fixed hardware registers). Ports as the FADT gives them. */
#include "fake_engine.h"
#include "machine/internal.h"
#include "machine/pm.h"
#include "tests/unit/check.h"

#define SECOND  1000000000ull
#define STATUS  0x600
#define ENABLE  0x602
#define CONTROL 0x604
#define TIMER   0x608

static uint64_t get(struct machine *machine, uint16_t port, unsigned int size)
{
	return bus_read(machine_ports(machine), port, size);
}

static void set(struct machine *machine, uint16_t port, unsigned int size, uint64_t value)
{
	bus_write(machine_ports(machine), port, size, value);
}

/* 4.8.3.3: 3.579545 MHz; 32 bits, as TMR_VAL_EXT says. */
static void test_timer(void)
{
	struct machine *machine = fake_machine();
	struct fake_engine *fake = fake_of(machine);

	CHECK_EQUAL(get(machine, TIMER, 4), 0);
	fake_advance(fake, SECOND);
	CHECK_EQUAL(get(machine, TIMER, 4), 3579545);
	fake_advance(fake, 1000 * SECOND);
	CHECK_EQUAL(get(machine, TIMER, 4), 3579545000u);
	fake_advance(fake, 2000 * SECOND);
	CHECK_EQUAL(get(machine, TIMER, 4), 2 * 3579545000ull - (1ull << 32));
	machine_destroy(machine);
}

/* 4.8.3.1.1: TMR_STS is set when bit 31 changes, and raises the SCI if TMR_EN is set. */
static void test_timer_carry(void)
{
	struct machine *machine = fake_machine();
	struct fake_engine *fake = fake_of(machine);
	uint64_t half = (1ull << 31) * SECOND / 3579545; /* rounded down: just before */

	set(machine, ENABLE, 2, 0x0001);
	fake_advance(fake, half);
	CHECK_EQUAL(get(machine, STATUS, 2) & 1, 0);
	CHECK_EQUAL(fake->level[9], 0);
	fake_advance(fake, half + 1);
	CHECK_EQUAL(fake->level[9], 1);
	CHECK_EQUAL(get(machine, STATUS, 2) & 1, 1);
	set(machine, STATUS, 2, 0x0001); /* ones clear */
	CHECK_EQUAL(get(machine, STATUS, 2) & 1, 0);
	CHECK_EQUAL(fake->level[9], 0);
	fake_advance(fake, 2 * half + 2);
	CHECK_EQUAL(fake->level[9], 1);
	machine_destroy(machine);
}

/* Registers can be read and written a byte or both at once (4.7.3). */
static void test_widths(void)
{
	struct machine *machine = fake_machine();

	set(machine, ENABLE, 2, 0x0421);
	CHECK_EQUAL(get(machine, ENABLE, 1), 0x21);
	CHECK_EQUAL(get(machine, ENABLE + 1, 1), 0x04);
	CHECK_EQUAL(get(machine, STATUS, 4), 0x04210000);
	set(machine, ENABLE + 1, 1, 0x00);
	CHECK_EQUAL(get(machine, ENABLE, 2), 0x0021);
	set(machine, STATUS, 4, 0x04010000); /* both halves in one */
	CHECK_EQUAL(get(machine, ENABLE, 2), 0x0401);
	machine_destroy(machine);
}

/* 4.8.3.2.1: no SMI_CMD in the FADT means SCI_EN is always set. */
static void test_sci_enable(void)
{
	struct machine *machine = fake_machine();

	CHECK_EQUAL(get(machine, CONTROL, 2) & 1, 1);
	set(machine, CONTROL, 2, 0);
	CHECK_EQUAL(get(machine, CONTROL, 2) & 1, 1);
	set(machine, CONTROL, 2, 0x1c00); /* SLP_TYP alone does nothing; SLP_EN reads as 0 */
	CHECK_EQUAL(get(machine, CONTROL, 2), 0x1c01);
	CHECK_EQUAL(machine->request, REQUEST_NONE);
	machine_destroy(machine);
}

static void test_power_off(void)
{
	struct machine *machine = fake_machine();
	struct machine_result result;

	set(machine, CONTROL, 2, 0x2000 | PM_SLEEP_S5 << 10);
	CHECK_EQUAL(machine_run(machine, &result, NULL), 0);
	CHECK_EQUAL(result.end, MACHINE_END_POWER_OFF);
	CHECK_EQUAL(result.code, 0);
	machine_destroy(machine);
}

/* 4.7.3.2.1: RTC_STS is set by the alarm; with RTC_EN it raises the SCI. */
static void test_rtc_status(void)
{
	struct machine *machine = fake_machine();
	struct fake_engine *fake = fake_of(machine);

	for (uint8_t i = 1; i <= 5; i += 2) { /* any time */
		out8(machine, 0x70, i);
		out8(machine, 0x71, 0xc0);
	}
	out8(machine, 0x70, 0x0b);
	out8(machine, 0x71, 0x22);
	set(machine, ENABLE, 2, 0x0400);
	CHECK_EQUAL(fake->level[9], 0);
	fake_advance(fake, SECOND);
	CHECK_EQUAL(get(machine, STATUS, 2), 0x0400);
	CHECK_EQUAL(fake->level[9], 1);
	machine_destroy(machine);
}

/* Reset register (4.8.3.6), as Intel's RST_CNT: a rising bit 2. */
static void test_reset_register(void)
{
	struct machine_config config = fake_config();
	struct machine_result result;
	struct machine *machine;

	config.no_reboot = true;
	machine = machine_create(&config, NULL);
	out8(machine, 0xcf9, 0x02);
	CHECK_EQUAL(machine->request, REQUEST_NONE);
	CHECK_EQUAL(in8(machine, 0xcf9), 0x02);
	out8(machine, 0xcf9, 0x06);
	CHECK_EQUAL(machine_run(machine, &result, NULL), 0);
	CHECK_EQUAL(result.end, MACHINE_END_RESET);
	CHECK_EQUAL(result.code, MACHINE_EXIT_RESET);
	machine_destroy(machine);
}

static CU_TestInfo tests[] = {
	{"PM timer runs at 3.579545 MHz", test_timer},
	{"TMR_STS and its SCI", test_timer_carry},
	{"byte and word accesses", test_widths},
	{"SCI_EN is always set", test_sci_enable},
	{"S5 ends the run", test_power_off},
	{"the RTC alarm sets RTC_STS", test_rtc_status},
	{"reset register", test_reset_register},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("machine/pm", tests)
