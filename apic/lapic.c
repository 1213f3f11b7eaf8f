/* SPDX-License-Identifier: Apache-2.0 */
/* Local APIC: the way of an interrupt from bus or pin to the processor. */
#include "apic/lapic.h"

#include <stddef.h>

#include "apic/lapic_internal.h"

#define ICR_LEVEL_ASSERT (1u << 14)
#define ICR_LEVEL        (1u << 15)

/* --- the pending vector --- */

static int highest_bit(const uint32_t *words)
{
	int i;

#pragma GCC unroll 8
	for (i = 7; i >= 0; i--) {
		if (words[i])
			return i * 32 + 31 - __builtin_clz(words[i]);
	}
	return -1;
}

int lapic_highest_irr(const struct lapic *lapic)
{
	return highest_bit(&lapic->regs[LAPIC_IRR >> 4]);
}

int lapic_highest_isr(const struct lapic *lapic)
{
	return highest_bit(&lapic->regs[LAPIC_ISR >> 4]);
}

static bool test_vector(const struct lapic *lapic, uint32_t bank, uint8_t vector)
{
	return lapic->regs[(bank >> 4) + vector / 32] >> vector % 32 & 1;
}

static void assign_vector(struct lapic *lapic, uint32_t bank, uint8_t vector, bool value)
{
	uint32_t bit = 1u << vector % 32;

	if (value)
		lapic->regs[(bank >> 4) + vector / 32] |= bit;
	else
		lapic->regs[(bank >> 4) + vector / 32] &= ~bit;
}

/* SDM 3A:11.8.3.1. For equal classes the sub-class is model-specific: TPR's, here. */
uint8_t lapic_get_ppr(const struct lapic *lapic)
{
	int isr = lapic_highest_isr(lapic);
	uint8_t tpr = lapic->regs[LAPIC_TPR >> 4];

	return isr < 0 || tpr >> 4 >= isr >> 4 ? tpr : isr & 0xf0;
}

/* LINT0 is INTR while the APIC is off (SDM 3A:11.4.3), and in ExtINT mode. */
static bool extint_asserted(const struct lapic *lapic)
{
	uint32_t lvt = lapic->regs[LAPIC_LVT_LINT0 >> 4];

	if (!lapic_enabled(lapic))
		return lapic->lint[0];
	if (lapic->extint)
		return true;
	return lapic->lint[0] && !(lvt & LAPIC_LVT_MASKED) &&
	       (lvt & LAPIC_LVT_MODE) >> 8 == APIC_EXTINT;
}

static int find_pending(const struct lapic *lapic)
{
	int irr;

	if (extint_asserted(lapic))
		return LAPIC_EXTINT;
	if (!lapic_enabled(lapic))
		return -1;
	/* A software-disabled APIC keeps what it has taken deliverable (SDM 3A:11.4.7.2). */
	irr = lapic_highest_irr(lapic);
	if (irr < 0)
		return -1;
	return irr >> 4 > lapic_get_ppr(lapic) >> 4 ? irr : -1;
}

void lapic_update(struct lapic *lapic)
{
	int pending = find_pending(lapic);
	bool changed = pending != lapic->pending;

	__atomic_store_n(&lapic->pending, pending, __ATOMIC_RELAXED);
	if (changed && pending >= 0)
		lapic->ops->changed(lapic->owner);
}

int lapic_accept(struct lapic *lapic)
{
	int vector = lapic->pending;

	if (vector == LAPIC_EXTINT) {
		lapic->extint = false;
		vector = lapic->ops->inta ? lapic->ops->inta(lapic->owner) : 0;
	} else if (vector >= 0) {
		assign_vector(lapic, LAPIC_IRR, vector, false);
		assign_vector(lapic, LAPIC_ISR, vector, true);
	} else {
		/* Masked between signal and INTA; no ISR bit, no EOI (SDM 3A:11.9). */
		vector = *lapic_reg(lapic, LAPIC_SVR) & 0xff;
	}
	lapic_update(lapic);
	return vector;
}

