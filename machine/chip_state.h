/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the chips that the engine has, in KVM's structs. */
#ifndef LOCKSTEP_MACHINE_CHIP_STATE_H
#define LOCKSTEP_MACHINE_CHIP_STATE_H

#include "record/record.h"

struct machine;
struct chip_state;

extern const struct record_table chip_state_table;

struct chip_state *chip_state_new(void); /* to be freed with free(); NULL: no memory */
void chip_state_read(struct machine *machine, struct chip_state *state);
void chip_state_write(struct machine *machine, const struct chip_state *state);
/* The VM's clock of KVM_GET_CLOCK, which a reset leaves alone. */
void chip_state_write_clock(struct machine *machine, const struct chip_state *state);

#endif
