/* SPDX-License-Identifier: Apache-2.0 */
/* struct kvm_nested_state of a processor with VMX (api.rst 4.114, 4.115): the VMXON region, and the
 * current VMCS, whose region may lie behind it. */
#include <errno.h>

#include "sim/vmx-model/fields.h"
#include "sim/vmx-model/vmx.h"

#define SMM_GUEST (KVM_STATE_NESTED_SMM_VMXON | KVM_STATE_NESTED_SMM_GUEST_MODE)

static bool has_shadow(const struct vmx *vmx)
{
	return (vmx->value[VMCS_PRIMARY_CONTROLS] & PRIMARY_SECONDARY) &&
	       (vmx->value[VMCS_SECONDARY_CONTROLS] & SECONDARY_VMCS_SHADOWING) &&
	       vmx->value[VMCS_VMCS_LINK_POINTER] != VMCS_NONE;
}

static void read_page(const struct cpu *cpu, u64 address, u8 *to)
{
	const u8 *page = slots_host(cpu->slots, address);

	if (page)
		__builtin_memcpy(to, page, PAGE_SIZE_4K);
	else
		__builtin_memset(to, 0, PAGE_SIZE_4K);
}

/* --- get --- */

/* SMM interrupts VMX operation, which is told of all the same. */
static bool in_operation(const struct cpu *cpu)
{
	const struct vmx *vmx = vmx_of(cpu);

	return vmx->on || (cpu->smm && vmx->smm.on);
}

static bool in_interrupted_guest(const struct cpu *cpu)
{
	return cpu->smm && vmx_of(cpu)->smm.on && vmx_of(cpu)->smm.guest;
}

/* The current VMCS as it would be if the guest left it now; the guest goes on without notice. */
static void write_vmcs(struct cpu *cpu, u8 *region)
{
	struct vmx *vmx = vmx_of(cpu);
	const struct vmx_exit exit = vmx->exit;
	u32 head = VMCS_REVISION | (vmx->shadow ? VMCS_SHADOW : 0);
	u64 value[VMCS_FIELD_COUNT];

	read_page(cpu, vmx->current, region);
	__builtin_memcpy(region, &head, sizeof(head));
	__builtin_memcpy(value, vmx->value, sizeof(value));
	if (cpu->guest)
		vmx_note_guest(cpu);
	vmcs_store(vmx->value, region);
	region[VMCS_STATE_OFFSET] = vmx->launched;
	__builtin_memcpy(vmx->value, value, sizeof(value));
	vmx->exit = exit;
}

static u32 size_of(const struct cpu *cpu)
{
	const struct vmx *vmx = vmx_of(cpu);
	u32 size = sizeof(struct kvm_nested_state);

	if (!in_operation(cpu) || vmx->current == VMCS_NONE)
		return size;
	size += KVM_STATE_NESTED_VMX_VMCS_SIZE;
	return cpu->guest && has_shadow(vmx) ? size + KVM_STATE_NESTED_VMX_VMCS_SIZE : size;
}

static void write_flags(const struct cpu *cpu, struct kvm_nested_state *to)
{
	const struct vmx *vmx = vmx_of(cpu);

	if (cpu->guest)
		to->flags = KVM_STATE_NESTED_GUEST_MODE;
	if (cpu->guest && cpu->delivering.active && cpu->delivering.injected)
		to->flags |= KVM_STATE_NESTED_RUN_PENDING;
	if (cpu->guest ? cpu->monitor_trap.due : vmx->smm.trap_due)
		to->flags |= KVM_STATE_NESTED_MTF_PENDING;
	if (vmx->pin & PIN_PREEMPTION_TIMER) {
		to->hdr.vmx.flags = KVM_STATE_VMX_PREEMPTION_TIMER_DEADLINE;
		to->hdr.vmx.preemption_timer_deadline = vmx->timer_end >> VMX_TIMER_RATE;
	}
}

u32 vmx_get_nested(struct cpu *cpu, struct kvm_nested_state *to, u32 room)
{
	const struct vmx *vmx = vmx_of(cpu);
	u32 size = size_of(cpu);

	if (room < size)
		return size;
	*to = (struct kvm_nested_state){.format = KVM_STATE_NESTED_FORMAT_VMX, .size = size};
	to->hdr.vmx.vmxon_pa = in_operation(cpu) ? vmx->region : UINT64_MAX;
	to->hdr.vmx.vmcs12_pa = in_operation(cpu) ? vmx->current : UINT64_MAX;
	if (cpu->smm && vmx->smm.on)
		to->hdr.vmx.smm.flags =
			KVM_STATE_NESTED_SMM_VMXON |
			(in_interrupted_guest(cpu) ? KVM_STATE_NESTED_SMM_GUEST_MODE : 0);
	if (size == sizeof(*to))
		return size;
	if (cpu->guest || in_interrupted_guest(cpu))
		write_flags(cpu, to);
	write_vmcs(cpu, to->data.vmx->vmcs12);
	if (cpu->guest && has_shadow(vmx))
		read_page(cpu, vmx->value[VMCS_VMCS_LINK_POINTER], to->data.vmx->shadow_vmcs12);
	return size;
}

/* --- set --- */

/* In SMM there is no guest, but there may be one that an SMI interrupted. */
static bool smm_acceptable(const struct cpu *cpu, const struct kvm_nested_state *from)
{
	u16 smm = from->hdr.vmx.smm.flags;
	u32 guest = KVM_STATE_NESTED_GUEST_MODE | KVM_STATE_NESTED_RUN_PENDING;

	if (!cpu->smm)
		return !smm;
	return !(from->flags & guest) &&
	       (!smm || smm == KVM_STATE_NESTED_SMM_VMXON || smm == SMM_GUEST);
}

