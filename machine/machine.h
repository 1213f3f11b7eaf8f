/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PC around an engine. It talks to `struct ls_engine` with KVM's requests and, where the
 * engine offers it, the extension; it never asks which engine it has.
 *
 * Life of a machine: machine_create, machine_run (once), machine_destroy. Everything but the
 * functions marked "any thread" is called from the thread that runs the machine, or while
 * it does not run.
 */
#ifndef LOCKSTEP_MACHINE_MACHINE_H
#define LOCKSTEP_MACHINE_MACHINE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/clock.h>
#include <lockstep/engine.h>
#include <lockstep/error.h>
#include <lockstep/extension.h>

struct machine;
struct machine_failure;
struct machine_input;
struct parts;
struct record_table;
struct snapshot;
struct symbols;

/* 2026-01-01 00:00:00 UTC: what the RTC shows at guest time 0 unless told otherwise, so that
 * two runs show the guest the same date. */
#define MACHINE_DEFAULT_EPOCH      1767225600
#define MACHINE_DEFAULT_QUANTUM_NS 50000
#define MACHINE_MAX_VCPUS          64
#define MACHINE_MAX_DISKS          8
/* Room for the tables, the boot data and a real-mode program. */
#define MACHINE_MIN_MEMORY (2u << 20)

enum machine_boot {
	MACHINE_BOOT_NONE,     /* vCPUs start at the reset vector over empty memory */
	MACHINE_BOOT_LINUX,    /* bzImage, or vmlinux with a PVH note */
	MACHINE_BOOT_PAYLOAD,  /* multiboot 1 image or plain ELF (load_elf.c) */
	MACHINE_BOOT_FIRMWARE, /* SeaBIOS-style image ending at 4 GiB */
};

enum machine_schedule {
	MACHINE_SCHEDULE_ANY, /* in turns if the engine can, else in parallel */
	MACHINE_ROUND_ROBIN,  /* one host thread, fixed order: the same run every time */
	MACHINE_PARALLEL,     /* a host thread per vCPU */
};

enum machine_clock_kind {
	MACHINE_CLOCK_ANY,     /* virtual if the engine can, else the host's */
	MACHINE_CLOCK_VIRTUAL, /* guest time is retired instructions; idle time is skipped */
	MACHINE_CLOCK_HOST,    /* guest time follows the host's monotonic clock */
};

enum machine_net_kind {
	MACHINE_NET_NONE,
	MACHINE_NET_USER, /* libslirp: 10.0.2.0/24, the host side is 10.0.2.2 */
	MACHINE_NET_TAP,  /* an existing tap interface */
};

/* What the machine leaves its run at. */
enum machine_trigger_kind {
	MACHINE_TRIGGER_NONE,         /* only machine_request_leave */
	MACHINE_TRIGGER_STOP,         /* machine_stop: saved, the run ends as it would have */
	MACHINE_TRIGGER_TIME,         /* guest time in ns */
	MACHINE_TRIGGER_INSTRUCTIONS, /* of all vCPUs together; in turns only */
	MACHINE_TRIGGER_ACCESSES,     /* to ports and device memory */
	MACHINE_TRIGGER_ADDRESS,      /* an instruction at that linear address comes next */
	MACHINE_TRIGGER_PHYSICAL,     /* at that guest-physical address (sim) */
	MACHINE_TRIGGER_PORT,         /* a write to that port */
};

struct machine_trigger {
	enum machine_trigger_kind kind;
	uint64_t value;
};

/* What the machine leaves its run for: to be saved, to go on on another engine, or both. */
struct machine_leave {
	struct machine_trigger at;
	const char *save;               /* file; NULL: none */
	bool go_on;                     /* the run does not end there */
	const struct ls_engine_ops *to; /* and back the next time; NULL: it stays */
	unsigned int times;             /* it does that */
};

