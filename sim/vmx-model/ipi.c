/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest's interrupt command asks for, where the processor sees to it (SDM 3C:30.1.5, 30.1.6,
 * 30.4.3.2): an interrupt to itself, or one posted to the virtual processor of that APIC ID. */
#include "apic/lapic.h"
#include "sim/cpu/apic_registers.h"
#include "sim/cpu/platform_lock.h"
#include "sim/vmx-model/posted.h"
#include "sim/vmx-model/vmx.h"

/* Of the ICR's low half. */
#define ICR_NOT_PLAIN      0x00009700u /* level, delivery status, another delivery mode than fixed */
#define ICR_LOGICAL        0x00000800u
#define ICR_SHORTHAND(low) ((low) >> 18 & 3)

#define LOWEST_VECTOR 16
#define ENTRY_VALID   UINT64_C(1) /* of the PID-pointer table: bits 5:0 are 1 */

/* The entry that names the descriptor; 0: there is none. */
static u64 find_descriptor(struct cpu *cpu, u32 target)
{
	const u64 *value = vmx_of(cpu)->value;
	u64 entry;

	if (target > value[VMCS_LAST_PID_POINTER_INDEX])
		return 0;
	entry = mem_load_physical(cpu, value[VMCS_PID_POINTER_TABLE_ADDRESS] + 8 * (u64)target, 8);
	if ((entry & 0x3f) != ENTRY_VALID || entry >> cpu->physical_bits)
		return 0;
	return entry;
}

static bool take_notification(struct posted_descriptor *descriptor, u64 *control)
{
	*control = __atomic_load_n(&descriptor->control, __ATOMIC_RELAXED);
	do
		if (*control & (POSTED_OUTSTANDING | POSTED_SUPPRESSED))
			return false;
	while (!__atomic_compare_exchange_n(&descriptor->control, control,
					    *control | POSTED_OUTSTANDING, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_RELAXED));
	return true;
}

static bool post(struct cpu *cpu, u8 vector, u32 target)
{
	u64 entry = find_descriptor(cpu, target), address = entry & ~ENTRY_VALID, control;
	struct posted_descriptor *descriptor;
	bool notify;

	if (vector < LOWEST_VECTOR || !entry)
		return false;
	descriptor = (void *)mem_physical_begin(cpu, address);
	if (!descriptor)
		return false;
	__atomic_fetch_or(&descriptor->requests[vector / 32], 1u << vector % 32, __ATOMIC_SEQ_CST);
	notify = take_notification(descriptor, &control);
	mem_physical_end(cpu, address, sizeof(*descriptor));
	if (!notify)
		return true;
	platform_lock(cpu);
	cpu_send_notification(cpu, POSTED_VECTOR(control), POSTED_DESTINATION(control));
	platform_unlock(cpu);
	return true;
}

static bool plain(u32 low)
{
	return !(low & (VMX_ICR_RESERVED | ICR_NOT_PLAIN));
}

bool vmx_virtualize_ipi(struct cpu *cpu, u32 low, u32 target)
{
	return VMX_HAS(cpu, tertiary, TERTIARY_IPI_VIRTUALIZATION) && plain(low) &&
	       ICR_SHORTHAND(low) == APIC_SHORTHAND_NONE && !(low & ICR_LOGICAL) &&
	       post(cpu, low, target);
}

bool vmx_is_self_ipi(struct cpu *cpu, u32 low)
{
	return VMX_SECONDARY(cpu, VIRTUAL_INTERRUPT_DELIVERY) && plain(low) &&
	       ICR_SHORTHAND(low) == APIC_SHORTHAND_SELF && (u8)low >= LOWEST_VECTOR;
}
