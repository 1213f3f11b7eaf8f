/* SPDX-License-Identifier: Apache-2.0 */
/* What a snapshot keeps of each chip, without what it is wired to. */
#ifndef LOCKSTEP_APIC_STATES_H
#define LOCKSTEP_APIC_STATES_H

#include "record/record.h"

extern const struct record_table lapic_state_table, ioapic_state_table, pic_state_table,
	pit_state_table;

#endif
