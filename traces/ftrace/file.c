/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/ftrace/file.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the file from front to back --- */

/* What is read; past the end everything is zero, and failed. */
struct place {
	const uint8_t *at, *end;
	bool failed;
};

static const uint8_t *skip(struct place *place, uint64_t size)
{
	const uint8_t *at = place->at;

	if (size > (uint64_t)(place->end - place->at)) {
		place->failed = true;
		place->at = place->end;
		return place->end;
	}
	place->at += size;
	return at;
}

static uint64_t number(struct place *place, size_t size)
{
	const uint8_t *at = skip(place, size);
	uint64_t value = 0;

	if (!place->failed)
		memcpy(&value, at, size);
	return value;
}

/* A string with its zero. */
static const char *string(struct place *place)
{
	const uint8_t *zero = memchr(place->at, 0, (size_t)(place->end - place->at));

	if (!zero) {
		place->failed = true;
		return "";
	}
	return (const char *)skip(place, (uint64_t)(zero + 1 - place->at));
}

/* --- formats --- */

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

static int read_formats(struct ftrace_file *file, struct place *place)
{
	uint64_t n = number(place, 4), systems;

	for (; n && !place->failed; n--) /* of ftrace itself */
		skip(place, number(place, 8));
	for (systems = number(place, 4); systems && !place->failed; systems--) {
		bool ours = !strcmp(string(place), "kvm");

		for (n = number(place, 4); n && !place->failed; n--) {
			uint64_t size = number(place, 8);
			const char *text = (const char *)skip(place, size);
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

static const struct ftrace_format *format_of(const struct ftrace_file *file, unsigned int id)
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

/* --- pages of the ring buffer (kernel/trace/ring_buffer.c) --- */

#define PAGE_HEAD        16u
#define PAGE_BYTES       0xfffffu /* of a page's commit; above are flags */
#define TYPE_PADDING     29u
#define TYPE_TIME_EXTEND 30u
#define TYPE_TIME_STAMP  31u
#define DELTA_BITS       27u

static int add_event(struct ftrace_file *file, uint64_t time, const uint8_t *data, uint32_t size)
{
	const struct ftrace_format *format;
	uint16_t id;

	if (size < 8)
		return 0;
	memcpy(&id, data, sizeof(id));
	format = format_of(file, id);
	if (!format)
		return 0;
	if (file->events == file->room) {
		size_t room = 2 * file->room + 1024;
		struct ftrace_event *more = realloc(file->event, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		file->event = more;
		file->room = room;
	}
	file->event[file->events] = (struct ftrace_event){.time = time,
							  .format = format,
							  .data = data,
							  .size = size,
							  .order = (uint32_t)file->events};
	file->events++;
	return 0;
}

static int read_page(struct ftrace_file *file, const uint8_t *page, size_t page_size)
{
	struct place place = {.at = page, .end = page + page_size};
	uint64_t time = number(&place, 8), bytes = number(&place, 8) & PAGE_BYTES;
	int ret = 0;

	if (bytes > page_size - PAGE_HEAD)
		bytes = page_size - PAGE_HEAD;
	place.end = place.at + bytes;
	while (place.at < place.end && !place.failed && !ret) {
		uint32_t head = (uint32_t)number(&place, 4), type = head & 31;
		uint64_t delta = head >> (32 - DELTA_BITS), size = 4 * (uint64_t)type;
		const uint8_t *data;

		if (type >= TYPE_PADDING || !type)
			size = number(&place, 4);
		if (type == TYPE_TIME_EXTEND) {
			time += delta | size << DELTA_BITS;
			continue;
		}
		if (type == TYPE_TIME_STAMP) {
			time = delta | size << DELTA_BITS;
			continue;
		}
		time += delta;
		if (type == TYPE_PADDING && !delta)
			break;
		if (type == TYPE_PADDING || !type)
			size -= 4; /* it counts itself */
		data = skip(&place, size);
		if (type != TYPE_PADDING && !place.failed)
			ret = add_event(file, time, data, (uint32_t)size);
	}
	return ret;
}

static int read_cpus(struct ftrace_file *file, struct place *place, uint64_t cpus, size_t page_size)
{
	int ret = 0;

	for (; cpus && !place->failed && !ret; cpus--) {
		uint64_t offset = number(place, 8), size = number(place, 8);

		if (offset > file->size || size > file->size - offset)
			size = 0; /* cut off */
		for (; size >= page_size && !ret; offset += page_size, size -= page_size)
			ret = read_page(file, file->bytes + offset, page_size);
	}
	return ret;
}

/* --- opening --- */

static int by_time(const void *a, const void *b)
{
	const struct ftrace_event *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static void skip_named(struct place *place, const char *name)
{
	if (strcmp(string(place), name))
		place->failed = true;
	skip(place, number(place, 8));
}

static int read_body(struct ftrace_file *file, struct place *place, const char *path,
		     struct ls_error *err)
{
	size_t page_size = number(place, 4);
	const char *section;
	uint64_t cpus;
	int ret;

	skip_named(place, "header_page");
	skip_named(place, "header_event");
	ret = read_formats(file, place);
	skip(place, number(place, 4)); /* kallsyms */
	skip(place, number(place, 4)); /* printk formats */
	skip(place, number(place, 8)); /* names of threads */
	cpus = number(place, 4);
	section = (const char *)skip(place, 10);
	if (!place->failed && !strncmp(section, "options", 7)) {
		while (number(place, 2) && !place->failed)
			skip(place, number(place, 4));
		section = (const char *)skip(place, 10);
	}
	if (place->failed || strncmp(section, "flyrecord", 9) || page_size < 64 ||
	    page_size > 1u << 20)
		return ls_error_set(err, -EBADMSG, "'%s' is damaged, or holds no events", path);
	if (!ret)
		ret = read_cpus(file, place, cpus, page_size);
	return ret ? ls_error_set(err, ret, "no memory for '%s'", path) : 0;
}

static int read_file(struct ftrace_file *file, const char *path, struct ls_error *err)
{
	static const uint8_t magic[] = "\027\010\104tracing";
	struct place place = {.at = file->bytes, .end = file->bytes + file->size};
	const uint8_t *start = skip(&place, sizeof(magic) - 1);
	const char *version;

	if (place.failed || memcmp(start, magic, sizeof(magic) - 1))
		return ls_error_set(err, -EBADMSG, "'%s' was not made by trace-cmd", path);
	version = string(&place);
	if (strcmp(version, "6"))
		return ls_error_set(err, -ENOTSUP,
				    "'%s' is a trace.dat of version %.8s; 'trace-cmd convert "
				    "--file-version 6' makes one that can be read",
				    path, version);
	if (number(&place, 1) || number(&place, 1) != 8)
		return ls_error_set(err, -ENOTSUP, "'%s' is not from a 64-bit x86 host", path);
	return read_body(file, &place, path, err);
}

int ftrace_file_open(struct ftrace_file *file, const char *path, struct ls_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret = fd < 0 ? -errno : 0;
	struct stat status;
	void *bytes = MAP_FAILED;

	*file = (struct ftrace_file){0};
	if (!ret && fstat(fd, &status))
		ret = -errno;
	if (!ret && status.st_size)
		bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (fd >= 0)
		close(fd);
	if (ret)
		return ls_error_set(err, ret, "cannot read '%s': %s", path, strerror(-ret));
	if (bytes == MAP_FAILED)
		return ls_error_set(err, -EBADMSG, "'%s' was not made by trace-cmd", path);
	file->bytes = bytes;
	file->size = (size_t)status.st_size;
	ret = read_file(file, path, err);
	if (ret)
		ftrace_file_close(file);
	else if (file->events)
		qsort(file->event, file->events, sizeof(file->event[0]), by_time);
	return ret;
}

void ftrace_file_close(struct ftrace_file *file)
{
	if (file->bytes)
		munmap((void *)file->bytes, file->size);
	free(file->format);
	free(file->event);
	*file = (struct ftrace_file){0};
}
