/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VMCALL and VMMCALL as KVM answers them: the number in rAX, arguments in rBX, rCX, rDX and rSI,
 * the result in rAX (Linux, Documentation/virt/kvm/x86/hypercalls.rst). A processor without a
 * hypervisor raises #UD instead (SDM 3C:31.3 VMCALL, APM 3 VMMCALL); so does the other vendor's.
 */
#include <errno.h>

#include <linux/kvm_para.h>

#include "apic/bus.h"
#include "apic/lapic.h"
#include "sim/cpu/platform_lock.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/vendor.h"

struct hypercall {
	u64 number, argument[4];
	unsigned int width; /* of the caller's registers, in bits */
};

/* --- KVM_HC_SEND_IPI: {bitmap, more bitmap, APIC ID of its bit 0, ICR}; how many took it --- */

/* Destination mode and shorthand, in whose place the bitmap stands. */
#define ICR_DESTINATION (BIT(11) | BIT(18) | BIT(19))

static bool addressed(const struct hypercall *call, u32 id)
{
	u32 first = (u32)call->argument[2], bit = id - first;

	return id >= first && bit < 2 * call->width &&
	       (call->argument[bit / call->width] >> bit % call->width & 1);
}

static s64 send_ipi(struct cpu *cpu, const struct hypercall *call)
{
	struct apic_message message;
	struct apic_bus *bus;
	s64 taken = 0;

	if (!cpu->lapic)
		return -KVM_EOPNOTSUPP;
	if (call->argument[3] & ICR_DESTINATION)
		return -KVM_EINVAL;
	if (!lapic_icr_message((u32)call->argument[3], &message))
		return 0;
	bus = cpu->lapic->bus;
	platform_lock(cpu);
	for (unsigned int i = 0; i < bus->count; i++)
		if (addressed(call, lapic_id(bus->lapics[i])))
			taken += lapic_receive(bus->lapics[i], &message, NULL);
	platform_unlock(cpu);
	return taken;
}

/* --- all of them --- */

static s64 answer(struct cpu *cpu, const struct hypercall *call)
{
	if (cpu->cpl != 0)
		return -KVM_EPERM;
	switch (call->number) {
	case KVM_HC_SEND_IPI:
		return send_ipi(cpu, call);
	default:
		return -KVM_ENOSYS;
	}
}

static NOINLINE void hypercall(struct cpu *cpu)
{
	u64 mask = cpu_64bit(cpu) ? UINT64_MAX : UINT32_MAX;
	const struct hypercall call = {
		.number = cpu->reg[REG_RAX] & mask,
		.argument = {cpu->reg[REG_RBX] & mask, cpu->reg[REG_RCX] & mask,
			     cpu->reg[REG_RDX] & mask, cpu->reg[REG_RSI] & mask},
		.width = cpu_64bit(cpu) ? 64 : 32,
	};

	cpu->reg[REG_RAX] = (u64)answer(cpu, &call) & mask;
}

static HANDLER(exec_vmcall)
{
	FAULT_POINT(cpu, op);
	if (cpu->amd)
		raise_ud(cpu);
	if (!cpu_has(cpu, FEATURE_KVM_PV_IPI) || cpu->guest) {
		u64 rip = cpu->vendor->instruction(cpu, op, VENDOR_VMCALL);

		CPU_BRANCH(rip);
	}
	hypercall(cpu);
	NEXT;
}
FAMILY_ONE(vmcall, exec_vmcall);

static HANDLER(exec_vmmcall)
{
	FAULT_POINT(cpu, op);
	if (!cpu->amd)
		raise_ud(cpu);
	INTERCEPT(cpu, op, HYPERCALL, 0);
	if (!cpu_has(cpu, FEATURE_KVM_PV_IPI))
		raise_ud(cpu);
	hypercall(cpu);
	NEXT;
}
FAMILY_ONE(vmmcall, exec_vmmcall);
