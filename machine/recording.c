/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/recording.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine/console.h"
#include "machine/image.h"
#include "machine/internal.h"
#include "machine/ram_pages.h"
#include "machine/snapshot_file.h"
#include "traces/events.h"

#define PIECE 16384u /* of an image, in one event */

/* Which pages were written is asked so often. */
#define LOOK_INSTRUCTIONS 100000000u
/* A page that isn't zeros costs some 3 us, copied, compressed and written, where all of that has
 * one processor, and less where it has two: with so many instructions for each, of which the
 * interpreter does some 700 in a microsecond, snapshots are within 5 % of the run. */
#define PAGE_INSTRUCTIONS 60000u

static bool recording_on(const struct machine *machine)
{
	return ls_trace_wants(machine->vcpus[0].trace, TRACE_SNAPSHOT);
}

void recording_note(struct machine *machine, uint64_t gpa, const uint8_t *bytes)
{
	struct recording *recording = &machine->recording;
	uint64_t page = ram_page_of(machine, gpa);

	if (!recording->dirty || ram_pages_has(recording->dirty, page))
		return;
	ram_pages_add(recording->dirty, page);
	recording->pages += !snapshot_page_is_zero(bytes);
}

static void note_nothing(void *opaque, uint64_t gpa, const uint8_t *bytes)
{
	(void)opaque;
	(void)gpa;
	(void)bytes;
}

/* --- taking one --- */

static void emit(struct machine *machine, enum recording_part part, uint64_t address,
		 uint64_t unread, const void *bytes, size_t size)
{
	struct vcpu *vcpu = &machine->vcpus[0];

	TRACE_EMIT_BYTES(vcpu->trace, vcpu_instructions(vcpu), SNAPSHOT, bytes, size, .part = part,
			 .address = address, .unread = unread, .size = size);
}

static void emit_pages(struct machine *machine)
{
	struct recording *recording = &machine->recording;

	RAM_PAGES_EACH(machine, recording->dirty, number)
	{
		const uint8_t *bytes = ram_page_bytes(machine, number);
		bool zero = snapshot_page_is_zero(bytes);

		emit(machine, RECORDING_PAGE, ram_page_gpa(machine, number), 0, zero ? NULL : bytes,
		     zero ? 0 : RAM_PAGE);
	}
	memset(recording->dirty, 0, ram_pages_words(machine) * sizeof(uint64_t));
	recording->pages = 0;
}

static void emit_image(struct machine *machine, const struct machine_image *image)
{
	struct record_buffer bytes = {0};
	size_t size;

	machine_image_encode(&bytes, image);
	record_put_u64(&bytes, image->devices.size);
	record_put(&bytes, image->devices.bytes, image->devices.size);
	for (size_t at = 0; at < bytes.size; at += size) {
		size = bytes.size - at < PIECE ? bytes.size - at : PIECE;
		emit(machine, RECORDING_STATE, at, 0, bytes.bytes + at, size);
	}
	record_buffer_free(&bytes);
}

/* Where it cannot be, with a hypervisor in the machine, the next look tries again. */
static void take(struct machine *machine)
{
	struct machine_image image = {0};
	struct ls_error err = {0};

	/* A run that is made again from an earlier one has its translations dropped here, too. */
	input_log_add(machine, INPUT_SNAPSHOT, machine->turns.executed, NULL, 0);
	if (!machine_image_capture(machine, &image, &err)) {
		emit_image(machine, &image);
		emit_pages(machine);
		emit(machine, RECORDING_END, machine->turns.executed, console_unread(machine), NULL,
		     0);
		machine->recording.last = machine->turns.executed;
	}
	machine_image_free(&image);
}

static void replay_one(struct machine *machine)
{
	struct machine_image image = {0};

	machine_image_capture(machine, &image, NULL);
	machine_image_free(&image);
}

static uint64_t look_every(const struct machine *machine)
{
	return machine->config.record_every ? machine->config.record_every : LOOK_INSTRUCTIONS;
}

void recording_look(struct machine *machine)
{
	struct recording *recording = &machine->recording;
	uint64_t executed = machine->turns.executed;

	if (input_replay(machine, INPUT_SNAPSHOT))
		replay_one(machine);
	if (!recording_on(machine) || executed - recording->looked < look_every(machine))
		return;
	recording->looked = executed;
	if (!recording->dirty)
		recording->dirty = ram_pages_none(machine);
	if (!recording->dirty || machine_written(machine, note_nothing, NULL))
		return;
	if (machine->config.record_every ||
	    executed - recording->last >= recording->pages * PAGE_INSTRUCTIONS)
		take(machine);
}

void recording_free(struct machine *machine)
{
	free(machine->recording.dirty);
}

/* --- going on from one --- */

int machine_restore_page(struct machine *machine, uint64_t gpa, const void *bytes)
{
	return bytes ? machine_dma_write(machine, gpa, bytes, RAM_PAGE)
		     : machine_dma_zero(machine, gpa, RAM_PAGE);
}

static int apply(struct machine *machine, struct record_reader *reader, struct ls_error *err)
{
	struct machine_image image = {0};
	int ret = machine_image_decode(reader, &image, err);
	const void *bytes = NULL;
	uint64_t size;

	if (!ret && record_take_u64(reader, &size))
		bytes = record_take(reader, size);
	if (bytes)
		record_put(&image.devices, bytes, size);
	if (!ret && !bytes)
		ret = ls_error_set(err, -EINVAL, "a snapshot in the recording ends early");
	if (!ret)
		ret = machine_image_apply(machine, &image, err);
	machine_image_free(&image);
	return ret;
}

int machine_restore(struct machine *machine, const void *image, size_t size, uint64_t unread,
		    struct ls_error *err)
{
	struct record_reader reader = {image, size};
	int ret = apply(machine, &reader, err);

	if (!ret)
		input_replay_from(machine, unread);
	return ret;
}
