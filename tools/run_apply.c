/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `lockstep run`, checked one theme after the other, become the session. */
#include <string.h>

#include "machine/snapshot.h"
#include "tools/run_options.h"
#include "tools/size.h"
#include "tools/tool.h"
#include "traces/events.h"

#define RUN_EXIT_PORT 0xf4

static int apply_boot(struct run_options *o, struct machine_config *config, struct ls_error *err)
{
	const struct {
		enum machine_boot boot;
		const char *path;
	} ways[] = {
		{MACHINE_BOOT_LINUX, o->kernel},
		{MACHINE_BOOT_PAYLOAD, o->payload},
		{MACHINE_BOOT_FIRMWARE, o->firmware},
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(ways); i++) {
		if (!ways[i].path)
			continue;
		if (config->kernel)
			return ls_error_set(err, -EINVAL,
					    "only one of --kernel, --payload and --firmware");
		config->boot = ways[i].boot;
		config->kernel = ways[i].path;
	}
	if (!config->kernel)
		return ls_error_set(err, -EINVAL,
				    "say what to run: --kernel, --payload or --firmware");
	if (o->firmware && (o->initrd || o->append))
		return ls_error_set(err, -EINVAL, "%s goes with --kernel or --payload",
				    o->initrd ? "--initrd" : "--append");
	config->initrd = o->initrd;
	config->append = o->append;
	return 0;
}

static int apply_size(struct run_options *o, struct machine_config *config, struct ls_error *err)
{
	uint64_t count;

	if (o->smp && (number_parse(o->smp, MACHINE_MAX_VCPUS, &count) || !count))
		return ls_error_set(err, -EINVAL, "--smp %s: say a number from 1 to %d", o->smp,
				    MACHINE_MAX_VCPUS);
	config->vcpus = o->smp ? (unsigned int)count : 1;
	if (o->memory && (size_parse(o->memory, 1, &config->memory) || !config->memory))
		return ls_error_set(err, -EINVAL, "--memory %s: say a size, as in 512M or 4G",
				    o->memory);
	if (o->max_instructions && (count_parse(o->max_instructions, &config->max_instructions) ||
				    !config->max_instructions))
		return ls_error_set(err, -EINVAL, "--max-instructions %s: say a number above 0",
				    o->max_instructions);
	if (o->state_hash &&
	    (count_parse(o->state_hash, &config->state_hash_every) || !config->state_hash_every))
		return ls_error_set(err, -EINVAL, "--state-hash %s: say a number above 0",
				    o->state_hash);
	return 0;
}

static int apply_serial(struct run_options *o, struct session *session, struct ls_error *err)
{
	const char *serial = o->serial ? o->serial : "stdio";

	if (g_str_has_prefix(serial, "file:") && serial[5])
		session->console.output_path = serial + 5;
	else if (strcmp(serial, "stdio") && strcmp(serial, "none"))
		return ls_error_set(err, -EINVAL, "--serial %s: say stdio, file:PATH or none",
				    serial);
	if (o->load)
		return 0;
	session->config.serial = strcmp(serial, "none") != 0;
	session->config.virtio_console = o->console || o->channel;
	session->console.channel = o->channel;
	return 0;
}

static int apply_devices(struct run_options *o, struct machine_config *config, struct ls_error *err)
{
	const char *net = o->net ? o->net : "none";
	char **disk;

	for (disk = o->disks; disk && *disk; disk++) {
		if (config->disk_count == MACHINE_MAX_DISKS)
			return ls_error_set(err, -EINVAL, "--disk %s: there is room for %d disks",
					    *disk, MACHINE_MAX_DISKS);
		config->disks[config->disk_count++].path = *disk;
	}
	if (!strcmp(net, "user")) {
		config->net.kind = MACHINE_NET_USER;
	} else if (g_str_has_prefix(net, "tap:") && net[4]) {
		config->net.kind = MACHINE_NET_TAP;
		config->net.tap = net + 4;
	} else if (strcmp(net, "none")) {
		return ls_error_set(err, -EINVAL, "--net %s: say none, user or tap:NAME", net);
	}
	config->virtio_rng = o->rng != NULL;
	if (o->rng && number_parse(o->rng, UINT64_MAX, &config->rng_seed))
		return ls_error_set(err, -EINVAL, "--rng %s: say a number", o->rng);
	return 0;
}

