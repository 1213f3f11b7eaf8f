/* SPDX-License-Identifier: Apache-2.0 */
/* One function for each of KVM's vCPU state structs. */
#ifndef LOCKSTEP_SIM_STATE_H
#define LOCKSTEP_SIM_STATE_H

#include <errno.h>
#include <linux/kvm.h>

#include "sim/cpu/cpu.h"

void state_get_regs(const struct cpu *cpu, struct kvm_regs *regs);
void state_set_regs(struct cpu *cpu, const struct kvm_regs *regs);
void state_get_sregs(const struct cpu *cpu, struct kvm_sregs *sregs);
/* -EINVAL if CR0, CR4, EFER and CS contradict each other or the model; nothing is changed then. */
int state_set_sregs(struct cpu *cpu, const struct kvm_sregs *sregs);
void state_get_sregs2(const struct cpu *cpu, struct kvm_sregs2 *sregs);
int state_set_sregs2(struct cpu *cpu, const struct kvm_sregs2 *sregs);
void state_get_xcrs(const struct cpu *cpu, struct kvm_xcrs *xcrs);
int state_set_xcrs(struct cpu *cpu, const struct kvm_xcrs *xcrs);
/* Rows that KVM_GET_MSR_INDEX_LIST names: what can be saved and restored. */
struct msr_row;
bool state_msr_listed(const struct msr_row *row);
/* How many of the list were done before the first that failed. */
int state_get_msrs(struct cpu *cpu, struct kvm_msrs *msrs);
int state_set_msrs(struct cpu *cpu, const struct kvm_msrs *msrs);
int state_set_cpuid(struct cpu *cpu, const struct kvm_cpuid2 *cpuid);
int state_get_cpuid(const struct cpu *cpu, struct kvm_cpuid2 *cpuid);
void state_get_debug(const struct cpu *cpu, struct kvm_debugregs *regs);
int state_set_debug(struct cpu *cpu, const struct kvm_debugregs *regs);
void state_get_mp(const struct cpu *cpu, struct kvm_mp_state *state);
int state_set_mp(struct cpu *cpu, const struct kvm_mp_state *state);
void state_get_events(struct cpu *cpu, struct kvm_vcpu_events *events);
int state_set_events(struct cpu *cpu, const struct kvm_vcpu_events *events);
/* -E2BIG if @state->size is too small: then it is set to what is needed. */
int state_get_nested(struct cpu *cpu, struct kvm_nested_state *state);
int state_set_nested(struct cpu *cpu, const struct kvm_nested_state *state);
/* What struct kvm_guest_debug's control may hold: KVM_CAP_SET_GUEST_DEBUG2. */
#define GUEST_DEBUG_CONTROL                                                                        \
	(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_SW_BP |                  \
	 KVM_GUESTDBG_USE_HW_BP | KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP |                \
	 KVM_GUESTDBG_BLOCKIRQ)
int state_set_guest_debug(struct cpu *cpu, const struct kvm_guest_debug *debug);
int state_translate(struct cpu *cpu, struct kvm_translation *translation);

#endif
