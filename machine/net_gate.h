/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands between a network card and its backend. With vCPUs in turns frames for the guest wait
 * there for the next turn, so that the input log can tell of them by its number (input_log.h), and
 * so does the backend's timer, which may end no turn. A run that is made again has its frames from
 * the log; nobody is outside then.
 */
#ifndef LOCKSTEP_MACHINE_NET_GATE_H
#define LOCKSTEP_MACHINE_NET_GATE_H

#include "machine/net.h"

struct machine;

struct net_gate;

/* NULL: no memory. What the card is plugged into; it destroys the gate. */
struct net_gate *net_gate_create(struct machine *machine);
struct net_backend *net_gate_backend(struct net_gate *gate);
/* For one timer of the backend's. */
struct ls_clock *net_gate_clock(struct net_gate *gate);
/* Takes @inner over. */
void net_gate_connect(struct net_gate *gate, struct net_backend *inner);

/* When that timer is due; LS_NEVER: it isn't armed. */
uint64_t net_gate_deadline(const struct machine *machine);
/* A turn begins: fires the timer if it is due, and gives the card what has come. */
void net_gate_exchange(struct machine *machine);

#endif
