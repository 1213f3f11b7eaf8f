/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/doorbell.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "machine/internal.h"

struct doorbell {
	struct doorbell *next; /* of the machine's */
	struct machine *machine;
	int fd;
	bool listens; /* the engine tells of writes */
	uint64_t gpa;
	unsigned int count, stride; /* while placed */
	void (*rung)(void *context);
	void *context;
};

static int doorbell_fill(void *opaque, struct pollfd *fds, int room, int *timeout_ms)
{
	const struct doorbell *doorbell = opaque;

	(void)timeout_ms;
	if (room < 1)
		return 0;
	fds[0] = (struct pollfd){.fd = doorbell->fd, .events = POLLIN};
	return 1;
}

static void doorbell_look(struct doorbell *doorbell)
{
	uint64_t times;

	if (read(doorbell->fd, &times, sizeof(times)) > 0)
		doorbell->rung(doorbell->context);
}

static void doorbell_ready(void *opaque, struct pollfd *fds, int count)
{
	if (count && fds[0].revents)
		doorbell_look(opaque);
}

/* An address that the engine refuses stays an ordinary one. */
static void doorbell_assign(struct doorbell *doorbell, bool on)
{
	struct machine *machine = doorbell->machine;

	if (!doorbell->listens || doorbell->gpa == DOORBELL_NOWHERE)
		return;
	for (unsigned int i = 0; i < doorbell->count; i++) {
		struct kvm_ioeventfd event = {
			.addr = doorbell->gpa + i * doorbell->stride,
			.len = sizeof(uint16_t),
			.fd = doorbell->fd,
			.flags = on ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN,
		};

		ls_ioctl_ptr(machine->engine, machine->vm, KVM_IOEVENTFD, &event);
	}
}

/* Polled only where it can ring: a look between two turns costs a call to the host. */
static void doorbell_attach(struct doorbell *doorbell)
{
	struct machine *machine = doorbell->machine;
	const struct poll_source source = {
		.fill = doorbell_fill, .ready = doorbell_ready, .opaque = doorbell};

	if (doorbell->listens)
		machine_poll_remove(machine, doorbell);
	doorbell->listens =
		engine_offers(machine, KVM_CAP_IOEVENTFD) && !machine_poll_add(machine, &source);
	doorbell_assign(doorbell, true);
}

struct doorbell *doorbell_create(struct machine *machine, void (*rung)(void *context),
				 void *context)
{
	struct doorbell *doorbell = malloc(sizeof(*doorbell));

	if (!doorbell)
		return NULL;
	*doorbell = (struct doorbell){.next = machine->doorbells,
				      .machine = machine,
				      .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
				      .gpa = DOORBELL_NOWHERE,
				      .rung = rung,
				      .context = context};
	if (doorbell->fd < 0) {
		free(doorbell);
		return NULL;
	}
	machine->doorbells = doorbell;
	doorbell_attach(doorbell);
	return doorbell;
}

void doorbell_place(struct doorbell *doorbell, uint64_t gpa, unsigned int count,
		    unsigned int stride)
{
	if (gpa == doorbell->gpa && count == doorbell->count && stride == doorbell->stride)
		return;
	doorbell_assign(doorbell, false);
	doorbell->gpa = gpa;
	doorbell->count = count;
	doorbell->stride = stride;
	doorbell_assign(doorbell, true);
}

void doorbell_destroy(struct doorbell *doorbell)
{
	struct doorbell **at;

	if (!doorbell)
		return;
	doorbell_place(doorbell, DOORBELL_NOWHERE, 0, 0);
	for (at = &doorbell->machine->doorbells; *at != doorbell; at = &(*at)->next)
		;
	*at = doorbell->next;
	machine_poll_remove(doorbell->machine, doorbell);
	close(doorbell->fd);
	free(doorbell);
}

void doorbells_attach(struct machine *machine)
{
	for (struct doorbell *doorbell = machine->doorbells; doorbell; doorbell = doorbell->next)
		doorbell_attach(doorbell);
}

void doorbells_settle(struct machine *machine)
{
	for (struct doorbell *doorbell = machine->doorbells; doorbell; doorbell = doorbell->next)
		doorbell_look(doorbell);
}
