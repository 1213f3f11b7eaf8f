/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's own object; for machine/'s files only. */
#ifndef LOCKSTEP_MACHINE_INTERNAL_H
#define LOCKSTEP_MACHINE_INTERNAL_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "machine/bus.h"
#include "machine/clock_relay.h"
#include "machine/debug.h"
#include "machine/history.h"
#include "machine/input_log.h"
#include "machine/irq.h"
#include "machine/machine.h"
#include "machine/memory.h"
#include "machine/poll.h"
#include "machine/recording.h"
#include "machine/routes.h"
#include "machine/state_hash.h"
#include "machine/symbols.h"
#include "machine/trigger.h"
#include "machine/vcpu.h"
#include "machine/written.h"

struct console;
struct doorbell;
struct rtc;
struct pm;
struct fw_cfg;
struct net_gate;
struct host_clock;
struct machine_image;
struct chip_state;
struct split_irqchip;
struct verifier;

/* Whose turn it is, in the round-robin schedule. */
struct turns {
	unsigned int next;
	bool solo;           /* the clock is its only vCPU's */
	uint64_t dead_since; /* LS_NEVER while some vCPU could take an interrupt */
	uint64_t executed;   /* instructions, when they are counted */
	unsigned int cut;    /* 1 + the vCPU that has its turn until @end still; 0: none */
	uint64_t end;
	uint64_t began;                       /* executed, when this one did */
	const struct machine_input *replayed; /* where the turn that is replayed was cut; or NULL */
};

struct memory {
	/* Low RAM, high RAM; sizes may be 0. */
	struct memory_slot ram[2];
	struct memory_slot rom; /* firmware below 4 GiB */
	unsigned int next_slot;
};

/* What the guest asked for, to be done between two turns. */
enum machine_request {
	REQUEST_NONE,
	REQUEST_RESET,
	REQUEST_SUSPEND,
	REQUEST_WAKE,
	REQUEST_END, /* result is filled */
};

struct machine {
	struct machine_config config;
	struct ls_engine *engine;
	int vm;

	struct memory memory;
	struct written written;
	struct state_hash state_hash;
	struct recording recording;
	struct history history;
	struct bus ports, mmio;
	struct routes routes;
	struct doorbell *doorbells;
	unsigned int wires_up[IRQ_GSI_COUNT]; /* irq_wire users of each GSI that are up */

	struct vcpu *vcpus;
	unsigned int vcpu_count;
	struct vcpu *exiting; /* whose exit is being handled; under the lock */

	struct clock_relay relay; /* what *clock is, whatever engine keeps the time */
	struct ls_clock *clock;
	struct host_clock *host_clock; /* NULL if the engine has a clock */
	uint64_t host_start;           /* host time at guest time 0, for MACHINE_CLOCK_HOST */
	struct turns turns;
	struct trigger trigger;
	struct debug_goal goal;
	unsigned int switches;             /* between engines, so far */
	struct machine_config wish;        /* schedule and clock as they were asked for */
	const struct machine_image *image; /* what vCPUs are made after; NULL: the CPU model */
	struct verifier *verifier;

	struct split_irqchip *split; /* NULL: the chips are the engine's */
	struct machine_device *devices;
	size_t device_count, device_room;
	struct chip_state *power_on;
	struct console *console;
	struct rtc *rtc;
	struct pm *pm;
	struct fw_cfg *fw_cfg;
	struct net_gate *net_gate; /* NULL: no network */
	struct symbols symbols;

	struct poll_source *sources;
	size_t source_count, source_room;
	struct pollfd poll_fds[POLL_MAX_FDS];
	int wake_fd; /* eventfd: ends a wait of the running thread */

	pthread_mutex_t lock; /* devices; recursive */
	atomic_int request;   /* enum machine_request */
	atomic_bool leave;    /* the scheduler is to return, for leave.c */
	bool suspended;
	struct machine_result result;
	uint64_t turn;        /* of the round-robin scheduler: input_log.h */
	size_t replayed;      /* entries of config.replay that are done with */
	uint64_t quiet_since; /* guest time of the last console byte, for the idle pace */

	/* Who runs. run_lock is only ever the innermost lock. */
	pthread_mutex_t run_lock;
	pthread_cond_t run_changed;
	unsigned int in_guest;   /* vCPUs inside KVM_RUN */
	unsigned int pauses;     /* machine_pause minus machine_resume */
	bool parked;             /* it sits a pause out, between two instructions of every vCPU */
	atomic_bool stop;        /* machine_stop was called */
	unsigned int generation; /* counts resets: exits from before one are stale */
	atomic_bool ending;      /* parallel vCPU threads are to leave */
};

/* --- config.c --- */
/* Copies @from with its strings; config_free is due even after a failure. */
int config_copy(struct machine_config *config, const struct machine_config *from,
		struct ls_error *err);
void config_free(struct machine_config *config);
int config_check(const struct machine_config *config, struct ls_error *err);

