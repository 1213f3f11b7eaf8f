/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cpu/dump_text.h"

const char *dump_next_line(const char *at, const char *end, char line[DUMP_LINE])
{
	const char *stop = memchr(at, '\n', end - at);
	size_t length = (stop ? stop : end) - at;

	if (length > DUMP_LINE - 1)
		length = DUMP_LINE - 1;
	memcpy(line, at, length);
	line[length] = 0;
	return stop ? stop + 1 : end;
}

const char *dump_skip_blanks(const char *line)
{
	return line + strspn(line, " \t");
}

bool dump_number(const char **text, int base, u64 *value)
{
	char *end;

	*text = dump_skip_blanks(*text);
	if (!(base == 10 ? isdigit((u8) * *text) : isxdigit((u8) * *text)))
		return false;
	*value = strtoull(*text, &end, base); /* of 16 takes 0x, too */
	*text = end;
	return true;
}
