/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cpu/msr_policy.h"
#include "sim/cpu/device.h"
#include "sim/cpu/fault.h"
#include "sim/cpu/msr.h"
#include "sim/cpu/recorder.h"
#include "sim/cpu/segment.h"

/* api.rst, KVM_X86_SET_MSR_FILTER: the x2APIC's registers can't be filtered. */
static bool allows(const struct msr_policy *policy, u32 number, bool write)
{
	u32 direction = write ? KVM_MSR_FILTER_WRITE : KVM_MSR_FILTER_READ;
	unsigned int n;

	if (!policy || msr_is_x2apic(number))
		return true;
	for (n = 0; n < policy->ranges; n++) {
		const struct msr_range *range = &policy->range[n];
		u32 index = number - range->base;

		if ((range->flags & direction) && number >= range->base && index < range->count)
			return range->allowed[index / 8] >> index % 8 & 1;
	}
	return !policy->deny;
}

/* Why msrs.def has refused. */
static u32 refusal(const struct cpu *cpu, u32 number)
{
	return msr_find(cpu, number) || msr_is_x2apic(number) ? KVM_MSR_EXIT_REASON_INVAL
							  : KVM_MSR_EXIT_REASON_UNKNOWN;
}

static bool ask_user(struct cpu *cpu, const struct msr_policy *policy, u32 number, u32 reason,
		     bool write, u64 *value)
{
	const struct cpu_io_access access = {.address = number,
					     .data = write ? *value : 0,
					     .size = sizeof(*value),
					     .write = write,
					     .msr_reason = reason},
				   *answer;

	if (!policy || !(policy->exits & reason))
		return false;
	if (!cpu->single)
		cpu_abandon(cpu, CPU_EXIT_NONE);
	answer = device_ask(cpu, &access);
	if (!answer || answer->msr_error)
		return false;
	*value = answer->data;
	return true;
}

static bool access_msr(struct cpu *cpu, u32 number, bool write, u64 *value)
{
	const struct msr_policy *policy = __atomic_load_n(&cpu->msr_policy, __ATOMIC_ACQUIRE);
	u32 reason = KVM_MSR_EXIT_REASON_FILTER;

	if (allows(policy, number, write)) {
		if (write ? msr_write(cpu, number, *value, false)
			  : msr_read(cpu, number, value, false))
			return true;
		reason = refusal(cpu, number);
	}
	return ask_user(cpu, policy, number, reason, write, value);
}

bool msr_guest_read(struct cpu *cpu, u32 number, u64 *value)
{
	bool ok = access_msr(cpu, number, false, value);

	RECORD(cpu, MSR_ACCESS, .number = number, .value = ok ? *value : 0, .refused = !ok);
	return ok;
}

bool msr_guest_write(struct cpu *cpu, u32 number, u64 value)
{
	bool ok = access_msr(cpu, number, true, &value);

	RECORD(cpu, MSR_ACCESS, .number = number, .write = true, .value = value, .refused = !ok);
	return ok;
}