enum machine_irqchip {
	MACHINE_IRQCHIP_ANY,    /* the engine's if it has them, else split */
	MACHINE_IRQCHIP_ENGINE, /* all chips are the engine's */
	MACHINE_IRQCHIP_SPLIT,  /* the engine has the local APICs, the machine the others */
	MACHINE_IRQCHIP_NONE,   /* no interrupts: the engine runs user-mode code alone */
};

struct machine_disk {
	const char *path; /* raw image */
	bool read_only;
	uint64_t sectors; /* of 512 bytes; with config.replay the caller's to say */
};

struct machine_net {
	enum machine_net_kind kind;
	const char *tap; /* interface name, for MACHINE_NET_TAP */
};

/* What an engine shows of a run: an exit, after it was answered. */
struct machine_exit {
	uint32_t reason; /* KVM_EXIT_* */
	uint32_t size;   /* of an access, bytes */
	uint32_t count;  /* accesses of KVM_EXIT_IO; a debug exit's vector */
	bool write;
	uint64_t address; /* port or guest-physical address; a debug exit's linear RIP */
	uint64_t value;   /* what was read or written, of the first access; a suberror, an event's
			     type; a debug exit's bits of DR6 but BS */
};

struct machine_param {
	const char *name; /* as `lockstep list params` prints it */
	const char *value;
};

/* Zero means the default wherever that makes sense. Strings are copied or used up by
 * machine_create; the config may go away after it. */
/* How the engine tells which memory was written; ANY: by rings where it has them. */
enum machine_dirty { MACHINE_DIRTY_ANY, MACHINE_DIRTY_LOG, MACHINE_DIRTY_RING };

struct machine_config {
	const struct ls_engine_ops *engine;
	/* Whose CPU models an engine without any is given; NULL: none, only 'host'. */
	const struct ls_engine_ops *models;
	/* The other engine of a comparison, which the CPU model must fit, too; NULL: none. */
	const struct ls_engine_ops *peer;
	/* Whose KVM_GET_SUPPORTED_CPUID counts for an engine on which the guest's CPUID is not what
	 * it is given; NULL: the engine's own. */
	const struct ls_engine_ops *processor;
	const char *cpu;    /* "NAME[,+feature,-feature,key=value...]"; NULL: engine's own */
	unsigned int vcpus; /* 1..MACHINE_MAX_VCPUS; 0 means 1 */
	uint64_t memory;    /* bytes, a multiple of 4 KiB; 0 means 512 MiB */
	enum machine_boot boot;
	const char *kernel;      /* path of kernel, payload or firmware */
	const char *kernel_name; /* what a multiboot payload is told it is called; NULL: the path */
	const char *initrd;      /* path; a boot module for a multiboot payload */
	const char *append;      /* command line */

	bool serial;         /* COM1 is on the console; else nobody is at its other end */
	bool virtio_console; /* so is a virtio console, hvc0 */
	/* What is printed on the console, as it is sent; called with the machine lock held. */
	void (*console_output)(void *opaque, const uint8_t *bytes, size_t n);
	/* If set, what is printed on hvc0 goes here instead. */
	void (*channel_output)(void *opaque, const uint8_t *bytes, size_t n);
	/* Port 0xE9's bytes; NULL leaves that port unclaimed. */
	void (*debug_output)(void *opaque, const uint8_t *bytes, size_t n);
	void *output_opaque;
	bool host_input; /* machine_console_input may be called: a guest that only waits
			  * for input is idle, not halted for ever */

	struct machine_disk disks[MACHINE_MAX_DISKS];
	unsigned int disk_count;
	struct machine_net net;
	bool virtio_rng; /* deterministic bytes from rng_seed */
	uint64_t rng_seed;

