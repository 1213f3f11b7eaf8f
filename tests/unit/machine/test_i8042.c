/* SPDX-License-Identifier: Apache-2.0 */
/* IBM PC AT Technical Reference, "keyboard controller" and "keyboard". */
#include "fake_engine.h"
#include "machine/internal.h"
#include "tests/unit/check.h"

static uint8_t command(struct machine *machine, uint8_t value)
{
	out8(machine, 0x64, value);
	return in8(machine, 0x60);
}

static void test_controller(void)
{
	struct machine *machine = fake_machine();

	CHECK_EQUAL(in8(machine, 0x64) & 0x07, 0); /* empty, self-test not done */
	CHECK_EQUAL(command(machine, 0xaa), 0x55);
	CHECK_EQUAL(in8(machine, 0x64) & 0x04, 0x04);
	CHECK_EQUAL(command(machine, 0xab), 0x00);
	out8(machine, 0x64, 0x60);
	CHECK_EQUAL(in8(machine, 0x64) & 0x08, 0x08); /* the last write was a command */
	out8(machine, 0x60, 0x45);
	CHECK_EQUAL(in8(machine, 0x64) & 0x08, 0);
	CHECK_EQUAL(command(machine, 0x20), 0x45);
	out8(machine, 0x64, 0xad); /* disable the keyboard: bit 4 of the mode */
	CHECK_EQUAL(command(machine, 0x20), 0x55);
	out8(machine, 0x64, 0xae);
	CHECK_EQUAL(command(machine, 0x20), 0x45);
	machine_destroy(machine);
}

static void test_output_buffer_full(void)
{
	struct machine *machine = fake_machine();

	out8(machine, 0x64, 0xaa);
	CHECK_EQUAL(in8(machine, 0x64) & 0x01, 0x01);
	in8(machine, 0x60);
	CHECK_EQUAL(in8(machine, 0x64) & 0x01, 0x00);
	machine_destroy(machine);
}

/* Keyboard answers raise IRQ 1 byte by byte; the controller's own do not. */
static void test_keyboard(void)
{
	struct machine *machine = fake_machine();
	struct fake_engine *fake = fake_of(machine);

	command(machine, 0xaa);
	CHECK_EQUAL(fake->rises[1], 0);
	out8(machine, 0x60, 0xff); /* reset: ACK, then self-test passed */
	CHECK_EQUAL(fake->rises[1], 1);
	CHECK_EQUAL(in8(machine, 0x60), 0xfa);
	CHECK_EQUAL(fake->rises[1], 2);
	CHECK_EQUAL(in8(machine, 0x60), 0xaa);
	CHECK_EQUAL(fake->level[1], 0);
	out8(machine, 0x60, 0xf2);
	CHECK_EQUAL(in8(machine, 0x60), 0xfa);
	CHECK_EQUAL(in8(machine, 0x60), 0xab);
	CHECK_EQUAL(in8(machine, 0x60), 0x83);
	out8(machine, 0x60, 0xed); /* LEDs: the byte after it is its parameter */
	CHECK_EQUAL(in8(machine, 0x60), 0xfa);
	out8(machine, 0x60, 0xff);
	CHECK_EQUAL(in8(machine, 0x60), 0xfa);
	CHECK_EQUAL(in8(machine, 0x64) & 1, 0);
	out8(machine, 0x60, 0xee);
	CHECK_EQUAL(in8(machine, 0x60), 0xee);
	out8(machine, 0x60, 0x01); /* no command: resend */
	CHECK_EQUAL(in8(machine, 0x60), 0xfe);
	machine_destroy(machine);
}

static void test_irq_mode(void)
{
	struct machine *machine = fake_machine();
	struct fake_engine *fake = fake_of(machine);

	out8(machine, 0x64, 0x60);
	out8(machine, 0x60, 0x00); /* interrupt off */
	out8(machine, 0x60, 0xee);
	CHECK_EQUAL(fake->rises[1], 0);
	CHECK_EQUAL(in8(machine, 0x60), 0xee);
	machine_destroy(machine);
}

static void expect_reset(void (*act)(struct machine *machine))
{
	struct machine_config config = fake_config();
	struct machine_result result;
	struct machine *machine;

	config.no_reboot = true;
	machine = machine_create(&config, NULL);
	act(machine);
	CHECK_EQUAL(machine_run(machine, &result, NULL), 0);
	CHECK_EQUAL(result.end, MACHINE_END_RESET);
	machine_destroy(machine);
}

static void pulse_reset(struct machine *machine)
{
	out8(machine, 0x64, 0xff); /* pulses no line */
	CHECK_EQUAL(machine->request, REQUEST_NONE);
	out8(machine, 0x64, 0xfe);
}

static void output_port_reset(struct machine *machine)
{
	uint8_t port = command(machine, 0xd0);

	CHECK_EQUAL(port & 0x03, 0x03); /* A20 on, not in reset */
	out8(machine, 0x64, 0xd1);
	out8(machine, 0x60, port);
	CHECK_EQUAL(machine->request, REQUEST_NONE);
	out8(machine, 0x64, 0xd1);
	out8(machine, 0x60, port & 0xfe);
}

/* Port 0x92 bit 0, rising (PS/2 Technical Reference, system control port A). */
static void fast_reset(struct machine *machine)
{
	CHECK_EQUAL(in8(machine, 0x92), 0x02);
	out8(machine, 0x92, 0x00);
	CHECK_EQUAL(in8(machine, 0x92), 0x00);
	CHECK_EQUAL(machine->request, REQUEST_NONE);
	out8(machine, 0x92, 0x03);
}

static void test_resets(void)
{
	expect_reset(pulse_reset);
	expect_reset(output_port_reset);
	expect_reset(fast_reset);
}

/* Nothing answers as a mouse: the loopback's byte comes without the mouse's mark (status
 * bit 5), and the interface test fails. */
static void test_no_mouse(void)
{
	struct machine *machine = fake_machine();

	out8(machine, 0x64, 0xd3);
	out8(machine, 0x60, 0x5a);
	CHECK_EQUAL(in8(machine, 0x64) & 0x20, 0);
	CHECK_EQUAL(in8(machine, 0x60), 0x5a);
	CHECK_EQUAL(command(machine, 0xa9), 0x01);
	machine_destroy(machine);
}

static CU_TestInfo tests[] = {
	{"controller commands", test_controller},
	{"output buffer full", test_output_buffer_full},
	{"keyboard commands and IRQ 1", test_keyboard},
	{"the mode byte gates IRQ 1", test_irq_mode},
	{"three ways to reset", test_resets},
	{"there is no mouse", test_no_mouse},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("machine/i8042", tests)
