/* SPDX-License-Identifier: Apache-2.0 */
/* The APIC-access page (SDM 3C:30.4): accesses go to the virtual-APIC page, or exit. */
#include "apic/lapic.h"
#include "sim/vmx-model/vmx.h"

/* Exit qualification, table 28-6. */
enum access_type { TYPE_READ, TYPE_WRITE, TYPE_FETCH, TYPE_DELIVERY };
#define TYPE_SHIFT 12

enum { READ = 1, WRITE = 2 };

/* What APIC-register virtualization lets through, by register (30.4.2, 30.4.3.1). */
static const u8 virtualized[] = {
	[LAPIC_ID >> 4] = READ | WRITE,
	[LAPIC_VERSION >> 4] = READ,
	[LAPIC_TPR >> 4] = READ | WRITE,
	[LAPIC_EOI >> 4] = READ | WRITE,
	[LAPIC_LDR >> 4] = READ | WRITE,
	[LAPIC_DFR >> 4] = READ | WRITE,
	[LAPIC_SVR >> 4] = READ | WRITE,
	[LAPIC_ISR >> 4 ...(LAPIC_ISR >> 4) + 7] = READ,
	[LAPIC_TMR >> 4 ...(LAPIC_TMR >> 4) + 7] = READ,
	[LAPIC_IRR >> 4 ...(LAPIC_IRR >> 4) + 7] = READ,
	[LAPIC_ESR >> 4] = READ | WRITE,
	[LAPIC_ICR >> 4] = READ | WRITE,
	[LAPIC_ICR_HIGH >> 4] = READ | WRITE,
	[LAPIC_LVT_TIMER >> 4] = READ | WRITE,
	[LAPIC_LVT_THERMAL >> 4] = READ | WRITE,
	[LAPIC_LVT_PERF >> 4] = READ | WRITE,
	[LAPIC_LVT_LINT0 >> 4] = READ | WRITE,
	[LAPIC_LVT_LINT1 >> 4] = READ | WRITE,
	[LAPIC_LVT_ERROR >> 4] = READ | WRITE,
	[LAPIC_TIMER_INITIAL >> 4] = READ | WRITE,
	[LAPIC_TIMER_DIVIDE >> 4] = READ | WRITE,
};

/* Without it the offset has to be the register's own. */
static bool without_registers(struct cpu *cpu, u32 offset, unsigned int way)
{
	if (offset == LAPIC_TPR)
		return true;
	return way == WRITE && VMX_SECONDARY(cpu, VIRTUAL_INTERRUPT_DELIVERY) &&
	       (offset == LAPIC_EOI || offset == LAPIC_ICR);
}

static bool may_virtualize(struct cpu *cpu, u32 offset, unsigned int size, unsigned int way)
{
	if (!VMX_PRIMARY(cpu, TPR_SHADOW) || size > 4 || (offset & 0xf) + size > 4)
		return false;
	if (!VMX_SECONDARY(cpu, APIC_REGISTER))
		return without_registers(cpu, offset, way);
	return offset >> 4 < ARRAY_SIZE(virtualized) && (virtualized[offset >> 4] & way);
}

/* An operation that has written may write there again, but do nothing else with the page. */
static bool hindered(const struct vmx *vmx, u32 offset, unsigned int size, unsigned int way)
{
	return vmx->apic_write.size &&
	       (way == READ || vmx->apic_write.offset != offset || vmx->apic_write.size != size);
}

_Noreturn static void leave(struct cpu *cpu, u32 offset, enum access_type type)
{
	struct vmx_exit *exit = vmx_begin_fault_exit(cpu, REASON_APIC_ACCESS);

	exit->qualification = offset | (cpu->delivering.active ? TYPE_DELIVERY : type)
					       << TYPE_SHIFT;
	if (cpu->op && type != TYPE_FETCH && !cpu->delivering.active)
		exit->length = cpu->op->length;
	vendor_exit(cpu);
}

/* Its consequences follow the instruction, or the delivery of the event, at once. */
static void write(struct cpu *cpu, u32 offset, const void *data, unsigned int size)
{
	struct vmx *vmx = vmx_of(cpu);
	u64 value = 0;

	if (!cpu->single)
		cpu_abandon(cpu, CPU_EXIT_NONE);
	__builtin_memcpy(&value, data, size);
	vmx_virtual_apic_set(cpu, offset, value, size);
	vmx->apic_write.offset = offset;
	vmx->apic_write.size = size;
	event_post(cpu, EVENT_VENDOR);
}

void vmx_apic_access(struct cpu *cpu, u64 address, void *data, unsigned int size,
		     enum vendor_access access)
{
	static const u8 types[] = {[VENDOR_READ] = TYPE_READ,
				   [VENDOR_WRITE] = TYPE_WRITE,
				   [VENDOR_MODIFY] = TYPE_WRITE, /* as #PF would tell */
				   [VENDOR_FETCH] = TYPE_FETCH};
	unsigned int way = access == VENDOR_WRITE ? WRITE : READ;
	u32 offset = address & PAGE_OFFSET_MASK;
	u64 value;

	if (access == VENDOR_FETCH || !may_virtualize(cpu, offset, size, way) ||
	    hindered(vmx_of(cpu), offset, size, way))
		leave(cpu, offset, types[access]);
	if (access == VENDOR_MODIFY && !may_virtualize(cpu, offset, size, WRITE))
		leave(cpu, offset, TYPE_WRITE);
	if (!data)
		return;
	if (access == VENDOR_WRITE) {
		write(cpu, offset, data, size);
		return;
	}
	value = vmx_virtual_apic_get(cpu, offset, size);
	__builtin_memcpy(data, &value, size);
}

/* --- behind the write (30.4.3.2) --- */

static void emulate_command(struct cpu *cpu)
{
	u32 low = vmx_virtual_apic_get(cpu, LAPIC_ICR, 4);
	u32 target = vmx_virtual_apic_get(cpu, LAPIC_ICR_HIGH + 3, 1);

	if (vmx_is_self_ipi(cpu, low))
		vmx_virtualize_self_ipi(cpu, low);
	else if (!vmx_virtualize_ipi(cpu, low, target))
		vmx_exit_behind(cpu, REASON_APIC_WRITE, LAPIC_ICR);
}

static void emulate_eoi(struct cpu *cpu)
{
	if (!VMX_SECONDARY(cpu, VIRTUAL_INTERRUPT_DELIVERY)) {
		vmx_exit_behind(cpu, REASON_APIC_WRITE, LAPIC_EOI);
		return;
	}
	vmx_virtual_apic_set(cpu, LAPIC_EOI, 0, 4);
	vmx_virtualize_eoi(cpu);
}

void vmx_emulate_apic_write(struct cpu *cpu)
{
	struct vmx *vmx = vmx_of(cpu);
	u32 offset = vmx->apic_write.offset;

	if (!vmx->apic_write.size)
		return;
	vmx->apic_write.size = 0;
	switch (offset) {
	case LAPIC_TPR:
		vmx_virtual_apic_set(cpu, offset, vmx_virtual_apic_get(cpu, offset, 1), 4);
		vmx_virtualize_tpr(cpu);
		break;
	case LAPIC_EOI:
		emulate_eoi(cpu);
		break;
	case LAPIC_ICR:
		emulate_command(cpu);
		break;
	case LAPIC_ICR_HIGH ... LAPIC_ICR_HIGH + 3:
		vmx_virtual_apic_set(cpu, LAPIC_ICR_HIGH, 0, 3);
		break;
	default:
		vmx_exit_behind(cpu, REASON_APIC_WRITE, offset);
	}
}