	enum machine_schedule schedule;
	enum machine_clock_kind clock;
	enum machine_irqchip irqchip;
	uint64_t quantum_ns;       /* round-robin turn; 0: MACHINE_DEFAULT_QUANTUM_NS */
	uint64_t max_instructions; /* all vCPUs together; 0: no limit */
	struct machine_leave leave;
	/* An engine on whose processor the guest may go on: its CPU model is one that both can
	 * show. */
	const struct ls_engine_ops *fit;
	/* Goes on from there and not from the start; it must outlive the machine. */
	const struct snapshot *snapshot;
	bool verified; /* its memory has been: it isn't read again */
	/* Called with output_opaque at every multiple of so many instructions of all vCPUs (0:
	 * never), with a hash of registers and memory written so far. Round-robin only. */
	uint64_t state_hash_every;
	void (*state_hash)(void *opaque, uint64_t instructions, uint64_t hash);
	/* Called on the vCPU's thread for each VM entry of a hypervisor in the guest
	 * that a rule refused, where the engine tells: see ls_extension.vm_watch_refusals. */
	void (*entry_refused)(void *opaque, unsigned int vcpu, const char *text);
	void *refused_opaque;
	/* Called on the vCPU's thread before an engine that could not run it ends the run. */
	void (*failed)(void *opaque, const struct machine_failure *failure);
	void *failed_opaque;
	/* Called when all vCPUs together have retired so many instructions (0: never), exactly
	 * there, with all of them outside the guest; returns where to be called next. Round-robin
	 * only. */
	uint64_t at_instructions;
	uint64_t (*at)(void *opaque, struct machine *machine);
	void *at_opaque;
	uint64_t record_every; /* instructions from a recording's snapshot to the next; 0: as cheap
				*/
	/* What the run is given from outside, instead of the host: see input_log.h. NULL: a run of
	 * its own. Round-robin, virtual time. */
	const struct machine_input *replay;
	size_t replay_count;
	int64_t epoch; /* Unix seconds at guest time 0; 0: MACHINE_DEFAULT_EPOCH,
			* the date with MACHINE_CLOCK_HOST */
	const struct machine_param *params;
	unsigned int param_count;

	bool testdev;     /* kvm-unit-tests' pc-testdev */
	bool pci_testdev; /* QEMU's pci-testdev */
	bool exit_port;   /* isa-debug-exit: a write of v ends the run with code (v << 1) | 1 */
	uint16_t exit_port_base; /* 0: 0xf4 */
	uint16_t exit_port_size; /* 0: 4 */
	bool no_pit;
	bool no_pci;
	bool vmport;    /* port 0x5658 */
	bool no_reboot; /* a reset request ends the run */

	/* Called on the vCPU's thread with each exit that every engine has: accesses, debug exits
	 * and ends. The vCPU stands between two instructions and its state may be read. NULL:
	 * nobody looks. */
	void (*observe)(void *opaque, unsigned int vcpu, const struct machine_exit *exit);
	void *observe_opaque;
	bool single_step;   /* a debug exit after each instruction (KVM_GUESTDBG_SINGLESTEP) */
	uint16_t step_from; /* from the first write to this port on; 0: from the start */
	bool log_written;   /* machine_written may be called */
	enum machine_dirty dirty;
	/* A debugger, which takes KVM_EXIT_DEBUG: called on the vCPU's thread, between two
	 * instructions, with what the exit tells (NULL: the place of machine_run_to is reached).
	 * The machine is paused by then, and machine_resume is due. */
	void (*debug)(void *opaque, unsigned int vcpu, const struct kvm_debug_exit_arch *exit);
	void *debug_opaque;
	/* It may want to go back: settled by machine_create, which says no where the run cannot be
	 * made again (machine_history_begin). */
	bool history;
	/* Called around the taking of a snapshot, with debug_opaque: what the debugger has written
	 * over the guest's code is taken out of it, and put back. */
	void (*debug_lift)(void *opaque, bool lift);

	/* Called once, on the running thread, when the run is about to end. May be NULL. */
	void (*stopped)(void *opaque);
	void *stopped_opaque;
};

