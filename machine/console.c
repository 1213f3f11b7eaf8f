/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/console.h"

#include <stdlib.h>
#include <string.h>

#include "machine/internal.h"
#include "record/record.h"

#define INPUT_ROOM  65536            /* for what is typed */
#define INPUT_RING  (2 * INPUT_ROOM) /* beside it what a replay gives again */
#define OUTPUT_ROOM 4096
#define SHOWN_ONCE  4096

struct console {
	struct machine *machine;
	struct {
		void (*take)(void *opaque);
		void *opaque;
	} ports[CONSOLE_PORTS];
	enum console_port speaker;
	uint8_t output[OUTPUT_ROOM];
	size_t output_used;
	pthread_mutex_t input_lock;
	uint8_t input[INPUT_RING];
	size_t input_head, input_used;
	atomic_size_t visible; /* of these, to the guest; grows between turns only */
};

static void console_reset(void *opaque)
{
	struct console *console = opaque;

	console->speaker = console->machine->config.serial ? CONSOLE_COM1 : CONSOLE_VIRTIO;
}

static const struct record_field console_fields[] = {
	RECORD_FIELD(struct console, speaker),
};
static const struct record_table console_table = {
	.name = "console", .version = 1, RECORD_FIELDS(console_fields)};

int machine_console_create(struct machine *machine, struct ls_error *err)
{
	struct console *console = calloc(1, sizeof(*console));
	struct machine_device device = {.name = "console",
					.state = &console_table,
					.reset = console_reset,
					.opaque = console};

	if (!console)
		return ls_error_set(err, -ENOMEM, "no memory for the console");
	console->machine = machine;
	console_reset(console);
	pthread_mutex_init(&console->input_lock, NULL);
	machine->console = console;
	return machine_attach(machine, &device, err);
}

void machine_console_destroy(struct machine *machine)
{
	struct console *console = machine->console;

	if (!console)
		return;
	console_flush(machine);
	pthread_mutex_destroy(&console->input_lock);
	free(console);
	machine->console = NULL;
}

void console_connect(struct machine *machine, enum console_port port, void (*take)(void *opaque),
		     void *opaque)
{
	machine->console->ports[port].take = take;
	machine->console->ports[port].opaque = opaque;
}

/* --- output --- */

void console_flush(struct machine *machine)
{
	struct console *console = machine->console;
	const struct machine_config *config = &machine->config;
	size_t used = console->output_used;

	console->output_used = 0;
	if (used && config->console_output)
		config->console_output(config->output_opaque, console->output, used);
}

void console_print(struct machine *machine, enum console_port port, const void *bytes, size_t n)
{
	struct console *console = machine->console;
	const uint8_t *from = bytes;

	if (port == CONSOLE_COM1 && !machine->config.serial)
		return;
	console->speaker = port;
	machine->quiet_since = machine->clock->now(machine->clock);
	/* What a run that is made again prints has been printed. */
	while (n && !input_replaying(machine)) {
		size_t piece = OUTPUT_ROOM - console->output_used;

		if (piece > n)
			piece = n;
		memcpy(console->output + console->output_used, from, piece);
		console->output_used += piece;
		from += piece;
		n -= piece;
		if (console->output_used == OUTPUT_ROOM)
			console_flush(machine);
	}
}

/* --- input --- */

size_t machine_console_input(struct machine *machine, const void *bytes, size_t n)
{
	struct console *console = machine->console;
	const uint8_t *from = bytes;
	size_t taken = 0;

	pthread_mutex_lock(&console->input_lock);
	while (taken < n && console->input_used < INPUT_ROOM) {
		console->input[(console->input_head + console->input_used) % INPUT_RING] =
			from[taken++];
		console->input_used++;
	}
	pthread_mutex_unlock(&console->input_lock);
	/* vCPUs in turns look at it before the next one, which is not long. */
	if (taken && machine->config.schedule == MACHINE_PARALLEL)
		control_kick_all(machine);
	if (taken && !input_replaying(machine))
		machine_poke(machine);
	return taken;
}

uint64_t console_unread(struct machine *machine)
{
	return atomic_load(&machine->console->visible);
}

static uint8_t *input_at(struct console *console, size_t n)
{
	return &console->input[(console->input_head + n) % INPUT_RING];
}

/* What has been typed and is not the guest's yet stays behind it. */
void console_put_unread(struct machine *machine, const uint8_t *bytes, size_t n)
{
	struct console *console = machine->console;
	size_t room;

	pthread_mutex_lock(&console->input_lock);
	room = INPUT_RING - console->input_used;
	if (n > room)
		n = room;
	for (size_t i = console->input_used; i-- > console->visible;)
		*input_at(console, i + n) = *input_at(console, i);
	for (size_t i = 0; i < n; i++)
		*input_at(console, console->visible + i) = bytes[i];
	console->input_used += n;
	console->visible += n;
	pthread_mutex_unlock(&console->input_lock);
}

void console_copy_unread(struct machine *machine, uint8_t *bytes)
{
	struct console *console = machine->console;

	for (size_t i = 0; i < console->visible; i++)
		bytes[i] = *input_at(console, i);
}

void console_drop_unread(struct machine *machine)
{
	struct console *console = machine->console;

	pthread_mutex_lock(&console->input_lock);
	console->input_head = (console->input_head + console->visible) % INPUT_RING;
	console->input_used -= console->visible;
	console->visible = 0;
	pthread_mutex_unlock(&console->input_lock);
}

bool console_has_input(struct machine *machine, enum console_port port)
{
	const struct console *console = machine->console;

	return port == console->speaker &&
	       atomic_load_explicit(&console->visible, memory_order_relaxed);
}

bool console_next_input(struct machine *machine, enum console_port port, uint8_t *byte)
{
	struct console *console = machine->console;
	bool any;

	if (!console_has_input(machine, port))
		return false;
	pthread_mutex_lock(&console->input_lock);
	any = console->visible > 0;
	if (any) {
		*byte = console->input[console->input_head];
		console->input_head = (console->input_head + 1) % INPUT_RING;
		console->input_used--;
		console->visible--;
	}
	pthread_mutex_unlock(&console->input_lock);
	machine->quiet_since = machine->clock->now(machine->clock);
	return any;
}

/* What has come since the turn before; at most what a record of it holds. */
static void show_input(struct machine *machine)
{
	struct console *console = machine->console;
	uint8_t bytes[SHOWN_ONCE];
	size_t n;

	pthread_mutex_lock(&console->input_lock);
	n = console->input_used - console->visible;
	if (n > SHOWN_ONCE)
		n = SHOWN_ONCE;
	for (size_t i = 0; i < n; i++)
		bytes[i] = *input_at(console, console->visible + i);
	console->visible += n;
	pthread_mutex_unlock(&console->input_lock);
	if (n)
		input_log_add(machine, INPUT_CONSOLE, 0, bytes, n);
}

/* The same again; what is typed meanwhile waits. */
static void replay_input(struct machine *machine)
{
	const struct machine_input *input = input_replay(machine, INPUT_CONSOLE);

	if (!input)
		return;
	console_put_unread(machine, input->bytes, input->size);
	input_log_add(machine, INPUT_CONSOLE, 0, input->bytes, input->size);
}

void console_exchange(struct machine *machine)
{
	struct console *console = machine->console;
	enum console_port port = console->speaker;

	if (input_replaying(machine))
		replay_input(machine);
	else
		show_input(machine);
	console_flush(machine);
	if (console_has_input(machine, port) && console->ports[port].take)
		console->ports[port].take(console->ports[port].opaque);
}
