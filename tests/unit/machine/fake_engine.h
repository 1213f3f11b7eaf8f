/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine for the machine's tests: it keeps registers, records what matters, and its vCPUs
 * "run" by calling a function of the test.
 */
#ifndef LOCKSTEP_TESTS_FAKE_ENGINE_H
#define LOCKSTEP_TESTS_FAKE_ENGINE_H

#include <stdlib.h>
#include <string.h>

#include <lockstep/engine.h>
#include <lockstep/extension.h>

#include "machine/bus.h"
#include "machine/irq.h"
#include "machine/machine.h"
#include "machine/memory.h"

#define FAKE_VM       100
#define FAKE_VCPU     200 /* handle of vCPU 0 */
#define FAKE_VCPUS    4
#define FAKE_TIMERS   32
#define FAKE_LOG      4096
#define FAKE_RUN_SIZE 4096
#define FAKE_IO_DATA  2048 /* offset of port data in the run page */

struct fake_engine;

struct fake_vcpu {
	_Alignas(4096) uint8_t run[FAKE_RUN_SIZE];
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	uint64_t local, until, limit, instructions;
	bool waiting; /* not runnable */
	unsigned int runs, completions;
};

struct fake_irq {
	uint32_t gsi, level;
};

struct fake_engine {
	struct ls_engine base;
	struct ls_extension extension;
	struct ls_clock clock;
	uint64_t now, sequence;
	struct ls_timer *timers[FAKE_TIMERS];
	unsigned int timer_count;
	struct fake_vcpu *vcpus[FAKE_VCPUS];
	unsigned int vcpu_count;

	/* What a KVM_RUN does: fills the run page, returns KVM_RUN's result. */
	int (*on_run)(struct fake_engine *fake, unsigned int index);
	void *opaque;

	struct fake_irq irqs[FAKE_LOG];
	unsigned int irq_count;
	bool level[IRQ_GSI_COUNT];
	unsigned int rises[IRQ_GSI_COUNT];
	struct kvm_msi msi;
	struct kvm_ioeventfd event;
	unsigned int event_count;
	unsigned int msi_count;
	struct kvm_userspace_memory_region slots[8];
	unsigned int slot_count;
	unsigned int writes_told; /* memory_written calls */
	uint64_t last_written, last_length;
	unsigned int resets; /* KVM_SET_SREGS calls while running */
	bool has_pit;
	unsigned int kicks;
};

static inline struct fake_engine *fake_of_clock(struct ls_clock *clock)
{
	return (struct fake_engine *)((char *)clock - offsetof(struct fake_engine, clock));
}

static inline uint64_t fake_now(struct ls_clock *clock)
{
	return fake_of_clock(clock)->now;
}

static inline void fake_disarm(struct ls_clock *clock, struct ls_timer *timer)
{
	struct fake_engine *fake = fake_of_clock(clock);

	for (unsigned int i = 0; i < fake->timer_count; i++) {
		if (fake->timers[i] == timer)
			fake->timers[i] = fake->timers[--fake->timer_count];
	}
	timer->deadline = LS_NEVER;
}

static inline void fake_restore(struct ls_clock *clock, struct ls_timer *timer, uint64_t deadline,
				uint64_t sequence)
{
	struct fake_engine *fake = fake_of_clock(clock);

	fake_disarm(clock, timer);
	timer->deadline = deadline;
	timer->sequence = sequence;
	if (sequence >= fake->sequence)
		fake->sequence = sequence + 1;
	if (deadline != LS_NEVER)
		fake->timers[fake->timer_count++] = timer;
}

static inline void fake_arm(struct ls_clock *clock, struct ls_timer *timer, uint64_t deadline)
{
	fake_restore(clock, timer, deadline, fake_of_clock(clock)->sequence);
}

static inline struct ls_timer *fake_first(struct fake_engine *fake)
{
	struct ls_timer *first = NULL;

	for (unsigned int i = 0; i < fake->timer_count; i++) {
		struct ls_timer *timer = fake->timers[i];

		if (!first || timer->deadline < first->deadline ||
		    (timer->deadline == first->deadline && timer->sequence < first->sequence))
			first = timer;
	}
	return first;
}

/* Time passes deadline by deadline, as with a real engine. */
static inline void fake_advance(struct fake_engine *fake, uint64_t now)
{
	struct ls_timer *timer;

	while ((timer = fake_first(fake)) && timer->deadline <= now) {
		if (timer->deadline > fake->now)
			fake->now = timer->deadline;
		fake_disarm(&fake->clock, timer);
		timer->fn(timer, fake->now);
	}
	if (now > fake->now)
		fake->now = now;
}

