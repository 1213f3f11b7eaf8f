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

	if (!*words)
		spec_unknown(list, err);
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

static int spec_trigger(struct trace_spec *spec, const char *text, struct ls_error *err)
{
	enum trace_event event;

	if (g_str_has_prefix(text, "count=") && !count_parse(text + 6, &spec->trigger_value)) {
		spec->trigger = TRACE_FROM_COUNT;
	} else if (g_str_has_prefix(text, "rip=") &&
		   !number_parse(text + 4, UINT64_MAX, &spec->trigger_value)) {
		spec->trigger = TRACE_FROM_RIP;
	} else if (g_str_has_prefix(text, "event=")) {
		event = trace_event_by_name(text + 6);
		if (event == TRACE_EVENTS)
			return spec_unknown(text + 6, err);
		spec->trigger = TRACE_FROM_EVENT;
		spec->trigger_value = event;
	} else {
		return ls_error_set(err, -EINVAL,
				    "'@%s': say @count=N, @rip=ADDRESS or @event=EVENT", text);
	}
	return 0;
}

void trace_spec_recording(struct trace_spec *spec, const char *path)
{
	*spec = (struct trace_spec){
		.path = g_strdup(path),
		.events = UINT64_C(1) << TRACE_FEED | UINT64_C(1) << TRACE_SNAPSHOT,
	};
}

int trace_spec_parse(struct trace_spec *spec, const char *text, struct ls_error *err)
{
	const char *at = strrchr(text, '@');
	g_autofree char *head = g_strndup(text, at ? (size_t)(at - text) : strlen(text));
	char *colon = strrchr(head, ':');
	int ret = 0;

	*spec = (struct trace_spec){0};
	if (colon)
		*colon = '\0';
	if (!*head)
		ret = ls_error_set(err, -EINVAL, "--trace %s: say FILE[:EVENT,...][@TRIGGER]",
				   text);
	else if (colon)
		ret = spec_words(spec, colon + 1, err);
	spec->named = spec->events == (UINT64_C(1) << TRACE_EVENTS) - 1 ? 0 : spec->events;
	if (!spec->events)
		spec->events = trace_usual_events();
	if (!ret && at)
		ret = spec_trigger(spec, at + 1, err);
	if (!ret)
		spec->path = g_strdup(head);
	return ret;
}
