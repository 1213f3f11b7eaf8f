/* SPDX-License-Identifier: Apache-2.0 */
/* RDMSR and WRMSR of the x2APIC's registers in a guest (SDM 3C:30.5). They need no APIC in x2APIC
 * mode, and not even one that has the register. */
#include "apic/lapic.h"
#include "sim/vmx-model/vmx.h"

#define TPR_RESERVED    (~UINT64_C(0xff))
#define VECTOR_RESERVED (~UINT64_C(0xff))
#define LOWEST_VECTOR   16

static u32 offset_of(u32 number)
{
	return (number & 0xff) << 4;
}

static enum vendor_msr read(struct cpu *cpu, u32 offset, u64 *value)
{
	if (!VMX_SECONDARY(cpu, APIC_REGISTER) && offset != LAPIC_TPR)
		return VENDOR_MSR_AS_EVER;
	*value = vmx_virtual_apic_get(cpu, offset, 8);
	return VENDOR_MSR_DONE;
}

static enum vendor_msr write_tpr(struct cpu *cpu, u64 value)
{
	if (value & TPR_RESERVED)
		return VENDOR_MSR_REFUSED;
	vmx_virtual_apic_set(cpu, LAPIC_TPR, value, 8);
	vmx_virtualize_tpr(cpu);
	return VENDOR_MSR_DONE;
}

static enum vendor_msr write_eoi(struct cpu *cpu, u64 value)
{
	if (value)
		return VENDOR_MSR_REFUSED;
	vmx_virtual_apic_set(cpu, LAPIC_EOI, 0, 8);
	vmx_virtualize_eoi(cpu);
	return VENDOR_MSR_DONE;
}

static enum vendor_msr write_self_ipi(struct cpu *cpu, u64 value)
{
	if (value & VECTOR_RESERVED)
		return VENDOR_MSR_REFUSED;
	vmx_virtual_apic_set(cpu, LAPIC_SELF_IPI, value, 8);
	if (value < LOWEST_VECTOR)
		vmx_exit_behind(cpu, REASON_APIC_WRITE, LAPIC_SELF_IPI);
	else
		vmx_virtualize_self_ipi(cpu, value);
	return VENDOR_MSR_DONE;
}

static enum vendor_msr write_command(struct cpu *cpu, u64 value)
{
	if (value & VMX_ICR_RESERVED)
		return VENDOR_MSR_REFUSED;
	vmx_virtual_apic_set(cpu, LAPIC_ICR, value, 8);
	if (!vmx_virtualize_ipi(cpu, value, value >> 32))
		vmx_exit_behind(cpu, REASON_APIC_WRITE, LAPIC_ICR);
	return VENDOR_MSR_DONE;
}

static enum vendor_msr write(struct cpu *cpu, u32 offset, u64 value)
{
	bool delivery = VMX_SECONDARY(cpu, VIRTUAL_INTERRUPT_DELIVERY);

	if (offset == LAPIC_TPR)
		return write_tpr(cpu, value);
	if (offset == LAPIC_EOI && delivery)
		return write_eoi(cpu, value);
	if (offset == LAPIC_SELF_IPI && delivery)
		return write_self_ipi(cpu, value);
	if (offset == LAPIC_ICR && VMX_HAS(cpu, tertiary, TERTIARY_IPI_VIRTUALIZATION))
		return write_command(cpu, value);
	return VENDOR_MSR_AS_EVER;
}

enum vendor_msr vmx_x2apic(struct cpu *cpu, u32 number, u64 *value, bool is_write)
{
	u32 offset = offset_of(number);

	if (!VMX_SECONDARY(cpu, VIRTUALIZE_X2APIC))
		return VENDOR_MSR_AS_EVER;
	return is_write ? write(cpu, offset, *value) : read(cpu, offset, value);
}
