/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/net_gate.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "machine/internal.h"

#define WAITING 256u /* frames; more are lost, as on a wire */

struct frame {
	size_t len;
	uint8_t bytes[NET_FRAME_MAX];
};

struct net_gate {
	struct net_backend base;
	struct ls_clock clock;
	struct ls_timer *timer; /* that is armed, or NULL */
	struct net_backend *inner;
	struct machine *machine;
	uint64_t latest; /* guest time, which the backend does not see go back */
	size_t count;
	struct frame waiting[WAITING];
};

static struct net_gate *of_clock(struct ls_clock *clock)
{
	return (struct net_gate *)((char *)clock - offsetof(struct net_gate, clock));
}

static bool in_turns(const struct net_gate *gate)
{
	return gate->machine->config.schedule != MACHINE_PARALLEL;
}

/* --- the backend's time --- */

static uint64_t gate_now(struct ls_clock *clock)
{
	struct net_gate *gate = of_clock(clock);
	struct ls_clock *guest = gate->machine->clock;
	uint64_t now = guest->now(guest);

	if (now > gate->latest)
		gate->latest = now;
	return gate->latest;
}

static void gate_disarm(struct ls_clock *clock, struct ls_timer *timer)
{
	timer->deadline = LS_NEVER;
	of_clock(clock)->timer = NULL;
}

static void gate_arm(struct ls_clock *clock, struct ls_timer *timer, uint64_t deadline)
{
	timer->deadline = deadline;
	of_clock(clock)->timer = deadline == LS_NEVER ? NULL : timer;
}

static void gate_restore(struct ls_clock *clock, struct ls_timer *timer, uint64_t deadline,
			 uint64_t sequence)
{
	(void)sequence;
	gate_arm(clock, timer, deadline);
}

static void fire(struct net_gate *gate)
{
	struct ls_timer *timer = gate->timer;
	uint64_t now = gate_now(&gate->clock);

	if (!timer || timer->deadline > now)
		return;
	gate_disarm(&gate->clock, timer);
	timer->fn(timer, now);
}

uint64_t net_gate_deadline(const struct machine *machine)
{
	const struct net_gate *gate = machine->net_gate;

	return gate && gate->timer ? gate->timer->deadline : LS_NEVER;
}

/* --- to the outside --- */

static void gate_send(struct net_backend *backend, const uint8_t *frame, size_t len)
{
	struct net_gate *gate = (struct net_gate *)backend;

	if (gate->inner && !input_replaying(gate->machine))
		gate->inner->ops->send(gate->inner, frame, len);
}

static int gate_fill(struct net_backend *backend, struct pollfd *fds, int room, int *timeout_ms)
{
	struct net_gate *gate = (struct net_gate *)backend;
	uint64_t deadline = net_gate_deadline(gate->machine), now = gate_now(&gate->clock);
	uint64_t left = deadline > now ? (deadline - now) / 1000000 : 0;

	/* In turns the scheduler knows how long it may wait. */
	if (!in_turns(gate) && deadline != LS_NEVER && left < INT_MAX &&
	    (*timeout_ms < 0 || (int)left < *timeout_ms))
		*timeout_ms = (int)left;
	return gate->inner && gate->inner->ops->fill
		       ? gate->inner->ops->fill(gate->inner, fds, room, timeout_ms)
		       : 0;
}

static void gate_ready(struct net_backend *backend, struct pollfd *fds, int count)
{
	struct net_gate *gate = (struct net_gate *)backend;

	if (gate->inner && gate->inner->ops->ready)
		gate->inner->ops->ready(gate->inner, fds, count);
	if (!in_turns(gate))
		fire(gate);
}

static bool gate_paces(struct net_backend *backend)
{
	struct net_gate *gate = (struct net_gate *)backend;

	return gate->inner && gate->inner->ops->paces(gate->inner);
}

static void gate_destroy(struct net_backend *backend)
{
	struct net_gate *gate = (struct net_gate *)backend;

	if (gate->inner)
		gate->inner->ops->destroy(gate->inner);
	gate->machine->net_gate = NULL;
	free(gate);
}

static const struct net_backend_ops gate_ops = {
	.send = gate_send,
	.fill = gate_fill,
	.ready = gate_ready,
	.paces = gate_paces,
	.destroy = gate_destroy,
};

/* --- to the guest --- */

static void gate_receive(void *opaque, const uint8_t *bytes, size_t len)
{
	struct net_gate *gate = opaque;
	struct frame *frame = &gate->waiting[gate->count];

	if (!in_turns(gate)) {
		gate->base.receive(gate->base.opaque, bytes, len);
		return;
	}
	if (gate->count == WAITING || len > sizeof(frame->bytes))
		return;
	memcpy(frame->bytes, bytes, len);
	frame->len = len;
	gate->count++;
}

/* What comes meanwhile waits. */
static void replay(struct net_gate *gate)
{
	const struct machine_input *input;

	while ((input = input_replay(gate->machine, INPUT_NET)))
		gate->base.receive(gate->base.opaque, input->bytes, input->size);
}

static void hand_over(struct net_gate *gate)
{
	fire(gate);
	for (size_t i = 0; i < gate->count; i++) {
		const struct frame *frame = &gate->waiting[i];

		input_log_add(gate->machine, INPUT_NET, 0, frame->bytes, frame->len);
		gate->base.receive(gate->base.opaque, frame->bytes, frame->len);
	}
	gate->count = 0;
}

void net_gate_exchange(struct machine *machine)
{
	struct net_gate *gate = machine->net_gate;

	if (!gate)
		return;
	machine_lock(machine);
	if (input_replaying(machine))
		replay(gate);
	else
		hand_over(gate);
	machine_unlock(machine);
}

struct net_gate *net_gate_create(struct machine *machine)
{
	struct net_gate *gate = calloc(1, sizeof(*gate));

	if (!gate)
		return NULL;
	gate->base.ops = &gate_ops;
	gate->clock = (struct ls_clock){
		.now = gate_now, .arm = gate_arm, .restore = gate_restore, .disarm = gate_disarm};
	gate->machine = machine;
	machine->net_gate = gate;
	return gate;
}

struct net_backend *net_gate_backend(struct net_gate *gate)
{
	return &gate->base;
}

struct ls_clock *net_gate_clock(struct net_gate *gate)
{
	return &gate->clock;
}

void net_gate_connect(struct net_gate *gate, struct net_backend *inner)
{
	gate->inner = inner;
	inner->receive = gate_receive;
	inner->opaque = gate;
}
