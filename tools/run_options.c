/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/run_options.h"

#include <string.h>

#include "machine/snapshot.h"
#include "tools/log.h"
#include "tools/tool.h"

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
		 "Record there what 'lockstep trace replay' makes the run again from, with "
		 "snapshots",
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

int run_options_failed(const struct ls_error *err, const char *command)
{
	if (err->code != -EINVAL) {
		log_failure("%s", err->text);
		return TOOL_EXIT_FAILURE;
	}
	log_failure("%s; see 'lockstep %s --help'", err->text, command);
	return TOOL_EXIT_USAGE;
}

void run_options_free(struct run_options *o)
{
	char **const strings[] = {
		&o->engine, &o->cpu,        &o->smp,          &o->memory,           &o->kernel,
		&o->initrd, &o->append,     &o->payload,      &o->firmware,         &o->net,
		&o->serial, &o->schedule,   &o->clock,        &o->max_instructions, &o->exit_port,
		&o->rng,    &o->stats_file, &o->state_hash,   &o->irqchip,          &o->trace,
		&o->gdb,    &o->record,     &o->record_every, &o->trace_spec.path,  &o->arguments,
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
