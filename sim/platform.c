/* SPDX-License-Identifier: Apache-2.0 */
/* What a processor asks of the VM around it. */
#include "sim/cpu/recorder.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/wait.h"
#include "sim/vm.h"

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

void platform_resume_wait(struct vcpu *vcpu)
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
	platform_resume_wait(vcpu);
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

void platform_resume_vendor_timer(struct vcpu *vcpu)
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
	platform_resume_vendor_timer(vcpu);
	clock->arm(clock, &vcpu->vendor_timer, until);
	platform_give(cpu);
}

const struct cpu_platform vcpu_platform = {
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
