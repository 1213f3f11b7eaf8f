/* SPDX-License-Identifier: Apache-2.0 */
/* What the local APIC's own files share. */
#ifndef LOCKSTEP_APIC_LAPIC_INTERNAL_H
#define LOCKSTEP_APIC_LAPIC_INTERNAL_H

#include "apic/lapic.h"

static inline uint32_t *lapic_reg(struct lapic *lapic, uint32_t offset)
{
	return &lapic->regs[offset >> 4];
}

static inline bool lapic_has_cmci(const struct lapic *lapic)
{
	return (lapic->config.version >> 16 & 0xff) >= 6;
}

static inline void lapic_note(const struct lapic *lapic, enum lapic_note note, uint64_t value)
{
	if (lapic->ops->note)
		lapic->ops->note(lapic->owner, note, value);
}

/* Recomputes lapic->pending and tells the owner of a new one. */
void lapic_update(struct lapic *lapic);
/* Collects ESR bits and raises the LVT error interrupt. */
void lapic_error(struct lapic *lapic, uint32_t bits);
/* EOI, and what a change of SVR, LINT LVTs means for interrupts. */
void lapic_end_of_interrupt(struct lapic *lapic);
void lapic_mask_lvts(struct lapic *lapic);
void lapic_lint_changed(struct lapic *lapic, unsigned int pin);
void lapic_send(struct lapic *lapic, uint32_t low, uint32_t destination, bool wide);

void lapic_timer_init(struct lapic *lapic);
void lapic_timer_stop(struct lapic *lapic);
uint32_t lapic_timer_current(const struct lapic *lapic);
void lapic_timer_write_initial(struct lapic *lapic, uint32_t value);
void lapic_timer_write_divide(struct lapic *lapic, uint32_t value);
/* LVT timer was @old, is now its register's value. */
void lapic_timer_mode_changed(struct lapic *lapic, uint32_t old);
uint64_t lapic_timer_get_tsc_deadline(const struct lapic *lapic);
void lapic_timer_set_tsc_deadline(struct lapic *lapic, uint64_t tsc);
/* Counts on from @current after the registers were loaded by KVM_SET_LAPIC. */
void lapic_timer_restore(struct lapic *lapic, uint32_t current);

#endif
