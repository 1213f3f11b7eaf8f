/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/monitor.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "machine/machine.h"
#include "machine/snapshot.h"
#include "tools/signals.h"
#include "tools/size.h"

#include <lockstep/extension.h>

enum monitor_next { MONITOR_AGAIN, MONITOR_CONTINUE, MONITOR_QUIT };

struct monitor_command {
	const char *name;
	const char *arguments;
	const char *summary;
	enum monitor_next (*run)(struct monitor *monitor, char **words);
};

bool monitor_fail(struct monitor *monitor, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(monitor->to, format, arguments);
	va_end(arguments);
	fputc('\n', monitor->to);
	return false;
}

static enum monitor_next monitor_info(struct monitor *monitor, char **words)
{
	const struct ls_extension *ext = monitor->engine->ext;
	const char *what = words[1];
	char *text = NULL;

	if (!what || words[2]) {
		monitor_fail(monitor, "say one of: info registers, info tlb, info apic, info vmx, info svm");
		return MONITOR_AGAIN;
	}
	if (ext->vcpu_info)
		text = ext->vcpu_info(monitor->engine, monitor->vcpu, what);
	if (text)
		fprintf(monitor->to, "%s%s", text, g_str_has_suffix(text, "\n") ? "" : "\n");
	else
		monitor_fail(monitor,
			     "the engine knows no 'info %s'; try registers, tlb, apic or vmx",
			     what);
	free(text);
	return MONITOR_AGAIN;
}

static enum monitor_next monitor_x(struct monitor *monitor, char **words)
{
	monitor_examine(monitor, words, false);
	return MONITOR_AGAIN;
}

static enum monitor_next monitor_xp(struct monitor *monitor, char **words)
{
	monitor_examine(monitor, words, true);
	return MONITOR_AGAIN;
}

static enum monitor_next monitor_disas(struct monitor *monitor, char **words)
{
	monitor_disassemble(monitor, words);
	return MONITOR_AGAIN;
}

static void monitor_select(struct monitor *monitor, unsigned int index)
{
	monitor->view.vcpu = index;
	monitor->vcpu = machine_vcpu(monitor->machine, index);
}

static enum monitor_next monitor_cpu(struct monitor *monitor, char **words)
{
	unsigned int count = machine_vcpu_count(monitor->machine);
	uint64_t index;

	if (!words[1])
		fprintf(monitor->to, "vCPU %u of %u\n", monitor->view.vcpu, count);
	else if (number_parse(words[1], count - 1, &index))
		monitor_fail(monitor, "there are vCPUs 0 to %u", count - 1);
	else
		monitor_select(monitor, (unsigned int)index);
	return MONITOR_AGAIN;
}

/* What the running level is, for a person. */
static void monitor_tell_level(struct monitor *monitor)
{
	unsigned int running = machine_level(monitor->machine, monitor->view.vcpu);

	fprintf(monitor->to, "vCPU %u is at level %u, %s; memory is seen ", monitor->view.vcpu,
		running,
		running == 2 ? "in a guest of the machine's hypervisor"
			     : "outside of any guest of its own");
	if (monitor->view.level == VIEW_RUNNING)
		fputs("at the level that runs\n", monitor->to);
	else
		fprintf(monitor->to, "at level %u\n", monitor->view.level);
}

static enum monitor_next monitor_level(struct monitor *monitor, char **words)
{
	uint64_t level;

	if (words[1] && !strcmp(words[1], "running"))
		monitor->view.level = VIEW_RUNNING;
	else if (words[1] && (number_parse(words[1], 2, &level) || !level))
		monitor_fail(monitor,
			     "say level 1, the machine's own software, level 2, its guest, or "
			     "level running");
	else if (words[1])
		monitor->view.level = (unsigned int)level;
	monitor_tell_level(monitor);
	return MONITOR_AGAIN;
}

static enum monitor_next monitor_translate(struct monitor *monitor, char **words)
{
	struct machine_view view = monitor->view;
	uint64_t address, gpa;

	if (!words[1] || words[2]) {
		monitor_fail(monitor, "say which address: translate ADDRESS");
		return MONITOR_AGAIN;
	}
	view.physical = false;
	if (!monitor_address(monitor, words[1], &address))
		return MONITOR_AGAIN;
	if (machine_view_translate(monitor->machine, &view, address, &gpa))
		fprintf(monitor->to, "0x%" PRIx64 " is at physical 0x%" PRIx64 "\n", address, gpa);
	else
		monitor_fail(monitor, "0x%" PRIx64 " is not mapped", address);
	return MONITOR_AGAIN;
}

static enum monitor_next monitor_savevm(struct monitor *monitor, char **words)
{
	struct ls_error err = {0};

	if (!words[1] || words[2])
		monitor_fail(monitor, "say which file: savevm FILE");
	else if (machine_config(monitor->machine)->schedule == MACHINE_PARALLEL)
		monitor_fail(monitor, "vCPUs in parallel may be within an access: use 'lockstep "
				      "snapshot save --at signal'");
	else if (machine_save(monitor->machine, words[1], &err))
		monitor_fail(monitor, "%s", err.text);
	else
		fprintf(monitor->to, "saved to '%s'\n", words[1]);
	return MONITOR_AGAIN;
}

