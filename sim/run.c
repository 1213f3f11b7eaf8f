/* SPDX-License-Identifier: Apache-2.0 */
/* KVM_RUN: from bounds to budgets, from the interpreter's exits to KVM's. */
#include <errno.h>

#include "sim/cpu/flags.h"
#include "sim/cpu/pmu.h"
#include "sim/cpu/segment.h"
#include "sim/vm.h"

/* Without a bound, how long a vCPU runs before it looks at the clock others keep. */
#define SLICE_NS 100000

u64 sim_vcpu_time(const struct vcpu *vcpu)
{
	return cpu_time(&vcpu->cpu);
}

bool sim_vcpu_runnable(struct vcpu *vcpu)
{
	return vcpu->cpu.activity == ACTIVITY_RUNNING || vcpu->io_pending ||
	       event_pending(&vcpu->cpu);
}

void vcpu_wake(struct vcpu *vcpu)
{
	sem_post(&vcpu->wake); /* needs no lock, so a kick may come from a signal handler */
}

/* --- accesses that user space answers --- */

static void show_port(struct vcpu *vcpu, const struct cpu_io *io, unsigned int n)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = io->fragment[n].write ? KVM_EXIT_IO_OUT : KVM_EXIT_IO_IN;
	run->io.size = io->fragment[n].size;
	run->io.port = io->fragment[n].address;
	run->io.count = 1;
	run->io.data_offset = SIM_PIO_OFFSET;
	__builtin_memcpy((u8 *)run + SIM_PIO_OFFSET, &io->fragment[n].data, 8);
}

static void show_mmio(struct vcpu *vcpu, const struct cpu_io *io, unsigned int n)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = io->fragment[n].address;
	run->mmio.len = io->fragment[n].size;
	run->mmio.is_write = io->fragment[n].write;
	__builtin_memcpy(run->mmio.data, &io->fragment[n].data, 8);
}

static void show_io(struct vcpu *vcpu)
{
	const struct cpu_io *io = &vcpu->cpu.io;

	vcpu->io_pending = true;
	if (io->fragment[io->completed].msr_reason)
		vcpu_show_msr(vcpu, &io->fragment[io->completed]);
	else if (io->fragment[io->completed].port)
		show_port(vcpu, io, io->completed);
	else
		show_mmio(vcpu, io, io->completed);
}

/* Where user space has left what was asked for. */
static const void *answer_of(const struct vcpu *vcpu, const struct cpu_io_access *access)
{
	if (access->msr_reason)
		return &vcpu->run->msr.data;
	return access->port ? (const u8 *)vcpu->run + SIM_PIO_OFFSET : vcpu->run->mmio.data;
}

static void take_answer(struct vcpu *vcpu)
{
	struct cpu_io *io = &vcpu->cpu.io;
	struct cpu_io_access *access = &io->fragment[io->completed];

	vcpu->io_pending = false;
	if (!access->write)
		__builtin_memcpy(&access->data, answer_of(vcpu, access), access->size);
	access->msr_error = access->msr_reason && vcpu->run->msr.error;
	io->completed++;
}

/* --- time --- */

/* The vCPU may have slept: its time is not behind the VM's. */
static void catch_up(struct vcpu *vcpu)
{
	u64 own = sim_vcpu_time(vcpu);

	if (own < vcpu->vm->clock.time)
		vcpu->cpu.time_base += vcpu->vm->clock.time - own;
}

static u64 least(u64 a, u64 b)
{
	return a < b ? a : b;
}

/* Instructions until the nearest of bound, deadline, limit and a counter's overflow. */
static u64 find_budget(struct vcpu *vcpu)
{
	u64 now = sim_vcpu_time(vcpu), end = vcpu->until, retired = cpu_retired(&vcpu->cpu);
	u64 deadline = sim_clock_next(&vcpu->vm->clock), budget;

	if (end == LS_NEVER)
		end = now + SLICE_NS;
	/* Where it runs on its own, a deadline that has come is the business of others. */
	if (vcpu->until != LS_NEVER || (vcpu->drives_clock && deadline > now))
		end = least(end, deadline);
	vcpu->cpu.time_bound = end;
	budget = end > now ? end - now : 0;
	if (vcpu->limit != LS_NEVER)
		budget = least(budget, vcpu->limit > retired ? vcpu->limit - retired : 0);
	budget = least(budget, pmu_instructions_left(&vcpu->cpu));
	return least(budget, INT64_MAX); /* budgets are signed */
}

/* Under vm->lock. */
static enum cpu_exit run_guest(struct vcpu *vcpu, u64 budget)
{
	struct vm *vm = vcpu->vm;
	enum cpu_exit exit;

	cpu_set_budget(&vcpu->cpu, (s64)budget);
	bus_enter(vcpu);
	vcpu->runner = pthread_self();
	vm_lock_give(&vm->lock);
	exit = cpu_run(&vcpu->cpu);
	vm_lock_take(&vm->lock);
	bus_leave(vcpu);
	pmu_settle(&vcpu->cpu);
	return exit;
}

static bool bounded(const struct vcpu *vcpu)
{
	return vcpu->until != LS_NEVER;
}

