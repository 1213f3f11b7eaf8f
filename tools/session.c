/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/session.h"

#include <glib.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/gdb/stub.h"
#include "tools/kvm_failure.h"
#include "tools/log.h"
#include "tools/output.h"
#include "tools/refusals.h"
#include "tools/signals.h"
#include "tools/stats.h"
#include "tools/terminal.h"
#include "tools/tool.h"
#include "tools/trace_run.h"

static void session_debug_output(void *opaque, const uint8_t *bytes, size_t n)
{
	ssize_t written = write(STDERR_FILENO, bytes, n);

	(void)opaque;
	(void)written;
}

static void session_state_hash(void *opaque, uint64_t instructions, uint64_t hash)
{
	(void)opaque;
	fprintf(stderr, "state-hash %" PRIu64 " %016" PRIx64 "\n", instructions, hash);
}

/* How the run ended, for a person; nothing where the guest ended it in an ordinary way. */
static void session_report(const struct session *session, const struct machine_result *result,
			   const struct console *console)
{
	const char *path = session->console.output_path;

	if (console_output_error(console) == EPIPE)
		return; /* whoever read our output has seen enough */
	if (console_output_error(console)) {
		log_failure("cannot write what the guest prints to %s: %s",
			    path ? path : "standard output",
			    g_strerror(console_output_error(console)));
		return;
	}
	switch (result->end) {
	case MACHINE_END_POWER_OFF:
	case MACHINE_END_EXIT_PORT:
		break;
	case MACHINE_END_RESET:
	case MACHINE_END_LIMIT:
	case MACHINE_END_SAVED:
		log_notice("%s", result->text);
		break;
	case MACHINE_END_INTERRUPTED:
		log_notice("%s", signals_taken() ? g_strsignal(signals_taken())
						 : "stopped from the terminal");
		break;
	default:
		log_failure("%s", result->text);
	}
}

static int session_status(const struct machine_result *result, const struct console *console)
{
	if (console_output_error(console))
		return console_output_error(console) == EPIPE ? TOOL_EXIT_SIGNAL + SIGPIPE
							      : TOOL_EXIT_FAILURE;
	if (result->end == MACHINE_END_INTERRUPTED && signals_taken())
		return TOOL_EXIT_SIGNAL + signals_taken();
	return result->code & 0xff;
}

static int session_figures(const struct session *session, struct machine *machine,
			   struct stats *stats)
{
	g_autoptr(GString) text = g_string_new(NULL);
	struct ls_error err = {0};

	if (!session->stats && !session->stats_file)
		return 0;
	if (!machine_engine(machine) || stats_collect(stats, machine)) {
		log_warning("this engine doesn't count what --stats shows");
		return 0;
	}
	if (session->stats) {
		stats_append_table(text, stats);
		fputs(text->str, stderr);
	}
	g_string_truncate(text, 0);
	stats_append_json(text, stats);
	if (session->stats_file && output_write(session->stats_file, text->str, text->len, &err)) {
		log_failure("%s", err.text);
		return err.code;
	}
	return 0;
}

/* A trigger that never came would look like a switch that nobody noticed. */
static void session_warn_of_switches(const struct session *session,
				     const struct machine_result *result)
{
	const struct machine_leave *leave = &session->config.leave;

	if (leave->to && result->switches < leave->times)
		log_warning("the run ended after %u of %u switches between engines",
			    result->switches, leave->times);
}

static int session_run_machine(struct session *session, struct machine *machine,
			       struct console *console, struct machine_result *result)
{
	int64_t start = g_get_monotonic_time();
	struct ls_error err = {0};
	struct stats stats = {0};
	int rc, status;

