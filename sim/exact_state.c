/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/exact_state.h"

#include "apic/states.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/trace_cache.h"
#include "sim/cpu/vendor.h"
#include "sim/cpu/wait.h"
#include "sim/vm.h"

/* --- vCPUs --- */

#define SIZE(member) sizeof(((struct vcpu *)0)->member)

/* state.def's rows; those that are made of other fields are not kept. */
static const struct record_field architectural[] = {
#define STATE(group, name_, bits, field, struct_, member, manual)                                  \
	{.name = name_,                                                                            \
	 .offset = offsetof(struct vcpu, cpu.field),                                               \
	 .size = SIZE(cpu.field),                                                                  \
	 .count = 1},
#define STATE_ARRAY(group, name_, bits, count_, array, field, struct_, member, manual)             \
	{.name = name_,                                                                            \
	 .offset = offsetof(struct vcpu, cpu.array[0] field),                                      \
	 .size = SIZE(cpu.array[0] field),                                                         \
	 .count = count_,                                                                          \
	 .stride = SIZE(cpu.array[0])},
#define STATE_GET(group, name, bits, function, struct_, member, manual)
#include "sim/cpu/state.def"
#undef STATE
#undef STATE_ARRAY
#undef STATE_GET
};
static const struct record_table architectural_table = {
	.name = "processor", .version = 1, RECORD_FIELDS(architectural)};

#define FIELD(member) RECORD_FIELD(struct vcpu, cpu.member)

/* What the interpreter keeps beside it. */
static const struct record_field internal[] = {
	FIELD(rflags),
	FIELD(flag_result),
	FIELD(flag_aux),
	FIELD(event),
	FIELD(cr8),
	FIELD(nmi_pending),
	FIELD(smi_pending),
	FIELD(init_pending),
	FIELD(sipi_pending),
	FIELD(secure_startup),
	FIELD(machine_check_pending),
	FIELD(exception_due),
	FIELD(exception.vector),
	FIELD(exception.has_error),
	FIELD(exception.error),
	FIELD(exception.address),
	FIELD(exception.injected),
	FIELD(delivering.active),
	FIELD(delivering.vector),
	FIELD(delivering.type),
	FIELD(delivering.has_error),
	FIELD(delivering.error),
	FIELD(delivering.length),
	FIELD(delivering.injected),
	FIELD(guest),
	FIELD(arbitrates),
	FIELD(locks_watched),
	FIELD(guest_tsc.offset),
	FIELD(guest_tsc.multiplier),
	FIELD(guest_tsc.fraction),
	FIELD(nmi_virtual),
	FIELD(iret_keeps_nmi),
	FIELD(nmi_unblocked),
	FIELD(monitor_trap.on),
	FIELD(monitor_trap.due),
	FIELD(last_exception),
	FIELD(rerun_alone),
	FIELD(interrupt_waits),
	FIELD(shadow_running),
	FIELD(rf_running),
	FIELD(no_step),
	FIELD(wait.for_store),
	FIELD(wait.masked_too),
	FIELD(wait.limited),
	FIELD(wait.end),
	FIELD(tsc_khz),
	FIELD(random_count),
	FIELD(retired),
	FIELD(budget),
	FIELD(time_base),
	FIELD(pmu.counting),
	FIELD(pmu.high),
	FIELD(pmu.privileged),
	FIELD(pmu.privilege),
	FIELD(pmu.settled),
	FIELD(pmu.deadline),
	FIELD(stats),
	RECORD_FIELD(struct vcpu, exits),
	RECORD_FIELD_TIMER(struct vcpu, wait),
	RECORD_FIELD_TIMER(struct vcpu, vendor_timer),
};
static const struct record_table internal_table = {
	.name = "interpreter", .version = 4, RECORD_FIELDS(internal)};

/* Whoever saves goes on as whoever loads will: without translations. */
static void forget_translations(struct cpu *cpu)
{
	cpu_flush_all(cpu);
	trace_cache_flush(cpu);
	if (cpu->vendor->settle)
		cpu->vendor->settle(cpu);
}

