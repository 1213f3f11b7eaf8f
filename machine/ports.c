/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of one or two ports: system control port A, POST codes, the exit port, the debug
 * port, the hypervisor port. */
#include <stdlib.h>
#include <string.h>

#include "machine/chips.h"
#include "machine/internal.h"
#include "record/record.h"

#define PORT92_RESET 0x01
#define PORT92_A20   0x02

struct port92 {
	struct machine *machine;
	uint8_t value;
	uint8_t post_code;
};

static uint64_t port92_read(void *opaque, uint64_t offset, unsigned int size)
{
	(void)offset;
	(void)size;
	return ((struct port92 *)opaque)->value;
}

static void port92_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct port92 *port = opaque;
	bool rising = value & PORT92_RESET && !(port->value & PORT92_RESET);

	(void)offset;
	(void)size;
	/* A20 can be read back; addresses are never masked. */
	port->value = (uint8_t)value;
	if (rising)
		machine_request_reset(port->machine);
}

/* Linux delays by writing to port 0x80: claimed, so that it does not count as a stray. */
static uint64_t post_read(void *opaque, uint64_t offset, unsigned int size)
{
	(void)offset;
	(void)size;
	return ((struct port92 *)opaque)->post_code;
}

static void post_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	(void)offset;
	(void)size;
	((struct port92 *)opaque)->post_code = (uint8_t)value;
}

static void port92_reset(void *opaque)
{
	((struct port92 *)opaque)->value = PORT92_A20;
}

static const struct record_field port92_fields[] = {
	RECORD_FIELD(struct port92, value),
	RECORD_FIELD(struct port92, post_code),
};
static const struct record_table port92_table = {
	.name = "port92", .version = 1, RECORD_FIELDS(port92_fields)};

static const struct bus_ops port92_ops = {.read = port92_read, .write = port92_write, .widest = 1};
static const struct bus_ops post_ops = {.read = post_read, .write = post_write, .widest = 1};

int port92_create(struct machine *machine, struct ls_error *err)
{
	struct port92 *port = calloc(1, sizeof(*port));
	const struct bus_region ports[] = {
		{.name = "system control",
		 .base = 0x92,
		 .size = 1,
		 .ops = &port92_ops,
		 .opaque = port},
		{.name = "POST code", .base = 0x80, .size = 1, .ops = &post_ops, .opaque = port},
	};
	struct machine_device device = {.name = "port92",
					.state = &port92_table,
					.reset = port92_reset,
					.destroy = free,
					.opaque = port};

	if (!port)
		return ls_error_set(err, -ENOMEM, "no memory for the system control port");
	port->machine = machine;
	return chip_add(machine, &device, ports, 2, err);
}

static void exit_port_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	(void)offset;
	(void)size;
	machine_request_exit(opaque, (int)((uint32_t)value << 1 | 1));
}

static const struct bus_ops exit_port_ops = {.write = exit_port_write, .widest = 4};

int exit_port_create(struct machine *machine, struct ls_error *err)
{
	const struct machine_config *config = &machine->config;
	struct bus_region region = {
		.name = "exit port",
		.base = config->exit_port_base ? config->exit_port_base : 0xf4,
		.size = config->exit_port_size ? config->exit_port_size : 4,
		.ops = &exit_port_ops,
		.opaque = machine,
	};

	return bus_add(&machine->ports, &region, err);
}

static uint64_t debug_port_read(void *opaque, uint64_t offset, unsigned int size)
{
	(void)opaque;
	(void)offset;
	(void)size;
	return 0xe9; /* how a guest finds out that the port exists */
}

static void debug_port_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct machine *machine = opaque;
	uint8_t byte = (uint8_t)value;

	(void)offset;
	(void)size;
	if (!input_replaying(machine))
		machine->config.debug_output(machine->config.output_opaque, &byte, 1);
}

static const struct bus_ops debug_port_ops = {
	.read = debug_port_read, .write = debug_port_write, .widest = 1};

int debug_port_create(struct machine *machine, struct ls_error *err)
{
	struct bus_region region = {.name = "debug port",
				    .base = 0xe9,
				    .size = 1,
				    .ops = &debug_port_ops,
				    .opaque = machine};

	return bus_add(&machine->ports, &region, err);
}

/* The protocol passes registers, which an IN exit does not show: they are read and changed
 * through KVM_GET_REGS. Only GETVERSION (0x0a) is answered. */
#define VMPORT_MAGIC       0x564d5868
#define VMPORT_GET_VERSION 0x0a
#define VMPORT_VERSION     6

static uint64_t vmport_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct machine *machine = opaque;
	struct vcpu *vcpu = machine->exiting;
	struct kvm_regs regs;

	(void)offset;
	(void)size;
	if (!vcpu || ls_ioctl_ptr(machine->engine, vcpu->fd, KVM_GET_REGS, &regs) < 0)
		return UINT32_MAX;
	if ((uint32_t)regs.rax != VMPORT_MAGIC || (uint16_t)regs.rcx != VMPORT_GET_VERSION)
		return (uint32_t)regs.rax;
	regs.rbx = VMPORT_MAGIC;
	if (ls_ioctl_ptr(machine->engine, vcpu->fd, KVM_SET_REGS, &regs) < 0)
		return UINT32_MAX;
	return VMPORT_VERSION;
}

static const struct bus_ops vmport_ops = {.read = vmport_read, .widest = 4};

int vmport_create(struct machine *machine, struct ls_error *err)
{
	struct bus_region region = {.name = "hypervisor port",
				    .base = 0x5658,
				    .size = 1,
				    .ops = &vmport_ops,
				    .opaque = machine,
				    .reach = 4};

	return bus_add(&machine->ports, &region, err);
}
