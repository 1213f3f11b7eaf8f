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

/* Numbers of the stub's registers (QEMU, gdb-xml/i386-64bit.xml). */
enum { GDB_RIP = 16, GDB_EFLAGS, GDB_CS, GDB_SS, GDB_DS, GDB_ES, GDB_FS, GDB_GS };

static int write_register(struct qemu_process *process, unsigned int number, uint64_t value,
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

int qemu_write_regs(struct qemu_process *process, const struct kvm_regs *regs)
{
	const uint64_t values[] = {regs->rax, regs->rbx, regs->rcx, regs->rdx, regs->rsi, regs->rdi,
				   regs->rbp, regs->rsp, regs->r8,  regs->r9,  regs->r10, regs->r11,
				   regs->r12, regs->r13, regs->r14, regs->r15, regs->rip};
	int rc = 0;

	for (unsigned int i = 0; i <= GDB_RIP && !rc; i++)
		rc = write_register(process, i, values[i], 8);
	return rc ? rc : write_register(process, GDB_EFLAGS, regs->rflags, 4);
}

/* The loader's code and data, in the first page: GDB cannot write descriptor tables or the hidden
 * parts of segments. Its GDT holds, at each selector, the descriptor that is wanted. */
#define LOADER      0x600
#define LOADER_GDT  0x700
#define LOADER_DATA 0x800
#define LOADER_END  0x900
#define GDT_ENTRIES 32
#define CODE32      0xf8 /* the last entry: the loader's own */
#define MSR_EFER    0xc0000080

struct __attribute__((packed)) table_pointer {
	uint16_t limit;
	uint64_t base;
};

/* The code below knows the offsets. */
struct __attribute__((packed)) loader_data {
	struct table_pointer own;        /* 0x800 */
	struct table_pointer gdt;        /* 0x80a */
	struct table_pointer idt;        /* 0x814 */
	uint16_t padding;                /* 0x81e */
	uint32_t cr0, cr3, cr4, efer;    /* 0x820 */
	uint16_t ds, es, fs, gs, ss, tr; /* 0x830 */
	uint32_t target;                 /* 0x83c: a far pointer */
	uint16_t target_selector;        /* 0x840 */
};

__asm__(".pushsection .rodata\n"
	"	.code16\n"
	"loader:\n"
	"	lgdtl 0x800\n"
	"	movl $0x11, %eax\n"
	"	movl %eax, %cr0\n"
	"	ljmpl $0xf8, $0x600 + (loader32 - loader)\n"
	"	.code32\n"
	"loader32:\n"
	"	movl %cs:0x828, %eax\n"
	"	movl %eax, %cr4\n"
	"	movl %cs:0x824, %eax\n"
	"	movl %eax, %cr3\n"
	"	movl %cs:0x82c, %eax\n"
	"	xorl %edx, %edx\n"
	"	movl $0xc0000080, %ecx\n"
	"	wrmsr\n"
	"	movl %cs:0x820, %eax\n"
	"	movl %eax, %cr0\n"
	"	movw %cs:0x832, %es\n"
	"	movw %cs:0x834, %fs\n"
	"	movw %cs:0x836, %gs\n"
	"	movw %cs:0x838, %ss\n"
	"	movw %cs:0x830, %ds\n"
	"	ltr %cs:0x83a\n"
	"	ljmpl *%cs:0x83c\n"
	"loader_last32:\n"
	"	lgdtl %cs:0x80a\n"
	"	lidtl %cs:0x814\n"
	"loader_last64:\n"
	"	.code64\n"
	"	lgdt 0x80a\n"
	"	lidt 0x814\n"
	"loader_end:\n"
	".popsection\n");
extern const uint8_t loader[], loader_last32[], loader_last64[], loader_end[];

static uint64_t descriptor(const struct kvm_segment *segment, unsigned int type)
{
	uint64_t limit = segment->g ? segment->limit >> 12 : segment->limit;
	uint64_t access = type | segment->s << 4 | segment->dpl << 5 | segment->present << 7;
	uint64_t flags = segment->avl | segment->l << 1 | segment->db << 2 | segment->g << 3;

	return (limit & 0xffff) | (segment->base & 0xffffff) << 16 | access << 40 |
	       (limit >> 16 & 15) << 48 | flags << 52 | (segment->base >> 24 & 0xff) << 56;
}

static void put_descriptor(uint64_t *gdt, const struct kvm_segment *segment, unsigned int type)
{
	if (segment->selector / 8 && segment->selector / 8 < GDT_ENTRIES - 1)
		gdt[segment->selector / 8] = descriptor(segment, type);
}

static void fill_loader(uint8_t *memory, const struct kvm_sregs *sregs, uint32_t last)
{
	static const struct kvm_segment code32 = {
		.limit = 0xffffffff, .type = 0xb, .present = 1, .s = 1, .db = 1, .g = 1};
	const struct kvm_segment *segments[] = {&sregs->cs, &sregs->ds, &sregs->es,
						&sregs->fs, &sregs->gs, &sregs->ss};
	struct loader_data data = {
		.own = {GDT_ENTRIES * 8 - 1, LOADER_GDT},
		.gdt = {sregs->gdt.limit, sregs->gdt.base},
		.idt = {sregs->idt.limit, sregs->idt.base},
		.cr0 = (uint32_t)sregs->cr0,
		.cr3 = (uint32_t)sregs->cr3,
		.cr4 = (uint32_t)sregs->cr4,
		.efer = (uint32_t)sregs->efer & ~0x400u, /* LMA follows */
		.ds = sregs->ds.selector,
		.es = sregs->es.selector,
		.fs = sregs->fs.selector,
		.gs = sregs->gs.selector,
		.ss = sregs->ss.selector,
		.tr = sregs->tr.selector,
		.target = last,
		.target_selector = sregs->cs.selector,
	};
	uint64_t gdt[GDT_ENTRIES] = {0};

	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++)
		put_descriptor(gdt, segments[i], segments[i]->type);
	put_descriptor(gdt, &sregs->tr, 0x9); /* LTR makes it busy */
	gdt[CODE32 / 8] = descriptor(&code32, 0xb);
	memcpy(memory + LOADER, loader, (size_t)(loader_end - loader));
	memcpy(memory + LOADER_GDT, gdt, sizeof(gdt));
	memcpy(memory + LOADER_DATA, &data, sizeof(data));
}

