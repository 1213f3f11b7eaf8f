/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/signals.h"

#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <unistd.h>

#include "machine/machine.h"
#include "tools/terminal.h"
#include "tools/tool.h"

static void signals_stop(int number);
static void signals_crash(int number);
static void signals_suspend(int number);
static void signals_continue(int number);
static void signals_leave(int number);

static const struct {
	int number;
	void (*handler)(int number);
} handlers[] = {
	{SIGINT, signals_stop},   {SIGTERM, signals_stop},    {SIGHUP, signals_stop},
	{SIGQUIT, signals_stop},  {SIGPIPE, SIG_IGN},         {SIGSEGV, signals_crash},
	{SIGBUS, signals_crash},  {SIGILL, signals_crash},    {SIGFPE, signals_crash},
	{SIGABRT, signals_crash}, {SIGTSTP, signals_suspend}, {SIGCONT, signals_continue},
	{SIGUSR1, signals_leave},
};

/* Per process, as signals are. */
static struct {
	struct machine *volatile machine;
	struct sigaction before[G_N_ELEMENTS(handlers)];
	volatile sig_atomic_t taken;
	volatile sig_atomic_t held;
	volatile sig_atomic_t continued;
} signals;

static void signals_stop(int number)
{
	int saved = errno;

	if (signals.held && number == SIGINT)
		return;
	if (signals.taken) {
		/* Asked twice: the orderly way takes too long. */
		terminal_restore();
		_exit(TOOL_EXIT_SIGNAL + number);
	}
	signals.taken = number;
	if (signals.machine)
		machine_stop(signals.machine);
	errno = saved;
}

/* Puts the terminal back and lets the fault happen again, with what handled it before: a
 * sanitizer's report, or a core. */
static void signals_crash(int number)
{
	size_t i;

	terminal_restore();
	for (i = 0; i < G_N_ELEMENTS(handlers); i++) {
		if (handlers[i].number == number)
			sigaction(number, &signals.before[i], NULL);
	}
}

static void signals_suspend(int number)
{
	int saved = errno;

	(void)number;
	terminal_restore();
	raise(SIGSTOP);
	errno = saved;
}

static void signals_continue(int number)
{
	(void)number;
	signals.continued = 1;
}

/* The trigger that a person pulls. */
static void signals_leave(int number)
{
	(void)number;
	if (signals.machine)
		machine_request_leave(signals.machine);
}

/* Where there is nothing to leave for the signal is as it was. */
static bool signals_unwanted(int number)
{
	const struct machine_leave *leave = &machine_config(signals.machine)->leave;

	return number == SIGUSR1 && !leave->save && !leave->to;
}

void signals_install(struct machine *machine)
{
	size_t i;

	signals.machine = machine;
	signals.taken = signals.held = signals.continued = 0;
	for (i = 0; i < G_N_ELEMENTS(handlers); i++) {
		/* No SA_RESTART: a read at the prompt must return. */
		struct sigaction action = {.sa_handler = handlers[i].handler};

		sigemptyset(&action.sa_mask);
		sigaction(handlers[i].number, &action, &signals.before[i]);
		/* nohup, or a script's background job: that wish stays. */
		if (signals_unwanted(handlers[i].number) ||
		    (signals.before[i].sa_handler == SIG_IGN &&
		     handlers[i].handler == signals_stop))
			sigaction(handlers[i].number, &signals.before[i], NULL);
	}
}

void signals_remove(void)
{
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(handlers); i++)
		sigaction(handlers[i].number, &signals.before[i], NULL);
	signals.machine = NULL;
}

int signals_taken(void)
{
	return signals.taken;
}

void signals_hold(bool hold)
{
	signals.held = hold;
}

bool signals_continued(void)
{
	bool continued = signals.continued;

	signals.continued = 0;
	return continued;
}
