/* SPDX-License-Identifier: Apache-2.0 */
/* What a local APIC tells its vCPU, and asks of it. */
#include "sim/cpu/recorder.h"
#include "sim/cpu/segment.h"
#include "sim/vm.h"

/* Under vm->lock. A vCPU that is awake looks at its events before it sleeps. */
static void post(struct vcpu *vcpu, u32 event)
{
	__atomic_fetch_or(&vcpu->cpu.event, event, __ATOMIC_RELEASE);
	if (vcpu->asleep)
		vcpu_wake(vcpu);
}

static void lapic_changed(void *owner)
{
	struct vcpu *vcpu = owner;
	struct cpu *cpu = &vcpu->cpu;

	/* Outside the guest its registers stand still: what RFLAGS.IF holds back need not be
	 * posted. */
	if (!vcpu->in_guest && !cpu->arbitrates && !(cpu->rflags & FLAG_IF))
		cpu->interrupt_waits = true;
	else
		event_post(cpu, EVENT_INTERRUPT);
	if (vcpu->asleep)
		vcpu_wake(vcpu);
}

static void lapic_nmi(void *owner)
{
	post(owner, EVENT_NMI);
}

static void lapic_smi(void *owner)
{
	post(owner, EVENT_SMI);
}

/* INIT and the SIPI after it may both arrive before the vCPU's turn; a SIPI before INIT is lost. */
static void lapic_init_ipi(void *owner)
{
	struct vcpu *vcpu = owner;

	__atomic_fetch_and(&vcpu->cpu.event, ~EVENT_SIPI, __ATOMIC_RELEASE);
	post(vcpu, EVENT_INIT);
}

static void lapic_sipi(void *owner, uint8_t vector)
{
	struct vcpu *vcpu = owner;

	vcpu->cpu.sipi_vector = vector;
	post(vcpu, EVENT_SIPI);
}

static void lapic_doorbell(void *owner)
{
	post(owner, EVENT_VENDOR);
}

static int lapic_inta(void *owner)
{
	struct vcpu *vcpu = owner;

	return pic_acknowledge(&vcpu->vm->pic);
}

static uint64_t lapic_tsc_now(void *owner)
{
	struct vcpu *vcpu = owner;
	struct ls_clock *clock = &vcpu->vm->clock.base;
	u64 now = clock->now(clock), own = cpu_time(&vcpu->cpu);

	return cpu_tsc_at(&vcpu->cpu, own > now ? own : now);
}

static uint64_t lapic_tsc_to_ns(void *owner, uint64_t tsc)
{
	struct vcpu *vcpu = owner;

	return cpu_tsc_to_time(&vcpu->cpu, tsc);
}

/* By the thread that runs the vCPU, or while none does: a sink has no lock. */
static bool may_record(const struct vcpu *vcpu)
{
	return vcpu->cpu.recorder &&
	       (!vcpu->in_guest || pthread_equal(vcpu->runner, pthread_self()));
}

static void lapic_noted(void *owner, enum lapic_note note, uint64_t value)
{
	struct vcpu *vcpu = owner;
	struct cpu *cpu = &vcpu->cpu;

	if (likely(!cpu->recorder) || !may_record(vcpu))
		return;
	switch (note) {
	case LAPIC_NOTE_ACCEPTED:
	case LAPIC_NOTE_ACCEPTED_LEVEL:
		RECORD(cpu, INTERRUPT_ACCEPTED, .vector = value,
		       .level = note == LAPIC_NOTE_ACCEPTED_LEVEL);
		break;
	case LAPIC_NOTE_EOI:
		RECORD(cpu, INTERRUPT_EOI, .vector = value);
		break;
	default:
		RECORD(cpu, APIC_TIMER, .expired = note == LAPIC_NOTE_TIMER_EXPIRED, .time = value);
	}
}

const struct lapic_ops lapic_owner_ops = {
	.changed = lapic_changed,
	.nmi = lapic_nmi,
	.smi = lapic_smi,
	.init = lapic_init_ipi,
	.sipi = lapic_sipi,
	.doorbell = lapic_doorbell,
	.inta = lapic_inta,
	.tsc_now = lapic_tsc_now,
	.tsc_to_ns = lapic_tsc_to_ns,
	.note = lapic_noted,
};