void lapic_set_cr8(struct lapic *lapic, uint8_t cr8)
{
	*lapic_reg(lapic, LAPIC_TPR) = (cr8 & 0xf) << 4;
	lapic_update(lapic);
}

/* --- arrival --- */

static bool accept_fixed(struct lapic *lapic, uint8_t vector, bool level, bool *coalesced)
{
	if (vector < 16) {
		lapic_error(lapic, LAPIC_ESR_RECEIVE_VECTOR);
		return false;
	}
	if (coalesced)
		*coalesced = test_vector(lapic, LAPIC_IRR, vector);
	assign_vector(lapic, LAPIC_IRR, vector, true);
	assign_vector(lapic, LAPIC_TMR, vector, level); /* SDM 3A:11.8.4 */
	lapic_note(lapic, level ? LAPIC_NOTE_ACCEPTED_LEVEL : LAPIC_NOTE_ACCEPTED, vector);
	lapic_update(lapic);
	return true;
}

static bool signal_owner(struct lapic *lapic, void (*signal)(void *owner))
{
	if (signal)
		signal(lapic->owner);
	return signal != NULL;
}

static bool deliver(struct lapic *lapic, uint8_t mode, uint8_t vector, bool level, bool *coalesced)
{
	switch (mode) {
	case APIC_FIXED:
	case APIC_LOWEST:
		return accept_fixed(lapic, vector, level, coalesced);
	case APIC_SMI:
		return signal_owner(lapic, lapic->ops->smi);
	case APIC_NMI:
		return signal_owner(lapic, lapic->ops->nmi);
	case APIC_INIT:
		return signal_owner(lapic, lapic->ops->init);
	case APIC_SIPI:
		if (lapic->ops->sipi)
			lapic->ops->sipi(lapic->owner, vector);
		return lapic->ops->sipi != NULL;
	case APIC_EXTINT:
		lapic->extint = true;
		lapic_update(lapic);
		return true;
	}
	return false;
}

bool lapic_receive(struct lapic *lapic, const struct apic_message *message, bool *coalesced)
{
	bool vectored =
		message->delivery_mode == APIC_FIXED || message->delivery_mode == APIC_LOWEST;

	if (coalesced)
		*coalesced = false;
	/* Software-disabled, it takes INIT, NMI, SMI and SIPI only (SDM 3A:11.4.7.2). */
	if (!lapic_enabled(lapic) || !message->assert ||
	    (vectored && !lapic_software_enabled(lapic)))
		return false;
	return deliver(lapic, message->delivery_mode, message->vector, message->trigger_level,
		       coalesced);
}

bool lapic_local_interrupt(struct lapic *lapic, enum lapic_register lvt)
{
	uint32_t value = *lapic_reg(lapic, lvt);
	bool pin = lvt == LAPIC_LVT_LINT0 || lvt == LAPIC_LVT_LINT1;
	/* Timer and error entries have no delivery mode (SDM 3A:11.5.1, figure 11-8). */
	bool fixed = lvt == LAPIC_LVT_TIMER || lvt == LAPIC_LVT_ERROR;
	uint8_t mode = fixed ? APIC_FIXED : (value & LAPIC_LVT_MODE) >> 8;

	if (!lapic_enabled(lapic) || (value & LAPIC_LVT_MASKED))
		return false;
	/* In an LVT these are reserved; ExtINT is the pins' and a level (extint_asserted). */
	if (mode == APIC_LOWEST || mode == APIC_SIPI || mode == APIC_EXTINT)
		return false;
	if (lvt == LAPIC_LVT_PERF && lapic->config.pmi_masks)
		*lapic_reg(lapic, lvt) |= LAPIC_LVT_MASKED;
	return deliver(lapic, mode, value & 0xff, pin && (value & LAPIC_LVT_LEVEL), NULL);
}

void lapic_error(struct lapic *lapic, uint32_t bits)
{
	bool armed = !lapic->errors;

	/* The write to ESR that collects these re-arms the interrupt (SDM 3A:11.5.3). */
	lapic->errors |= bits;
	if (armed)
		lapic_local_interrupt(lapic, LAPIC_LVT_ERROR);
}

/* --- LINT pins --- */

