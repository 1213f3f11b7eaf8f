/* SPDX-License-Identifier: Apache-2.0 */
/* PC16550D data sheet (National Semiconductor), registers and tables by its numbering. */
#include "fake_engine.h"
#include "machine/console.h"
#include "tests/unit/check.h"

enum { RBR = 0x3f8, THR = 0x3f8, IER, IIR, LCR, MCR, LSR, MSR, SCR };
#define FCR IIR

#define MCR_OUT2 0x08
#define MCR_LOOP 0x10

static struct machine *machine_with_output(struct fake_output *output)
{
	struct machine_config config = fake_config();

	config.serial = true;
	config.console_output = fake_take_output;
	config.output_opaque = output;
	return machine_create(&config, NULL);
}

/* Sends @n bytes to the receiver through the loop. */
static void loop_bytes(struct machine *machine, unsigned int n)
{
	out8(machine, MCR, MCR_LOOP | MCR_OUT2);
	for (unsigned int i = 0; i < n; i++)
		out8(machine, THR, (uint8_t)(0x40 + i));
}

static void test_reset_state(void)
{
	struct machine *machine = fake_machine();

	CHECK_EQUAL(in8(machine, IER), 0x00); /* table III: register values after reset */
	CHECK_EQUAL(in8(machine, IIR), 0x01);
	CHECK_EQUAL(in8(machine, LCR), 0x00);
	CHECK_EQUAL(in8(machine, MCR), 0x00);
	CHECK_EQUAL(in8(machine, LSR), 0x60);
	CHECK_EQUAL(in8(machine, MSR) & 0x0f, 0);
	machine_destroy(machine);
}

static void test_divisor_latch(void)
{
	struct machine *machine = fake_machine();

	out8(machine, LCR, 0x83);
	out8(machine, THR, 0x34);
	out8(machine, IER, 0x12);
	CHECK_EQUAL(in8(machine, RBR), 0x34);
	CHECK_EQUAL(in8(machine, IER), 0x12);
	out8(machine, LCR, 0x03);
	CHECK_EQUAL(in8(machine, IER), 0x00); /* the latch is not the register */
	out8(machine, SCR, 0xa5);
	CHECK_EQUAL(in8(machine, SCR), 0xa5);
	machine_destroy(machine);
}

static void test_output(void)
{
	struct fake_output output = {0};
	struct machine *machine = machine_with_output(&output);

	out8(machine, THR, 'o');
	CHECK_EQUAL(in8(machine, LSR) & 0x60, 0x60);
	out8(machine, THR, 'k');
	out8(machine, MCR, MCR_LOOP);
	out8(machine, THR, '!'); /* stays inside */
	machine_destroy(machine);
	CU_ASSERT_STRING_EQUAL(output.text, "ok");
}

/* "Transmitter holding register empty" is raised by enabling it and by each emptying, and
 * taken back by reading IIR as its source (table IV). */
static void test_transmit_interrupt(void)
{
	struct machine *machine = fake_machine();
	struct fake_engine *fake = fake_of(machine);

	out8(machine, MCR, MCR_OUT2);
	out8(machine, IER, 0x02);
	CHECK_EQUAL(fake->level[4], 1);
	CHECK_EQUAL(in8(machine, IIR), 0x02);
	CHECK_EQUAL(fake->level[4], 0);
	CHECK_EQUAL(in8(machine, IIR), 0x01);
	out8(machine, THR, 'x');
	CHECK_EQUAL(fake->level[4], 1);
	CHECK_EQUAL(in8(machine, IIR), 0x02);
	machine_destroy(machine);
}

/* A PC's IRQ goes through OUT2. */
static void test_out2_gates(void)
{
	struct machine *machine = fake_machine();
	struct fake_engine *fake = fake_of(machine);

	out8(machine, IER, 0x02);
	CHECK_EQUAL(fake->level[4], 0);
	out8(machine, MCR, MCR_OUT2);
	CHECK_EQUAL(fake->level[4], 1);
	machine_destroy(machine);
}

