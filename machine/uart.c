/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transmission takes no time: THR is empty again when the OUT is done. Reception is paced by
 * the guest: the host's queue refills the FIFO as it is read, so nothing is ever lost.
 */
#include "machine/uart.h"

#include <stdlib.h>

#include "machine/chips.h"
#include "machine/console.h"
#include "machine/internal.h"
#include "record/record.h"

#define FIFO_SIZE 16

enum { /* offsets; 0 and 1 are the divisor latch while LCR.DLAB is set */
       REG_DATA = 0,
       REG_IER = 1,
       REG_IIR_FCR = 2,
       REG_LCR = 3,
       REG_MCR = 4,
       REG_LSR = 5,
       REG_MSR = 6,
       REG_SCR = 7,
};

#define IER_RECEIVE  0x01
#define IER_TRANSMIT 0x02
#define IER_LINE     0x04
#define IER_MODEM    0x08

#define IIR_NONE     0x01
#define IIR_MODEM    0x00
#define IIR_TRANSMIT 0x02
#define IIR_RECEIVE  0x04
#define IIR_LINE     0x06
#define IIR_TIMEOUT  0x0c
#define IIR_FIFOS    0xc0

#define FCR_ENABLE        0x01
#define FCR_CLEAR_RECEIVE 0x02

#define LCR_DLAB 0x80

#define MCR_DTR  0x01
#define MCR_RTS  0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08 /* a PC wires it to the gate of the IRQ line */
#define MCR_LOOP 0x10

#define LSR_READY   0x01
#define LSR_OVERRUN 0x02
#define LSR_THR     0x20
#define LSR_IDLE    0x40
#define LSR_ERRORS  0x1e

#define MSR_CTS   0x10
#define MSR_DSR   0x20
#define MSR_RI    0x40
#define MSR_DCD   0x80
#define MSR_DELTA 0x0f
#define MSR_TERI  0x04

struct uart {
	struct machine *machine;
	struct irq_wire wire;
	struct ls_timer idle_timer; /* character timeout */
	uint8_t fifo[FIFO_SIZE];
	unsigned int head, used;
	uint8_t ier, fcr, lcr, mcr, lsr, msr, scr;
	uint16_t divisor;
	bool transmit_pending; /* THR empty, not yet reported */
	bool timed_out;
};

static const uint8_t trigger_levels[] = {1, 4, 8, 14};

static unsigned int uart_room(const struct uart *uart)
{
	return (uart->fcr & FCR_ENABLE ? FIFO_SIZE : 1) - uart->used;
}

static bool uart_triggered(const struct uart *uart)
{
	unsigned int level = uart->fcr & FCR_ENABLE ? trigger_levels[uart->fcr >> 6] : 1;

	return uart->used >= level;
}

/* The cause IIR shows: highest priority first (PC16550D, table IV). */
static uint8_t uart_cause(const struct uart *uart)
{
	if (uart->ier & IER_LINE && uart->lsr & LSR_ERRORS)
		return IIR_LINE;
	if (uart->ier & IER_RECEIVE && uart_triggered(uart))
		return IIR_RECEIVE;
	if (uart->ier & IER_RECEIVE && uart->timed_out)
		return IIR_TIMEOUT;
	if (uart->ier & IER_TRANSMIT && uart->transmit_pending)
		return IIR_TRANSMIT;
	if (uart->ier & IER_MODEM && uart->msr & MSR_DELTA)
		return IIR_MODEM;
	return IIR_NONE;
}

static void uart_update(struct uart *uart)
{
	bool up = uart_cause(uart) != IIR_NONE && uart->mcr & MCR_OUT2;

	irq_set(uart->machine, &uart->wire, up);
}

/* Four character times without a read or a new character (PC16550D, FIFO interrupt mode). */
static void uart_watch(struct uart *uart)
{
	struct ls_clock *clock = uart->machine->clock;
	uint64_t character = 10ull * 1000000000 / 115200 * (uart->divisor ? uart->divisor : 1);

	uart->timed_out = false;
	if (uart->fcr & FCR_ENABLE && uart->used && !uart_triggered(uart))
		clock->arm(clock, &uart->idle_timer, clock->now(clock) + 4 * character);
	else
		clock->disarm(clock, &uart->idle_timer);
}

