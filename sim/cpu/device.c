/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cpu/device.h"
#include "sim/cpu/fault.h"

/* Takes the answer of an earlier execution, or asks user space. */
static void user_access(struct cpu *cpu, u64 gpa, void *data, unsigned int size, bool write)
{
	struct cpu_io *io = &cpu->io;
	unsigned int n = io->consumed;

	if (n < io->completed) {
		io->consumed++;
		if (!write)
			__builtin_memcpy(data, &io->fragment[n].data, size);
		return;
	}
	/* Only FXSAVE's and XSAVE's images have more: their writes are lost, their reads are ones.
	 */
	if (n == CPU_IO_FRAGMENTS) {
		if (!write)
			__builtin_memset(data, 0xff, size);
		return;
	}
	io->fragment[n].address = gpa;
	io->fragment[n].size = size;
	io->fragment[n].write = write;
	io->fragment[n].port = false;
	io->fragment[n].data = 0;
	if (write)
		__builtin_memcpy(&io->fragment[n].data, data, size);
	cpu_abandon(cpu, CPU_EXIT_IO);
}

static void access_once(struct cpu *cpu, u64 gpa, void *data, unsigned int size, bool write)
{
	if (!cpu->platform->mmio(cpu, gpa, data, size, write))
		user_access(cpu, gpa, data, size, write);
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
