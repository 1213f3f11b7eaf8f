/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/stream/stream.h"

#include "traces/events.h"

void stream_start(struct stream *stream, const struct fold *fold, uint64_t *registers)
{
	*stream = (struct stream){.fold = fold,
				  .state.registers = registers,
				  .group = g_array_new(FALSE, FALSE, sizeof(uint64_t))};
}

void stream_free(struct stream *stream)
{
	if (stream->group)
		g_array_unref(stream->group);
}

void stream_pass(struct stream *stream)
{
	if (!stream->over)
		return;
	g_array_set_size(stream->group, 0);
	stream->over = false;
	stream->begun = true;
}

void stream_take(struct stream *stream, const uint64_t *record)
{
	bool instruction = LS_TRACE_EVENT(record[0]) == TRACE_INSTRUCTION;

	stream_pass(stream);
	if (instruction)
		fold_take(stream->fold, &stream->state, record);
	stream->over = instruction && (LS_TRACE_FLAGS(record[0]) & LS_TRACE_RETIRED);
	stream->instruction = stream->group->len;
	stream->steps += stream->over;
	g_array_append_vals(stream->group, record, LS_TRACE_WORDS(record[0]));
	if (stream->over)
		stream->state.registers[stream->fold->fields->rip] = record[2];
}

int stream_vector(const struct stream *stream)
{
	const uint64_t *at = (const void *)stream->group->data, *end = at + stream->group->len;
	int vector = -1;

	for (; at < end; at += LS_TRACE_WORDS(at[0]))
		if (LS_TRACE_EVENT(at[0]) == TRACE_EXCEPTION ||
		    LS_TRACE_EVENT(at[0]) == TRACE_INTERRUPT_INJECTED)
			vector = (int)at[2]; /* the first field of both */
	return vector;
}
