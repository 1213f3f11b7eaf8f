/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/run_options.h"

#include <string.h>

#include "machine/snapshot.h"
#include "tools/size.h"
#include "tools/tool.h"
#include "traces/events.h"

#define RUN_EXIT_PORT 0xf4

static const char run_description[] =
	"Exit status: 0 the guest powered off; its own code from an exit port; 124 the "
	"instruction\n"
	"limit; 120 to 123 reset, triple fault, engine error, halted for ever; 1 a failure, 2 a "
	"bad\n"
	"command line, 128 + N stopped by signal N. The manual page, lockstep(1), has the rest.\n\n"
	"On a terminal Ctrl-A X leaves, Ctrl-A C opens a monitor, Ctrl-A H helps.";

/* How many words the option is that only says how the run is watched; 0: it is another. */
static int words_of_watching(const char *word)
{
	static const char *const options[] = {"--trace", "--record", "--record-every", "--gdb"};

	for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
		size_t length = strlen(options[i]);

		if (!strncmp(word, options[i], length) && (!word[length] || word[length] == '='))
			return word[length] ? 1 : 2;
	}
	return !strcmp(word, "--gdb-wait");
}

/* By these `trace replay` makes the run again: a line each, escaped as in C. */
static char *run_arguments(int argc, char **argv)
{
	GString *text = g_string_new(NULL);

	for (int i = 1; i < argc; i++) {
		g_autofree char *escaped = g_strescape(argv[i], NULL);
		int others = words_of_watching(argv[i]);

		if (others)
			i += others - 1;
		else
			g_string_append_printf(text, "argument %s\n", escaped);
	}
	return g_string_free(text, FALSE);
}

