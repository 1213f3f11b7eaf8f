/* SPDX-License-Identifier: Apache-2.0 */
/* A trace.dat with some bytes changed: three of the input, an offset and a value, for each. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "traces/events.h"
#include "traces/ftrace/export.h"
#include "traces/ftrace/file.h"

/* Small: one vCPU, an event of each kind. */
static char *whole(size_t *size)
{
	struct ftrace_export *export = ftrace_export_create(1);
	char *bytes = NULL;
	FILE *to = open_memstream(&bytes, size);

	for (unsigned int event = 1; event < TRACE_EVENTS; event++) {
		uint64_t record[32] = {LS_TRACE_HEAD(event, 0, 2 + trace_events[event].field_count),
				       event};

		ftrace_export_add(export, 0, record);
	}
	ftrace_export_write(export, to);
	fclose(to);
	ftrace_export_destroy(export);
	return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("trace.dat", 0);
	struct ls_error err = {0};
	struct ftrace_file file;
	char path[64], *bytes;
	size_t room = 0;

	bytes = whole(&room);
	for (; size >= 3; data += 3, size -= 3)
		bytes[(data[0] | (size_t)data[1] << 8) % room] = (char)data[2];
	if (fd < 0 || write(fd, bytes, room) < 0)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (ftrace_file_open(&file, path, &err)) {
		if (!err.code)
			abort();
	} else {
		for (size_t n = 0; n < file.events; n++)
			for (unsigned int i = 0; i < file.event[n].format->fields; i++)
				ftrace_value(&file.event[n], file.event[n].format->field[i].name);
		ftrace_file_close(&file);
	}
	free(bytes);
	close(fd);
	return 0;
}