static void uart_timeout(struct ls_timer *timer, uint64_t now)
{
	struct uart *uart = timer->opaque;

	(void)now;
	uart->timed_out = true;
	uart_update(uart);
}

static void uart_receive(struct uart *uart, uint8_t byte)
{
	if (!uart_room(uart)) {
		uart->lsr |= LSR_OVERRUN;
		return;
	}
	uart->fifo[(uart->head + uart->used++) % FIFO_SIZE] = byte;
	uart->lsr |= LSR_READY;
	uart_watch(uart);
}

/* Moves what is typed into the receiver, as far as there is room. */
static void uart_take_input(void *opaque)
{
	struct uart *uart = opaque;
	uint8_t byte;

	if (!console_has_input(uart->machine, CONSOLE_COM1) || uart->mcr & MCR_LOOP)
		return;
	while (uart_room(uart) && console_next_input(uart->machine, CONSOLE_COM1, &byte))
		uart_receive(uart, byte);
	uart_update(uart);
}

static void uart_clear_receiver(struct uart *uart)
{
	uart->head = uart->used = 0;
	uart->lsr &= (uint8_t)~LSR_READY;
	uart_watch(uart);
}

static uint8_t uart_read_data(struct uart *uart)
{
	uint8_t byte = uart->used ? uart->fifo[uart->head] : 0;

	if (uart->used) {
		uart->head = (uart->head + 1) % FIFO_SIZE;
		uart->used--;
	}
	if (!uart->used)
		uart->lsr &= (uint8_t)~LSR_READY;
	uart_watch(uart);
	uart_take_input(uart);
	return byte;
}

static void uart_write_data(struct uart *uart, uint8_t byte)
{
	if (uart->mcr & MCR_LOOP)
		uart_receive(uart, byte);
	else
		console_print(uart->machine, CONSOLE_COM1, &byte, 1);
	uart->transmit_pending = true;
}

/* Modem lines: in loopback MCR's outputs, otherwise a peer that is always there. */
static void uart_update_modem(struct uart *uart)
{
	uint8_t lines = MSR_CTS | MSR_DSR | MSR_DCD;
	uint8_t changed;

	if (uart->mcr & MCR_LOOP)
		lines = (uint8_t)((uart->mcr & MCR_RTS ? MSR_CTS : 0) |
				  (uart->mcr & MCR_DTR ? MSR_DSR : 0) |
				  (uart->mcr & MCR_OUT1 ? MSR_RI : 0) |
				  (uart->mcr & MCR_OUT2 ? MSR_DCD : 0));
	changed = (uint8_t)((lines ^ uart->msr) >> 4);
	if (lines & MSR_RI) /* only its trailing edge counts */
		changed &= (uint8_t)~MSR_TERI;
	uart->msr = (uint8_t)(lines | (uart->msr & MSR_DELTA) | changed);
}

static void uart_write_ier(struct uart *uart, uint8_t value)
{
	/* Turning the transmit interrupt on with THR empty raises it. */
	if (!(uart->ier & IER_TRANSMIT) && value & IER_TRANSMIT)
		uart->transmit_pending = true;
	uart->ier = value & 0x0f;
}

static void uart_write_fcr(struct uart *uart, uint8_t value)
{
	if ((uart->fcr ^ value) & FCR_ENABLE || value & FCR_CLEAR_RECEIVE)
		uart_clear_receiver(uart);
	/* Bits of a disabled FIFO are not programmed (PC16550D, FCR0). */
	uart->fcr = value & FCR_ENABLE ? value & 0xc9 : 0;
}

static uint8_t uart_read_iir(struct uart *uart)
{
	uint8_t cause = uart_cause(uart);

	if (cause == IIR_TRANSMIT)
		uart->transmit_pending = false;
	return (uint8_t)(cause | (uart->fcr & FCR_ENABLE ? IIR_FIFOS : 0));
}

