/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intel 8042 as in a PC/AT (IBM PC AT Technical Reference, "keyboard controller"), with a
 * keyboard that answers commands but has no keys, and no mouse. Answers take no time.
 */
#include <stdlib.h>

#include "machine/chips.h"
#include "machine/internal.h"
#include "record/record.h"

#define STATUS_OUTPUT_FULL 0x01
#define STATUS_SYSTEM      0x04 /* the self-test has passed */
#define STATUS_COMMAND     0x08 /* the last write went to port 0x64 */
#define STATUS_UNLOCKED    0x10

#define MODE_IRQ         0x01
#define MODE_SYSTEM      0x04
#define MODE_NO_KEYBOARD 0x10

#define OUTPUT_NO_RESET 0x01
#define OUTPUT_A20      0x02

#define KEYBOARD_ACK    0xfa
#define KEYBOARD_RESEND 0xfe

#define QUEUE_SIZE 16

struct i8042 {
	struct machine *machine;
	struct irq_wire wire;
	uint8_t mode, output_port;
	uint8_t command;          /* of the controller, that waits for its byte; 0: none */
	uint8_t keyboard_command; /* likewise */
	bool last_was_command;
	uint8_t queue[QUEUE_SIZE];
	bool from_keyboard[QUEUE_SIZE];
	unsigned int head, used;
};

static void i8042_update(struct i8042 *kbc)
{
	bool up = kbc->used && kbc->from_keyboard[kbc->head] && kbc->mode & MODE_IRQ;

	irq_set(kbc->machine, &kbc->wire, up);
}

static void i8042_queue(struct i8042 *kbc, uint8_t byte, bool from_keyboard)
{
	unsigned int at = (kbc->head + kbc->used) % QUEUE_SIZE;

	if (kbc->used == QUEUE_SIZE)
		return;
	kbc->queue[at] = byte;
	kbc->from_keyboard[at] = from_keyboard;
	kbc->used++;
}

static void i8042_write_output_port(struct i8042 *kbc, uint8_t value)
{
	kbc->output_port = value;
	if (!(value & OUTPUT_NO_RESET))
		machine_request_reset(kbc->machine);
}

/* Bytes to the keyboard itself. */
static void keyboard_write(struct i8042 *kbc, uint8_t value)
{
	uint8_t command = kbc->keyboard_command;

	kbc->keyboard_command = 0;
	kbc->mode &= (uint8_t)~MODE_NO_KEYBOARD; /* writing to it enables the interface */
	if (command) {
		i8042_queue(kbc, KEYBOARD_ACK, true);
		if (command == 0xf0 && value == 0)
			i8042_queue(kbc, 2, true); /* asked for: scan code set 2 */
		return;
	}
	switch (value) {
	case 0xed: /* set LEDs */
	case 0xf0: /* scan code set */
	case 0xf3: /* typematic rate */
		kbc->keyboard_command = value;
		i8042_queue(kbc, KEYBOARD_ACK, true);
		break;
	case 0xee: /* echo */
		i8042_queue(kbc, 0xee, true);
		break;
	case 0xf2: /* identify: an MF2 keyboard */
		i8042_queue(kbc, KEYBOARD_ACK, true);
		i8042_queue(kbc, 0xab, true);
		i8042_queue(kbc, 0x83, true);
		break;
	case 0xff: /* reset and self-test */
		i8042_queue(kbc, KEYBOARD_ACK, true);
		i8042_queue(kbc, 0xaa, true);
		break;
	case 0xf4: /* enable */
	case 0xf5: /* disable */
	case 0xf6: /* defaults */
		i8042_queue(kbc, KEYBOARD_ACK, true);
		break;
	default:
		i8042_queue(kbc, KEYBOARD_RESEND, true);
	}
}

static void i8042_data(struct i8042 *kbc, uint8_t value)
{
	uint8_t command = kbc->command;

	kbc->command = 0;
	kbc->last_was_command = false;
	switch (command) {
	case 0x60: /* write the mode byte */
		kbc->mode = value;
		break;
	case 0xd1:
		i8042_write_output_port(kbc, value);
		break;
	case 0xd2: /* as if the keyboard had sent it */
		i8042_queue(kbc, value, true);
		break;
	case 0xd3: /* as if the mouse had: there is none, so nothing comes back marked as its */
		i8042_queue(kbc, value, false);
		break;
	case 0xd4: /* to the mouse */
		break;
	default:
		keyboard_write(kbc, value);
	}
}

