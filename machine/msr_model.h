/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MSRs of a CPU model by name, on an engine that has no models of its own: the guest finds
 * those that the reference's processor with the same CPUID leaves has, with the same values after
 * RESET. The others are taken away by KVM_X86_SET_MSR_FILTER, and for some the machine answers.
 */
#ifndef LOCKSTEP_MACHINE_MSR_MODEL_H
#define LOCKSTEP_MACHINE_MSR_MODEL_H

#include <stdint.h>

#include <lockstep/error.h>

struct vcpu;
struct kvm_run;

#define MSR_SHADOWS_MAX 8

/* What the machine answers with. */
struct msr_shadows {
	unsigned int count;
	struct msr_shadow {
		uint32_t number;
		uint64_t value;
	} of[MSR_SHADOWS_MAX];
};

/* When its CPUID has been set. */
int msr_model_set(struct vcpu *vcpu, struct ls_error *err);
/* NULL: it is the engine's. */
struct msr_shadow *msr_model_shadow(struct vcpu *vcpu, uint32_t number);
/* A saved value. */
void msr_model_load(struct vcpu *vcpu, struct msr_shadow *shadow, uint64_t value);
/* KVM_EXIT_X86_RDMSR and KVM_EXIT_X86_WRMSR. */
void msr_model_exit(struct vcpu *vcpu, struct kvm_run *run);

#endif