/* A level-triggered, fixed-mode pin sends while asserted, once until its EOI. */
void lapic_lint_changed(struct lapic *lapic, unsigned int pin)
{
	uint32_t offset = pin ? LAPIC_LVT_LINT1 : LAPIC_LVT_LINT0;
	uint32_t *lvt = lapic_reg(lapic, offset);

	if (!(*lvt & LAPIC_LVT_LEVEL) || (*lvt & LAPIC_LVT_MODE))
		*lvt &= ~LAPIC_LVT_REMOTE_IRR;
	else if (lapic->lint[pin] && !(*lvt & LAPIC_LVT_REMOTE_IRR) &&
		 lapic_local_interrupt(lapic, offset))
		*lvt |= LAPIC_LVT_REMOTE_IRR;
	lapic_update(lapic);
}

void lapic_set_lint(struct lapic *lapic, unsigned int pin, bool level)
{
	uint32_t offset = pin ? LAPIC_LVT_LINT1 : LAPIC_LVT_LINT0;
	uint32_t lvt = *lapic_reg(lapic, offset);
	bool rises = level && !lapic->lint[pin];

	lapic->lint[pin] = level;
	if (!rises || ((lvt & LAPIC_LVT_LEVEL) && !(lvt & LAPIC_LVT_MODE)))
		lapic_lint_changed(lapic, pin);
	else if (!lapic_enabled(lapic) && pin)
		signal_owner(lapic, lapic->ops->nmi); /* LINT1 is NMI then (SDM 3A:11.4.3) */
	else if (!lapic_local_interrupt(lapic, offset))
		lapic_update(lapic);
}

/* --- EOI --- */

static void end_pins(struct lapic *lapic, uint8_t vector)
{
	unsigned int pin;

	for (pin = 0; pin < 2; pin++) {
		uint32_t *lvt = lapic_reg(lapic, pin ? LAPIC_LVT_LINT1 : LAPIC_LVT_LINT0);

		if (!(*lvt & LAPIC_LVT_REMOTE_IRR) || (*lvt & 0xff) != vector)
			continue;
		*lvt &= ~LAPIC_LVT_REMOTE_IRR;
		lapic_lint_changed(lapic, pin);
	}
}

void lapic_end_of_interrupt(struct lapic *lapic)
{
	int vector = lapic_highest_isr(lapic);

	if (vector < 0)
		return;
	assign_vector(lapic, LAPIC_ISR, vector, false);
	lapic_note(lapic, LAPIC_NOTE_EOI, (uint8_t)vector);
	if (test_vector(lapic, LAPIC_TMR, vector)) {
		end_pins(lapic, vector);
		if (!(*lapic_reg(lapic, LAPIC_SVR) & LAPIC_SVR_SUPPRESS_EOI))
			apic_bus_eoi(lapic->bus, vector);
	}
	lapic_update(lapic);
}

/* --- sending --- */

bool lapic_icr_message(uint32_t low, struct apic_message *message)
{
	*message = (struct apic_message){
		.vector = low & 0xff,
		.delivery_mode = low >> 8 & 7,
		.dest_mode = low >> 11 & 1,
		.shorthand = low >> 18 & 3,
		.assert = true, /* trigger and level bits are for INIT only (SDM 3A:11.6.1) */
	};
	/* INIT level de-assert does nothing since the Pentium 4. */
	if (message->delivery_mode == APIC_INIT && (low & ICR_LEVEL) && !(low & ICR_LEVEL_ASSERT))
		return false;
	return message->delivery_mode != APIC_RESERVED && message->delivery_mode != APIC_EXTINT;
}

void lapic_send(struct lapic *lapic, uint32_t low, uint32_t destination, bool wide)
{
	struct apic_message message;
	bool vectored;

	if (!lapic_icr_message(low, &message))
		return;
	message.wide = wide;
	message.destination = destination;
	vectored = message.delivery_mode == APIC_FIXED || message.delivery_mode == APIC_LOWEST;
	if (vectored && message.vector < 16)
		lapic_error(lapic, LAPIC_ESR_SEND_VECTOR);
	apic_bus_deliver(lapic->bus, lapic, &message, NULL);
}
