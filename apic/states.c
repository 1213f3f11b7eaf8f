/* SPDX-License-Identifier: Apache-2.0 */
#include "apic/states.h"

#include "apic/ioapic.h"
#include "apic/lapic.h"
#include "apic/pic.h"
#include "apic/pit.h"

static const struct record_field lapic_fields[] = {
	RECORD_FIELD(struct lapic, pending),     RECORD_FIELD(struct lapic, regs),
	RECORD_FIELD(struct lapic, base),        RECORD_FIELD(struct lapic, errors),
	RECORD_FIELD(struct lapic, lint),        RECORD_FIELD(struct lapic, extint),
	RECORD_FIELD_TIMER(struct lapic, timer), RECORD_FIELD(struct lapic, timer_start),
	RECORD_FIELD(struct lapic, timer_count), RECORD_FIELD(struct lapic, tsc_deadline),
};
const struct record_table lapic_state_table = {
	.name = "local APIC", .version = 1, RECORD_FIELDS(lapic_fields)};

static const struct record_field ioapic_fields[] = {
	RECORD_FIELD(struct ioapic, base),    RECORD_FIELD(struct ioapic, select),
	RECORD_FIELD(struct ioapic, id),      RECORD_FIELD(struct ioapic, irr),
	RECORD_FIELD(struct ioapic, entries), RECORD_FIELD(struct ioapic, sources),
};
const struct record_table ioapic_state_table = {
	.name = "I/O APIC", .version = 1, RECORD_FIELDS(ioapic_fields)};

static const struct record_field pic_fields[] = {
	RECORD_FIELD_OF_EACH(struct pic, chip, lines),
	RECORD_FIELD_OF_EACH(struct pic, chip, irr),
	RECORD_FIELD_OF_EACH(struct pic, chip, imr),
	RECORD_FIELD_OF_EACH(struct pic, chip, isr),
	RECORD_FIELD_OF_EACH(struct pic, chip, lowest),
	RECORD_FIELD_OF_EACH(struct pic, chip, vector),
	RECORD_FIELD_OF_EACH(struct pic, chip, init_state),
	RECORD_FIELD_OF_EACH(struct pic, chip, elcr),
	RECORD_FIELD_OF_EACH(struct pic, chip, icw4),
	RECORD_FIELD_OF_EACH(struct pic, chip, single),
	RECORD_FIELD_OF_EACH(struct pic, chip, read_isr),
	RECORD_FIELD_OF_EACH(struct pic, chip, poll),
	RECORD_FIELD_OF_EACH(struct pic, chip, special_mask),
	RECORD_FIELD_OF_EACH(struct pic, chip, auto_eoi),
	RECORD_FIELD_OF_EACH(struct pic, chip, rotate_auto_eoi),
	RECORD_FIELD_OF_EACH(struct pic, chip, fully_nested),
	RECORD_FIELD(struct pic, sources),
	RECORD_FIELD(struct pic, output),
};
const struct record_table pic_state_table = {
	.name = "8259", .version = 1, RECORD_FIELDS(pic_fields)};

static const struct record_field pit_fields[] = {
	RECORD_FIELD_OF_EACH(struct pit, channels, count),
	RECORD_FIELD_OF_EACH(struct pit, channels, next_count),
	RECORD_FIELD_OF_EACH(struct pit, channels, next_load),
	RECORD_FIELD_OF_EACH(struct pit, channels, start),
	RECORD_FIELD_OF_EACH(struct pit, channels, stopped),
	RECORD_FIELD_OF_EACH(struct pit, channels, loaded),
	RECORD_FIELD_OF_EACH(struct pit, channels, gate),
	RECORD_FIELD_OF_EACH(struct pit, channels, mode),
	RECORD_FIELD_OF_EACH(struct pit, channels, bcd),
	RECORD_FIELD_OF_EACH(struct pit, channels, access),
	RECORD_FIELD_OF_EACH(struct pit, channels, write_high),
	RECORD_FIELD_OF_EACH(struct pit, channels, read_high),
	RECORD_FIELD_OF_EACH(struct pit, channels, write_low),
	RECORD_FIELD_OF_EACH(struct pit, channels, latched),
	RECORD_FIELD_OF_EACH(struct pit, channels, latched_count),
	RECORD_FIELD_OF_EACH(struct pit, channels, status_latched),
	RECORD_FIELD_OF_EACH(struct pit, channels, status),
	RECORD_FIELD(struct pit, speaker),
	RECORD_FIELD(struct pit, flags),
	RECORD_FIELD(struct pit, irq_level),
	RECORD_FIELD(struct pit, edge),
	RECORD_FIELD_TIMER(struct pit, timer),
};
const struct record_table pit_state_table = {
	.name = "8254", .version = 1, RECORD_FIELDS(pit_fields)};