int run_options_parse(struct run_options *o, int argc, char **argv, struct ls_error *err)
{
	const GOptionEntry entries[] = {
		{"kernel", 0, 0, G_OPTION_ARG_FILENAME, &o->kernel, "Boot this Linux kernel",
		 "bzImage"},
		{"initrd", 0, 0, G_OPTION_ARG_FILENAME, &o->initrd,
		 "Its initial RAM disk, or a payload's boot module", "FILE"},
		{"append", 0, 0, G_OPTION_ARG_STRING, &o->append, "Its command line", "TEXT"},
		{"payload", 0, 0, G_OPTION_ARG_FILENAME, &o->payload,
		 "Run this ELF or multiboot program", "FILE"},
		{"firmware", 0, 0, G_OPTION_ARG_FILENAME, &o->firmware, "Start this BIOS image",
		 "FILE"},
		{"disk", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->disks,
		 "Attach this raw image as a virtio disk (repeatable)", "FILE"},
		{"net", 0, 0, G_OPTION_ARG_STRING, &o->net,
		 "Attach a virtio network: none (default), user, or an existing tap",
		 "none|user|tap:NAME"},
		{"engine", 0, 0, G_OPTION_ARG_STRING, &o->engine,
		 "What runs the instructions (default sim); auto: kvm if it works here", "NAME"},
		{"cpu", 0, 0, G_OPTION_ARG_STRING, &o->cpu,
		 "CPU model; 'lockstep list cpus' and 'list features'",
		 "NAME[,+feature,-feature...]"},
		{"smp", 0, 0, G_OPTION_ARG_STRING, &o->smp, "Number of vCPUs (default 1)", "N"},
		{"memory", 0, 0, G_OPTION_ARG_STRING, &o->memory,
		 "Guest memory, with a suffix K, M or G (default 512M)", "SIZE"},
		{"serial", 0, 0, G_OPTION_ARG_STRING, &o->serial, "Where COM1 goes (default stdio)",
		 "stdio|file:PATH|none"},
		{"console", 0, 0, G_OPTION_ARG_NONE, &o->console,
		 "Attach a virtio console, hvc0, beside COM1; keys go to where the guest printed "
		 "last",
		 NULL},
		{"channel", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_INT, &o->channel,
		 "Attach a virtio console whose output goes to this descriptor, for lockstep lab",
		 "FD"},
		{"rng", 0, 0, G_OPTION_ARG_STRING, &o->rng,
		 "Attach a virtio entropy source; SEED fixes its bytes", "SEED"},
		{"exit-port", 0, 0, G_OPTION_ARG_STRING, &o->exit_port,
		 "A write of V there ends the run with status (V << 1) | 1 (default 0xf4 for a "
		 "payload, else none)",
		 "PORT|none"},
		{"debug-port", 0, 0, G_OPTION_ARG_NONE, &o->debug_port,
		 "Show on stderr what the guest writes to port 0xE9", NULL},
		{"no-reboot", 0, 0, G_OPTION_ARG_NONE, &o->no_reboot,
		 "A reset by the guest ends the run, with status 120", NULL},
		{"schedule", 0, 0, G_OPTION_ARG_STRING, &o->schedule,
		 "vCPUs in turn on one thread, the same run every time (default on sim), or a "
		 "thread each",
		 "round-robin|parallel"},
		{"clock", 0, 0, G_OPTION_ARG_STRING, &o->clock,
		 "Guest time: one instruction is 1 ns and waiting is skipped (default on sim), or "
		 "real time",
		 "virtual|host"},
		{"irqchip", 0, 0, G_OPTION_ARG_STRING, &o->irqchip,
		 "Who has the I/O APIC, the PIC and the PIT: the engine (default), or the machine "
		 "around it",
		 "engine|split"},
		{"max-instructions", 0, 0, G_OPTION_ARG_STRING, &o->max_instructions,
		 "Stop after N instructions of all vCPUs, with status 124; 200M is 200 million",
		 "N"},
		{"state-hash", 0, 0, G_OPTION_ARG_STRING, &o->state_hash,
		 "Print a running hash of registers and written memory on stderr every N "
		 "instructions of all vCPUs",
		 "N"},
		{"trace", 0, 0, G_OPTION_ARG_STRING, &o->trace,
		 "Record events there, for 'lockstep trace'; last=N keeps the last N only",
		 "FILE[:EVENT,...][@TRIGGER]"},
		{"record", 0, 0, G_OPTION_ARG_FILENAME, &o->record,
		 "Record there what 'lockstep trace replay' makes the run again from, with snapshots",
		 "FILE"},
		{"record-every", 0, 0, G_OPTION_ARG_STRING, &o->record_every,
		 "Its snapshots are N instructions apart (default: as cost at most 5 % of the run)",
		 "N"},
		{"gdb", 0, 0, G_OPTION_ARG_STRING, &o->gdb,
		 "Let gdb come there ('target remote'); PATH is a Unix socket's",
		 "PORT|HOST:PORT|PATH"},
		{"gdb-wait", 0, 0, G_OPTION_ARG_NONE, &o->gdb_wait,
		 "Wait for it before the first instruction", NULL},
		{"at", 0, 0, G_OPTION_ARG_STRING, &o->leave.at,
		 "When to do what --switch-to says; 'lockstep snapshot --help' has the triggers",
		 "TRIGGER"},
		{"switch-to", 0, 0, G_OPTION_ARG_STRING, &o->leave.switch_to,
		 "Go on on this engine; the guest does not notice", "NAME"},
		{"switches", 0, 0, G_OPTION_ARG_STRING, &o->leave.switches,
		 "Do that so often, there and back (default 1)", "N"},
		{"fit", 0, 0, G_OPTION_ARG_STRING, &o->leave.fit,
		 "Give the guest a processor that this engine can show as well", "NAME"},
		{"load", 0, o->leave.save ? 0 : G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME,
		 &o->load, "Go on from this snapshot, in place of a guest's start", "FILE"},
		{"go-on", 0, o->leave.save ? 0 : G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE,
		 &o->leave.go_on, "Run on when the guest has been saved", NULL},
		{"verify", 0, o->load ? 0 : G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &o->verify,
		 "Check the snapshot's memory before it runs, and not beside it", NULL},
		{"param", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->params,
		 "Set an engine parameter; 'lockstep list params' (repeatable)", "NAME=VALUE"},
		{"stats", 0, 0, G_OPTION_ARG_NONE, &o->stats, "Close with a table of figures",
		 NULL},
		{"stats-file", 0, 0, G_OPTION_ARG_FILENAME, &o->stats_file,
		 "Write the figures there as JSON", "FILE"},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) error = NULL;

	o->arguments = run_arguments(argc, argv);
	g_set_prgname("lockstep run");
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_summary(
		context, "Runs one guest, from one of --kernel, --payload and --firmware.");
	g_option_context_set_description(context, run_description);
	if (!g_option_context_parse(context, &argc, &argv, &error))
		return ls_error_set(err, -EINVAL, "%s", error->message);
	if (argc > 1)
		return ls_error_set(err, -EINVAL, "unexpected argument '%s'", argv[1]);
	return 0;
}

