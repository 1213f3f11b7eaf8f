/* SPDX-License-Identifier: Apache-2.0 */
/* What one vCPU did, as its records tell it, cut into steps: what came with an instruction. */
#ifndef LOCKSTEP_TOOLS_DIFF_STREAM_STREAM_H
#define LOCKSTEP_TOOLS_DIFF_STREAM_STREAM_H

#include "tools/diff/stream/fold.h"

struct stream {
	const struct fold *fold;
	struct folded state; /* behind the present step */
	GArray *group;       /* of words: the records of the present step */
	bool over;           /* it ends with an instruction that retired */
	guint instruction;   /* of the group: where that one's record is */
	bool begun;          /* there was a step before */
	uint64_t steps;
};

/* @registers: fold->fields->count of them, all 0; borrowed. */
void stream_start(struct stream *stream, const struct fold *fold, uint64_t *registers);
void stream_free(struct stream *stream);
/* One record more; the first one behind a step that is over begins the next. */
void stream_take(struct stream *stream, const uint64_t *record);
/* A step that is over is looked at no more. */
void stream_pass(struct stream *stream);

/* The record of the step's instruction; NULL: it is not over. */
static inline const uint64_t *stream_instruction(const struct stream *stream)
{
	return stream->over ? &g_array_index(stream->group, uint64_t, stream->instruction) : NULL;
}

/* The vector that was delivered in the step; -1: none. */
int stream_vector(const struct stream *stream);

#endif
