/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/replay_snapshot.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "machine/recording.h"
#include "tools/log.h"
#include "traces/events.h"

#define PAGE 4096u

/* The pieces of one snapshot, which count when its end has come. */
struct pieces {
	GByteArray *image;
	GArray *addresses; /* of pages; bit 0: zeros */
	GByteArray *pages; /* the bytes of the others */
};

static void forget(struct pieces *pieces)
{
	g_byte_array_set_size(pieces->image, 0);
	g_array_set_size(pieces->addresses, 0);
	g_byte_array_set_size(pieces->pages, 0);
}

static void add_page(struct pieces *pieces, const struct trace_fields_SNAPSHOT *fields)
{
	uint64_t address = fields->address | (fields->size ? 0 : 1);

	g_array_append_val(pieces->addresses, address);
	if (fields->size)
		g_byte_array_append(pieces->pages, (const guint8 *)(fields + 1), PAGE);
}

static int apply_pages(struct pieces *pieces, struct machine *machine)
{
	const guint8 *bytes = pieces->pages->data;
	int ret = 0;

	for (guint i = 0; i < pieces->addresses->len && !ret; i++) {
		uint64_t address = g_array_index(pieces->addresses, uint64_t, i);

		ret = machine_restore_page(machine, address & ~UINT64_C(1),
					   address & 1 ? NULL : bytes);
		bytes += address & 1 ? 0 : PAGE;
	}
	return ret;
}

/* The image that is the last so far is kept in @last. */
static int take_end(struct pieces *pieces, struct machine *machine, GByteArray *last,
		    struct ls_error *err)
{
	int ret = apply_pages(pieces, machine);

	g_byte_array_set_size(last, 0);
	g_byte_array_append(last, pieces->image->data, pieces->image->len);
	forget(pieces);
	return ret ? ls_error_set(err, ret,
				  "a snapshot in the recording has memory that the "
				  "machine does not have")
		   : 0;
}

static int take_all(struct trace_view *view, struct machine *machine, uint64_t before,
		    struct pieces *pieces, GByteArray *last, uint64_t *unread, struct ls_error *err)
{
	const uint64_t *record;
	unsigned int vcpu;
	int ret = 0;

	while (!ret && trace_view_next(view, &vcpu, &record, err)) {
		const struct trace_fields_SNAPSHOT *fields = (const void *)(record + 2);
		uint64_t room = 8 * (uint64_t)LS_TRACE_WORDS(record[0]) - 16 - sizeof(*fields);

		if (fields->size > room ||
		    (fields->part == RECORDING_PAGE && fields->size && fields->size != PAGE))
			return ls_error_set(err, -EINVAL, "a snapshot in the recording is damaged");
		if (fields->part == RECORDING_STATE)
			g_byte_array_append(pieces->image, (const guint8 *)(fields + 1),
					    (guint)fields->size);
		else if (fields->part == RECORDING_PAGE)
			add_page(pieces, fields);
		else if (fields->address >= before)
			return 0;
		else
			ret = take_end(pieces, machine, last, err);
		if (fields->part == RECORDING_END)
			*unread = fields->unread;
	}
	return err->code;
}

int replay_snapshot(struct trace_view *view, struct machine *machine, uint64_t before,
		    struct ls_error *err)
{
	struct pieces pieces = {g_byte_array_new(), g_array_new(FALSE, FALSE, sizeof(uint64_t)),
				g_byte_array_new()};
	g_autoptr(GByteArray) last = g_byte_array_new();
	uint64_t unread = 0;
	int ret;

	/* Snapshots come before the part that the view is asked for. */
	view->events = UINT64_C(1) << TRACE_SNAPSHOT;
	view->from = 0;
	view->to = UINT64_MAX;
	trace_view_rewind(view, 0);
	ret = take_all(view, machine, before, &pieces, last, &unread, err);
	if (!ret && last->len)
		ret = machine_restore(machine, last->data, last->len, unread, err);
	if (!ret)
		log_debug("goes on from instruction %" PRIu64 " of all vCPUs",
			  machine_retired(machine, MACHINE_EVERY_VCPU));
	g_byte_array_unref(pieces.image);
	g_array_unref(pieces.addresses);
	g_byte_array_unref(pieces.pages);
	return ret;
}