enum machine_end {
	MACHINE_END_POWER_OFF,   /* ACPI S5 */
	MACHINE_END_RESET,       /* reset requested and no_reboot set */
	MACHINE_END_EXIT_PORT,   /* the guest wrote to its exit port */
	MACHINE_END_LIMIT,       /* max_instructions */
	MACHINE_END_SAVED,       /* leave.save, without go_on */
	MACHINE_END_SHUTDOWN,    /* triple fault */
	MACHINE_END_HALTED,      /* every vCPU halted, nothing left that could wake one */
	MACHINE_END_ERROR,       /* the engine gave up: see text */
	MACHINE_END_INTERRUPTED, /* machine_stop */
};

/* Exit codes of the ends that are not the guest's own choice. */
#define MACHINE_EXIT_RESET       120
#define MACHINE_EXIT_SHUTDOWN    121
#define MACHINE_EXIT_ERROR       122
#define MACHINE_EXIT_HALTED      123
#define MACHINE_EXIT_LIMIT       124
#define MACHINE_EXIT_INTERRUPTED 130

struct machine_result {
	enum machine_end end;
	int code;              /* for exit(): 0 for power-off, the guest's own for an exit port,
				* MACHINE_EXIT_* otherwise */
	unsigned int vcpu;     /* which vCPU ended it */
	char text[256];        /* one line for a person: what happened, where, what to do */
	uint64_t unclaimed;    /* accesses to ports and addresses that nothing claimed */
	unsigned int switches; /* to the other engine (config.leave.to) */
};

/* Whether the config's engine offers what the config asks for: 0, or -errno with *err saying what
 * is missing. */
int machine_check_engine(const struct machine_config *config, struct ls_error *err);
/* Opens the engine, builds the PC and loads what is to be booted. NULL: *err says why. */
struct machine *machine_create(const struct machine_config *config, struct ls_error *err);
/* Runs until the guest ends or machine_stop. Returns 0 with *result filled, or -errno when
 * the machine could not be run at all. */
int machine_run(struct machine *machine, struct machine_result *result, struct ls_error *err);
void machine_destroy(struct machine *machine);

/* Ends machine_run soon with MACHINE_END_INTERRUPTED. Any thread, and signal handlers. */
void machine_stop(struct machine *machine);

/* Stops all vCPUs between two instructions; on return none runs and their state may be read
 * through the engine. Any thread; also from a poll source's callback. Nests. Returns at once
 * if the machine does not run. */
void machine_pause(struct machine *machine);
void machine_resume(struct machine *machine);

/* For a debugger, while the machine is paused; in turns only: it is stopped again when that vCPU
 * (MACHINE_EVERY_VCPU: all of them together) has retired so many instructions, UINT64_MAX: never.
 * It runs as it would have otherwise. */
#define MACHINE_EVERY_VCPU UINT_MAX
void machine_run_to(struct machine *machine, unsigned int vcpu, uint64_t instructions);
/* How many it has retired by now. */
uint64_t machine_retired(struct machine *machine, unsigned int vcpu);
/* Paused: finishes what is in the air, so that all registers may be read and written. */
void machine_settle(struct machine *machine);

/* --- going back (history.h); paused, from a poll source's callback --- */

/* From here on the run is kept; in the past, as it was. 0 or -errno with *err filled. */
int machine_history_begin(struct machine *machine, struct ls_error *err);
/* No longer; before the present as soon as that is reached. */
void machine_history_end(struct machine *machine);
bool machine_has_history(const struct machine *machine);
/* It is where it has been before: it does the same again and talks to nobody. */
bool machine_is_past(const struct machine *machine);
/* In the past: it is stopped again in the present, by that vCPU's name. */
void machine_run_to_present(struct machine *machine, unsigned int vcpu);
/* Instructions of all vCPUs where the history begins, and up to where it goes. */
uint64_t machine_history_first(const struct machine *machine);
uint64_t machine_history_last(const struct machine *machine);
/* To the last snapshot at which that vCPU (MACHINE_EVERY_VCPU: all of them together) had retired
 * no more than so many instructions; machine_run_to leads on. -ENOENT: there is none. */