static void test_no_fifo(void)
{
	struct machine *machine = fake_machine();

	loop_bytes(machine, 2);
	CHECK_EQUAL(in8(machine, LSR), 0x63); /* ready, overrun */
	CHECK_EQUAL(in8(machine, LSR), 0x61); /* reading it clears OE */
	CHECK_EQUAL(in8(machine, RBR), 0x40); /* room for one character */
	CHECK_EQUAL(in8(machine, LSR), 0x60);
	CHECK_EQUAL(in8(machine, IIR) & 0xc0, 0);
	machine_destroy(machine);
}

static void test_fifo_trigger(void)
{
	static const uint8_t levels[] = {1, 4, 8, 14}; /* FCR bits 7:6 */
	struct machine *machine = fake_machine();
	struct fake_engine *fake = fake_of(machine);

	for (unsigned int i = 0; i < 4; i++) {
		out8(machine, FCR, (uint8_t)(0x07 | i << 6));
		out8(machine, IER, 0x01);
		loop_bytes(machine, levels[i] - 1u);
		CHECK_EQUAL(in8(machine, IIR), 0xc1);
		out8(machine, THR, 0x77);
		CHECK_EQUAL(in8(machine, IIR), 0xc4);
		CHECK_EQUAL(fake->level[4], 1);
		in8(machine, RBR); /* below the level again */
		CHECK_EQUAL(in8(machine, IIR), 0xc1);
		CHECK_EQUAL(fake->level[4], 0);
		out8(machine, IER, 0);
	}
	machine_destroy(machine);
}

static void test_fifo_depth_and_order(void)
{
	struct machine *machine = fake_machine();

	out8(machine, FCR, 0x01);
	loop_bytes(machine, 17);
	CHECK_EQUAL(in8(machine, LSR) & 0x02, 0x02); /* the 17th is lost */
	for (unsigned int i = 0; i < 16; i++)
		CHECK_EQUAL(in8(machine, RBR), 0x40 + i);
	CHECK_EQUAL(in8(machine, LSR) & 1, 0);
	loop_bytes(machine, 3);
	out8(machine, FCR, 0x03); /* clear the receiver */
	CHECK_EQUAL(in8(machine, LSR) & 1, 0);
	machine_destroy(machine);
}

/* FIFO interrupt mode: a character below the trigger level that lies four character times.
 * 8N1 has 10 bits; divisor 1 is 115200 baud. */
static void test_character_timeout(void)
{
	struct machine *machine = fake_machine();
	struct fake_engine *fake = fake_of(machine);
	uint64_t four_characters = 4 * 10 * 1000000000ull / 115200;

	out8(machine, FCR, 0xc1);
	out8(machine, IER, 0x01);
	loop_bytes(machine, 3);
	fake_advance(fake, four_characters - 1000);
	CHECK_EQUAL(in8(machine, IIR), 0xc1);
	fake_advance(fake, four_characters + 1000);
	CHECK_EQUAL(in8(machine, IIR), 0xcc);
	CHECK_EQUAL(fake->level[4], 1);
	in8(machine, RBR); /* a read restarts it */
	CHECK_EQUAL(in8(machine, IIR), 0xc1);
	fake_advance(fake, 3 * four_characters);
	CHECK_EQUAL(in8(machine, IIR), 0xcc);
	machine_destroy(machine);
}

static void test_priority(void)
{
	struct machine *machine = fake_machine();

	out8(machine, IER, 0x0f);
	loop_bytes(machine, 2);                   /* overrun, data, transmitter, modem lines */
	CHECK_EQUAL(in8(machine, IIR), 0x06);     /* line status first */
	CHECK_EQUAL(in8(machine, LSR) & 0x02, 2); /* clears it */
	CHECK_EQUAL(in8(machine, IIR), 0x04);
	in8(machine, RBR);
	CHECK_EQUAL(in8(machine, IIR), 0x02); /* this read clears it */
	CHECK_EQUAL(in8(machine, IIR), 0x00);
	in8(machine, MSR);
	CHECK_EQUAL(in8(machine, IIR), 0x01);
	machine_destroy(machine);
}

