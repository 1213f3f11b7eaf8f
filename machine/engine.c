/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the engine: what it has to offer, and what the config leaves to it. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "machine/cpu_model.h"
#include "machine/host_clock.h"
#include "machine/internal.h"
#include "machine/irqchip.h"
#include "machine/leave.h"

/* Where an engine on Intel hardware hides pages of its own (KVM_SET_TSS_ADDR): three pages
 * below a 256 KiB firmware. */
#define HIDDEN_PAGES 0xfffbd000ull

/* What the machine cannot do without; user-mode code alone gets no interrupts. */
static const struct {
	unsigned long cap;
	const char *name;
	bool for_interrupts;
} needed[] = {
	{KVM_CAP_USER_MEMORY, "guest memory of ours (KVM_CAP_USER_MEMORY)", false},
	{KVM_CAP_EXT_CPUID, "a choice of CPUID (KVM_CAP_EXT_CPUID)", false},
	{KVM_CAP_IRQ_ROUTING, "a table of interrupt routes (KVM_CAP_IRQ_ROUTING)", true},
	{KVM_CAP_SIGNAL_MSI, "message-signalled interrupts (KVM_CAP_SIGNAL_MSI)", true},
	{KVM_CAP_IMMEDIATE_EXIT, "a way to stop a vCPU (KVM_CAP_IMMEDIATE_EXIT)", false},
};

bool engine_has_turns(const struct ls_extension *ext)
{
	return ext->vm_clock && ext->clock_next_deadline && ext->clock_advance && ext->vcpu_time &&
	       ext->vcpu_run_until && ext->vcpu_runnable;
}

bool engine_offers(const struct machine *machine, unsigned long cap)
{
	return ls_ioctl(machine->engine, LS_SYSTEM, KVM_CHECK_EXTENSION, cap) > 0;
}

static int engine_lacks(const struct machine *machine, const char *what, struct ls_error *err)
{
	return ls_error_set(err, -ENOTSUP, "engine %s %s", machine->engine->ops->name, what);
}

static int engine_check_capabilities(const struct machine *machine, struct ls_error *err)
{
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (needed[i].for_interrupts && machine_ext(machine)->user_only)
			continue;
		if (!engine_offers(machine, needed[i].cap))
			return ls_error_set(err, -ENOTSUP,
					    "engine %s lacks %s here; use engine sim",
					    machine->engine->ops->name, needed[i].name);
	}
	return 0;
}

/* The engine's chips where it has them: it knows best what wakes a vCPU. */
static int engine_settle_irqchip(struct machine *machine, struct ls_error *err)
{
	bool whole = engine_offers(machine, KVM_CAP_IRQCHIP);
	bool split = engine_offers(machine, KVM_CAP_SPLIT_IRQCHIP);
	enum machine_irqchip *wanted = &machine->config.irqchip;

	if (machine_ext(machine)->user_only && *wanted == MACHINE_IRQCHIP_ANY)
		*wanted = MACHINE_IRQCHIP_NONE;
	if (*wanted == MACHINE_IRQCHIP_NONE)
		return 0;
	if (*wanted == MACHINE_IRQCHIP_SPLIT && !split)
		return engine_lacks(machine, "has no split irqchip (KVM_CAP_SPLIT_IRQCHIP)", err);
	if ((*wanted == MACHINE_IRQCHIP_ENGINE && !whole) || (!whole && !split))
		return engine_lacks(machine, "has no interrupt chips (KVM_CAP_IRQCHIP)", err);
	if (*wanted == MACHINE_IRQCHIP_ANY)
		*wanted = whole ? MACHINE_IRQCHIP_ENGINE : MACHINE_IRQCHIP_SPLIT;
	return 0;
}

/* A run can be made again where all that it does follows from its inputs, and is taken back where
 * nobody but the debugger looks on. */
static void engine_settle_history(struct machine *machine)
{
	const struct ls_extension *ext = machine_ext(machine);
	struct machine_config *config = &machine->config;

	config->history = config->history && config->schedule == MACHINE_ROUND_ROBIN &&
			  config->clock == MACHINE_CLOCK_VIRTUAL && ext->vcpu_limit &&
			  ext->vcpu_stats && ext->state_save && ext->state_load &&
			  !config->state_hash_every && !config->at_instructions &&
			  !config->replay && !config->observe && !config->leave.save &&
			  !config->leave.to;
	config->log_written |= config->history;
}