static void i8042_command(struct i8042 *kbc, uint8_t value)
{
	kbc->command = 0;
	kbc->last_was_command = true;
	switch (value) {
	case 0x20:
		i8042_queue(kbc, kbc->mode, false);
		break;
	case 0x60:
	case 0xd1:
	case 0xd2:
	case 0xd3:
	case 0xd4:
		kbc->command = value;
		break;
	case 0xa9: /* mouse interface: clock line stuck low */
		i8042_queue(kbc, 0x01, false);
		break;
	case 0xaa: /* self-test */
		kbc->mode |= MODE_SYSTEM;
		i8042_queue(kbc, 0x55, false);
		break;
	case 0xab: /* keyboard interface: good */
		i8042_queue(kbc, 0x00, false);
		break;
	case 0xad:
		kbc->mode |= MODE_NO_KEYBOARD;
		break;
	case 0xae:
		kbc->mode &= (uint8_t)~MODE_NO_KEYBOARD;
		break;
	case 0xc0: /* input port: not locked, manufacturing jumper off */
		i8042_queue(kbc, 0xb0, false);
		break;
	case 0xd0:
		i8042_queue(kbc, kbc->output_port, false);
		break;
	default:
		/* Fx pulses the output lines whose bit is clear; line 0 is the reset. */
		if (value >= 0xf0 && !(value & 1))
			machine_request_reset(kbc->machine);
	}
}

static uint64_t i8042_read_data(void *opaque, uint64_t offset, unsigned int size)
{
	struct i8042 *kbc = opaque;
	uint8_t byte = kbc->queue[kbc->head];

	(void)offset;
	(void)size;
	if (kbc->used) {
		kbc->head = (kbc->head + 1) % QUEUE_SIZE;
		kbc->used--;
		/* Down, so that the next byte is an edge of its own. */
		irq_set(kbc->machine, &kbc->wire, false);
	}
	i8042_update(kbc);
	return byte;
}

static uint64_t i8042_read_status(void *opaque, uint64_t offset, unsigned int size)
{
	struct i8042 *kbc = opaque;

	(void)offset;
	(void)size;
	return (kbc->used ? STATUS_OUTPUT_FULL : 0u) |
	       (kbc->mode & MODE_SYSTEM ? STATUS_SYSTEM : 0u) |
	       (kbc->last_was_command ? STATUS_COMMAND : 0u) | STATUS_UNLOCKED;
}

static void i8042_write_data(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	(void)offset;
	(void)size;
	i8042_data(opaque, (uint8_t)value);
	i8042_update(opaque);
}

static void i8042_write_command(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	(void)offset;
	(void)size;
	i8042_command(opaque, (uint8_t)value);
	i8042_update(opaque);
}

static void i8042_reset(void *opaque)
{
	struct i8042 *kbc = opaque;

	kbc->mode = MODE_IRQ;
	kbc->output_port = 0xcf; /* lines idle, A20 on, no reset */
	kbc->command = kbc->keyboard_command = 0;
	kbc->last_was_command = false;
	kbc->head = kbc->used = 0;
	i8042_update(kbc);
}

static const struct record_field i8042_fields[] = {
	RECORD_FIELD(struct i8042, wire.level),
	RECORD_FIELD(struct i8042, mode),
	RECORD_FIELD(struct i8042, output_port),
	RECORD_FIELD(struct i8042, command),
	RECORD_FIELD(struct i8042, keyboard_command),
	RECORD_FIELD(struct i8042, last_was_command),
	RECORD_FIELD(struct i8042, queue),
	RECORD_FIELD(struct i8042, from_keyboard),
	RECORD_FIELD(struct i8042, head),
	RECORD_FIELD(struct i8042, used),
};
static const struct record_table i8042_table = {
	.name = "i8042", .version = 1, RECORD_FIELDS(i8042_fields)};

static const struct bus_ops data_ops = {
	.read = i8042_read_data, .write = i8042_write_data, .widest = 1};
static const struct bus_ops command_ops = {
	.read = i8042_read_status, .write = i8042_write_command, .widest = 1};

int i8042_create(struct machine *machine, struct ls_error *err)
{
	struct i8042 *kbc = calloc(1, sizeof(*kbc));
	const struct bus_region ports[] = {
		{.name = "keyboard data", .base = 0x60, .size = 1, .ops = &data_ops, .opaque = kbc},
		{.name = "keyboard command",
		 .base = 0x64,
		 .size = 1,
		 .ops = &command_ops,
		 .opaque = kbc},
	};
	struct machine_device device = {.name = "i8042",
					.state = &i8042_table,
					.reset = i8042_reset,
					.destroy = free,
					.opaque = kbc};

	if (!kbc)
		return ls_error_set(err, -ENOMEM, "no memory for the keyboard controller");
	kbc->machine = machine;
	kbc->wire.gsi = IRQ_GSI_KEYBOARD;
	return chip_add(machine, &device, ports, 2, err);
}