static enum monitor_next monitor_cont(struct monitor *monitor, char **words)
{
	(void)monitor;
	(void)words;
	return MONITOR_CONTINUE;
}

static enum monitor_next monitor_quit(struct monitor *monitor, char **words)
{
	(void)monitor;
	(void)words;
	return MONITOR_QUIT;
}

static enum monitor_next monitor_help(struct monitor *monitor, char **words);

static const struct monitor_command commands[] = {
	{"info", "registers|tlb|apic", "what this vCPU holds", monitor_info},
	{"x", "[/NFU] ADDRESS", "memory as this vCPU sees it; F is x d u o c i s, U is b h w g",
	 monitor_x},
	{"xp", "[/NFU] ADDRESS", "physical memory", monitor_xp},
	{"disas", "[ADDRESS [N]]", "N instructions, from RIP if no address is given",
	 monitor_disas},
	{"cpu", "[N]", "which vCPU the other commands look at", monitor_cpu},
	{"level", "[1|2|running]",
	 "whose memory x, xp and disas show: the hypervisor's in the machine or its guest's",
	 monitor_level},
	{"translate", "ADDRESS", "where a linear address is in physical memory", monitor_translate},
	{"savevm", "FILE", "save the guest, for 'lockstep snapshot load'", monitor_savevm},
	{"cont", "", "let the guest run on (also Ctrl-D)", monitor_cont},
	{"quit", "", "stop the guest and leave", monitor_quit},
	{"help", "", "this list", monitor_help},
};

static enum monitor_next monitor_help(struct monitor *monitor, char **words)
{
	size_t i;

	(void)words;
	for (i = 0; i < G_N_ELEMENTS(commands); i++) {
		g_autofree char *head =
			g_strdup_printf("%s %s", commands[i].name, commands[i].arguments);

		fprintf(monitor->to, "  %-24s %s\n", head, commands[i].summary);
	}
	fputs("  ADDRESS is a number, a register or a symbol, and may end in +N or -N\n",
	      monitor->to);
	return MONITOR_AGAIN;
}

/* "x/4xw" is "x /4xw". */
static bool monitor_names(const struct monitor_command *command, const char *word)
{
	size_t length = strcspn(word, "/");

	return strlen(command->name) == length && !strncmp(command->name, word, length);
}

static char **monitor_split(const char *line)
{
	g_autoptr(GString) spaced = g_string_new(line);
	g_auto(GStrv) parts = NULL;
	GPtrArray *words = g_ptr_array_new();
	char *slash = strchr(spaced->str, '/');
	size_t i;

	if (slash && (size_t)(slash - spaced->str) < strcspn(spaced->str, " \t"))
		g_string_insert_c(spaced, slash - spaced->str, ' ');
	parts = g_strsplit_set(spaced->str, " \t\r\n", -1);
	for (i = 0; parts[i]; i++) {
		if (*parts[i])
			g_ptr_array_add(words, g_strdup(parts[i]));
	}
	g_ptr_array_add(words, NULL);
	return (char **)g_ptr_array_free(words, FALSE);
}

static enum monitor_next monitor_line(struct monitor *monitor, const char *line)
{
	g_auto(GStrv) words = monitor_split(line);
	size_t i;

	if (!words[0])
		return MONITOR_AGAIN;
	for (i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (monitor_names(&commands[i], words[0]))
			return commands[i].run(monitor, words);
	}
	monitor_fail(monitor, "unknown command '%s'; 'help' lists them", words[0]);
	return MONITOR_AGAIN;
}

void monitor_command(struct monitor *monitor, const char *line)
{
	monitor->vcpu = machine_vcpu(monitor->machine, monitor->view.vcpu);
	monitor_line(monitor, line);
}

/* The prompt says so where there are two levels to tell apart. */
static void monitor_prompt(struct monitor *monitor)
{
	unsigned int level = monitor->view.level
				     ? monitor->view.level
				     : machine_level(monitor->machine, monitor->view.vcpu);

	if (level == 1 && !monitor->view.level)
		fputs("(lockstep) ", monitor->to);
	else
		fprintf(monitor->to, "(lockstep, level %u) ", level);
}

bool monitor_run(struct machine *machine)
{
	struct monitor monitor = {
		.machine = machine, .engine = machine_engine(machine), .to = stderr};
	enum monitor_next next = MONITOR_AGAIN;
	g_autofree char *line = NULL;
	size_t room = 0;

	monitor_select(&monitor, 0);
	/* What is typed after `cont` is for the guest. */
	setvbuf(stdin, NULL, _IONBF, 0);
	fputs("\nThe guest is paused. 'help' lists the commands, 'cont' goes on.\n", monitor.to);
	while (next == MONITOR_AGAIN) {
		monitor_prompt(&monitor);
		if (getline(&line, &room, stdin) >= 0) {
			next = monitor_line(&monitor, line);
			continue;
		}
		fputc('\n', monitor.to);
		/* Ctrl-C clears the line; a signal that means it ends the run. */
		if (!feof(stdin) && errno == EINTR && !signals_taken()) {
			clearerr(stdin);
			continue;
		}
		next = signals_taken() ? MONITOR_QUIT : MONITOR_CONTINUE;
		clearerr(stdin);
	}
	return next == MONITOR_QUIT;
}
