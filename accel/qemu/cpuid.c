/* SPDX-License-Identifier: Apache-2.0 */
#include "accel/qemu/cpuid.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "accel/qemu/process.h"
#include "accel/qemu/registers.h"

#define MEMORY 0x100000
#define CODE   0x600

/* The processor executes CPUID at CODE, in real mode. */
static int ask(void *opaque, struct kvm_cpuid_entry2 *entry)
{
	struct qemu_process *process = opaque;
	struct kvm_regs regs = {
		.rax = entry->function, .rcx = entry->index, .rip = CODE, .rflags = 2};
	struct kvm_sregs sregs = {0};
	char answer[GDB_ROOM];
	bool hidden;
	int rc = qemu_write_regs(process, &regs);

	if (!rc)
		rc = qemu_gdb(process, "s", answer);
	if (!rc)
		rc = qemu_read_quickly(process, &regs, &sregs, &hidden);
	entry->eax = (uint32_t)regs.rax;
	entry->ebx = (uint32_t)regs.rbx;
	entry->ecx = (uint32_t)regs.rcx;
	entry->edx = (uint32_t)regs.rdx;
	return rc;
}

static int ask_all(struct qemu_process *process, union cpuid_leaves *leaves)
{
	/* Bases from selectors, all 0. */
	struct kvm_sregs sregs = {0};
	int rc = qemu_load_sregs(process, NULL, &sregs);

	return rc ? rc : cpuid_leaves_read(leaves, ask, process);
}

int qemu_read_cpuid(union cpuid_leaves *leaves)
{
	static const uint8_t code[] = {0x0f, 0xa2};
	struct qemu_process process = {0};
	struct ls_error err = {0};
	int memory = memfd_create("cpuid", MFD_CLOEXEC), rc;

	if (memory < 0)
		return -errno;
	if (ftruncate(memory, MEMORY) ||
	    pwrite(memory, code, sizeof(code), CODE) != (ssize_t)sizeof(code))
		rc = -errno;
	else
		rc = qemu_process_start(&process, memory, MEMORY, &err);
	if (!rc)
		rc = ask_all(&process, leaves);
	qemu_process_stop(&process);
	close(memory);
	return rc;
}
