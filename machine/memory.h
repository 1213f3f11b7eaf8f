/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest memory. The physical map:
 *
 *   0x0000_0000 - 0x0009_fbff  RAM          (EBDA from 0x9fc00: ACPI and MP pointers)
 *   0x000a_0000 - 0x000b_ffff  VGA window   (nothing there)
 *   0x000c_0000 - 0x000f_ffff  RAM: option ROMs, ACPI tables from 0xe0000, firmware shadow
 *   0x0010_0000 - min(top, 3G) RAM
 *   0xc000_0000 - 0xcfff_ffff  PCI ECAM, 256 buses
 *   0xd000_0000 - 0xfebf_ffff  PCI memory window (SeaBIOS allocates from 0xe000_0000)
 *   0xfec0_0000                I/O APIC
 *   0xfee0_0000                local APICs, MSI
 *   0xff00_0000                kvm-unit-tests' test memory, if asked for
 *   0x1_0000_0000 - firmware size .. 4G  firmware, read-only, if one is booted
 *   0x1_0000_0000 ...          the rest of RAM
 */
#ifndef LOCKSTEP_MACHINE_MEMORY_H
#define LOCKSTEP_MACHINE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include <lockstep/error.h>

struct machine;

#define MEMORY_LOW_END     0xc0000000ull
#define MEMORY_HIGH_START  0x100000000ull
#define MEMORY_ECAM_BASE   0xc0000000ull
#define MEMORY_ECAM_SIZE   0x10000000ull
#define MEMORY_PCI_BASE    0xd0000000ull
#define MEMORY_PCI_END     0xfec00000ull /* first byte beyond the window */
#define MEMORY_PCI_IO_BASE 0xc000ull     /* I/O BARs; below are the PC's own ports */
#define MEMORY_PCI_IO_END  0x10000ull
#define MEMORY_IOAPIC      0xfec00000ull
#define MEMORY_LAPIC       0xfee00000ull

struct memory_slot {
	uint64_t gpa, size;
	uint8_t *host;
};

/* Host address of RAM [gpa, gpa + len), NULL if any byte of it is not RAM. For reading; a
 * writer calls machine_memory_written afterwards, before the guest can run on. */
void *machine_memory_ptr(struct machine *machine, uint64_t gpa, uint64_t len);
/* The one place that tells the engine of writes to guest memory that it did not make. */
void machine_memory_written(struct machine *machine, uint64_t gpa, uint64_t len);

/* Copies; -EFAULT, with nothing transferred, unless all of it is RAM (or, for reading, firmware).
 */
int machine_dma_read(struct machine *machine, uint64_t gpa, void *to, uint64_t len);
int machine_dma_write(struct machine *machine, uint64_t gpa, const void *from, uint64_t len);
int machine_dma_zero(struct machine *machine, uint64_t gpa, uint64_t len);

/* RAM below MEMORY_LOW_END, and from MEMORY_HIGH_START on; bytes. */
uint64_t machine_memory_low(struct machine *machine);
uint64_t machine_memory_high(struct machine *machine);

#endif
