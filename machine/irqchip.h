/* SPDX-License-Identifier: Apache-2.0 */
/* Who has the interrupt chips: the engine, all of them, or the machine all but the local APICs. */
#ifndef LOCKSTEP_MACHINE_IRQCHIP_H
#define LOCKSTEP_MACHINE_IRQCHIP_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/error.h>

struct machine;
struct vcpu;

/* Before the first vCPU: creates the engine's share. */
int machine_irqchip_create(struct machine *machine, struct ls_error *err);
/* Where the PC's firmware leaves the 8259s (BIOS: vectors 08h and 70h). */
void machine_irqchip_set_vectors(struct machine *machine, uint8_t master, uint8_t slave);

/* --- split_irqchip.c; machine->split is set --- */

int split_irqchip_create(struct machine *machine, struct ls_error *err);
void split_irqchip_set_line(struct machine *machine, unsigned int gsi, bool level);
void split_irqchip_set_vectors(struct machine *machine, uint8_t master, uint8_t slave);
/* KVM_EXIT_IOAPIC_EOI. Under the machine lock. */
void split_irqchip_eoi(struct machine *machine, uint8_t vector);
/* Before KVM_RUN: gives the vCPU what the 8259s ask for. */
void split_irqchip_enter(struct vcpu *vcpu);

#endif
