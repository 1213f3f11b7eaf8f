/* SPDX-License-Identifier: Apache-2.0 */
/* A trace.dat of version 7: sections that options name, packed or not (trace-cmd.dat.v7(5)). */
#include <stdlib.h>
#include <zstd.h>

#include "traces/ftrace/file.h"
#include "traces/ftrace/place.h"

enum section { SECTION_OPTIONS = 0, SECTION_BUFFER = 3, SECTION_FORMATS = 18 };
enum option { OPTION_DONE = 0, OPTION_BUFFER = 3, OPTION_FORMATS = 18 };

#define FLAG_PACKED   1u
#define UNPACKED_MAX  (256u << 20)
#define OPTIONS_PARTS 64 /* sections of options; more go in a circle */

/* Memory that is the file's. NULL: there is none. */
static uint8_t *keep(struct ftrace_file *file, size_t size)
{
	uint8_t **more = realloc(file->kept, (file->kept_count + 1) * sizeof(*more));

	if (!more)
		return NULL;
	file->kept = more;
	more[file->kept_count] = malloc(size ? size : 1);
	return more[file->kept_count] ? more[file->kept_count++] : NULL;
}

/* Sizes, packed and not, and what is packed: behind it, unpacked. */
static int unpack(struct ftrace_file *file, struct place *from, struct place *to)
{
	uint64_t packed = place_number(from, 4), size = place_number(from, 4);
	const uint8_t *bytes = place_skip(from, packed);
	uint8_t *room;

	if (from->failed || size > UNPACKED_MAX)
		return -EBADMSG;
	room = keep(file, size);
	if (!room)
		return -ENOMEM;
	if (ZSTD_decompress(room, size, bytes, packed) != size)
		return -EBADMSG;
	*to = (struct place){.at = room, .end = room + size};
	return 0;
}

static struct place file_at(const struct ftrace_file *file, uint64_t offset)
{
	uint64_t at = offset < file->size ? offset : file->size;

	return (struct place){.at = file->bytes + at, .end = file->bytes + file->size};
}

static int open_section(struct ftrace_file *file, uint64_t offset, enum section wanted,
			struct place *to, bool *packed)
{
	struct place head = file_at(file, offset);
	uint64_t id = place_number(&head, 2), flags = place_number(&head, 2), size;

	place_skip(&head, 4); /* its description */
	size = place_number(&head, 8);
	*packed = flags & FLAG_PACKED;
	if (head.failed || id != wanted)
		return -EBADMSG;
	if (size < (uint64_t)(head.end - head.at))
		head.end = head.at + size;
	*to = head;
	return 0;
}

/* All of it; @to: its content. */
static int read_section(struct ftrace_file *file, uint64_t offset, enum section wanted,
			struct place *to)
{
	struct place raw;
	bool packed;
	int ret = open_section(file, offset, wanted, &raw, &packed);

	if (!ret && packed)
		return unpack(file, &raw, to);
	*to = raw;
	return ret;
}

/* --- events --- */

static int read_pages(struct ftrace_file *file, struct place pages, size_t page_size)
{
	int ret = 0;

	for (; (size_t)(pages.end - pages.at) >= page_size && !ret; pages.at += page_size)
		ret = ftrace_read_page(file, pages.at, page_size);
	return ret;
}

/* One CPU's: pages, or a number of pieces with pages in them. */
static int read_cpu(struct ftrace_file *file, struct place data, bool packed, size_t page_size)
{
	struct place pages;
	int ret = 0;

	if (!packed)
		return read_pages(file, data, page_size);
	for (uint64_t n = place_number(&data, 4); n && !data.failed && !ret; n--) {
		ret = unpack(file, &data, &pages);
		if (!ret)
			ret = read_pages(file, pages, page_size);
	}
	return ret;
}

/* One instance of tracing. */
static int read_buffer(struct ftrace_file *file, struct place option)
{
	uint64_t cpus, page_size, section = place_number(&option, 8);
	struct place all;
	bool packed;
	int ret = open_section(file, section, SECTION_BUFFER, &all, &packed);

	place_string(&option); /* its name */
	place_string(&option); /* its clock */
	page_size = place_number(&option, 4);
	if (page_size < FTRACE_PAGE_MIN || page_size > FTRACE_PAGE_MAX)
		return -EBADMSG;
	for (cpus = place_number(&option, 4); cpus && !option.failed && !ret; cpus--) {
		struct place data;
		uint64_t size;

		place_skip(&option, 4); /* which one */
		data = file_at(file, place_number(&option, 8));
		size = place_number(&option, 8); /* of pieces, which say it themselves, less */
		if (!packed && size < (uint64_t)(data.end - data.at))
			data.end = data.at + size;
		ret = read_cpu(file, data, packed, page_size);
	}
	return ret;
}

/* --- options --- */

/* Formats are to be known before the first event: a pass for each. */
static int read_options(struct ftrace_file *file, uint64_t offset, enum option wanted)
{
	int ret = 0;

	for (unsigned int n = 0; offset && n < OPTIONS_PARTS && !ret; n++) {
		struct place part, section;
		uint64_t id = OPTION_DONE;

		ret = read_section(file, offset, SECTION_OPTIONS, &part);
		offset = 0;
		do {
			struct place option;
			uint64_t size;

			if (ret)
				break;
			id = place_number(&part, 2);
			size = place_number(&part, 4);
			option.at = place_skip(&part, size);
			option.end = part.at;
			option.failed = part.failed;
			if (part.failed)
				return -EBADMSG;
			if (id == OPTION_DONE) {
				offset = place_number(&option, 8);
			} else if (id == wanted && id == OPTION_FORMATS) {
				ret = read_section(file, place_number(&option, 8), SECTION_FORMATS,
						   &section);
				if (!ret)
					ret = ftrace_read_systems(file, &section);
			} else if (id == wanted) {
				ret = read_buffer(file, option);
			}
		} while (id != OPTION_DONE);
	}
	return ret;
}

int ftrace_read_sections(struct ftrace_file *file, struct place *place, const char *path,
			 struct ls_error *err)
{
	const char *packer;
	uint64_t options;
	int ret;

	place_skip(place, 4); /* the host's page size: each buffer has its own */
	packer = place_string(place);
	place_string(place); /* its version */
	options = place_number(place, 8);
	if (!place->failed && strcmp(packer, "zstd") && strcmp(packer, "none"))
		return ls_error_set(err, -ENOTSUP,
				    "'%s' is packed by %.16s; 'trace-cmd convert --compression "
				    "none' makes one that can be read",
				    path, packer);
	ret = place->failed ? -EBADMSG : read_options(file, options, OPTION_FORMATS);
	if (!ret)
		ret = read_options(file, options, OPTION_BUFFER);
	if (ret == -ENOMEM)
		return ls_error_set(err, ret, "no memory for '%s'", path);
	return ret ? ls_error_set(err, ret, "'%s' is damaged, or holds no events", path) : 0;
}
