/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/size.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int digits_parse(const char *text, const char **end, uint64_t *value)
{
	char *after;

	/* strtoull would take a sign and leading space. */
	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &after, text[0] == '0' && (text[1] | 32) == 'x' ? 16 : 10);
	if (errno == ERANGE)
		return -ERANGE;
	*end = after;
	return 0;
}

/* @step: what one letter further multiplies by. */
static int scaled_parse(const char *text, uint64_t unit, uint64_t step, const char **end,
			uint64_t *value)
{
	static const char letters[] = "kmgt";
	const char *letter;
	int rc = digits_parse(text, end, value);

	if (rc)
		return rc;
	letter = **end ? strchr(letters, tolower((unsigned char)**end)) : NULL;
	if (letter) {
		unit = step;
		for (; letter > letters; letter--)
			unit *= step;
		(*end)++;
	}
	return __builtin_mul_overflow(*value, unit, value) ? -ERANGE : 0;
}

int size_parse(const char *text, uint64_t unit, uint64_t *size)
{
	const char *end;
	int rc = scaled_parse(text, unit, 1024, &end, size);

	if (rc)
		return rc;
	/* "512MiB" and "512MB" mean the same as "512M". */
	if (isalpha((unsigned char)end[-1]) && (!strcmp(end, "iB") || !strcmp(end, "B")))
		return 0;
	return *end ? -EINVAL : 0;
}

int count_parse(const char *text, uint64_t *count)
{
	const char *end;
	int rc = scaled_parse(text, 1, 1000, &end, count);

	if (rc)
		return rc;
	return *end ? -EINVAL : 0;
}

int number_parse(const char *text, uint64_t max, uint64_t *value)
{
	const char *end;
	int rc = digits_parse(text, &end, value);

	if (rc)
		return rc;
	if (*end)
		return -EINVAL;
	return *value > max ? -ERANGE : 0;
}
