/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The advanced virtual interrupt controller (APM 2:15.29): the guest's local APIC is a page of
 * memory, which the processor reads and writes as the guest does. xAVIC finds the page at
 * V_APIC_BAR, x2AVIC behind the x2APIC's MSRs.
 */
#ifndef LOCKSTEP_SIM_SVM_MODEL_AVIC_H
#define LOCKSTEP_SIM_SVM_MODEL_AVIC_H

#include "sim/cpu/apic_page.h"
#include "sim/svm-model/svm.h"

ALWAYS_INLINE u64 avic_backing_page(const struct cpu *cpu)
{
	return AVIC_ADDRESS(svm_of(cpu)->value[VMCB_AVIC_BACKING_PAGE]);
}

/* --- avic_access.c: table 15-22 --- */
void svm_apic_access(struct cpu *cpu, u64 address, void *data, unsigned int size,
		     enum vendor_access access);
enum vendor_msr svm_x2apic(struct cpu *cpu, u32 number, u64 *value, bool write);
/* What the writes of the last instruction or event bring about. True: the guest has exited. */
bool avic_act(struct cpu *cpu);
/* #VMEXIT behind a write of the register. */
void avic_trap(struct cpu *cpu, u32 offset, u8 vector);

/* --- avic_interrupts.c --- */
/* The vector that may be delivered now as far as priorities go; -1: none. */
int avic_pending(struct cpu *cpu);
/* It is delivered. */
void avic_accept(struct cpu *cpu, u8 vector);
void avic_set_cr8(struct cpu *cpu, u8 value);
/* A write of the TPR stands in the page. */
void avic_act_on_tpr(struct cpu *cpu);
/* True: the guest has exited. */
bool avic_end_interrupt(struct cpu *cpu);

/* --- avic_ipi.c --- */
/* A write of the ICR. True: the guest has exited. */
bool avic_send(struct cpu *cpu, u32 low, u32 high);

#endif
