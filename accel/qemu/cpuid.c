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
#define MOST   0x30 /* leaves of a range; QEMU has fewer */

/* Leaves whose answer depends on ECX, and how many subleaves are asked for (SDM 2A CPUID). */
static const struct {
	uint32_t leaf, subleaves;
} indexed[] = {{4, 4}, {7, 2}, {0xb, 2}, {0xd, 10}, {0x1f, 2}, {0x8000001d, 4}};

static uint32_t subleaves_of(uint32_t leaf)
{
	for (size_t i = 0; i < sizeof(indexed) / sizeof(indexed[0]); i++) {
		if (indexed[i].leaf == leaf)
			return indexed[i].subleaves;
	}
	return 0;
}

/* The processor executes CPUID at CODE, in real mode. */
static int ask(struct qemu_process *process, struct kvm_cpuid_entry2 *entry)
{
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

static int ask_leaf(struct qemu_process *process, struct kvm_cpuid2 *cpuid, uint32_t room,
		    uint32_t leaf)
{
	uint32_t subleaves = subleaves_of(leaf), i = 0;
	int rc = 0;

	do {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[cpuid->nent];

		if (cpuid->nent == room)
			return -E2BIG;
		*entry = (struct kvm_cpuid_entry2){
			.function = leaf,
			.index = i,
			.flags = subleaves ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0};
		rc = ask(process, entry);
		cpuid->nent++;
	} while (!rc && ++i < subleaves);
	return rc;
}

static int ask_range(struct qemu_process *process, struct kvm_cpuid2 *cpuid, uint32_t room,
		     uint32_t first)
{
	struct kvm_cpuid_entry2 head = {.function = first};
	int rc = ask(process, &head);

	for (uint32_t leaf = first; !rc && leaf <= head.eax && leaf < first + MOST; leaf++)
		rc = ask_leaf(process, cpuid, room, leaf);
	return rc;
}

static int ask_all(struct qemu_process *process, struct kvm_cpuid2 *cpuid, uint32_t room)
{
	/* Bases from selectors, all 0. */
	struct kvm_sregs sregs = {0};
	int rc = qemu_load_sregs(process, NULL, &sregs);

	cpuid->nent = 0;
	if (!rc)
		rc = ask_range(process, cpuid, room, 0);
	return rc ? rc : ask_range(process, cpuid, room, 0x80000000);
}

int qemu_read_cpuid(struct kvm_cpuid2 *cpuid)
{
	static const uint8_t code[] = {0x0f, 0xa2};
	struct qemu_process process = {0};
	struct ls_error err = {0};
	uint32_t room = cpuid->nent;
	int memory = memfd_create("cpuid", MFD_CLOEXEC), rc;

	if (memory < 0)
		return -errno;
	if (ftruncate(memory, MEMORY) ||
	    pwrite(memory, code, sizeof(code), CODE) != (ssize_t)sizeof(code))
		rc = -errno;
	else
		rc = qemu_process_start(&process, memory, MEMORY, &err);
	if (!rc)
		rc = ask_all(&process, cpuid, room);
	qemu_process_stop(&process);
	close(memory);
	return rc;
}