static void need_user_space(struct vm *vm)
{
	if (vm->watch_time.fn)
		vm->watch_time.fn(vm->watch_time.opaque);
}

/* Deadlines of the engine's own chips need not leave KVM_RUN. */
static void drive_clock(struct vcpu *vcpu)
{
	struct sim_clock *clock = &vcpu->vm->clock;

	if (!vcpu->drives_clock)
		return;
	if (bounded(vcpu))
		sim_clock_advance_chips(clock, sim_vcpu_time(vcpu));
	else if (!sim_clock_follow(clock, sim_vcpu_time(vcpu)))
		need_user_space(vcpu->vm);
}

static bool bound_reached(const struct vcpu *vcpu)
{
	return (bounded(vcpu) && (sim_vcpu_time(vcpu) >= vcpu->until ||
				  sim_vcpu_time(vcpu) >= sim_clock_next(&vcpu->vm->clock))) ||
	       cpu_retired(&vcpu->cpu) >= vcpu->limit;
}

/* What was posted before the caller's last look is counted, too: it only looks once more. */
static void sleep_until_woken(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	vcpu->asleep = true;
	if (++vm->asleep == vm->vcpus)
		need_user_space(vm);
	vm_lock_give(&vm->lock);
	while (sem_wait(&vcpu->wake) && errno == EINTR)
		;
	while (!sem_trywait(&vcpu->wake))
		;
	vm_lock_take(&vm->lock);
	vm->asleep--;
	vcpu->asleep = false;
}

/* HLT: without interrupt chips here it is user space's business (api.rst, KVM_EXIT_HLT), with a
 * bound the scheduler's; else this thread sleeps here. Returns KVM_RUN's result, or 1 to go on. */
static int halted(struct vcpu *vcpu)
{
	if (!vcpu->vm->irqchip)
		vcpu->cpu.activity = ACTIVITY_RUNNING; /* as KVM: the next run goes on behind it */
	if (bounded(vcpu) || !vcpu->vm->irqchip) {
		vcpu->run->exit_reason = KVM_EXIT_HLT;
		return 0;
	}
	while (!event_pending(&vcpu->cpu)) {
		if (vcpu->cpu.event & EVENT_KICK || vcpu->run->immediate_exit)
			return 1;
		sleep_until_woken(vcpu);
	}
	catch_up(vcpu);
	return 1;
}

static int interrupted(struct vcpu *vcpu)
{
	vcpu->run->exit_reason = KVM_EXIT_INTR;
	return -EINTR;
}

/* 1: go on; else what KVM_RUN returns. */
static int handle_exit(struct vcpu *vcpu, enum cpu_exit exit)
{
	switch (exit) {
	case CPU_EXIT_IO: show_io(vcpu); return 0;
	case CPU_EXIT_HALT: return halted(vcpu);
	case CPU_EXIT_EVENT: return interrupted(vcpu);
	case CPU_EXIT_TPR: vcpu->run->exit_reason = KVM_EXIT_SET_TPR; return 0;
	case CPU_EXIT_INTERRUPT_WINDOW:
		vcpu->run->exit_reason = KVM_EXIT_IRQ_WINDOW_OPEN;
		return 0;
	case CPU_EXIT_DEBUG: vcpu_show_debug(vcpu); return 0;
	case CPU_EXIT_SHUTDOWN: vcpu->run->exit_reason = KVM_EXIT_SHUTDOWN; return 0;
	default:
		drive_clock(vcpu);
		if (!bound_reached(vcpu)) {
			catch_up(vcpu);
			return 1;
		}
		vcpu->run->exit_reason = LS_EXIT_BOUND;
		return 0;
	}
}

static int run_loop(struct vcpu *vcpu)
{
	int ret;

	do {
		ret = handle_exit(vcpu, run_guest(vcpu, find_budget(vcpu)));
	} while (ret == 1);
	return ret;
}

/* api.rst: with immediate_exit set, an access that was answered is still completed. */
static int run_immediate(struct vcpu *vcpu)
{
	enum cpu_exit exit = CPU_EXIT_BUDGET;

	if (vcpu->cpu.io.completed)
		exit = run_guest(vcpu, 1);
	if (exit == CPU_EXIT_BUDGET || exit == CPU_EXIT_HALT)
		return interrupted(vcpu);
	return handle_exit(vcpu, exit);
}

static int run_open(struct vcpu *vcpu)
{
	int ret = sync_regs_enter(vcpu);

	if (!ret)
		ret = user_irqchip_enter(vcpu);
	if (ret)
		return ret;
	catch_up(vcpu);
	if (vcpu->io_pending)
		take_answer(vcpu);
	ret = vcpu->run->immediate_exit ? run_immediate(vcpu) : run_loop(vcpu);
	user_irqchip_leave(vcpu);
	sync_regs_leave(vcpu);
	vcpu->run->flags = vcpu->cpu.smm ? KVM_RUN_X86_SMM : 0;
	vcpu->exits++;
	return ret;
}

int sim_vcpu_run(struct vcpu *vcpu)
{
	int ret;

	vm_lock_take(&vcpu->vm->lock);
	ret = run_open(vcpu);
	vm_lock_give(&vcpu->vm->lock);
	return ret;
}
