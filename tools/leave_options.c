/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/leave_options.h"

#include <math.h>
#include <string.h>

#include "tools/size.h"
#include "tools/tool.h"

#define SWITCHES_MAX 1000000

static bool parse_seconds(const char *text, uint64_t *ns)
{
	char *end;
	double seconds = g_ascii_strtod(text, &end);

	if (end == text || *end || !isfinite(seconds) || seconds < 0 || seconds > 1e9)
		return false;
	*ns = (uint64_t)(seconds * 1e9);
	return true;
}

static bool parse_count(const char *text, uint64_t *count)
{
	return !count_parse(text, count) && *count;
}

static bool parse_address(const char *text, uint64_t *address)
{
	return !number_parse(text, UINT64_MAX, address);
}

static bool parse_port(const char *text, uint64_t *port)
{
	return !number_parse(text, UINT16_MAX, port);
}

static const struct {
	const char *name;
	enum machine_trigger_kind kind;
	bool (*parse)(const char *text, uint64_t *value);
} triggers[] = {
	{"time:", MACHINE_TRIGGER_TIME, parse_seconds},
	{"instructions:", MACHINE_TRIGGER_INSTRUCTIONS, parse_count},
	{"accesses:", MACHINE_TRIGGER_ACCESSES, parse_count},
	{"address:", MACHINE_TRIGGER_ADDRESS, parse_address},
	{"physical:", MACHINE_TRIGGER_PHYSICAL, parse_address},
	{"port:", MACHINE_TRIGGER_PORT, parse_port},
};

static int parse_trigger(const char *text, struct machine_trigger *at, struct ls_error *err)
{
	if (!strcmp(text, "signal")) {
		at->kind = MACHINE_TRIGGER_NONE;
		return 0;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(triggers); i++) {
		if (!g_str_has_prefix(text, triggers[i].name))
			continue;
		at->kind = triggers[i].kind;
		if (triggers[i].parse(text + strlen(triggers[i].name), &at->value))
			return 0;
	}
	return ls_error_set(err, -EINVAL,
			    "--at %s: say time:SECONDS, instructions:N, accesses:N, "
			    "address:ADDRESS, physical:ADDRESS, port:PORT or signal",
			    text);
}

static int find_engine(const char *option, const char *name, const struct ls_engine_ops **engine,
		       struct ls_error *err)
{
	*engine = tool_engine_find(name);
	return *engine ? 0
		       : ls_error_set(err, -EINVAL,
				      "--%s %s: say an engine that 'lockstep list engines' names",
				      option, name);
}

static int apply_switch(const struct leave_options *o, struct machine_config *config,
			struct ls_error *err)
{
	uint64_t times = 1;
	int rc = find_engine("switch-to", o->switch_to, &config->leave.to, err);

	if (rc)
		return rc;
	if (o->switches && (number_parse(o->switches, SWITCHES_MAX, &times) || !times))
		return ls_error_set(err, -EINVAL, "--switches %s: say a number from 1 to %d",
				    o->switches, SWITCHES_MAX);
	config->leave.times = (unsigned int)times;
	if (!config->fit && !config->snapshot)
		config->fit = config->leave.to;
	return 0;
}

int leave_options_apply(const struct leave_options *o, struct machine_config *config,
			struct ls_error *err)
{
	struct machine_leave *leave = &config->leave;
	int rc = 0;

	if (o->fit)
		rc = find_engine("fit", o->fit, &config->fit, err);
	if (!rc && o->at)
		rc = parse_trigger(o->at, &leave->at, err);
	if (rc)
		return rc;
	if (o->at && !o->save && !o->switch_to)
		return ls_error_set(err, -EINVAL, "--at goes with --switch-to");
	if (o->switches && !o->switch_to)
		return ls_error_set(err, -EINVAL, "--switches goes with --switch-to");
	if (!o->at && o->switch_to)
		return ls_error_set(err, -EINVAL, "--switch-to needs --at: say when");
	leave->save = o->save;
	leave->go_on = o->go_on || o->switch_to;
	if (o->save && !o->at)
		leave->at.kind = MACHINE_TRIGGER_STOP;
	return o->switch_to ? apply_switch(o, config, err) : 0;
}

int leave_options_check(const struct leave_options *o, const struct machine_config *config,
			struct ls_error *err)
{
	return !o->switch_to || config->leave.to != config->engine
		       ? 0
		       : ls_error_set(err, -EINVAL, "--switch-to %s: it starts on that engine",
				      o->switch_to);
}

void leave_options_free(struct leave_options *o)
{
	g_free(o->at);
	g_free(o->switch_to);
	g_free(o->switches);
	g_free(o->fit);
	g_free(o->save);
}