int machine_go_back(struct machine *machine, unsigned int vcpu, uint64_t instructions,
		    struct ls_error *err);

/* --- console and handles --- */

/* What is typed on the console goes to the port that the guest printed on last, COM1 (if
 * it is on the console) to begin with. Any thread. Bytes queue until the guest takes them; returns
 * how many were queued (less than @n when 64 KiB are waiting). */
size_t machine_console_input(struct machine *machine, const void *bytes, size_t n);

/* For the prompt and the figures. Handles are valid until machine_destroy. */
struct ls_engine *machine_engine(struct machine *machine);
int machine_vm(struct machine *machine);
unsigned int machine_vcpu_count(struct machine *machine);
int machine_vcpu(struct machine *machine, unsigned int index);
/* What it shares with the engine. */
struct kvm_run *machine_vcpu_run(struct machine *machine, unsigned int index);
const struct machine_config *machine_config(struct machine *machine);
/* From here on, until @sink is NULL, the vCPU's events go there. Not while it runs. 0 or -errno. */
int machine_trace(struct machine *machine, unsigned int index, struct ls_trace_sink *sink);
/* Calls @page for each page of RAM that may have been written since the call before, or since
 * creation. 0 or -errno. */
int machine_written(struct machine *machine,
		    void (*page)(void *opaque, uint64_t gpa, const uint8_t *bytes), void *opaque);
/* From now on pages once told are told by each call, up to machine_written_restart: an engine that
 * watches a page by its protection leaves the guest for its next store only after that. -ENOTSUP:
 * it knows no such thing. */
int machine_written_keep(struct machine *machine);
int machine_written_restart(struct machine *machine);
/* The payload's or kernel's symbols; NULL if it has none. */
const struct symbols *machine_symbols(struct machine *machine);

/* --- for devices --- */

/* The VM's clock: the engine's, or one fed from host time if the engine has none. Timers
 * fire with the machine lock held. */
struct ls_clock *machine_clock(struct machine *machine);

struct bus;
struct bus *machine_ports(struct machine *machine);
struct bus *machine_mmio(struct machine *machine);

/* A device lives in its own object; this is how the machine reaches it again. */
struct machine_device {
	const char *name;
	const struct record_table *state; /* what a snapshot keeps of it; NULL: nothing */
	void (*add_parts)(void *opaque, struct parts *parts); /* and of what it consists of; NULL */
	void (*reset)(void *opaque);   /* to its power-on state; NULL: stateless */
	void (*destroy)(void *opaque); /* frees it; called in reverse order of attaching */
	void *opaque;
};
int machine_attach(struct machine *machine, const struct machine_device *device,
		   struct ls_error *err);
/* PCI's host bridge and everything behind it; in machine/pci*.c. machine_create calls it,
 * unless no_pci, after the chips and before anything is loaded. It attaches its devices. */
int machine_pci_create(struct machine *machine, const struct machine_config *config,
		       struct ls_error *err);

/* Device code runs under one lock: bus handlers, timers and poll callbacks are called with
 * it held. Recursive. */
void machine_lock(struct machine *machine);
void machine_unlock(struct machine *machine);

/* How the guest ends or restarts itself. Takes effect when the current exit is done; the
 * first one wins. From a device, under the machine lock. */
void machine_request_power_off(struct machine *machine);
void machine_request_reset(struct machine *machine);
/* Any thread: leaves the run for config.leave, as if its trigger had come. */
void machine_request_leave(struct machine *machine);
void machine_request_suspend(struct machine *machine); /* ACPI S3 */
void machine_request_exit(struct machine *machine, int code);
/* A device's way out of S3 (RTC alarm). */
void machine_wake(struct machine *machine);

#endif
