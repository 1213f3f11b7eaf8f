/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/doorbell.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "machine/internal.h"

struct doorbell {
	struct machine *machine;
	int fd;
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

static void doorbell_ready(void *opaque, struct pollfd *fds, int count)
{
	struct doorbell *doorbell = opaque;
	uint64_t times;

	if (count && fds[0].revents && read(doorbell->fd, &times, sizeof(times)) > 0)
		doorbell->rung(doorbell->context);
}

struct doorbell *doorbell_create(struct machine *machine, void (*rung)(void *context),
				 void *context)
{
	struct doorbell *doorbell;
	struct poll_source source = {.fill = doorbell_fill, .ready = doorbell_ready};

	if (!engine_offers(machine, KVM_CAP_IOEVENTFD))
		return NULL;
	doorbell = calloc(1, sizeof(*doorbell));
	if (!doorbell)
		return NULL;
	*doorbell = (struct doorbell){.machine = machine,
				      .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
				      .gpa = DOORBELL_NOWHERE,
				      .rung = rung,
				      .context = context};
	source.opaque = doorbell;
	if (doorbell->fd >= 0 && !machine_poll_add(machine, &source))
		return doorbell;
	if (doorbell->fd >= 0)
		close(doorbell->fd);
	free(doorbell);
	return NULL;
}

/* An address that the engine refuses stays an ordinary one. */
static void doorbell_assign(struct doorbell *doorbell, bool on)
{
	struct machine *machine = doorbell->machine;

	for (unsigned int i = 0; doorbell->gpa != DOORBELL_NOWHERE && i < doorbell->count; i++) {
		struct kvm_ioeventfd event = {
			.addr = doorbell->gpa + i * doorbell->stride,
			.len = sizeof(uint16_t),
			.fd = doorbell->fd,
			.flags = on ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN,
		};

		ls_ioctl_ptr(machine->engine, machine->vm, KVM_IOEVENTFD, &event);
	}
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
	if (!doorbell)
		return;
	doorbell_place(doorbell, DOORBELL_NOWHERE, 0, 0);
	machine_poll_remove(doorbell->machine, doorbell);
	close(doorbell->fd);
	free(doorbell);
}