/* An engine that counts its instructions runs vCPUs in turns, and guest time is theirs. Any other
 * needs a thread for each, and its guest lives in real time. */
static int engine_settle(struct machine *machine, struct ls_error *err)
{
	const struct ls_extension *ext = machine_ext(machine);
	struct machine_config *config = &machine->config;
	bool turns = engine_has_turns(ext);

	if (!turns && config->schedule == MACHINE_ROUND_ROBIN)
		return engine_lacks(machine, "cannot run vCPUs in turns; use the parallel schedule",
				    err);
	if (!turns && config->clock == MACHINE_CLOCK_VIRTUAL)
		return engine_lacks(machine, "has no virtual time; use the host clock", err);
	if (config->max_instructions && !(ext->vcpu_limit && ext->vcpu_stats))
		return engine_lacks(machine, "cannot count instructions; leave the limit out", err);
	if (config->debug && !engine_offers(machine, KVM_CAP_SET_GUEST_DEBUG))
		return engine_lacks(
			machine,
			"cannot stop for a debugger (KVM_CAP_SET_GUEST_DEBUG); leave that out",
			err);
	if (config->state_hash_every && !(turns && ext->vcpu_limit && ext->vcpu_state_hash))
		return engine_lacks(machine, "does not hash its state; leave that out", err);
	if (config->schedule == MACHINE_SCHEDULE_ANY)
		config->schedule = turns ? MACHINE_ROUND_ROBIN : MACHINE_PARALLEL;
	if (config->clock == MACHINE_CLOCK_ANY)
		config->clock = turns ? MACHINE_CLOCK_VIRTUAL : MACHINE_CLOCK_HOST;
	if (!config->epoch)
		config->epoch =
			config->clock == MACHINE_CLOCK_HOST ? time(NULL) : MACHINE_DEFAULT_EPOCH;
	engine_settle_history(machine);
	return 0;
}

static int engine_set_params(struct machine *machine, const struct machine_config *from,
			     struct ls_error *err)
{
	const struct ls_extension *ext = machine_ext(machine);
	int ret = 0;

	for (unsigned int i = 0; i < from->param_count && !ret; i++) {
		const struct machine_param *param = &from->params[i];

		if (!ext->set_param && from->leave.to)
			return 0; /* they are for the other one */
		if (!ext->set_param)
			return ls_error_set(err, -ENOTSUP,
					    "engine %s has no parameters; leave out '%s'",
					    machine->engine->ops->name, param->name);
		ret = ext->set_param(machine->engine, param->name, param->value, err);
		if (ret < 0)
			return ls_error_set(err, ret, "parameter '%s=%s': %s", param->name,
					    param->value, strerror(-ret));
	}
	return ret < 0 ? ret : 0;
}

/* The frequency of the TSC of the processor behind an engine; 0: not known. */
static int tsc_khz_of(const struct ls_engine_ops *ops)
{
	struct ls_engine *engine = ops->open(NULL);
	int vm = -1, vcpu = -1, khz = 0;

	if (!engine)
		return 0;
	vm = ls_ioctl(engine, LS_SYSTEM, KVM_CREATE_VM, 0);
	if (vm >= 0)
		vcpu = ls_ioctl(engine, vm, KVM_CREATE_VCPU, 0);
	if (vcpu >= 0)
		khz = ls_ioctl(engine, vcpu, KVM_GET_TSC_KHZ, 0);
	if (vcpu >= 0)
		ops->close(engine, vcpu);
	if (vm >= 0)
		ops->close(engine, vm);
	ops->close(engine, LS_SYSTEM);
	return khz > 0 ? khz : 0;
}

/* Of two engines the one that chooses its TSC's frequency takes the other's, which may be fixed. */
static int engine_fit_tsc(struct machine *machine, struct ls_error *err)
{
	const struct ls_engine_ops *fit = machine->config.fit;
	char text[16];
	int khz;

	if (!fit || fit == machine->config.engine || !machine_ext(machine)->set_param)
		return 0;
	khz = tsc_khz_of(fit);
	snprintf(text, sizeof(text), "%d", khz);
	return khz ? machine_ext(machine)->set_param(machine->engine, "tsc_khz", text, err) : 0;
}

