/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots in a recording, so that a part of a run is made again from the nearest one and not from
 * its start. They are "snapshot" events, in pieces: the machine's image (image.h), the pages of RAM
 * that were written since the one before, and an end. Each is taken between two turns, once it
 * costs little against the run since the last: by the number of pages, so that it is at a fixed
 * place.
 */
#ifndef LOCKSTEP_MACHINE_RECORDING_H
#define LOCKSTEP_MACHINE_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/error.h>

struct machine;

/* The field "part" of a snapshot's events. */
enum recording_part {
	RECORDING_STATE, /* address: offset; bytes: of the image */
	RECORDING_PAGE,  /* address: guest-physical; bytes: what is there, none if it is zeros */
	RECORDING_END,   /* address: instructions of all vCPUs; unread: console input that the guest
			  * has not taken yet */
};

struct recording {
	uint64_t *dirty; /* pages of RAM, low and high in one row, that the next one is to have */
	uint64_t pages;  /* of them were not zeros when they were first seen */
	uint64_t last, looked; /* instructions of all vCPUs */
};

/* Between two turns: takes one if it is due. */
void recording_look(struct machine *machine);
/* The page has been written, and has @bytes now. */
void recording_note(struct machine *machine, uint64_t gpa, const uint8_t *bytes);
void recording_free(struct machine *machine);

/* --- making a run again; before machine_run, with config.replay --- */

/* A page of a snapshot's; @bytes NULL: zeros. */
int machine_restore_page(struct machine *machine, uint64_t gpa, const void *bytes);
/* And then its image. The run goes on from there. */
int machine_restore(struct machine *machine, const void *image, size_t size, uint64_t unread,
		    struct ls_error *err);

#endif