int exact_save_vcpu(struct vcpu *vcpu, struct record_buffer *to, struct ls_error *err)
{
	if (vcpu->io_pending || vcpu->cpu.io.completed)
		return ls_error_set(err, -EBUSY, "vCPU %u waits for an access to be answered",
				    vcpu->id);
	forget_translations(&vcpu->cpu);
	record_encode(to, &architectural_table, vcpu);
	record_encode(to, &internal_table, vcpu);
	exact_save_model(&vcpu->cpu, to);
	if (vcpu->vm->irqchip)
		record_encode(to, &lapic_state_table, &vcpu->lapic);
	return 0;
}

/* A store to the line that is monitored, or that it waits for by now, is to be seen again. */
static void watch_line(struct cpu *cpu)
{
	bool armed = cpu->monitor.armed;

	if (!armed && !(cpu->activity == ACTIVITY_WAITING && cpu->wait.for_store))
		return;
	monitor_arm(cpu, cpu->monitor.gpa);
	cpu->monitor.armed = armed;
}

static void settle(struct vcpu *vcpu)
{
	struct cpu *cpu = &vcpu->cpu;

	cpu->event &= ~(u32)(EVENT_KICK | EVENT_SHOOTDOWN);
	cpu->single = false;
	cpu_update_mode(cpu);
	forget_translations(cpu);
	watch_line(cpu);
	if (vcpu->wait.deadline != LS_NEVER)
		platform_resume_wait(vcpu);
	platform_resume_vendor_timer(vcpu);
}

int exact_load_vcpu(struct vcpu *vcpu, struct record_reader *from, struct ls_error *err)
{
	struct ls_clock *clock = &vcpu->vm->clock.base;
	int ret = record_decode(from, &architectural_table, vcpu, clock, err);

	if (!ret)
		ret = record_decode(from, &internal_table, vcpu, clock, err);
	if (!ret)
		ret = exact_load_model(&vcpu->cpu, from, err);
	if (!ret && vcpu->vm->irqchip)
		ret = record_decode(from, &lapic_state_table, &vcpu->lapic, clock, err);
	if (!ret)
		settle(vcpu);
	return ret;
}

/* --- the VM --- */

static const struct record_field vm_fields[] = {
	RECORD_FIELD_SAME(struct vm, irqchip), RECORD_FIELD_SAME(struct vm, has_pit),
	RECORD_FIELD(struct vm, clock.time),   RECORD_FIELD(struct vm, clock.sequence),
	RECORD_FIELD(struct vm, clock_offset),
};
static const struct record_table vm_table = {.name = "VM", .version = 1, RECORD_FIELDS(vm_fields)};

static const struct record_field chip_fields[] = {
	RECORD_FIELD_OBJECT(struct vm, ioapic, &ioapic_state_table),
	RECORD_FIELD_OBJECT(struct vm, pic, &pic_state_table),
};
static const struct record_table chip_table = {
	.name = "interrupt chips", .version = 1, RECORD_FIELDS(chip_fields)};

int exact_save_vm(struct vm *vm, struct record_buffer *to, struct ls_error *err)
{
	(void)err;
	record_encode(to, &vm_table, vm);
	if (vm->irqchip)
		record_encode(to, &chip_table, vm);
	if (vm->has_pit)
		record_encode(to, &pit_state_table, &vm->pit);
	return 0;
}

int exact_load_vm(struct vm *vm, struct record_reader *from, struct ls_error *err)
{
	struct ls_clock *clock = &vm->clock.base;
	int ret = record_decode(from, &vm_table, vm, clock, err);

	if (!ret && vm->irqchip)
		ret = record_decode(from, &chip_table, vm, clock, err);
	if (!ret && vm->has_pit)
		ret = record_decode(from, &pit_state_table, &vm->pit, clock, err);
	return ret;
}