static uint8_t uart_read_register(struct uart *uart, unsigned int reg)
{
	uint8_t value;

	switch (reg) {
	case REG_DATA:
		if (uart->lcr & LCR_DLAB)
			return (uint8_t)uart->divisor;
		return uart_read_data(uart);
	case REG_IER:
		return uart->lcr & LCR_DLAB ? (uint8_t)(uart->divisor >> 8) : uart->ier;
	case REG_IIR_FCR:
		return uart_read_iir(uart);
	case REG_LCR:
		return uart->lcr;
	case REG_MCR:
		return uart->mcr;
	case REG_LSR:
		value = uart->lsr | LSR_THR | LSR_IDLE;
		uart->lsr &= (uint8_t)~LSR_ERRORS;
		return value;
	case REG_MSR:
		value = uart->msr;
		uart->msr &= (uint8_t)~MSR_DELTA;
		return value;
	default:
		return uart->scr;
	}
}

static uint64_t uart_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct uart *uart = opaque;
	uint8_t value = uart_read_register(uart, (unsigned int)offset);

	(void)size;
	uart_update(uart);
	return value;
}

static void uart_write(void *opaque, uint64_t offset, unsigned int size, uint64_t wide)
{
	struct uart *uart = opaque;
	uint8_t value = (uint8_t)wide;
	bool latch = uart->lcr & LCR_DLAB;

	(void)size;
	switch (offset) {
	case REG_DATA:
		if (latch)
			uart->divisor = (uint16_t)((uart->divisor & 0xff00) | value);
		else
			uart_write_data(uart, value);
		break;
	case REG_IER:
		if (latch)
			uart->divisor = (uint16_t)(value << 8 | (uart->divisor & 0xff));
		else
			uart_write_ier(uart, value);
		break;
	case REG_IIR_FCR:
		uart_write_fcr(uart, value);
		break;
	case REG_LCR:
		uart->lcr = value;
		break;
	case REG_MCR:
		uart->mcr = value & 0x1f;
		uart_update_modem(uart);
		break;
	case REG_SCR:
		uart->scr = value;
		break;
	}
	uart_update(uart);
}

static void uart_reset(void *opaque)
{
	struct uart *uart = opaque;

	uart->ier = uart->fcr = uart->lcr = uart->mcr = uart->scr = 0;
	uart->lsr = 0;
	uart->divisor = 1;
	uart->transmit_pending = false;
	uart->msr = MSR_CTS | MSR_DSR | MSR_DCD;
	uart_clear_receiver(uart);
	uart_update(uart);
}

static const struct record_field uart_fields[] = {
	RECORD_FIELD(struct uart, wire.level), RECORD_FIELD_TIMER(struct uart, idle_timer),
	RECORD_FIELD(struct uart, fifo),       RECORD_FIELD(struct uart, head),
	RECORD_FIELD(struct uart, used),       RECORD_FIELD(struct uart, ier),
	RECORD_FIELD(struct uart, fcr),        RECORD_FIELD(struct uart, lcr),
	RECORD_FIELD(struct uart, mcr),        RECORD_FIELD(struct uart, lsr),
	RECORD_FIELD(struct uart, msr),        RECORD_FIELD(struct uart, scr),
	RECORD_FIELD(struct uart, divisor),    RECORD_FIELD(struct uart, transmit_pending),
	RECORD_FIELD(struct uart, timed_out),
};
static const struct record_table uart_table = {
	.name = "uart", .version = 1, RECORD_FIELDS(uart_fields)};

static const struct bus_ops uart_ops = {.read = uart_read, .write = uart_write, .widest = 1};

int uart_create(struct machine *machine, struct ls_error *err)
{
	struct uart *uart = calloc(1, sizeof(*uart));
	struct bus_region region = {
		.name = "COM1", .base = UART_BASE, .size = 8, .ops = &uart_ops, .opaque = uart};
	struct machine_device device = {.name = "uart",
					.state = &uart_table,
					.reset = uart_reset,
					.destroy = free,
					.opaque = uart};

	if (!uart)
		return ls_error_set(err, -ENOMEM, "no memory for the serial port");
	uart->machine = machine;
	uart->wire.gsi = IRQ_GSI_COM1;
	uart->idle_timer =
		(struct ls_timer){.deadline = LS_NEVER, .fn = uart_timeout, .opaque = uart};
	console_connect(machine, CONSOLE_COM1, uart_take_input, uart);
	return chip_add(machine, &device, &region, 1, err);
}
