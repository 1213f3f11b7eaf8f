/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/log.h"

#include <string.h>
#include <unistd.h>

struct log_style {
	GLogLevelFlags level;
	const char *word; /* after the program's name; empty: nothing */
	const char *colour;
};

static const struct log_style styles[] = {
	{G_LOG_LEVEL_ERROR, "error: ", "\033[1;31m"},
	{G_LOG_LEVEL_CRITICAL, "", "\033[1;31m"},
	{G_LOG_LEVEL_WARNING, "warning: ", "\033[33m"},
	{G_LOG_LEVEL_MESSAGE, "", "\033[1m"},
	{G_LOG_LEVEL_INFO, "", ""},
	{G_LOG_LEVEL_DEBUG, "debug: ", "\033[2m"},
};

static const struct log_style *log_style_of(GLogLevelFlags level)
{
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(styles); i++) {
		if (level & styles[i].level)
			return &styles[i];
	}
	return &styles[G_N_ELEMENTS(styles) - 1];
}

static const char *log_message_of(const GLogField *fields, gsize count)
{
	gsize i;

	for (i = 0; i < count; i++) {
		if (!strcmp(fields[i].key, "MESSAGE"))
			return fields[i].value;
	}
	return "";
}

static GLogWriterOutput log_write(GLogLevelFlags level, const GLogField *fields, gsize count,
				  gpointer program)
{
	const struct log_style *style = log_style_of(level);
	const char *colour = style->colour;
	g_autoptr(GString) line = NULL;
	ssize_t written;

	if (g_log_writer_default_would_drop(level, "lockstep"))
		return G_LOG_WRITER_HANDLED;
	if (!isatty(STDERR_FILENO) || g_getenv("NO_COLOR"))
		colour = "";
	line = g_string_new(NULL);
	g_string_append_printf(line, "%s: %s%s%s%s\n", (const char *)program, colour, style->word,
			       log_message_of(fields, count), *colour ? "\033[0m" : "");
	/* One write, so that lines of two processes don't mix. */
	written = write(STDERR_FILENO, line->str, line->len);
	(void)written;
	return G_LOG_WRITER_HANDLED;
}

void log_init(const char *program)
{
	g_log_set_writer_func(log_write, (gpointer)program, NULL);
}
