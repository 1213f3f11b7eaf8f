/* SPDX-License-Identifier: Apache-2.0 */
/* The events of system "kvm" in a trace.dat of version 6 or 7 (trace-cmd.dat.v6(5), .v7(5)), by
 * time. */
#ifndef LOCKSTEP_TRACES_FTRACE_FILE_H
#define LOCKSTEP_TRACES_FTRACE_FILE_H

#include <lockstep/error.h>
#include <stddef.h>
#include <stdint.h>

#define FTRACE_FIELDS_MAX 24
/* A page of the ring buffer. */
#define FTRACE_PAGE_MIN 64u
#define FTRACE_PAGE_MAX (1u << 20)

struct ftrace_format {
	char name[48];
	unsigned int id, fields;
	struct {
		char name[48];
		unsigned int offset, size;
		int is_signed;
	} field[FTRACE_FIELDS_MAX];
};

struct ftrace_event {
	uint64_t time;
	const struct ftrace_format *format;
	const uint8_t *data;
	uint32_t size;
	uint32_t order; /* among those of the same time */
};

struct ftrace_file {
	const uint8_t *bytes;
	size_t size;
	uint8_t **kept; /* what was unpacked of it */
	size_t kept_count;
	struct ftrace_format *format;
	size_t formats;
	struct ftrace_event *event;
	size_t events, room;
};

int ftrace_file_open(struct ftrace_file *file, const char *path, struct ls_error *err);
void ftrace_file_close(struct ftrace_file *file);
/* 0 if the event has no such field. */
uint64_t ftrace_value(const struct ftrace_event *event, const char *field);

/* formats.c; place: where the formats begin, then behind them. 0 or -ENOMEM. */
struct place;
int ftrace_read_formats(struct ftrace_file *file, struct place *place);
/* The same without those of ftrace itself. */
int ftrace_read_systems(struct ftrace_file *file, struct place *place);
/* NULL: not one of system "kvm". */
const struct ftrace_format *ftrace_format_of(const struct ftrace_file *file, unsigned int id);

/* file.c: the events of a page are the file's, too. 0 or -ENOMEM. */
int ftrace_read_page(struct ftrace_file *file, const uint8_t *page, size_t page_size);
/* sections.c: all of version 7 from behind the size of a long on. 0, or -errno with *err filled. */
int ftrace_read_sections(struct ftrace_file *file, struct place *place, const char *path,
			 struct ls_error *err);

#endif
