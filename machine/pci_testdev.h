/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU's pci-testdev, for kvm-unit-tests: its register layout is in QEMU's
 * docs/specs/pci-testdev.rst. */
#ifndef LOCKSTEP_MACHINE_PCI_TESTDEV_H
#define LOCKSTEP_MACHINE_PCI_TESTDEV_H

#include "machine/pci.h"

int pci_testdev_create(struct pci_bus *bus, struct ls_error *err);

#endif
