/* SPDX-License-Identifier: Apache-2.0 */
#include "accel/qemu/registers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "accel/segment.h"

/* --- out --- */

/* "RAX=0000..." or, outside of 64-bit code, "EAX=...": the number behind NAME=, 0 if there is none.
 */
static uint64_t number_of(const char *text, const char *name)
{
	size_t length = strlen(name);
	const char *at = text;

	while ((at = strstr(at, name))) {
		if (at[length] == '=' && (at == text || at[-1] == ' ' || at[-1] == '\n'))
			return strtoull(at + length + 1, NULL, 16);
		at += length;
	}
	return 0;
}

static uint64_t general_of(const char *text, const char *name)
{
	char narrow[8];

	snprintf(narrow, sizeof(narrow), "E%s", name + 1);
	return strstr(text, "RIP=") ? number_of(text, name) : number_of(text, narrow);
}

/* NAME=selector base limit attributes; the attributes are the descriptor's second half. */
static void segment_of(const char *text, const char *name, struct kvm_segment *segment)
{
	unsigned long long base = 0;
	unsigned int selector = 0, limit = 0, flags = 0;
	const char *at = strstr(text, name);

	if (at)
		sscanf(at + strlen(name), "%x %llx %x %x", &selector, &base, &limit, &flags);
	*segment = segment_make((uint16_t)selector, base, limit, flags);
	segment->unusable = !segment->present;
}

static void table_of(const char *text, const char *name, struct kvm_dtable *table)
{
	unsigned long long base = 0;
	unsigned int limit = 0;
	const char *at = strstr(text, name);

	if (at)
		sscanf(at + strlen(name), "%llx %x", &base, &limit);
	*table = (struct kvm_dtable){.base = base, .limit = (uint16_t)limit};
}

void qemu_parse_registers(const char *text, struct kvm_regs *regs, struct kvm_sregs *sregs)
{
	const struct {
		const char *name;
		struct kvm_segment *segment;
	} segments[] = {
		{"\nES =", &sregs->es},  {"\nCS =", &sregs->cs}, {"\nSS =", &sregs->ss},
		{"\nDS =", &sregs->ds},  {"\nFS =", &sregs->fs}, {"\nGS =", &sregs->gs},
		{"\nLDT=", &sregs->ldt}, {"\nTR =", &sregs->tr},
	};

	*regs = (struct kvm_regs){
		.rax = general_of(text, "RAX"),
		.rbx = general_of(text, "RBX"),
		.rcx = general_of(text, "RCX"),
		.rdx = general_of(text, "RDX"),
		.rsi = general_of(text, "RSI"),
		.rdi = general_of(text, "RDI"),
		.rsp = general_of(text, "RSP"),
		.rbp = general_of(text, "RBP"),
		.r8 = number_of(text, "R8 "),
		.r9 = number_of(text, "R9 "),
		.r10 = number_of(text, "R10"),
		.r11 = number_of(text, "R11"),
		.r12 = number_of(text, "R12"),
		.r13 = number_of(text, "R13"),
		.r14 = number_of(text, "R14"),
		.r15 = number_of(text, "R15"),
		.rip = general_of(text, "RIP"),
		.rflags = general_of(text, "RFL"),
	};
	*sregs = (struct kvm_sregs){
		.cr0 = number_of(text, "CR0"),
		.cr2 = number_of(text, "CR2"),
		.cr3 = number_of(text, "CR3"),
		.cr4 = number_of(text, "CR4"),
		.efer = number_of(text, "EFER"),
		.apic_base = 0xfee00900, /* where it is at reset, and QEMU's does not move */
	};
	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++)
		segment_of(text, segments[i].name, segments[i].segment);
	/* LLDT of a null selector clears base and limit (QEMU, helper_lldt()); from reset it has
	 * one. */
	sregs->ldt.unusable |= !(sregs->ldt.selector & 0xfffc) && !sregs->ldt.limit;
	sregs->tr.type |= 2; /* LTR makes it busy (SDM 3A:7.2.2); QEMU does so in memory only */
	table_of(text, "\nGDT=", &sregs->gdt);
	table_of(text, "\nIDT=", &sregs->idt);
}

int qemu_read_registers(struct qemu_process *process, struct kvm_regs *regs,
			struct kvm_sregs *sregs)
{
	char text[MONITOR_ROOM];
	int rc = qemu_monitor(process, "info registers", text);

	if (!rc)
		qemu_parse_registers(text, regs, sregs);
	return rc;
}