/* --- engine.c --- */
/* It counts instructions and stops at bounds: time can be its own. */
bool engine_has_turns(const struct ls_extension *ext);
/* Opens what the config names, with @from's parameters, and fills in what the config left open. */
int engine_open(struct machine *machine, const struct machine_config *from, struct ls_error *err);
/* KVM_CHECK_EXTENSION says yes. */
bool engine_offers(const struct machine *machine, unsigned long cap);
int engine_create_vm(struct machine *machine, struct ls_error *err);
/* The clock by which the engine, or the host, keeps the machine's time. */
int engine_create_clock(struct machine *machine, struct ls_error *err);
int engine_create_vcpus(struct machine *machine, struct ls_error *err);
/* Closes all of it. */
void engine_close(struct machine *machine);

/* --- memory.c --- */
int memory_create(struct machine *machine, struct ls_error *err);
/* KVM's processors see the second one in SMM, with all memory in it, too. Its slots are numbered
 * from MEMORY_SPACE on (api.rst 4.35). */
unsigned int memory_spaces(const struct machine *machine);
#define MEMORY_SPACE 0x10000u
void memory_destroy(struct machine *machine);
/* Maps the piece of the snapshot that the slot is made of, private to us. */
int memory_map_file(const struct snapshot *snapshot, struct memory_slot *slot,
		    struct ls_error *err);
/* Gives a new VM the slots that the machine has. */
int memory_attach(struct machine *machine, struct ls_error *err);
/* A read-only slot that ends at 4 GiB; @image is copied. */
int memory_map_rom(struct machine *machine, const void *image, uint64_t size, struct ls_error *err);

/* --- poll.c --- */
/* Asks all sources; waits up to @timeout_ns (0: not at all, -1: for ever) for one of them or
 * machine_poke. Takes the machine lock around callbacks. */
void poll_sources(struct machine *machine, int64_t timeout_ns);
bool poll_can_wake(const struct machine *machine);
bool poll_paces(const struct machine *machine);
/* Ends a wait in poll_sources. Async-signal-safe. */
void machine_poke(struct machine *machine);

/* --- control.c --- */
int control_create(struct machine *machine, struct ls_error *err);
void control_destroy(struct machine *machine);
/* Around KVM_RUN. False: do not enter, the machine is paused, stopping or has a request. */
bool control_enter(struct machine *machine, struct vcpu *vcpu);
void control_leave(struct machine *machine, struct vcpu *vcpu);
/* A parallel vCPU thread waits here until it may enter, or is to end. */
void control_park(struct machine *machine);
/* Makes the vCPU leave the guest, or not enter it. */
void control_kick(struct vcpu *vcpu);
void control_kick_all(struct machine *machine);
/* Paused, or told to stop. */
bool control_is_held(struct machine *machine);
/* Every vCPU is inside KVM_RUN. */
bool control_all_in_guest(struct machine *machine);
/* Called on the running thread between turns. Sits out a pause; carries out requests. Returns
 * false when the run is over. */
bool control_service(struct machine *machine);
/* Ends the run with @result's text already formatted. First one wins. */
__attribute__((format(printf, 5, 6))) void control_end(struct machine *machine,
						       enum machine_end end, int code,
						       unsigned int vcpu, const char *format, ...);

/* --- reset.c --- */
/* Once, after everything is created: what a reset goes back to. */
int reset_capture(struct machine *machine, struct ls_error *err);
/* Power-on state of vCPUs, chips and devices, and what is booted back in memory. */
int machine_reset(struct machine *machine, struct ls_error *err);
/* The same without memory, at the ACPI waking vector. */
int machine_resume_from_sleep(struct machine *machine, struct ls_error *err);

/* --- scheduler.c, scheduler_idle.c, parallel.c --- */
static inline uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t scheduler_now(struct machine *machine)
{
	return machine->clock->now(machine->clock);
}

void scheduler_run_round_robin(struct machine *machine);
int scheduler_run_parallel(struct machine *machine, struct ls_error *err);
uint64_t scheduler_next_deadline(struct machine *machine);
/* Moves the clock, firing what is due, under the machine lock. */
void scheduler_advance(struct machine *machine, uint64_t now);
/* No vCPU can run now. */
void scheduler_idle(struct machine *machine);
/* Nobody will ever run again. */
void scheduler_end_halted(struct machine *machine);
/* Guest time as MACHINE_CLOCK_HOST has it. */
uint64_t scheduler_host_now(const struct machine *machine);

/* --- exit.c --- */
/* KVM_RUN, after control_enter. */
int vcpu_run(struct vcpu *vcpu);
enum exit_action {
	EXIT_CONTINUE, /* run on */
	EXIT_TURN,     /* its turn is over: bound, kick */
	EXIT_HALT,     /* it waits for an interrupt */
	EXIT_STOP,     /* the run ends: the result is filled */
};
/* After KVM_RUN returned @ret. Takes the machine lock where a device is involved. */
enum exit_action exit_handle(struct vcpu *vcpu, int ret);

static inline const struct ls_extension *machine_ext(const struct machine *machine)
{
	return machine->engine->ext;
}

#endif
