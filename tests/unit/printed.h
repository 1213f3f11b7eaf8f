/* SPDX-License-Identifier: Apache-2.0 */
/* What a function prints to a stream. */
#ifndef LOCKSTEP_TESTS_UNIT_PRINTED_H
#define LOCKSTEP_TESTS_UNIT_PRINTED_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether @what is in it; if not, all of it is shown. */
static inline bool prints(void (*print)(FILE *to), const char *what)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	bool found;

	print(to);
	fclose(to);
	found = strstr(text, what);
	if (!found)
		fprintf(stderr, "not in it: %s\n%s", what, text);
	free(text);
	return found;
}

#endif