static int apply_exit_port(struct run_options *o, struct machine_config *config,
			   struct ls_error *err)
{
	uint64_t port = RUN_EXIT_PORT;

	config->exit_port = o->exit_port ? strcmp(o->exit_port, "none") != 0
					 : config->boot == MACHINE_BOOT_PAYLOAD;
	if (config->exit_port && o->exit_port &&
	    (number_parse(o->exit_port, UINT16_MAX, &port) || !port))
		return ls_error_set(err, -EINVAL,
				    "--exit-port %s: say a port from 1 to 0xffff, or none",
				    o->exit_port);
	config->exit_port_base = (uint16_t)port;
	return 0;
}

static int apply_time(struct run_options *o, struct machine_config *config, struct ls_error *err)
{
	const char *schedule = o->schedule, *clock = o->clock;

	if (!g_strcmp0(schedule, "parallel"))
		config->schedule = MACHINE_PARALLEL;
	else if (!g_strcmp0(schedule, "round-robin"))
		config->schedule = MACHINE_ROUND_ROBIN;
	else if (schedule)
		return ls_error_set(err, -EINVAL, "--schedule %s: say round-robin or parallel",
				    schedule);
	if (!g_strcmp0(clock, "host"))
		config->clock = MACHINE_CLOCK_HOST;
	else if (!g_strcmp0(clock, "virtual"))
		config->clock = MACHINE_CLOCK_VIRTUAL;
	else if (clock)
		return ls_error_set(err, -EINVAL, "--clock %s: say virtual or host", clock);
	return 0;
}

static int apply_irqchip(struct run_options *o, struct machine_config *config, struct ls_error *err)
{
	if (!g_strcmp0(o->irqchip, "engine"))
		config->irqchip = MACHINE_IRQCHIP_ENGINE;
	else if (!g_strcmp0(o->irqchip, "split"))
		config->irqchip = MACHINE_IRQCHIP_SPLIT;
	else if (o->irqchip)
		return ls_error_set(err, -EINVAL, "--irqchip %s: say engine or split", o->irqchip);
	return 0;
}

static int apply_params(struct run_options *o, struct machine_config *config, struct ls_error *err)
{
	char **text, *equals;

	for (text = o->params; text && *text; text++) {
		equals = strchr(*text, '=');
		if (!equals || equals == *text)
			return ls_error_set(err, -EINVAL, "--param %s: say NAME=VALUE", *text);
		if (config->param_count == G_N_ELEMENTS(o->param_rows))
			return ls_error_set(err, -EINVAL, "more than %zu times --param",
					    G_N_ELEMENTS(o->param_rows));
		*equals = '\0';
		o->param_rows[config->param_count++] =
			(struct machine_param){.name = *text, .value = equals + 1};
	}
	config->params = o->param_rows;
	return 0;
}

static int apply_engine(struct run_options *o, struct machine_config *config, struct ls_error *err)
{
	const char *name = o->engine ? o->engine : "sim";

	/* auto: chosen when the rest of the config stands. */
	config->engine = tool_engine_find(name);
	if (!config->engine && strcmp(name, "auto"))
		return ls_error_set(err, -EINVAL,
				    "unknown engine '%s'; say auto, or one that 'lockstep list "
				    "engines' names",
				    name);
	config->models = &ls_engine_sim;
	config->cpu = o->cpu;
	return 0;
}

/* The machine is the snapshot's. */
static int apply_snapshot(struct run_options *o, struct machine_config *config,
			  struct ls_error *err)
{
	const struct {
		const char *name;
		bool given;
	} parts[] = {
		{"kernel", o->kernel},
		{"initrd", o->initrd},
		{"append", o->append},
		{"payload", o->payload},
		{"disk", o->disks},
		{"firmware", o->firmware},
		{"net", o->net},
		{"cpu", o->cpu},
		{"smp", o->smp},
		{"memory", o->memory},
		{"console", o->console},
		{"rng", o->rng},
		{"exit-port", o->exit_port},
		{"irqchip", o->irqchip},
		{"fit", o->leave.fit},
		{"no-reboot", o->no_reboot},
	};
	int rc;

	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
		if (parts[i].given)
			return ls_error_set(err, -EINVAL, "--%s: the snapshot says that itself",
					    parts[i].name);
	}
	o->snapshot = snapshot_open(o->load, err);
	rc = o->snapshot ? snapshot_config(o->snapshot, config, err) : err->code;
	if (!rc && o->verify)
		rc = snapshot_verify(o->snapshot, NULL, err);
	config->verified = o->verify;
	return rc;
}