/* What the stub sends, in its order. */
struct __attribute__((packed)) stub_registers {
	uint64_t general[16], rip;
	uint32_t eflags, segments[6]; /* CS, SS, DS, ES, FS, GS */
	uint64_t bases[3], cr0, cr2, cr3, cr4, cr8, efer;
};

static int read_stub(struct qemu_process *process, struct stub_registers *stub)
{
	char answer[GDB_ROOM];
	uint8_t *bytes = (uint8_t *)stub;
	int rc = qemu_gdb(process, "g", answer);

	if (rc)
		return rc;
	for (size_t i = 0; i < sizeof(*stub); i++) {
		unsigned int value;

		if (sscanf(answer + 2 * i, "%2x", &value) != 1)
			return -EIO;
		bytes[i] = (uint8_t)value;
	}
	return 0;
}

static bool take(__u16 *selector, uint32_t value)
{
	bool changed = *selector != value;

	*selector = (uint16_t)value;
	return changed;
}

int qemu_read_quickly(struct qemu_process *process, struct kvm_regs *regs, struct kvm_sregs *sregs,
		      bool *hidden)
{
	struct stub_registers stub;
	uint64_t general[16];
	int rc = read_stub(process, &stub);

	if (rc)
		return rc;
	memcpy(general, stub.general, sizeof(general));
	*regs = (struct kvm_regs){.rax = general[0],
				  .rbx = general[1],
				  .rcx = general[2],
				  .rdx = general[3],
				  .rsi = general[4],
				  .rdi = general[5],
				  .rbp = general[6],
				  .rsp = general[7],
				  .r8 = general[8],
				  .r9 = general[9],
				  .r10 = general[10],
				  .r11 = general[11],
				  .r12 = general[12],
				  .r13 = general[13],
				  .r14 = general[14],
				  .r15 = general[15],
				  .rip = stub.rip,
				  .rflags = stub.eflags};
	*hidden = sregs->cr0 != stub.cr0 || sregs->efer != stub.efer;
	*hidden |= take(&sregs->cs.selector, stub.segments[0]);
	*hidden |= take(&sregs->ss.selector, stub.segments[1]);
	*hidden |= take(&sregs->ds.selector, stub.segments[2]);
	*hidden |= take(&sregs->es.selector, stub.segments[3]);
	*hidden |= take(&sregs->fs.selector, stub.segments[4]);
	*hidden |= take(&sregs->gs.selector, stub.segments[5]);
	sregs->cr0 = stub.cr0;
	sregs->cr2 = stub.cr2;
	sregs->cr3 = stub.cr3;
	sregs->cr4 = stub.cr4;
	sregs->cr8 = stub.cr8;
	sregs->efer = stub.efer;
	return 0;
}

/* --- in --- */

int qemu_write_register(struct qemu_process *process, unsigned int number, uint64_t value,
			unsigned int bytes)
{
	char request[64], answer[GDB_ROOM];
	int n = snprintf(request, sizeof(request), "P%x=", number), rc;

	for (unsigned int i = 0; i < bytes; i++)
		n += snprintf(request + n, sizeof(request) - (size_t)n, "%02x",
			      (unsigned int)(value >> 8 * i & 0xff));
	rc = qemu_gdb(process, request, answer);
	return rc || strcmp(answer, "OK") ? (rc ? rc : -EIO) : 0;
}

#define WRITTEN 17 /* general registers and RIP */

static void list_regs(const struct kvm_regs *regs, uint64_t values[WRITTEN])
{
	const uint64_t list[WRITTEN] = {regs->rax, regs->rbx, regs->rcx, regs->rdx, regs->rsi,
					regs->rdi, regs->rbp, regs->rsp, regs->r8,  regs->r9,
					regs->r10, regs->r11, regs->r12, regs->r13, regs->r14,
					regs->r15, regs->rip};

	memcpy(values, list, sizeof(list));
}

int qemu_write_regs(struct qemu_process *process, const struct kvm_regs *regs,
		    const struct kvm_regs *there)
{
	uint64_t values[WRITTEN], known[WRITTEN];
	int rc = 0;

	list_regs(regs, values);
	list_regs(there ? there : regs, known);
	for (unsigned int i = 0; i <= GDB_RIP && !rc; i++)
		if (!there || values[i] != known[i])
			rc = qemu_write_register(process, i, values[i], 8);
	if (!rc && (!there || regs->rflags != there->rflags))
		rc = qemu_write_register(process, GDB_EFLAGS, regs->rflags, 4);
	return rc;
}