static inline struct ls_clock *fake_vm_clock(struct ls_engine *engine, int vm)
{
	(void)vm;
	return &((struct fake_engine *)engine)->clock;
}

static inline uint64_t fake_next_deadline(struct ls_engine *engine, int vm)
{
	struct ls_timer *first = fake_first((struct fake_engine *)engine);

	(void)vm;
	return first ? first->deadline : LS_NEVER;
}

static inline void fake_clock_advance(struct ls_engine *engine, int vm, uint64_t now)
{
	(void)vm;
	fake_advance((struct fake_engine *)engine, now);
}

static inline struct fake_vcpu *fake_vcpu(struct ls_engine *engine, int handle)
{
	return ((struct fake_engine *)engine)->vcpus[handle - FAKE_VCPU];
}

static inline uint64_t fake_vcpu_time(struct ls_engine *engine, int vcpu)
{
	return fake_vcpu(engine, vcpu)->local;
}

static inline int fake_run_until(struct ls_engine *engine, int vcpu, uint64_t until)
{
	fake_vcpu(engine, vcpu)->until = until;
	return 0;
}

static inline int fake_limit(struct ls_engine *engine, int vcpu, uint64_t n)
{
	fake_vcpu(engine, vcpu)->limit = n;
	return 0;
}

static inline bool fake_runnable(struct ls_engine *engine, int vcpu)
{
	return !fake_vcpu(engine, vcpu)->waiting;
}

static inline void fake_written(struct ls_engine *engine, int vm, uint64_t gpa, uint64_t len)
{
	struct fake_engine *fake = (struct fake_engine *)engine;

	(void)vm;
	fake->writes_told++;
	fake->last_written = gpa;
	fake->last_length = len;
}

static inline int fake_model(struct ls_engine *engine, const char *spec, unsigned int index,
			     unsigned int count, struct kvm_cpuid2 *cpuid, struct ls_error *err)
{
	(void)engine;
	(void)index;
	(void)count;
	if (spec && strcmp(spec, "fake"))
		return ls_error_set(err, -ENOENT, "unknown CPU '%s'", spec);
	cpuid->nent = 0;
	return 0;
}

static inline int fake_stats(struct ls_engine *engine, int vcpu, struct ls_vcpu_stats *stats)
{
	stats->instructions = fake_vcpu(engine, vcpu)->instructions;
	return 0;
}

static const struct ls_extension fake_extension = {
	.vm_clock = fake_vm_clock,
	.clock_next_deadline = fake_next_deadline,
	.clock_advance = fake_clock_advance,
	.vcpu_time = fake_vcpu_time,
	.vcpu_run_until = fake_run_until,
	.vcpu_limit = fake_limit,
	.vcpu_runnable = fake_runnable,
	.memory_written = fake_written,
	.cpu_model = fake_model,
	.vcpu_stats = fake_stats,
};

/* Takes up to @n ns of local time, as far as the bounds allow; true if a bound stopped it. */
static inline bool fake_execute(struct fake_engine *fake, unsigned int index, uint64_t n)
{
	struct fake_vcpu *vcpu = fake->vcpus[index];
	struct ls_timer *first = fake_first(fake);
	uint64_t end;
	bool bound;

	if (vcpu->local < fake->now)
		vcpu->local = fake->now;
	end = vcpu->local + n;
	if (vcpu->until < end)
		end = vcpu->until;
	if (first && first->deadline < end)
		end = first->deadline;
	if (end < vcpu->local)
		end = vcpu->local;
	if (end - vcpu->local > vcpu->limit)
		end = vcpu->local + vcpu->limit;
	bound = end - vcpu->local < n;
	vcpu->instructions += end - vcpu->local;
	if (vcpu->limit != LS_NEVER)
		vcpu->limit -= end - vcpu->local;
	vcpu->local = end;
	if (bound)
		((struct kvm_run *)vcpu->run)->exit_reason = LS_EXIT_BOUND;
	return bound;
}

static inline int fake_run(struct fake_engine *fake, unsigned int index)
{
	struct fake_vcpu *vcpu = fake->vcpus[index];
	struct kvm_run *run = (struct kvm_run *)vcpu->run;

	if (__atomic_load_n(&run->immediate_exit, __ATOMIC_SEQ_CST)) {
		vcpu->completions++;
		run->exit_reason = KVM_EXIT_INTR;
		return -EINTR;
	}
	vcpu->runs++;
	return fake->on_run ? fake->on_run(fake, index) : -EIO;
}

