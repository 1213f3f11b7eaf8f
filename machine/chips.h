/* SPDX-License-Identifier: Apache-2.0 */
/* The small chips that nobody but machine.c knows, and how a chip gets onto the board. */
#ifndef LOCKSTEP_MACHINE_CHIPS_H
#define LOCKSTEP_MACHINE_CHIPS_H

#include <stddef.h>

#include <lockstep/error.h>

struct bus_region;
struct machine;
struct machine_device;

/* Attaches @device, which the machine owns from here on, also after a failure; resets it and
 * claims its ports. */
int chip_add(struct machine *machine, const struct machine_device *device,
	     const struct bus_region *ports, size_t count, struct ls_error *err);

/* Keyboard controller with a keyboard nobody types on: ports 0x60 and 0x64, IRQ 1. */
int i8042_create(struct machine *machine, struct ls_error *err);
/* System control ports A (0x92: fast reset, A20) and the POST codes' port 0x80. */
int port92_create(struct machine *machine, struct ls_error *err);
/* isa-debug-exit: a write of v ends the run with code (v << 1) | 1. */
int exit_port_create(struct machine *machine, struct ls_error *err);
/* Port 0xe9: each byte written goes to debug_output; reads give 0xe9. */
int debug_port_create(struct machine *machine, struct ls_error *err);
/* kvm-unit-tests' pc-testdev: see testdev.c. */
int testdev_create(struct machine *machine, struct ls_error *err);
/* The hypervisor port 0x5658. */
int vmport_create(struct machine *machine, struct ls_error *err);

#endif