static bool acceptable(const struct cpu *cpu, const struct kvm_nested_state *from)
{
	u64 region = from->hdr.vmx.vmxon_pa, vmcs = from->hdr.vmx.vmcs12_pa;
	u16 smm = from->hdr.vmx.smm.flags;
	u32 known = KVM_STATE_NESTED_GUEST_MODE | KVM_STATE_NESTED_RUN_PENDING |
		    KVM_STATE_NESTED_MTF_PENDING;

	if (from->format != KVM_STATE_NESTED_FORMAT_VMX || (from->flags & ~known) ||
	    !smm_acceptable(cpu, from) ||
	    (from->hdr.vmx.flags & ~(u32)KVM_STATE_VMX_PREEMPTION_TIMER_DEADLINE))
		return false;
	if (region == UINT64_MAX)
		return vmcs == UINT64_MAX && !from->flags && !smm;
	if (!vmx_address_valid(cpu, region) || vmcs == region)
		return false;
	if (vmcs == UINT64_MAX)
		return !from->flags && smm != SMM_GUEST;
	return vmx_address_valid(cpu, vmcs) &&
	       from->size >= sizeof(*from) + KVM_STATE_NESTED_VMX_VMCS_SIZE;
}

static bool load_vmcs(struct cpu *cpu, const struct kvm_nested_state *from)
{
	struct vmx *vmx = vmx_of(cpu);
	const u8 *region = from->data.vmx->vmcs12;
	u32 head;

	__builtin_memcpy(&head, region, sizeof(head));
	if ((head & ~(u32)VMCS_SHADOW) != VMCS_REVISION)
		return false;
	vmx->current = from->hdr.vmx.vmcs12_pa;
	vmx->shadow = head & VMCS_SHADOW;
	vmx->launched = region[VMCS_STATE_OFFSET];
	vmcs_load(vmx->value, region);
	vmx->judged = false;
	return true;
}

/* The guest's VMREAD and VMWRITE find the shadow VMCS in memory. */
static bool load_shadow(struct cpu *cpu, const struct kvm_nested_state *from)
{
	u64 address = vmx_of(cpu)->value[VMCS_VMCS_LINK_POINTER];
	u8 *page;
	u32 head;

	if (from->size < sizeof(*from) + 2 * KVM_STATE_NESTED_VMX_VMCS_SIZE)
		return false;
	__builtin_memcpy(&head, from->data.vmx->shadow_vmcs12, sizeof(head));
	if (head != (VMCS_REVISION | VMCS_SHADOW))
		return false;
	page = mem_physical_begin(cpu, address);
	if (page) {
		__builtin_memcpy(page, from->data.vmx->shadow_vmcs12, PAGE_SIZE_4K);
		mem_physical_end(cpu, address, PAGE_SIZE_4K);
	}
	return true;
}

static void load_timer(struct cpu *cpu, const struct kvm_nested_state *from)
{
	if (!(from->hdr.vmx.flags & KVM_STATE_VMX_PREEMPTION_TIMER_DEADLINE))
		vmx_start_timer(cpu);
	else if (vmx_of(cpu)->pin & PIN_PREEMPTION_TIMER)
		vmx_set_timer(cpu, from->hdr.vmx.preemption_timer_deadline);
}

static bool load_guest(struct cpu *cpu, const struct kvm_nested_state *from)
{
	bool injects = from->flags & KVM_STATE_NESTED_RUN_PENDING;

	if (has_shadow(vmx_of(cpu)) && !load_shadow(cpu, from))
		return false;
	if (!vmx_could_resume(cpu, injects))
		return false;
	vmx_go_on(cpu);
	vmx_begin_virtual_apic(cpu);
	if (injects)
		vmx_inject(cpu);
	if (from->flags & KVM_STATE_NESTED_MTF_PENDING)
		event_monitor_trap(cpu);
	load_timer(cpu, from);
	vendor_reopen(cpu);
	return true;
}

/* RSM will go on with it. A shadow VMCS is in memory. */
static bool load_interrupted_guest(struct cpu *cpu, const struct kvm_nested_state *from)
{
	if (!vmx_could_resume(cpu, false))
		return false;
	vmx_interrupt_guest(cpu, from->flags & KVM_STATE_NESTED_MTF_PENDING);
	vmx_begin_virtual_apic(cpu);
	load_timer(cpu, from);
	return true;
}

static bool load_current(struct cpu *cpu, const struct kvm_nested_state *from)
{
	if (!load_vmcs(cpu, from))
		return false;
	if (from->flags & KVM_STATE_NESTED_GUEST_MODE)
		return load_guest(cpu, from);
	return from->hdr.vmx.smm.flags != SMM_GUEST || load_interrupted_guest(cpu, from);
}

int vmx_set_nested(struct cpu *cpu, const struct kvm_nested_state *from)
{
	struct vmx *vmx = vmx_of(cpu);

	if (!acceptable(cpu, from))
		return -EINVAL;
	vmx_turn_off(cpu);
	if (from->hdr.vmx.vmxon_pa == UINT64_MAX)
		return 0;
	vmx->on = cpu->arbitrates = true;
	vmx->region = from->hdr.vmx.vmxon_pa;
	vmx_fix_control_registers(cpu);
	if (from->hdr.vmx.smm.flags)
		vmx_interrupt_root(cpu);
	if (from->hdr.vmx.vmcs12_pa == UINT64_MAX || load_current(cpu, from))
		return 0;
	vmx_turn_off(cpu);
	return -EINVAL;
}
