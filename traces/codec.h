/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chunk's records as columns, and back. Both directions keep the same model of the vCPU: its
 * general registers, and for each instruction seen in the chunk where control went from it, what it
 * wrote and how that could be foreseen. Only what the model does not foresee is written.
 *
 * What comes out is what went in, but for registers in a record that did not change: they are left
 * out. A chunk starts with an empty model, so that it can be read alone.
 */
#ifndef LOCKSTEP_TRACES_CODEC_H
#define LOCKSTEP_TRACES_CODEC_H

#include "traces/columns.h"

struct codec;

struct codec *codec_create(void); /* NULL: no memory */
void codec_destroy(struct codec *codec);
void codec_restart(struct codec *codec);
/* The model holds no more instructions: start another chunk. */
bool codec_full(const struct codec *codec);
void codec_encode(struct codec *codec, struct columns *columns, const uint64_t *record);
/* Fills @record, of LS_TRACE_RECORD_MAX words; false if the columns make no sense. */
bool codec_decode(struct codec *codec, struct columns *columns, uint64_t *record);

#endif
