/* SPDX-License-Identifier: Apache-2.0 */
/* KVM's in-kernel interrupt chips, and what a processor asks of the VM around it. */
#include <stdlib.h>

#include "sim/cpu/recorder.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/wait.h"
#include "sim/vm.h"

/* --- what the local APIC tells its vCPU --- */

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

	/* Outside the guest its registers stand still: what RFLAGS.IF holds back need not be posted. */
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
		RECORD(cpu, APIC_TIMER, .expired = note == LAPIC_NOTE_TIMER_EXPIRED,
		       .time = value);
	}
}

const struct lapic_ops irqchip_lapic_ops = {
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

/* --- wires between the chips --- */

static void bus_eoi(void *opaque, uint8_t vector)
{
	struct vm *vm = opaque;

	ioapic_eoi(&vm->ioapic, vector);
}

static int ioapic_deliver(void *opaque, const struct apic_message *message, bool *coalesced)
{
	struct vm *vm = opaque;

	return apic_bus_send_device(&vm->bus, message, coalesced);
}

static void pic_intr(void *opaque, bool level)
{
	struct vm *vm = opaque;

	apic_bus_set_lint(&vm->bus, 0, level);
}

static void pit_out(void *opaque, bool level)
{
	struct vm *vm = opaque;

	irq_routing_set_line(&vm->routing, 0, IRQ_SOURCE_PIT, level);
}

static const struct apic_bus_ops bus_ops = {.eoi = bus_eoi};
static const struct ioapic_ops ioapic_ops = {.deliver = ioapic_deliver};
static const struct pic_ops pic_ops = {.output = pic_intr};
static const struct pit_ops pit_ops = {.irq = pit_out};

int irqchip_create(struct vm *vm)
{
	const struct irq_targets targets = {&vm->pic, &vm->ioapic, &vm->bus, false};

	if (vm->irqchip)
		return -EEXIST;
	if (vm->vcpus)
		return -EINVAL;
	vm->routes = calloc(IRQ_ROUTING_MAX, sizeof(*vm->routes));
	if (!vm->routes)
		return -ENOMEM;
	apic_bus_init(&vm->bus, &bus_ops, vm);
	ioapic_init(&vm->ioapic, IOAPIC_VERSION_ICH, &ioapic_ops, vm);
	pic_init(&vm->pic, &pic_ops, vm);
	irq_routing_init(&vm->routing, vm->routes, IRQ_ROUTING_MAX, &targets);
	irq_routing_set_identity(&vm->routing);
	vm->irqchip = true;
	return 0;
}

int irqchip_create_pit(struct vm *vm)
{
	if (!vm->irqchip)
		return -ENOENT;
	if (vm->has_pit)
		return -EEXIST;
	pit_init(&vm->pit, &vm->clock.base, &pit_ops, vm);
	vm->has_pit = true;
	return 0;
}

/* --- accesses of a processor --- */

static void record_apic(struct vcpu *vcpu, u64 offset, const void *data, unsigned int size,
			bool write)
{
	u64 value = 0;

	__builtin_memcpy(&value, data, size < 8 ? size : 8);
	RECORD(&vcpu->cpu, APIC_ACCESS, .offset = offset, .write = write, .value = value);
}

static bool mmio_access(struct vcpu *vcpu, u64 gpa, void *data, unsigned int size, bool write)
{
	struct vm *vm = vcpu->vm;

	if (!vm->irqchip)
		return false;
	if (lapic_mmio_claims(&vcpu->lapic, gpa)) {
		if (write)
			lapic_mmio_write(&vcpu->lapic, gpa & PAGE_OFFSET_MASK, data, size);
		else
			lapic_mmio_read(&vcpu->lapic, gpa & PAGE_OFFSET_MASK, data, size);
		record_apic(vcpu, gpa & PAGE_OFFSET_MASK, data, size, write);
		return true;
	}
	if (!ioapic_claims(&vm->ioapic, gpa))
		return false;
	if (write)
		ioapic_mmio_write(&vm->ioapic, gpa - vm->ioapic.base, data, size);
	else
		ioapic_mmio_read(&vm->ioapic, gpa - vm->ioapic.base, data, size);
	return true;
}

static bool port_byte(struct vm *vm, u16 port, u8 *byte, bool write)
{
	if (write)
		return pic_write(&vm->pic, port, *byte) ||
		       (vm->has_pit && pit_write(&vm->pit, port, *byte));
	return pic_read(&vm->pic, port, byte) || (vm->has_pit && pit_read(&vm->pit, port, byte));
}

/* Wider accesses fall to neighbouring ports byte by byte, as on a bus of 8-bit devices. */
static bool port_access(struct vm *vm, u16 port, u8 *data, unsigned int size, bool write)
{
	unsigned int n;

	if (!vm->irqchip || !port_byte(vm, port, data, write))
		return false;
	for (n = 1; n < size; n++)
		if (!port_byte(vm, port + n, data + n, write) && !write)
			data[n] = 0xff;
	return true;
}

static void platform_take(struct cpu *cpu)
{
	vm_lock_take(&cpu_vcpu(cpu)->vm->lock);
}

static void platform_give(struct cpu *cpu)
{
	vm_lock_give(&cpu_vcpu(cpu)->vm->lock);
}

static bool platform_mmio(struct cpu *cpu, u64 gpa, void *data, unsigned int size, bool write)
{
	bool answered;

	platform_take(cpu);
	answered = mmio_access(cpu_vcpu(cpu), gpa, data, size, write);
	platform_give(cpu);
	return answered;
}

static bool platform_port(struct cpu *cpu, u16 port, void *data, unsigned int size, bool write)
{
	bool answered;

	platform_take(cpu);
	answered = port_access(cpu_vcpu(cpu)->vm, port, data, size, write);
	platform_give(cpu);
	return answered;
}

static void platform_code_made(struct cpu *cpu, u64 gpa)
{
	shootdown_others(cpu_vcpu(cpu), gpa, false);
}

static void platform_code_written(struct cpu *cpu, u64 gpa)
{
	shootdown_others(cpu_vcpu(cpu), gpa, true);
}

/* Between two instructions: another vCPU may also want the bus. */
static void platform_shootdown(struct cpu *cpu)
{
	platform_take(cpu);
	bus_enter(cpu_vcpu(cpu));
	platform_give(cpu);
}

static void platform_bus_lock(struct cpu *cpu)
{
	bus_own(cpu_vcpu(cpu));
}

static void platform_bus_unlock(struct cpu *cpu)
{
	bus_give(cpu_vcpu(cpu));
}

static void platform_entry_refused(struct cpu *cpu, const char *text)
{
	struct vm *vm = cpu_vcpu(cpu)->vm;

	if (vm->watch_refusals.fn)
		vm->watch_refusals.fn(vm->watch_refusals.opaque, cpu_vcpu(cpu)->id, text);
}

/* IRQ 13, as a PC wires FERR#. */
static void platform_ferr(struct cpu *cpu)
{
	struct vm *vm = cpu_vcpu(cpu)->vm;

	if (!vm->irqchip)
		return;
	platform_take(cpu);
	irq_routing_set_line(&vm->routing, 13, IRQ_SOURCE_DEVICE, true);
	irq_routing_set_line(&vm->routing, 13, IRQ_SOURCE_DEVICE, false);
	platform_give(cpu);
}

static void wait_fired(struct ls_timer *timer, uint64_t now)
{
	struct vcpu *vcpu = timer->opaque;

	(void)now;
	wait_expire(&vcpu->cpu);
	vcpu_wake(vcpu);
}

void irqchip_resume_wait(struct vcpu *vcpu)
{
	vcpu->wait.fn = wait_fired;
	vcpu->wait.opaque = vcpu;
}

/* Where user space has the chips it would have to know of this: as under KVM, nobody waits then. */
static bool platform_wait(struct cpu *cpu, u64 until)
{
	struct vcpu *vcpu = cpu_vcpu(cpu);
	struct ls_clock *clock = &vcpu->vm->clock.base;

	if (!vcpu->vm->irqchip)
		return false;
	platform_take(cpu);
	irqchip_resume_wait(vcpu);
	clock->arm(clock, &vcpu->wait, until);
	platform_give(cpu);
	return true;
}

static void vendor_timer_fired(struct ls_timer *timer, uint64_t now)
{
	struct vcpu *vcpu = timer->opaque;

	(void)now;
	event_post(&vcpu->cpu, EVENT_VENDOR);
	vcpu_wake(vcpu);
}

void irqchip_resume_vendor_timer(struct vcpu *vcpu)
{
	vcpu->vendor_timer.fn = vendor_timer_fired;
	vcpu->vendor_timer.opaque = vcpu;
}

/* SKINIT senses which processors are in that state (APM 2:15.27.8). */
static void platform_secure_startup(struct cpu *cpu)
{
	const struct vm *vm = cpu_vcpu(cpu)->vm;

	for (unsigned int n = 0; n < vm->vcpus; n++) {
		struct cpu *other = &vm->vcpu[n]->cpu;

		if (other != cpu && other->activity == ACTIVITY_WAIT_SIPI)
			__atomic_store_n(&other->secure_startup, true, __ATOMIC_RELEASE);
	}
}

static void platform_vendor_timer(struct cpu *cpu, u64 until)
{
	struct vcpu *vcpu = cpu_vcpu(cpu);
	struct ls_clock *clock = &vcpu->vm->clock.base;

	if (until == vcpu->vendor_timer.deadline)
		return;
	platform_take(cpu);
	irqchip_resume_vendor_timer(vcpu);
	clock->arm(clock, &vcpu->vendor_timer, until);
	platform_give(cpu);
}

const struct cpu_platform irqchip_platform = {
	.mmio = platform_mmio,
	.port = platform_port,
	.pic_acknowledge = user_irqchip_acknowledge,
	.pic_pending = user_irqchip_pending,
	.code_page_made = platform_code_made,
	.code_page_written = platform_code_written,
	.entry_refused = platform_entry_refused,
	.shootdown = platform_shootdown,
	.bus_lock = platform_bus_lock,
	.bus_unlock = platform_bus_unlock,
	.ferr = platform_ferr,
	.wait = platform_wait,
	.vendor_timer = platform_vendor_timer,
	.secure_startup = platform_secure_startup,
	.lock = platform_take,
	.unlock = platform_give,
};

/* --- ioctls --- */

static int irq_line(struct vm *vm, unsigned long request, struct kvm_irq_level *level)
{
	int status = irq_routing_set_line(&vm->routing, level->irq, IRQ_SOURCE_USER, level->level);

	if (request == KVM_IRQ_LINE)
		return 0;
	level->status = status;
	return 0;
}

static int get_irqchip(struct vm *vm, struct kvm_irqchip *chip)
{
	switch (chip->chip_id) {
	case KVM_IRQCHIP_PIC_MASTER:
	case KVM_IRQCHIP_PIC_SLAVE:
		pic_get_state(&vm->pic, chip->chip_id, &chip->chip.pic);
		return 0;
	case KVM_IRQCHIP_IOAPIC: ioapic_get_state(&vm->ioapic, &chip->chip.ioapic); return 0;
	default: return -EINVAL;
	}
}

static int set_irqchip(struct vm *vm, const struct kvm_irqchip *chip)
{
	switch (chip->chip_id) {
	case KVM_IRQCHIP_PIC_MASTER:
	case KVM_IRQCHIP_PIC_SLAVE:
		pic_set_state(&vm->pic, chip->chip_id, &chip->chip.pic);
		return 0;
	case KVM_IRQCHIP_IOAPIC: ioapic_set_state(&vm->ioapic, &chip->chip.ioapic); return 0;
	default: return -EINVAL;
	}
}

static int pit_ioctl(struct vm *vm, unsigned long request, void *arg)
{
	if (!vm->has_pit)
		return -ENXIO;
	if (request == KVM_SET_PIT2)
		return pit_set_state(&vm->pit, arg);
	pit_get_state(&vm->pit, arg);
	return 0;
}

int irqchip_ioctl(struct vm *vm, unsigned long request, unsigned long arg)
{
	const struct kvm_irq_routing *routing;
	const struct kvm_msi *msi;

	if (!vm->irqchip)
		return -ENXIO;
	switch (request) {
	case KVM_IRQ_LINE:
	case KVM_IRQ_LINE_STATUS: return irq_line(vm, request, (void *)arg);
	case KVM_SIGNAL_MSI:
		msi = (const void *)arg;
		return irq_routing_send_msi(&vm->routing.targets,
				    (u64)msi->address_hi << 32 | msi->address_lo, msi->data);
	case KVM_SET_GSI_ROUTING:
		routing = (const void *)arg;
		return irq_routing_set(&vm->routing, routing->entries, routing->nr);
	case KVM_GET_IRQCHIP: return get_irqchip(vm, (void *)arg);
	case KVM_SET_IRQCHIP: return set_irqchip(vm, (const void *)arg);
	case KVM_GET_PIT2:
	case KVM_SET_PIT2: return pit_ioctl(vm, request, (void *)arg);
	default: return -ENOTTY;
	}
}
