/* SPDX-License-Identifier: Apache-2.0 */
/* The host's end of the serial line: where output goes, and the queue of typed input. */
#include "machine/console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/internal.h"

#define INPUT_ROOM  65536
#define OUTPUT_ROOM 4096

struct console {
	struct machine *machine;
	FILE *file;
	uint8_t output[OUTPUT_ROOM];
	size_t output_used;
	pthread_mutex_t input_lock;
	uint8_t input[INPUT_ROOM];
	size_t input_head, input_used;
	atomic_bool input_waiting;
};

int machine_console_create(struct machine *machine, struct ls_error *err)
{
	struct console *console = calloc(1, sizeof(*console));

	if (!console)
		return ls_error_set(err, -ENOMEM, "no memory for the console");
	console->machine = machine;
	pthread_mutex_init(&console->input_lock, NULL);
	machine->console = console;
	return 0;
}

int machine_console_open(struct machine *machine, struct ls_error *err)
{
	const struct machine_config *config = &machine->config;
	struct console *console = machine->console;

	if (config->serial != MACHINE_SERIAL_FILE)
		return 0;
	console->file = fopen(config->serial_path, "we");
	if (!console->file)
		return ls_error_set(err, -errno,
				    "cannot write serial output to '%s': %s; name a file in a "
				    "folder you may write to",
				    config->serial_path, strerror(errno));
	return 0;
}

void machine_console_destroy(struct machine *machine)
{
	struct console *console = machine->console;

	if (!console)
		return;
	console_flush(machine);
	if (console->file)
		fclose(console->file);
	pthread_mutex_destroy(&console->input_lock);
	free(console);
	machine->console = NULL;
}

void console_flush(struct machine *machine)
{
	struct console *console = machine->console;
	const struct machine_config *config = &machine->config;
	size_t used = console->output_used;

	if (!used)
		return;
	console->output_used = 0;
	if (console->file)
		fwrite(console->output, 1, used, console->file);
	else if (config->serial == MACHINE_SERIAL_CALLBACK && config->serial_output)
		config->serial_output(config->output_opaque, console->output, used);
}

int machine_console_finish(struct machine *machine, struct ls_error *err)
{
	struct console *console = machine->console;

	console_flush(machine);
	if (!console->file)
		return 0;
	errno = 0; /* a full disk may have shown at an earlier write */
	if (fflush(console->file) == 0 && !ferror(console->file))
		return 0;
	return ls_error_set(err, -EIO, "serial output to '%s' is incomplete: %s; make room for it",
			    machine->config.serial_path, strerror(errno ? errno : EIO));
}

void machine_console_output(struct machine *machine, const void *bytes, size_t n)
{
	struct console *console = machine->console;
	const uint8_t *from = bytes;

	machine->quiet_since = machine->clock->now(machine->clock);
	while (n) {
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

size_t machine_serial_input(struct machine *machine, const void *bytes, size_t n)
{
	struct console *console = machine->console;
	const uint8_t *from = bytes;
	size_t taken = 0;

	pthread_mutex_lock(&console->input_lock);
	while (taken < n && console->input_used < INPUT_ROOM) {
		console->input[(console->input_head + console->input_used) % INPUT_ROOM] =
			from[taken++];
		console->input_used++;
	}
	atomic_store(&console->input_waiting, console->input_used > 0);
	pthread_mutex_unlock(&console->input_lock);
	if (taken) {
		control_kick_all(machine);
		machine_poke(machine);
	}
	return taken;
}

bool console_has_input(struct machine *machine)
{
	return atomic_load_explicit(&machine->console->input_waiting, memory_order_relaxed);
}

bool console_next_input(struct machine *machine, uint8_t *byte)
{
	struct console *console = machine->console;
	bool any;

	if (!console_has_input(machine))
		return false;
	pthread_mutex_lock(&console->input_lock);
	any = console->input_used > 0;
	if (any) {
		*byte = console->input[console->input_head];
		console->input_head = (console->input_head + 1) % INPUT_ROOM;
		console->input_used--;
	}
	atomic_store(&console->input_waiting, console->input_used > 0);
	pthread_mutex_unlock(&console->input_lock);
	machine->quiet_since = machine->clock->now(machine->clock);
	return any;
}
