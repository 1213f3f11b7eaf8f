/* SPDX-License-Identifier: Apache-2.0 */
/* Starting, pausing, stopping and ending a run; what the guest asks of its machine. */
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "machine/internal.h"

int control_create(struct machine *machine, struct ls_error *err)
{
	pthread_mutexattr_t recursive;
	pthread_condattr_t monotonic;

	pthread_mutexattr_init(&recursive);
	pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&machine->lock, &recursive);
	pthread_mutexattr_destroy(&recursive);
	pthread_mutex_init(&machine->run_lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&machine->run_changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	machine->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (machine->wake_fd < 0)
		return ls_error_set(err, -errno, "eventfd: %s", strerror(errno));
	return 0;
}

void control_destroy(struct machine *machine)
{
	if (machine->wake_fd >= 0)
		close(machine->wake_fd);
	pthread_cond_destroy(&machine->run_changed);
	pthread_mutex_destroy(&machine->run_lock);
	pthread_mutex_destroy(&machine->lock);
}

void machine_lock(struct machine *machine)
{
	pthread_mutex_lock(&machine->lock);
}

void machine_unlock(struct machine *machine)
{
	pthread_mutex_unlock(&machine->lock);
}

static bool control_may_run(struct machine *machine)
{
	return !machine->pauses && !atomic_load(&machine->stop) && !atomic_load(&machine->leave) &&
	       atomic_load(&machine->request) == REQUEST_NONE && !machine->suspended &&
	       !machine->ending;
}

bool control_enter(struct machine *machine, struct vcpu *vcpu)
{
	bool enter;

	/* Before the checks: a kick that comes after them sets it again. */
	__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	pthread_mutex_lock(&machine->run_lock);
	enter = control_may_run(machine);
	if (enter) {
		vcpu->in_guest = true;
		vcpu->generation = machine->generation;
		machine->in_guest++;
	}
	pthread_mutex_unlock(&machine->run_lock);
	return enter;
}

void control_leave(struct machine *machine, struct vcpu *vcpu)
{
	pthread_mutex_lock(&machine->run_lock);
	vcpu->in_guest = false;
	machine->in_guest--;
	if (machine->pauses)
		pthread_cond_broadcast(&machine->run_changed);
	pthread_mutex_unlock(&machine->run_lock);
}

bool control_is_held(struct machine *machine)
{
	bool held;

	pthread_mutex_lock(&machine->run_lock);
	held = machine->pauses || atomic_load(&machine->stop);
	pthread_mutex_unlock(&machine->run_lock);
	return held;
}

bool control_all_in_guest(struct machine *machine)
{
	bool all;

	pthread_mutex_lock(&machine->run_lock);
	all = machine->in_guest == machine->vcpu_count;
	pthread_mutex_unlock(&machine->run_lock);
	return all;
}

void control_park(struct machine *machine)
{
	pthread_mutex_lock(&machine->run_lock);
	while (!machine->ending && !control_may_run(machine))
		pthread_cond_wait(&machine->run_changed, &machine->run_lock);
	pthread_mutex_unlock(&machine->run_lock);
}

void control_kick(struct vcpu *vcpu)
{
	struct ls_engine *engine = vcpu->machine->engine;

	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	engine->ops->kick(engine, vcpu->fd);
}

void control_kick_all(struct machine *machine)
{
	for (unsigned int i = 0; i < machine->vcpu_count; i++)
		control_kick(&machine->vcpus[i]);
}

void machine_stop(struct machine *machine)
{
	atomic_store(&machine->stop, true);
	control_kick_all(machine);
	machine_poke(machine);
}

static void wait_10ms(struct machine *machine)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += 10000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_cond_timedwait(&machine->run_changed, &machine->run_lock, &until);
}