static inline int fake_create_vcpu(struct fake_engine *fake, unsigned long index)
{
	struct fake_vcpu *vcpu = aligned_alloc(4096, sizeof(*vcpu));

	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->limit = vcpu->until = LS_NEVER;
	vcpu->regs.rip = 0xfff0;
	vcpu->sregs.cs.base = 0xffff0000;
	vcpu->sregs.cs.selector = 0xf000;
	fake->vcpus[index] = vcpu;
	fake->vcpu_count++;
	return FAKE_VCPU + (int)index;
}

static inline void fake_irq_line(struct fake_engine *fake, const struct kvm_irq_level *line)
{
	if (fake->irq_count < FAKE_LOG)
		fake->irqs[fake->irq_count++] = (struct fake_irq){line->irq, line->level};
	if (line->level && !fake->level[line->irq])
		fake->rises[line->irq]++;
	fake->level[line->irq] = line->level;
}

static inline int fake_vcpu_ioctl(struct fake_engine *fake, unsigned int index,
				  unsigned long request, void *arg)
{
	struct fake_vcpu *vcpu = fake->vcpus[index];

	switch (request) {
	case KVM_RUN:
		return fake_run(fake, index);
	case KVM_GET_REGS:
		memcpy(arg, &vcpu->regs, sizeof(vcpu->regs));
		return 0;
	case KVM_SET_REGS:
		memcpy(&vcpu->regs, arg, sizeof(vcpu->regs));
		return 0;
	case KVM_GET_SREGS:
		memcpy(arg, &vcpu->sregs, sizeof(vcpu->sregs));
		return 0;
	case KVM_SET_SREGS:
		memcpy(&vcpu->sregs, arg, sizeof(vcpu->sregs));
		fake->resets++;
		return 0;
	case KVM_SET_CPUID2:
		return 0;
	}
	return -EINVAL;
}

static inline int fake_offers(unsigned long cap)
{
	return cap == KVM_CAP_USER_MEMORY || cap == KVM_CAP_EXT_CPUID || cap == KVM_CAP_IRQCHIP ||
	       cap == KVM_CAP_IRQ_ROUTING || cap == KVM_CAP_SIGNAL_MSI ||
	       cap == KVM_CAP_IMMEDIATE_EXIT || cap == KVM_CAP_XSAVE ||
	       cap == KVM_CAP_DEBUGREGS || cap == KVM_CAP_VCPU_EVENTS || cap == KVM_CAP_MP_STATE;
}

static inline int fake_ioctl(struct ls_engine *engine, int handle, unsigned long request,
			     unsigned long arg)
{
	struct fake_engine *fake = (struct fake_engine *)engine;

	if (handle >= FAKE_VCPU)
		return fake_vcpu_ioctl(fake, (unsigned int)(handle - FAKE_VCPU), request,
				       (void *)arg);
	switch (request) {
	case KVM_CHECK_EXTENSION:
		return fake_offers(arg);
	case KVM_GET_SUPPORTED_CPUID:
		((struct kvm_cpuid2 *)arg)->nent = 0;
		return 0;
	case KVM_CREATE_VM:
		return FAKE_VM;
	case KVM_CREATE_VCPU:
		return fake_create_vcpu(fake, arg);
	case KVM_IOEVENTFD:
		fake->event = *(struct kvm_ioeventfd *)arg;
		fake->event_count++;
		return 0;
	case KVM_CREATE_IRQCHIP:
	case KVM_SET_GSI_ROUTING:
		return 0;
	case KVM_CREATE_PIT2:
		fake->has_pit = true;
		return 0;
	case KVM_IRQ_LINE:
		fake_irq_line(fake, (void *)arg);
		return 0;
	case KVM_SIGNAL_MSI:
		fake->msi = *(struct kvm_msi *)arg;
		fake->msi_count++;
		return 1;
	case KVM_SET_USER_MEMORY_REGION:
		fake->slots[fake->slot_count++] = *(struct kvm_userspace_memory_region *)arg;
		return 0;
	}
	return -EINVAL;
}

static inline struct kvm_run *fake_mmap(struct ls_engine *engine, int vcpu)
{
	return (struct kvm_run *)fake_vcpu(engine, vcpu)->run;
}