/* Loopback: RTS, DTR, OUT1, OUT2 come back as CTS, DSR, RI, DCD. */
static void test_modem_loop(void)
{
	static const struct {
		uint8_t mcr, lines;
	} wires[] = {{0x02, 0x10}, {0x01, 0x20}, {0x04, 0x40}, {0x08, 0x80}};
	struct machine *machine = fake_machine();

	for (unsigned int i = 0; i < 4; i++) {
		out8(machine, MCR, MCR_LOOP | wires[i].mcr);
		CHECK_EQUAL(in8(machine, MSR) & 0xf0, wires[i].lines);
	}
	out8(machine, MCR, MCR_LOOP);
	in8(machine, MSR);
	out8(machine, MCR, MCR_LOOP | 0x04);
	CHECK_EQUAL(in8(machine, MSR), 0x40); /* TERI: only the trailing edge of RI */
	out8(machine, MCR, MCR_LOOP);
	CHECK_EQUAL(in8(machine, MSR), 0x04);
	out8(machine, MCR, MCR_LOOP | 0x01);
	CHECK_EQUAL(in8(machine, MSR), 0x22); /* DSR and its delta */
	CHECK_EQUAL(in8(machine, MSR), 0x20);
	machine_destroy(machine);
}

/* Host input waits in its queue and is never lost, however slowly the guest reads. */
static void test_host_input(void)
{
	char typed[100], seen[101];
	struct fake_output output = {0};
	struct machine *machine = machine_with_output(&output);

	for (int i = 0; i < 100; i++)
		typed[i] = (char)i;
	out8(machine, FCR, 0x01);
	CHECK_EQUAL(machine_console_input(machine, typed, 100), 100);
	CHECK_EQUAL(in8(machine, LSR) & 1, 0); /* the guest sees none of it within its turn */
	in8(machine, RBR);
	CHECK_EQUAL(in8(machine, LSR) & 1, 0);
	console_exchange(machine);
	for (int i = 0; i < 100; i++)
		seen[i] = (char)in8(machine, RBR);
	CHECK_EQUAL(memcmp(typed, seen, 100), 0);
	CHECK_EQUAL(in8(machine, LSR) & 1, 0);
	machine_destroy(machine);
}

/* What is typed goes to the port that printed last; after a reset to COM1 again. */
static void test_who_is_answered(void)
{
	struct fake_output output = {0};
	struct machine *machine = machine_with_output(&output);

	out8(machine, FCR, 0x01);
	console_print(machine, CONSOLE_VIRTIO, "?", 1);
	machine_console_input(machine, "ab", 2);
	console_exchange(machine);
	CHECK_EQUAL(in8(machine, LSR) & 1, 0);
	out8(machine, RBR, '!');
	console_exchange(machine);
	CHECK_EQUAL(in8(machine, RBR), 'a');
	CHECK_EQUAL(in8(machine, RBR), 'b');
	CU_ASSERT_STRING_EQUAL(output.text, "?!");
	machine_destroy(machine);
}

static CU_TestInfo tests[] = {
	{"values after reset (table III)", test_reset_state},
	{"DLAB switches to the divisor latch", test_divisor_latch},
	{"transmitted bytes reach the backend", test_output},
	{"THRE interrupt is raised and cleared (table IV)", test_transmit_interrupt},
	{"OUT2 gates the IRQ", test_out2_gates},
	{"without FIFO there is room for one character", test_no_fifo},
	{"FIFO trigger levels 1, 4, 8, 14", test_fifo_trigger},
	{"FIFO depth, order, overrun, clear", test_fifo_depth_and_order},
	{"character timeout after four character times", test_character_timeout},
	{"interrupt priority (table IV)", test_priority},
	{"modem lines in loopback", test_modem_loop},
	{"host input is not lost", test_host_input},
	{"host input goes to the port that spoke", test_who_is_answered},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("machine/uart", tests)