	signals_install(machine);
	rc = console_attach(console, machine, &err);
	if (!rc)
		rc = machine_run(machine, result, &err);
	console_detach(console);
	if (rc) {
		log_failure("%s", err.text);
		signals_remove();
		return TOOL_EXIT_FAILURE;
	}
	stats.wall_seconds = (double)(g_get_monotonic_time() - start) / 1e6;
	session_report(session, result, console);
	session_warn_of_switches(session, result);
	status = session_status(result, console);
	stats.status = status;
	stats.unclaimed = result->unclaimed;
	if (session_figures(session, machine, &stats))
		status = TOOL_EXIT_FAILURE;
	signals_remove();
	return status;
}

/* The same with gdb looking on. */
static int session_run_debugged(struct session *session, struct machine *machine,
				struct console *console, struct gdb_stub *stub,
				struct machine_result *result)
{
	int status = stub ? gdb_stub_attach(stub, machine) : 0;

	if (status) {
		log_failure("no memory for the gdb stub");
		return TOOL_EXIT_FAILURE;
	}
	status = session_run_machine(session, machine, console, result);
	if (stub)
		gdb_stub_end(stub, status);
	return status;
}

/* The same with what is traced of it. */
static int session_run_traced(struct session *session, struct machine *machine,
			      struct console *console, struct gdb_stub *stub,
			      struct machine_result *result)
{
	struct trace_writer *writer = NULL;
	struct ls_error err = {0};
	int status;

	if (session->trace) {
		writer = trace_run_begin(session->trace, machine, session->trace_arguments, &err);
		if (!writer) {
			log_failure("%s", err.text);
			return TOOL_EXIT_FAILURE;
		}
	}
	status = session_run_debugged(session, machine, console, stub, result);
	if (writer && trace_run_end(writer, machine, &err)) {
		log_failure("%s", err.text);
		status = TOOL_EXIT_FAILURE;
	} else if (writer && trace_run_missed(session->trace)) {
		log_warning("--trace recorded nothing to '%s': what it was to begin at, or what it "
			    "was to record from there, never came",
			    session->trace->path);
	}
	return status;
}

static void session_connect(struct session *session)
{
	struct machine_config *config = &session->config;
	struct console_config *console = &session->console;

	console->input = (config->serial || config->virtio_console) && !console->output_path;
	config->console_output = console_output;
	config->channel_output = console->channel ? console_channel_output : NULL;
	config->debug_output = session->debug_port ? session_debug_output : NULL;
	config->state_hash = session_state_hash;
}

/* Says what cannot be written before anything is built. */
static int session_check_outputs(const struct session *session)
{
	const char *const paths[] = {session->stats_file, session->console.output_path};
	struct ls_error err = {0};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(paths); i++) {
		if (paths[i] && output_check(paths[i], &err)) {
			log_failure("%s", err.text);
			return err.code;
		}
	}
	return 0;
}

int session_run(struct session *session, struct machine_result *result)
{
	struct ls_error err = {0};
	struct refusals *refusals;
	struct console *console;
	struct gdb_stub *stub = NULL;
	struct machine *machine;
	int status = TOOL_EXIT_FAILURE;

	*result = (struct machine_result){0};
	session_connect(session);
	if (session_check_outputs(session))
		return status;
	if (session->gdb) {
		stub = gdb_stub_create(session->gdb, session->gdb_wait, &err);
		if (!stub) {
			log_failure("%s", err.text);
			return status;
		}
		gdb_stub_configure(stub, &session->config, session->trace != NULL);
	}
	console = console_create(&session->console);
	session->config.output_opaque = console;
	refusals = refusals_create();
	session->config.entry_refused = refusals_add;
	session->config.refused_opaque = refusals;
	if (session->config.engine != tool_engine_find("sim")) /* which tells more by itself */
		session->config.failed = kvm_failure_show;
	machine = machine_create(&session->config, &err);
	if (machine) {
		if (session->greet && session->console.input && terminal_present())
			log_notice("Ctrl-A X leaves, Ctrl-A H helps");
		status = session_run_traced(session, machine, console, stub, result);
		machine_destroy(machine);
	} else {
		log_failure("%s", err.text);
	}
	refusals_destroy(refusals);
	console_destroy(console);
	gdb_stub_free(stub);
	return status;
}