static int check_trace(const struct run_options *o, struct machine_config *config,
		       struct ls_error *err)
{
	const char *option = o->record ? "--record" : "--trace";

	if (o->trace && o->record)
		return ls_error_set(err, -EINVAL,
				    "only one of --trace and --record; --trace "
				    "FILE:feed,snapshot,... does both");
	if (o->leave.switch_to && (o->trace || o->record))
		return ls_error_set(err, -EINVAL, "%s: only one engine can be traced", option);
	if (o->record &&
	    (config->schedule == MACHINE_PARALLEL || config->clock == MACHINE_CLOCK_HOST))
		return ls_error_set(err, -EINVAL,
				    "--record: only a run in turns and in virtual time can be made "
				    "again");
	if (o->record_every &&
	    (!(o->record || o->trace) || count_parse(o->record_every, &config->record_every)))
		return ls_error_set(err, -EINVAL,
				    "--record-every %s: say a number, and --record or --trace FILE",
				    o->record_every);
	return 0;
}

static int apply_trace(struct run_options *o, struct session *session, struct ls_error *err)
{
	int rc = check_trace(o, &session->config, err);

	if (rc || !(o->trace || o->record))
		return rc;
	if (o->record)
		trace_spec_recording(&o->trace_spec, o->record);
	else
		rc = trace_spec_parse(&o->trace_spec, o->trace, err);
	session->trace = &o->trace_spec;
	session->trace_arguments = o->arguments;
	session->config.log_written |= o->trace_spec.events >> TRACE_SNAPSHOT & 1;
	return rc;
}

int run_options_apply(struct run_options *o, struct session *session, struct ls_error *err)
{
	/* apply_exit_port looks at what apply_boot found. */
	static int (*const steps[])(struct run_options * o, struct machine_config * config,
				    struct ls_error * err) = {
		apply_engine,    apply_boot, apply_size,   apply_devices,
		apply_exit_port, apply_time, apply_params, apply_irqchip,
	};
	static int (*const load_steps[])(struct run_options * o, struct machine_config * config,
					 struct ls_error * err) = {
		apply_engine, apply_size, apply_snapshot, apply_time, apply_params,
	};
	struct machine_config *config = &session->config;
	size_t i;
	int rc;

	*session = (struct session){
		.console = {.escapes = true},
		.debug_port = o->debug_port,
		.greet = true,
		.stats = o->stats,
		.stats_file = o->stats_file,
	};
	for (i = 0; i < (o->load ? G_N_ELEMENTS(load_steps) : G_N_ELEMENTS(steps)); i++) {
		rc = (o->load ? load_steps : steps)[i](o, config, err);
		if (rc)
			return rc;
	}
	rc = leave_options_apply(&o->leave, config, err);
	if (rc)
		return rc;
	if (!config->engine)
		tool_engine_choose(config);
	rc = leave_options_check(&o->leave, config, err);
	if (!rc)
		rc = apply_serial(o, session, err);
	if (!rc)
		rc = apply_trace(o, session, err);
	if (!rc && o->gdb_wait && !o->gdb)
		rc = ls_error_set(err, -EINVAL, "--gdb-wait goes with --gdb");
	if (!rc && o->gdb && o->leave.switch_to)
		rc = ls_error_set(err, -EINVAL, "--gdb: only one engine can be debugged");
	session->gdb = o->gdb;
	session->gdb_wait = o->gdb_wait;
	if (rc)
		return rc;
	config->no_reboot |= o->no_reboot;
	/* A payload hardly reads the keyboard: Ctrl-C stops it. */
	session->console.signal_keys = config->boot == MACHINE_BOOT_PAYLOAD;
	return 0;
}
