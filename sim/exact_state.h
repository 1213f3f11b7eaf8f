/* SPDX-License-Identifier: Apache-2.0 */
/* A VM's and its vCPUs' state whole, also what KVM's calls have no word for, so that a run goes on
 * from it to the byte as it would have (extension.h: state_save, state_load). */
#ifndef LOCKSTEP_SIM_EXACT_STATE_H
#define LOCKSTEP_SIM_EXACT_STATE_H

#include <lockstep/error.h>

#include "record/record.h"

struct vm;
struct vcpu;

/* Under vm->lock, while nobody runs. */
int exact_save_vm(struct vm *vm, struct record_buffer *to, struct ls_error *err);
int exact_load_vm(struct vm *vm, struct record_reader *from, struct ls_error *err);
int exact_save_vcpu(struct vcpu *vcpu, struct record_buffer *to, struct ls_error *err);
/* After the VM's, and after KVM_SET_CPUID2. */
int exact_load_vcpu(struct vcpu *vcpu, struct record_reader *from, struct ls_error *err);

/* exact_model.c: of the vCPU what VMX or SVM keeps. */
struct cpu;
void exact_save_model(const struct cpu *cpu, struct record_buffer *to);
int exact_load_model(struct cpu *cpu, struct record_reader *from, struct ls_error *err);

#endif
