/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cpu/io.h"
#include "sim/cpu/device.h"
#include "sim/cpu/recorder.h"
#include "sim/cpu/segment.h"

#define TSS_IO_MAP_BASE 102 /* of a 32-bit or 64-bit TSS (SDM 3A:8.2.1, 8.7) */

static bool tss_has_io_map(const struct cpu *cpu)
{
	u32 rights = cpu->seg[SEG_TR].rights;

	return !(rights & SEG_UNUSABLE) && (rights & SEG_P) && (rights & 0xd) == 9 &&
	       cpu->seg[SEG_TR].limit >= TSS_IO_MAP_BASE + 1;
}

/* The two bytes with the port's bits are read, even if one would do. */
static bool io_map_allows(struct cpu *cpu, u16 port, unsigned int size)
{
	u64 base = SEG_BASE(cpu, SEG_TR), mask = (1u << size) - 1;
	u32 at;

	if (!tss_has_io_map(cpu))
		return false;
	at = mem_load_system(cpu, base + TSS_IO_MAP_BASE, 2) + port / 8;
	if (at + 1 > cpu->seg[SEG_TR].limit)
		return false;
	return !(mem_load_system(cpu, base + at, 2) >> port % 8 & mask);
}

void io_check(struct cpu *cpu, u16 port, unsigned int size)
{
	bool privileged = cpu->cpl <= (cpu->rflags & FLAG_IOPL) >> 12;

	/* Virtual-8086 mode asks the bitmap whatever IOPL (SDM 1:19.5.2). */
	if ((cpu->cr0 & CR0_PE) && (!privileged || cpu_v86(cpu)) && !io_map_allows(cpu, port, size))
		raise_gp(cpu, 0);
}

static u32 user_access(struct cpu *cpu, u16 port, u32 value, unsigned int size, bool write)
{
	const struct cpu_io_access access = {.address = port,
					     .data = write ? value : 0,
					     .size = size,
					     .write = write,
					     .port = true},
				   *answer = device_ask(cpu, &access);

	return answer ? answer->data : UINT32_MAX;
}

static u32 io_access(struct cpu *cpu, u16 port, u32 value, unsigned int size, bool write)
{
	if (!cpu->single)
		cpu_abandon(cpu, CPU_EXIT_NONE);
	if (!cpu->platform->port(cpu, port, &value, size, write))
		value = user_access(cpu, port, value, size, write);
	if (cpu_watches(cpu) && (cpu->cr4 & CR4_DE))
		debug_check_port(cpu, port, size);
	RECORD(cpu, PORT_ACCESS, .port = port, .size = size, .write = write,
	       .value = value & (UINT32_MAX >> (32 - 8 * size)));
	return value;
}

u32 io_read(struct cpu *cpu, u16 port, unsigned int size)
{
	u32 value = io_access(cpu, port, 0, size, false);

	return size == 4 ? value : value & (BIT(8 * size) - 1);
}

void io_write(struct cpu *cpu, u16 port, u32 value, unsigned int size)
{
	io_access(cpu, port, value, size, true);
}