static int run_loader(struct qemu_process *process, uint64_t end)
{
	struct kvm_regs regs = {.rip = LOADER, .rflags = 2};
	struct kvm_sregs sregs;
	char answer[GDB_ROOM];
	int rc = write_register(process, GDB_CS, 0, 4);

	if (!rc)
		rc = qemu_write_regs(process, &regs);
	for (int i = 0; i < 64 && !rc; i++) {
		rc = qemu_gdb(process, "s", answer);
		if (!rc)
			rc = qemu_read_registers(process, &regs, &sregs);
		if (!rc && regs.rip == end)
			return 0;
	}
	return rc ? rc : -ENOTSUP;
}

static int load_real_mode(struct qemu_process *process, const struct kvm_sregs *sregs)
{
	const struct kvm_segment *segments[] = {&sregs->cs, &sregs->ss, &sregs->ds,
						&sregs->es, &sregs->fs, &sregs->gs};
	int rc = 0;

	for (unsigned int i = 0; i < 6 && !rc; i++) {
		/* As at reset there is a CS whose base no selector gives: it is there already. */
		if (segments[i]->base == segments[i]->selector * 16ull)
			rc = write_register(process, GDB_CS + i, segments[i]->selector, 4);
		else if (segments[i]->base != 0xffff0000)
			return -ENOTSUP;
	}
	return rc;
}

int qemu_load_sregs(struct qemu_process *process, uint8_t *memory, const struct kvm_sregs *sregs)
{
	bool is_long = sregs->efer & 0x400;
	const uint8_t *last = is_long ? loader_last64 : loader_last32;
	const uint8_t *end = is_long ? loader_end : loader_last64;
	uint8_t saved[LOADER_END - LOADER];
	int rc;

	if (!(sregs->cr0 & 1))
		return load_real_mode(process, sregs);
	if (sregs->cs.base || sregs->cr3 >> 32)
		return -ENOTSUP;
	memcpy(saved, memory + LOADER, sizeof(saved));
	fill_loader(memory, sregs, LOADER + (uint32_t)(last - loader));
	rc = run_loader(process, LOADER + (uint64_t)(end - loader));
	memcpy(memory + LOADER, saved, sizeof(saved));
	return rc;
}
