/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/ftrace/file.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "traces/ftrace/place.h"
#include "traces/ftrace/ring.h"

#define PAGE_BYTES 0xfffffu /* of a page's commit; above are flags */

static int add_event(struct ftrace_file *file, uint64_t time, const uint8_t *data, uint32_t size)
{
	const struct ftrace_format *format;
	uint16_t id;

	if (size < 8)
		return 0;
	memcpy(&id, data, sizeof(id));
	format = ftrace_format_of(file, id);
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

int ftrace_read_page(struct ftrace_file *file, const uint8_t *page, size_t page_size)
{
	struct place place = {.at = page, .end = page + page_size};
	uint64_t time = place_number(&place, 8), bytes = place_number(&place, 8) & PAGE_BYTES;
	int ret = 0;

	if (bytes > page_size - RING_HEAD)
		bytes = page_size - RING_HEAD;
	place.end = place.at + bytes;
	while (place.at < place.end && !place.failed && !ret) {
		uint32_t head = (uint32_t)place_number(&place, 4), type = head & 31;
		uint64_t delta = head >> (32 - RING_DELTA_BITS), size = 4 * (uint64_t)type;
		const uint8_t *data;

		if (type >= RING_TYPE_PADDING || !type)
			size = place_number(&place, 4);
		if (type == RING_TYPE_TIME_EXTEND) {
			time += delta | size << RING_DELTA_BITS;
			continue;
		}
		if (type == RING_TYPE_TIME_STAMP) {
			time = delta | size << RING_DELTA_BITS;
			continue;
		}
		time += delta;
		if (type == RING_TYPE_PADDING && !delta)
			break;
		if (type == RING_TYPE_PADDING || !type)
			size -= 4; /* it counts itself */
		data = place_skip(&place, size);
		if (type != RING_TYPE_PADDING && !place.failed)
			ret = add_event(file, time, data, (uint32_t)size);
	}
	return ret;
}

static int read_cpus(struct ftrace_file *file, struct place *place, uint64_t cpus, size_t page_size)
{
	int ret = 0;

	for (; cpus && !place->failed && !ret; cpus--) {
		uint64_t offset = place_number(place, 8), size = place_number(place, 8);

		if (offset > file->size || size > file->size - offset)
			size = 0; /* cut off */
		for (; size >= page_size && !ret; offset += page_size, size -= page_size)
			ret = ftrace_read_page(file, file->bytes + offset, page_size);
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
	if (strcmp(place_string(place), name))
		place->failed = true;
	place_skip(place, place_number(place, 8));
}

static int read_body(struct ftrace_file *file, struct place *place, const char *path,
		     struct ls_error *err)
{
	size_t page_size = place_number(place, 4);
	const char *section;
	uint64_t cpus;
	int ret;

	skip_named(place, "header_page");
	skip_named(place, "header_event");
	ret = ftrace_read_formats(file, place);
	place_skip(place, place_number(place, 4)); /* kallsyms */
	place_skip(place, place_number(place, 4)); /* printk formats */
	place_skip(place, place_number(place, 8)); /* names of threads */
	cpus = place_number(place, 4);
	section = (const char *)place_skip(place, 10);
	if (!place->failed && !strncmp(section, "options", 7)) {
		while (place_number(place, 2) && !place->failed)
			place_skip(place, place_number(place, 4));
		section = (const char *)place_skip(place, 10);
	}
	if (place->failed || strncmp(section, "flyrecord", 9) || page_size < FTRACE_PAGE_MIN ||
	    page_size > FTRACE_PAGE_MAX)
		return ls_error_set(err, -EBADMSG, "'%s' is damaged, or holds no events", path);
	if (!ret)
		ret = read_cpus(file, place, cpus, page_size);
	return ret ? ls_error_set(err, ret, "no memory for '%s'", path) : 0;
}

static int read_file(struct ftrace_file *file, const char *path, struct ls_error *err)
{
	static const uint8_t magic[] = "\027\010\104tracing";
	struct place place = {.at = file->bytes, .end = file->bytes + file->size};
	const uint8_t *start = place_skip(&place, sizeof(magic) - 1);
	const char *version;
	bool sections;

	if (place.failed || memcmp(start, magic, sizeof(magic) - 1))
		return ls_error_set(err, -EBADMSG, "'%s' was not made by trace-cmd", path);
	version = place_string(&place);
	sections = !strcmp(version, "7");
	if (!sections && strcmp(version, "6"))
		return ls_error_set(err, -ENOTSUP,
				    "'%s' is a trace.dat of version %.8s; 'trace-cmd convert "
				    "--file-version 6' makes one that can be read",
				    path, version);
	if (place_number(&place, 1) || place_number(&place, 1) != 8)
		return ls_error_set(err, -ENOTSUP, "'%s' is not from a 64-bit x86 host", path);
	return sections ? ftrace_read_sections(file, &place, path, err)
			: read_body(file, &place, path, err);
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
	for (size_t n = 0; n < file->kept_count; n++)
		free(file->kept[n]);
	free(file->kept);
	free(file->format);
	free(file->event);
	*file = (struct ftrace_file){0};
}
