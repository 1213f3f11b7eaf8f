/* SPDX-License-Identifier: Apache-2.0 */
/* KVM_SET_GUEST_DEBUG and KVM_EXIT_DEBUG (api.rst). */
#include "sim/cpu/debug_registers.h"
#include "sim/cpu/segment.h"
#include "sim/state.h"
#include "sim/vm.h"

/* What the debugger was shown and says belongs to the guest. */
static int inject(struct cpu *cpu, u8 vector)
{
	if (cpu->exception_due)
		return -EBUSY;
	cpu->exception_due = true;
	cpu->exception.vector = vector;
	cpu->exception.has_error = false;
	cpu->exception.injected = true;
	return 0;
}

int state_set_guest_debug(struct cpu *cpu, const struct kvm_guest_debug *debug)
{
	u32 control = debug->control;
	int ret = 0;

	if (control & ~GUEST_DEBUG_CONTROL)
		return -EINVAL;
	if (control & KVM_GUESTDBG_INJECT_DB)
		ret = inject(cpu, VECTOR_DB);
	else if (control & KVM_GUESTDBG_INJECT_BP)
		ret = inject(cpu, VECTOR_BP);
	if (ret)
		return ret;
	cpu->debugger.control = control & KVM_GUESTDBG_ENABLE ? control : 0;
	__builtin_memcpy(cpu->debugger.dr, debug->arch.debugreg, sizeof(cpu->debugger.dr));
	cpu_update_mode(cpu);
	return 0;
}

void vcpu_show_debug(struct vcpu *vcpu)
{
	const struct cpu *cpu = &vcpu->cpu;
	struct kvm_debug_exit_arch *arch = &vcpu->run->debug.arch;
	u64 base = cpu_64bit(cpu) ? 0 : SEG_BASE(cpu, SEG_CS);

	vcpu->run->exit_reason = KVM_EXIT_DEBUG;
	*arch = (struct kvm_debug_exit_arch){.exception = cpu->debugger.vector,
					     .pc = base + cpu->reg[REG_RIP]};
	if (arch->exception != VECTOR_DB)
		return;
	arch->dr6 = cpu->debugger.dr6 | DR6_ONES;
	arch->dr7 = cpu_breakpoints(cpu)[7] | DR7_ONES;
}
