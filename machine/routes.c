/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/routes.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "machine/internal.h"

union table {
	struct kvm_irq_routing head;
	uint8_t room[sizeof(struct kvm_irq_routing) +
		     (ROUTES_BOARD + ROUTES_MESSAGES) * sizeof(struct kvm_irq_routing_entry)];
};

static uint32_t gsi_of(const struct routes *routes, const struct route_message *message)
{
	return IRQ_GSI_COUNT + (uint32_t)(message - routes->messages);
}

static int set_table(struct machine *machine)
{
	const struct routes *routes = &machine->routes;
	union table table = {.head = {.nr = routes->board_count}};

	memcpy(table.head.entries, routes->board, routes->board_count * sizeof(routes->board[0]));
	for (unsigned int i = 0; i < ROUTES_MESSAGES; i++) {
		const struct route_message *message = &routes->messages[i];

		if (message->open)
			table.head.entries[table.head.nr++] = (struct kvm_irq_routing_entry){
				.gsi = gsi_of(routes, message),
				.type = KVM_IRQ_ROUTING_MSI,
				.u.msi = {.address_lo = (uint32_t)message->address,
					  .address_hi = (uint32_t)(message->address >> 32),
					  .data = message->data}};
	}
	return ls_ioctl_ptr(machine->engine, machine->vm, KVM_SET_GSI_ROUTING, &table);
}

static int set_event(struct machine *machine, const struct route_message *message, uint32_t flags)
{
	const struct kvm_irqfd irqfd = {.fd = (uint32_t)message->fd,
					.gsi = gsi_of(&machine->routes, message),
					.flags = flags};

	return ls_ioctl_ptr(machine->engine, machine->vm, KVM_IRQFD, &irqfd);
}

void routes_start(struct machine *machine)
{
	machine->routes = (struct routes){.has_events = engine_offers(machine, KVM_CAP_IRQFD)};
}

int routes_set_board(struct machine *machine, const struct kvm_irq_routing_entry *entries,
		     unsigned int count)
{
	memcpy(machine->routes.board, entries, count * sizeof(entries[0]));
	machine->routes.board_count = count;
	return set_table(machine);
}

/* --- messages --- */

/* What KVM has put off it delivers before this returns. */
static void take_away(struct machine *machine, struct route_message *message)
{
	if (!message->open)
		return;
	set_event(machine, message, KVM_IRQFD_FLAG_DEASSIGN);
	close(message->fd);
	*message = (struct route_message){0};
}

/* An eventfd for what has had none, or was not sent for the longest time. */
static bool set_up(struct machine *machine, struct route_message *message, uint64_t address,
		   uint32_t data)
{
	take_away(machine, message);
	*message = (struct route_message){.open = true,
					  .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
					  .address = address,
					  .data = data};
	if (message->fd >= 0 && set_table(machine) >= 0 && set_event(machine, message, 0) >= 0)
		return true;
	if (message->fd >= 0)
		close(message->fd);
	*message = (struct route_message){0};
	machine->routes.has_events = false; /* it will refuse the next one, too */
	return false;
}

static bool is(const struct route_message *message, uint64_t address, uint32_t data)
{
	return message->open && message->address == address && message->data == data;
}

/* NULL if it cannot be. */
static struct route_message *find(struct machine *machine, uint64_t address, uint32_t data)
{
	struct routes *routes = &machine->routes;
	struct route_message *oldest = &routes->messages[0];

	for (unsigned int i = 0; i < ROUTES_MESSAGES; i++) {
		struct route_message *message = &routes->messages[i];

		if (is(message, address, data))
			return message;
		if (message->used < oldest->used)
			oldest = message;
	}
	return set_up(machine, oldest, address, data) ? oldest : NULL;
}

bool routes_send(struct machine *machine, uint64_t address, uint32_t data)
{
	const uint64_t one = 1;
	struct route_message *message =
		machine->routes.has_events ? find(machine, address, data) : NULL;

	if (!message || write(message->fd, &one, sizeof(one)) != sizeof(one))
		return false;
	message->used = ++machine->routes.sent;
	return true;
}

void routes_settle(struct machine *machine)
{
	for (unsigned int i = 0; i < ROUTES_MESSAGES; i++)
		take_away(machine, &machine->routes.messages[i]);
}
