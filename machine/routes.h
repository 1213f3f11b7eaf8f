/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's table of interrupt routes (KVM_SET_GSI_ROUTING), which is always set as a whole: the
 * board's pins and, where the engine offers KVM_IRQFD, the messages that devices send. Each of
 * these has a GSI of its own, and an eventfd that raises it. A message is told by its address and
 * data: a vector that the guest aims elsewhere is another message.
 */
#ifndef LOCKSTEP_MACHINE_ROUTES_H
#define LOCKSTEP_MACHINE_ROUTES_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include <lockstep/error.h>

#include "machine/irq.h"

struct machine;

#define ROUTES_BOARD    (2 * IRQ_GSI_COUNT)
#define ROUTES_MESSAGES 64

struct route_message {
	bool open; /* or none is here */
	int fd;
	uint64_t address;
	uint32_t data;
	uint64_t used; /* routes.sent when it was sent last */
};

struct routes {
	bool has_events;
	unsigned int board_count;
	struct kvm_irq_routing_entry board[ROUTES_BOARD];
	struct route_message messages[ROUTES_MESSAGES]; /* n has GSI IRQ_GSI_COUNT + n */
	uint64_t sent;
};

/* For a new VM, which knows of nothing yet. */
void routes_start(struct machine *machine);
int routes_set_board(struct machine *machine, const struct kvm_irq_routing_entry *entries,
		     unsigned int count);
/* Raises the message's eventfd; false if it cannot have one. Under the machine lock. */
bool routes_send(struct machine *machine, uint64_t address, uint32_t data);
/* All that was sent has arrived at the chips, whose state may then be read, and no eventfd is left.
 */
void routes_settle(struct machine *machine);

#endif