static inline void fake_kick(struct ls_engine *engine, int vcpu)
{
	(void)vcpu;
	__atomic_add_fetch(&((struct fake_engine *)engine)->kicks, 1, __ATOMIC_RELAXED);
}

static inline void fake_close(struct ls_engine *engine, int handle)
{
	struct fake_engine *fake = (struct fake_engine *)engine;

	if (handle >= FAKE_VCPU)
		free(fake->vcpus[handle - FAKE_VCPU]);
	if (handle == LS_SYSTEM)
		free(fake);
}

static inline struct ls_engine *fake_open(struct ls_error *err);

static const struct ls_engine_ops fake_ops = {
	.name = "fake",
	.summary = "for tests",
	.open = fake_open,
	.ioctl = fake_ioctl,
	.mmap = fake_mmap,
	.kick = fake_kick,
	.close = fake_close,
};

static inline struct ls_engine *fake_open(struct ls_error *err)
{
	struct fake_engine *fake = calloc(1, sizeof(*fake));

	(void)err;
	fake->base.ops = &fake_ops;
	fake->extension = fake_extension;
	fake->base.ext = &fake->extension;
	fake->clock = (struct ls_clock){
		.now = fake_now, .arm = fake_arm, .restore = fake_restore, .disarm = fake_disarm};
	return &fake->base;
}

/* static const struct ls_engine_ops @ops: the fake with another ioctl, with what @change makes of
 * its extension (NULL: nothing), and with more members of the ops behind that. */
#define FAKE_VARIANT(ops_, ioctl_, change_, ...)                                                   \
	static struct ls_engine *ops_##_open(struct ls_error *err);                                \
	static const struct ls_engine_ops ops_ = {.name = #ops_,                                   \
						  .open = ops_##_open,                             \
						  .ioctl = ioctl_,                                 \
						  .mmap = fake_mmap,                               \
						  .kick = fake_kick,                               \
						  .close = fake_close,                             \
						  __VA_ARGS__};                                    \
	static struct ls_engine *ops_##_open(struct ls_error *err)                                 \
	{                                                                                          \
		struct ls_engine *engine = fake_open(err);                                         \
		void (*change)(struct ls_extension * extension) = change_;                         \
		engine->ops = &ops_;                                                               \
		if (change)                                                                        \
			change(&((struct fake_engine *)engine)->extension);                        \
		return engine;                                                                     \
	}

/* The fake with one capability otherwise. */
#define FAKE_CAPABILITY(ops_, capability_, answer_)                                                \
	static int ops_##_ioctl(struct ls_engine *engine, int handle, unsigned long request,       \
				unsigned long arg)                                                 \
	{                                                                                          \
		if (request == KVM_CHECK_EXTENSION && arg == (capability_))                        \
			return answer_;                                                            \
		return fake_ioctl(engine, handle, request, arg);                                   \
	}                                                                                          \
	FAKE_VARIANT(ops_, ops_##_ioctl, NULL)

/* --- what tests do with it --- */

struct fake_output {
	char text[4096];
	size_t used;
};

static inline void fake_take_output(void *opaque, const uint8_t *bytes, size_t n)
{
	struct fake_output *output = opaque;

	if (n > sizeof(output->text) - 1 - output->used)
		n = sizeof(output->text) - 1 - output->used;
	memcpy(output->text + output->used, bytes, n);
	output->used += n;
	output->text[output->used] = 0;
}

/* 16 MiB, one vCPU, nothing loaded, no PCI. */
static inline struct machine_config fake_config(void)
{
	return (struct machine_config){.engine = &fake_ops, .memory = 16 << 20, .no_pci = true};
}

static inline struct machine *fake_machine(void)
{
	struct machine_config config = fake_config();

	return machine_create(&config, NULL);
}

static inline struct fake_engine *fake_of(struct machine *machine)
{
	return (struct fake_engine *)machine_engine(machine);
}

static inline uint8_t in8(struct machine *machine, uint16_t port)
{
	return (uint8_t)bus_read(machine_ports(machine), port, 1);
}

static inline void out8(struct machine *machine, uint16_t port, uint8_t value)
{
	bus_write(machine_ports(machine), port, 1, value);
}

/* A file for the time of a test. */
static inline char *fake_file(const void *bytes, size_t n)
{
	char *path = strdup("/tmp/lockstep-test-XXXXXX");
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");

	fwrite(bytes, 1, n, file);
	fclose(file);
	return path;
}

#endif
