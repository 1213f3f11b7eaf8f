/* SPDX-License-Identifier: Apache-2.0 */
#include "accel/qemu/cpuid.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "accel/qemu/load.h"
#include "accel/qemu/process.h"
#include "accel/qemu/registers.h"

#define MEMORY  0x100000
#define CODE    0x600
#define ANSWERS 0x10000 /* of 3 ranges, each of 64 leaves, each of 64 subleaves */
#define EACH    64
#define RANGE   0x40000000u

/* In real mode, at CODE: all leaves at once, EAX to EDX of each in a paragraph of its own. */
__asm__(".pushsection .rodata\n"
	"	.code16\n"
	"ask_cpuid:\n"
	"	xorl %ebp, %ebp\n"
	"	movw $0x1000, %ax\n"
	"	movw %ax, %es\n"
	"1:	xorl %edi, %edi\n"
	"2:	movl %ebp, %eax\n"
	"	movl %edi, %ecx\n"
	"	cpuid\n"
	"	movl %eax, %es:0\n"
	"	movl %ebx, %es:4\n"
	"	movl %ecx, %es:8\n"
	"	movl %edx, %es:12\n"
	"	movw %es, %ax\n"
	"	incw %ax\n"
	"	movw %ax, %es\n"
	"	incl %edi\n"
	"	cmpl $64, %edi\n"
	"	jb 2b\n"
	"	incl %ebp\n"
	"	testl $63, %ebp\n"
	"	jnz 1b\n"
	"	addl $0x40000000 - 64, %ebp\n"
	"	cmpl $0xc0000000, %ebp\n"
	"	jb 1b\n"
	"ask_cpuid_end:\n"
	"	nop\n"
	"	.code64\n"
	".popsection\n");
extern const uint8_t ask_cpuid[], ask_cpuid_end[];

static int answer_of(void *opaque, struct kvm_cpuid_entry2 *entry)
{
	const uint8_t *memory = opaque;
	uint32_t range = entry->function / RANGE, leaf = entry->function % RANGE, registers[4];

	if (leaf >= EACH || entry->index >= EACH || range > 2)
		return -EINVAL;
	memcpy(registers, memory + ANSWERS + 16 * ((range * EACH + leaf) * EACH + entry->index),
	       sizeof(registers));
	entry->eax = registers[0];
	entry->ebx = registers[1];
	entry->ecx = registers[2];
	entry->edx = registers[3];
	return 0;
}

static int ask_all(struct qemu_process *process)
{
	/* Bases from selectors, all 0. */
	struct kvm_sregs sregs = {0};
	struct kvm_regs regs = {.rip = CODE, .rflags = 2};
	int rc = qemu_load_sregs(process, NULL, &(struct qemu_start){.sregs = &sregs});

	if (!rc)
		rc = qemu_write_regs(process, &regs, NULL);
	return rc ? rc : qemu_run_to(process, CODE + (uint64_t)(ask_cpuid_end - ask_cpuid));
}

static int read_cpuid(int fd, uint8_t *memory, union cpuid_leaves *leaves)
{
	struct qemu_process process = {0};
	struct ls_error err = {0};
	int rc;

	memcpy(memory + CODE, ask_cpuid, (size_t)(ask_cpuid_end - ask_cpuid) + 1);
	rc = qemu_process_start(&process, fd, MEMORY, &err);
	if (!rc)
		rc = ask_all(&process);
	qemu_process_stop(&process);
	return rc ? rc : cpuid_leaves_read(leaves, answer_of, memory);
}

int qemu_read_cpuid(union cpuid_leaves *leaves)
{
	int fd = memfd_create("cpuid", MFD_CLOEXEC), rc;
	uint8_t *memory = MAP_FAILED;

	if (fd < 0)
		return -errno;
	if (!ftruncate(fd, MEMORY))
		memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	rc = memory == MAP_FAILED ? -errno : read_cpuid(fd, memory, leaves);
	if (memory != MAP_FAILED)
		munmap(memory, MEMORY);
	close(fd);
	return rc;
}