/* --- from text to the session --- */

static int run_apply_boot(struct run_options *o, struct machine_config *config,
			  struct ls_error *err)
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

static int run_apply_size(struct run_options *o, struct machine_config *config,
			  struct ls_error *err)
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

static int run_apply_serial(struct run_options *o, struct session *session, struct ls_error *err)
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

static int run_apply_devices(struct run_options *o, struct machine_config *config,
			     struct ls_error *err)
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

static int run_apply_exit_port(struct run_options *o, struct machine_config *config,
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

static int run_apply_time(struct run_options *o, struct machine_config *config,
			  struct ls_error *err)
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

static int run_apply_irqchip(struct run_options *o, struct machine_config *config,
			     struct ls_error *err)
{
	if (!g_strcmp0(o->irqchip, "engine"))
		config->irqchip = MACHINE_IRQCHIP_ENGINE;
	else if (!g_strcmp0(o->irqchip, "split"))
		config->irqchip = MACHINE_IRQCHIP_SPLIT;
	else if (o->irqchip)
		return ls_error_set(err, -EINVAL, "--irqchip %s: say engine or split", o->irqchip);
	return 0;
}

static int run_apply_params(struct run_options *o, struct machine_config *config,
			    struct ls_error *err)
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

static int run_apply_engine(struct run_options *o, struct machine_config *config,
			    struct ls_error *err)
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
static int run_apply_snapshot(struct run_options *o, struct machine_config *config,
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
	rc = o->snapshot ? snapshot_config(o->snapshot, config, err) : -EINVAL;
	if (!rc && o->verify)
		rc = snapshot_verify(o->snapshot, NULL, err);
	config->verified = o->verify;
	return rc;
}

static int run_check_trace(const struct run_options *o, struct machine_config *config,
			   struct ls_error *err)
{
	const char *option = o->record ? "--record" : "--trace";

	if (o->trace && o->record)
		return ls_error_set(err, -EINVAL,
				    "only one of --trace and --record; --trace "
				    "FILE:feed,snapshot,... does both");
	if (o->leave.switch_to && (o->trace || o->record))
		return ls_error_set(err, -EINVAL, "%s: only one engine can be traced", option);
	if (o->record && (config->schedule == MACHINE_PARALLEL || config->clock == MACHINE_CLOCK_HOST))
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

static int run_apply_trace(struct run_options *o, struct session *session, struct ls_error *err)
{
	int rc = run_check_trace(o, &session->config, err);

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
	/* run_apply_exit_port looks at what run_apply_boot found. */
	static int (*const steps[])(struct run_options * o, struct machine_config * config,
				    struct ls_error * err) = {
		run_apply_engine,    run_apply_boot, run_apply_size,   run_apply_devices,
		run_apply_exit_port, run_apply_time, run_apply_params, run_apply_irqchip,
	};
	static int (*const load_steps[])(struct run_options * o, struct machine_config * config,
					 struct ls_error * err) = {
		run_apply_engine, run_apply_size,   run_apply_snapshot,
		run_apply_time,   run_apply_params,
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
	if (!config->engine)
		tool_engine_choose(config);
	rc = run_apply_serial(o, session, err);
	if (!rc)
		rc = leave_options_apply(&o->leave, config, err);
	if (!rc)
		rc = run_apply_trace(o, session, err);
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

void run_options_free(struct run_options *o)
{
	char **const strings[] = {
		&o->engine,
		&o->cpu,
		&o->smp,
		&o->memory,
		&o->kernel,
		&o->initrd,
		&o->append,
		&o->payload,
		&o->firmware,
		&o->net,
		&o->serial,
		&o->schedule,
		&o->clock,
		&o->max_instructions,
		&o->exit_port,
		&o->rng,
		&o->stats_file,
		&o->state_hash,
		&o->irqchip,
		&o->trace,
		&o->gdb,
		&o->record,
		&o->record_every,
		&o->trace_spec.path,
		&o->arguments,
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(strings); i++)
		g_free(*strings[i]);
	leave_options_free(&o->leave);
	g_free(o->load);
	snapshot_close(o->snapshot);
	g_strfreev(o->disks);
	g_strfreev(o->params);
}
