/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/trace_spec.h"

#include <glib.h>

#include "tools/size.h"
#include "traces/events.h"

static int spec_unknown(const char *word, struct ls_error *err)
{
	g_autoptr(GString) names = g_string_new(NULL);

	for (unsigned int n = 0; n < TRACE_EVENTS; n++)
		g_string_append_printf(names, "%s%s", n ? ", " : "", trace_events[n].name);
	return ls_error_set(err, -EINVAL, "unknown trace event '%s'; there are all, %s", word,
			    names->str);
}

static int spec_add(const char *word, uint64_t *events, struct ls_error *err)
{
	enum trace_event event = trace_event_by_name(word);

	if (!strcmp(word, "all"))
		*events |= (UINT64_C(1) << TRACE_EVENTS) - 1;
	else if (event < TRACE_EVENTS)
		*events |= UINT64_C(1) << event;
	else
		return spec_unknown(word, err);
	return 0;
}

uint64_t trace_spec_events(const char *list, struct ls_error *err)
{
	g_auto(GStrv) words = g_strsplit(list, ",", -1);
	uint64_t events = 0;

	for (char **word = words; *word; word++)
		if (spec_add(*word, &events, err))
			return 0;
	return events;
}

static int spec_words(struct trace_spec *spec, const char *list, struct ls_error *err)
{
	g_auto(GStrv) words = g_strsplit(list, ",", -1);
	int ret = 0;

	for (char **word = words; *word && !ret; word++) {
		if (!g_str_has_prefix(*word, "last="))
			ret = spec_add(*word, &spec->events, err);
		else if (count_parse(*word + 5, &spec->keep) || !spec->keep)
			ret = ls_error_set(err, -EINVAL,
					   "'%s': say how many records to keep, as in last=5M",
					   *word);
	}
	return ret;
}

int trace_spec_parse(struct trace_spec *spec, const char *text, struct ls_error *err)
{
	const char *colon = strrchr(text, ':');
	int ret = 0;

	*spec = (struct trace_spec){0};
	spec->path = g_strndup(text, colon ? (size_t)(colon - text) : strlen(text));
	if (!*spec->path)
		ret = ls_error_set(err, -EINVAL, "--trace %s: say FILE[:EVENT,...]", text);
	else if (colon)
		ret = spec_words(spec, colon + 1, err);
	if (!spec->events)
		spec->events = trace_usual_events();
	if (ret)
		g_clear_pointer(&spec->path, g_free);
	return ret;
}
