/* SPDX-License-Identifier: Apache-2.0 */
/* `monitor TEXT` in gdb: the prompt's commands (tools/monitor.h), and what only a debugger needs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lockstep/extension.h>

#include "tools/gdb/internal.h"
#include "tools/monitor.h"
#include "tools/size.h"

static const char help[] =
	"  break vm-entry|vm-exit   stop behind each VM entry, or exit, of a guest in the machine\n"
	"  delete vm-entry|vm-exit  no longer\n"
	"  phys on|off              whether addresses in gdb are physical ones, of the level "
	"looked at\n"
	"  history                  where the machine is of what it can be taken back in\n"
	"  until N                  stop there, an instruction as `history` counts them, once: "
	"forwards "
	"or backwards\n"
	"And those of the prompt, of which cont and quit are gdb's to do:\n";

static char *set_break(struct gdb_stub *stub, const char *what, bool on)
{
	const struct ls_extension *ext = machine_engine(stub->machine)->ext;

	if (!ext->vcpu_break)
		return g_strdup("this engine does not tell of VM entries and exits\n");
	if (!strcmp(what, "vm-entry"))
		stub->vm_entry = on;
	else if (!strcmp(what, "vm-exit"))
		stub->vm_exit = on;
	else
		return g_strdup("say vm-entry or vm-exit\n");
	return g_strdup_printf("VM entry: %s, VM exit: %s\n", stub->vm_entry ? "stop" : "go on",
			       stub->vm_exit ? "stop" : "go on");
}

static char *set_physical(struct gdb_stub *stub, const char *what)
{
	stub->physical = !strcmp(what, "on");
	return g_strdup_printf("gdb's addresses are %s\n", stub->physical ? "physical" : "linear");
}

static char *tell_history(struct gdb_stub *stub)
{
	struct machine *machine = stub->machine;
	uint64_t now = machine_retired(machine, MACHINE_EVERY_VCPU);

	if (!machine_config(machine)->history)
		return g_strdup("this run cannot be taken back\n");
	return g_strdup_printf("instruction %" PRIu64 " of all vCPUs, %s; the history has %" PRIu64
			       " to %" PRIu64 "\n",
			       now, machine_is_past(machine) ? "in the past" : "the present",
			       machine_history_first(machine), machine_history_last(machine));
}

static char *set_until(struct gdb_stub *stub, const char *what)
{
	if (machine_config(stub->machine)->schedule != MACHINE_ROUND_ROBIN)
		return g_strdup("vCPUs in parallel do not count instructions together\n");
	if (count_parse(what, &stub->until))
		return g_strdup("say which instruction: until N, 5M is 5 million\n");
	return g_strdup_printf("it stops at instruction %" PRIu64 "\n", stub->until);
}

static char *of_prompt(struct gdb_stub *stub, const char *text)
{
	struct monitor monitor = {.machine = stub->machine,
				  .engine = machine_engine(stub->machine),
				  .view = gdb_view(stub)};
	char *said = NULL, *kept;
	size_t size;

	monitor.to = open_memstream(&said, &size);
	if (!monitor.to)
		return g_strdup("no memory\n");
	monitor_command(&monitor, text);
	fclose(monitor.to);
	stub->level = monitor.view.level;
	stub->vcpu = monitor.view.vcpu;
	kept = g_strdup(said);
	free(said);
	return kept;
}

char *gdb_command(struct gdb_stub *stub, const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, " ", 2);
	const char *what = words[0] && words[1] ? words[1] : "";

	if (!words[0])
		return g_strdup("");
	if (!strcmp(words[0], "break") || !strcmp(words[0], "delete"))
		return set_break(stub, what, *words[0] == 'b');
	if (!strcmp(words[0], "phys"))
		return set_physical(stub, what);
	if (!strcmp(words[0], "until"))
		return set_until(stub, what);
	if (!strcmp(words[0], "history"))
		return tell_history(stub);
	if (!strcmp(words[0], "help")) {
		g_autofree char *rest = of_prompt(stub, text);

		return g_strconcat(help, rest, NULL);
	}
	return of_prompt(stub, text);
}