int engine_open(struct machine *machine, const struct machine_config *from, struct ls_error *err)
{
	int ret;

	machine->engine = machine->config.engine->open(err);
	if (!machine->engine)
		return ls_error_set(err, -ENODEV, "engine %s cannot be opened",
				    machine->config.engine->name);
	ret = engine_check_capabilities(machine, err);
	if (!ret)
		ret = engine_settle(machine, err);
	if (!ret)
		ret = engine_settle_irqchip(machine, err);
	if (!ret)
		ret = engine_fit_tsc(machine, err);
	return ret ? ret : engine_set_params(machine, from, err);
}

int machine_check_engine(const struct machine_config *config, struct ls_error *err)
{
	struct machine machine = {.config = *config, .wish = *config, .vcpu_count = config->vcpus};
	union cpuid_buffer *cpuid = calloc(1, sizeof(*cpuid));
	int ret = cpuid ? engine_open(&machine, config, err)
			: ls_error_set(err, -ENOMEM, "no memory for CPUID");

	if (!ret)
		ret = leave_check(&machine, err);
	if (!ret)
		ret = cpu_model_make(&machine, 0, cpuid, err);
	if (machine.engine)
		machine.engine->ops->close(machine.engine, LS_SYSTEM);
	free(cpuid);
	return ret < 0 ? ret : 0;
}

/* What a run that is made again tells has been told. */
static void entry_refused(void *opaque, unsigned int vcpu, const char *text)
{
	const struct machine *machine = opaque;

	if (!machine->config.replay)
		machine->config.entry_refused(machine->config.refused_opaque, vcpu, text);
}

int engine_create_vm(struct machine *machine, struct ls_error *err)
{
	int ret = ls_ioctl(machine->engine, LS_SYSTEM, KVM_CREATE_VM, 0);

	if (ret < 0)
		return ls_error_set(err, ret, "KVM_CREATE_VM: %s", strerror(-ret));
	machine->vm = ret;
	if (machine->config.entry_refused && machine_ext(machine)->vm_watch_refusals)
		machine_ext(machine)->vm_watch_refusals(machine->engine, machine->vm, entry_refused,
							machine);
	routes_start(machine);
	ret = written_start(machine, err);
	if (ret)
		return ret;
	if (engine_offers(machine, KVM_CAP_SET_TSS_ADDR))
		ret = ls_ioctl(machine->engine, machine->vm, KVM_SET_TSS_ADDR, HIDDEN_PAGES);
	if (ret < 0)
		return ls_error_set(err, ret, "KVM_SET_TSS_ADDR: %s", strerror(-ret));
	return machine_irqchip_create(machine, err);
}

static void timer_armed(void *opaque)
{
	machine_poke(opaque);
}

int engine_create_clock(struct machine *machine, struct ls_error *err)
{
	const struct ls_extension *ext = machine_ext(machine);

	clock_relay_init(&machine->relay);
	machine->clock = &machine->relay.base;
	if (engine_has_turns(ext)) {
		machine->relay.to = ext->vm_clock(machine->engine, machine->vm);
	} else {
		machine->host_clock = host_clock_create(timer_armed, machine);
		machine->relay.to =
			machine->host_clock ? host_clock_base(machine->host_clock) : NULL;
	}
	return machine->relay.to ? 0 : ls_error_set(err, -ENOMEM, "no memory for the clock");
}

int engine_create_vcpus(struct machine *machine, struct ls_error *err)
{
	unsigned int count = machine->config.vcpus;
	int ret = 0;

	machine->vcpus = calloc(count, sizeof(*machine->vcpus));
	if (!machine->vcpus)
		return ls_error_set(err, -ENOMEM, "no memory for %u vCPUs", count);
	for (unsigned int i = 0; i < count; i++)
		machine->vcpus[i].fd = -1;
	machine->vcpu_count = count;
	for (unsigned int i = 0; i < count && !ret; i++)
		ret = vcpu_create(machine, &machine->vcpus[i], i, err);
	return ret;
}

void engine_close(struct machine *machine)
{
	struct ls_engine *engine = machine->engine;
	unsigned int vcpus = machine->vcpu_count;

	machine->vcpu_count = 0; /* for a signal's handler */
	for (unsigned int i = 0; i < vcpus; i++)
		vcpu_destroy(&machine->vcpus[i]);
	free(machine->vcpus);
	machine->vcpus = NULL;
	if (engine) {
		routes_settle(machine);
		if (machine->vm >= 0)
			engine->ops->close(engine, machine->vm);
		engine->ops->close(engine, LS_SYSTEM);
	}
	machine->engine = NULL;
	machine->vm = -1;
	host_clock_destroy(machine->host_clock);
	machine->host_clock = NULL;
	machine->relay.to = NULL;
}
