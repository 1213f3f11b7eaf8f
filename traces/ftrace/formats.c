/* SPDX-License-Identifier: Apache-2.0 */
/* What the file says of its events, and an event's fields by that. */
#include <stdio.h>
#include <stdlib.h>

#include "traces/ftrace/file.h"
#include "traces/ftrace/place.h"

static void parse_field(struct ftrace_format *format, const char *line)
{
	char declaration[128];
	unsigned int offset, size;
	int is_signed;
	char *name, *bracket;

	if (format->fields == FTRACE_FIELDS_MAX ||
	    sscanf(line, " field:%127[^;]; offset:%u; size:%u; signed:%d;", declaration, &offset,
		   &size, &is_signed) != 4)
		return;
	bracket = strchr(declaration, '[');
	if (bracket)
		*bracket = '\0';
	name = strrchr(declaration, ' ');
	if (!name || strlen(name + 1) >= sizeof(format->field[0].name))
		return;
	strcpy(format->field[format->fields].name, name + 1);
	format->field[format->fields].offset = offset;
	format->field[format->fields].size = size;
	format->field[format->fields++].is_signed = is_signed;
}

static void parse_format(struct ftrace_format *format, const char *text, size_t size)
{
	char *copy = strndup(text, size), *rest = copy, *line;

	while (copy && (line = strsep(&rest, "\n"))) {
		if (sscanf(line, "name: %47s", format->name) != 1 &&
		    sscanf(line, "ID: %u", &format->id) != 1)
			parse_field(format, line);
	}
	free(copy);
}

int ftrace_read_formats(struct ftrace_file *file, struct place *place)
{
	for (uint64_t n = place_number(place, 4); n && !place->failed; n--) /* of ftrace itself */
		place_skip(place, place_number(place, 8));
	return ftrace_read_systems(file, place);
}

int ftrace_read_systems(struct ftrace_file *file, struct place *place)
{
	uint64_t n, systems;

	for (systems = place_number(place, 4); systems && !place->failed; systems--) {
		bool ours = !strcmp(place_string(place), "kvm");

		for (n = place_number(place, 4); n && !place->failed; n--) {
			uint64_t size = place_number(place, 8);
			const char *text = (const char *)place_skip(place, size);
			struct ftrace_format *more;

			if (!ours || place->failed)
				continue;
			more = realloc(file->format, (file->formats + 1) * sizeof(*more));
			if (!more)
				return -ENOMEM;
			file->format = more;
			more[file->formats] = (struct ftrace_format){0};
			parse_format(&more[file->formats++], text, size);
		}
	}
	return 0;
}

const struct ftrace_format *ftrace_format_of(const struct ftrace_file *file, unsigned int id)
{
	for (size_t n = 0; n < file->formats; n++)
		if (file->format[n].id == id)
			return &file->format[n];
	return NULL;
}

uint64_t ftrace_value(const struct ftrace_event *event, const char *field)
{
	const struct ftrace_format *format = event->format;
	uint64_t value = 0;

	for (unsigned int n = 0; n < format->fields; n++) {
		unsigned int offset = format->field[n].offset, size = format->field[n].size;

		if (strcmp(format->field[n].name, field))
			continue;
		if (size > 8 || offset > event->size || size > event->size - offset)
			return 0;
		memcpy(&value, event->data + offset, size);
		if (format->field[n].is_signed && size && size < 8)
			value = (uint64_t)((int64_t)(value << (64 - 8 * size)) >> (64 - 8 * size));
		return value;
	}
	return 0;
}