void machine_pause(struct machine *machine)
{
	pthread_mutex_lock(&machine->run_lock);
	machine->pauses++;
	while (machine->in_guest) {
		/* Again and again: a kick may fall between two entries. */
		control_kick_all(machine);
		wait_10ms(machine);
	}
	pthread_mutex_unlock(&machine->run_lock);
}

void machine_resume(struct machine *machine)
{
	pthread_mutex_lock(&machine->run_lock);
	if (machine->pauses)
		machine->pauses--;
	pthread_cond_broadcast(&machine->run_changed);
	pthread_mutex_unlock(&machine->run_lock);
	machine_poke(machine);
}

/* Called under the machine lock. */
static bool control_request(struct machine *machine, enum machine_request request)
{
	int none = REQUEST_NONE;

	if (!atomic_compare_exchange_strong(&machine->request, &none, (int)request))
		return false;
	machine_poke(machine);
	return true;
}

void control_end(struct machine *machine, enum machine_end end, int code, unsigned int vcpu,
		 const char *format, ...)
{
	struct machine_result *result = &machine->result;
	va_list args;

	machine_lock(machine);
	if (control_request(machine, REQUEST_END)) {
		result->end = end;
		result->code = code;
		result->vcpu = vcpu;
		va_start(args, format);
		vsnprintf(result->text, sizeof(result->text), format, args);
		va_end(args);
	}
	machine_unlock(machine);
}

void machine_request_power_off(struct machine *machine)
{
	control_end(machine, MACHINE_END_POWER_OFF, 0, 0, "the guest powered the machine off");
}

void machine_request_exit(struct machine *machine, int code)
{
	control_end(machine, MACHINE_END_EXIT_PORT, code, 0,
		    "the guest ended the run through its exit port with code %d", code);
}

void machine_request_reset(struct machine *machine)
{
	if (machine->config.no_reboot)
		control_end(machine, MACHINE_END_RESET, MACHINE_EXIT_RESET, 0,
			    "the guest asked for a reset");
	else
		control_request(machine, REQUEST_RESET);
}

void machine_request_leave(struct machine *machine)
{
	atomic_store(&machine->leave, true);
	machine_poke(machine);
}

void machine_request_suspend(struct machine *machine)
{
	control_request(machine, REQUEST_SUSPEND);
}

void machine_wake(struct machine *machine)
{
	if (machine->suspended)
		control_request(machine, REQUEST_WAKE);
}

/* No vCPU runs now: those of other threads have left the guest and may not enter. */
static void control_carry_out(struct machine *machine, enum machine_request request)
{
	struct ls_error err = {0};
	int ret = 0;

	machine_pause(machine);
	machine_lock(machine);
	if (request == REQUEST_SUSPEND) {
		machine->suspended = true;
	} else {
		machine->suspended = false;
		machine->generation++;
		ret = request == REQUEST_RESET ? machine_reset(machine, &err)
					       : machine_resume_from_sleep(machine, &err);
	}
	atomic_store(&machine->request, REQUEST_NONE);
	if (ret < 0)
		control_end(machine, MACHINE_END_ERROR, MACHINE_EXIT_ERROR, 0, "reset failed: %s",
			    err.text);
	machine_unlock(machine);
	machine_resume(machine);
}

bool control_service(struct machine *machine)
{
	for (;;) {
		enum machine_request request = (enum machine_request)atomic_load(&machine->request);
		bool paused;

		if (request == REQUEST_END)
			return false;
		if (atomic_load(&machine->stop)) {
			control_end(machine, MACHINE_END_INTERRUPTED, MACHINE_EXIT_INTERRUPTED, 0,
				    "interrupted");
			continue;
		}
		pthread_mutex_lock(&machine->run_lock);
		paused = machine->pauses > 0;
		pthread_mutex_unlock(&machine->run_lock);
		machine->parked = paused;
		if (paused)
			poll_sources(machine, -1);
		else if (request != REQUEST_NONE)
			control_carry_out(machine, request);
		else
			return !atomic_load(&machine->leave);
	}
}
