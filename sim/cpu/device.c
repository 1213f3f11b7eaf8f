/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cpu/device.h"
#include "sim/cpu/fault.h"
#include "sim/cpu/recorder.h"

const struct cpu_io_access *device_ask(struct cpu *cpu, const struct cpu_io_access *access)
{
	struct cpu_io *io = &cpu->io;
	unsigned int n = io->consumed;

	if (n < io->completed) {
		io->consumed++;
		return &io->fragment[n];
	}
	if (n == CPU_IO_FRAGMENTS)
		return NULL;
	io->fragment[n] = *access;
	cpu_abandon(cpu, CPU_EXIT_IO);
}

static void user_access(struct cpu *cpu, u64 gpa, void *data, unsigned int size, bool write)
{
	struct cpu_io_access access = {.address = gpa, .size = size, .write = write};
	const struct cpu_io_access *answer;

	if (write)
		__builtin_memcpy(&access.data, data, size);
	answer = device_ask(cpu, &access);
	if (write)
		return;
	if (answer)
		__builtin_memcpy(data, &answer->data, size);
	else /* only FXSAVE's and XSAVE's images have more: their writes are lost, reads are ones */
		__builtin_memset(data, 0xff, size);
}

static void record_access(struct cpu *cpu, u64 gpa, const void *data, unsigned int size, bool write)
{
	u64 value = 0;

	__builtin_memcpy(&value, data, size);
	RECORD(cpu, MMIO_ACCESS, .address = gpa, .size = size, .write = write, .value = value);
}

static void access_once(struct cpu *cpu, u64 gpa, void *data, unsigned int size, bool write)
{
	if (!cpu->platform->mmio(cpu, gpa, data, size, write))
		user_access(cpu, gpa, data, size, write);
	if (unlikely(cpu->recorder))
		record_access(cpu, gpa, data, size, write);
}

bool device_store_last(struct cpu *cpu, u64 gpa, void *data, unsigned int size, bool *leave)
{
	s64 budget = cpu->budget;

	if (cpu->single || cpu_apic_access(cpu, gpa) ||
	    !cpu->platform->mmio(cpu, gpa, data, size, true))
		return false;
	if (unlikely(cpu->recorder))
		record_access(cpu, gpa, data, size, true);
	*leave = cpu->budget != budget || __atomic_load_n(&cpu->event, __ATOMIC_RELAXED);
	return true;
}

void device_access(struct cpu *cpu, u64 gpa, void *data, unsigned int size, bool write)
{
	u8 *bytes = data;

	if (!cpu->single)
		cpu_abandon(cpu, CPU_EXIT_NONE);
	for (; size > 8; size -= 8, gpa += 8, bytes += 8)
		access_once(cpu, gpa, bytes, 8, write);
	access_once(cpu, gpa, bytes, size, write);
}
