/* SPDX-License-Identifier: Apache-2.0 */
#include "accel/qemu/load.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "accel/qemu/registers.h"

/* The loader's code and data, in the first page: GDB cannot write descriptor tables or the hidden
 * parts of segments. Its GDT holds, at each selector, the descriptor that is wanted. */
#define LOADER      0x600
#define LOADER_GDT  0x700
#define LOADER_DATA 0x800
#define LOADER_END  0x900
#define GDT_ENTRIES 32
#define CODE32      0xf8 /* the last three entries: the loader's own */
#define CODE64      0xf0
#define DATA32      0xe8
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
	uint16_t padding2;               /* 0x842 */
	uint32_t xcr0;                   /* 0x844 */
	uint64_t frame[5];               /* 0x848: RIP, CS, RFLAGS, RSP, SS for IRETQ */
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
	"loader_last_user:\n"
	"	movl 0x844, %eax\n"
	"	testl %eax, %eax\n"
	"	jz 1f\n"
	"	xorl %edx, %edx\n"
	"	xorl %ecx, %ecx\n"
	"	xsetbv\n"
	"1:	xorl %eax, %eax\n"
	"	lldt %ax\n"
	"	lgdt 0x80a\n"
	"	lidt 0x814\n"
	"	movl $0x848, %esp\n"
	"loader_iret:\n"
	"	iretq\n"
	"loader_end:\n"
	".popsection\n");
extern const uint8_t loader[], loader_last32[], loader_last64[], loader_last_user[], loader_iret[],
	loader_end[];

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
	if (segment->selector / 8 && segment->selector / 8 < DATA32 / 8)
		gdt[segment->selector / 8] = descriptor(segment, type);
}

static void fill_loader(uint8_t *memory, const struct qemu_start *start, uint32_t last)
{
	const struct kvm_sregs *sregs = start->sregs;
	bool user = sregs->cs.selector & 3;
	static const struct kvm_segment code32 = {
		.limit = 0xffffffff, .type = 0xb, .present = 1, .s = 1, .db = 1, .g = 1};
	static const struct kvm_segment data32 = {
		.limit = 0xffffffff, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};
	static const struct kvm_segment code64 = {
		.limit = 0xffffffff, .type = 0xb, .present = 1, .s = 1, .l = 1, .g = 1};
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
		.ss = user ? DATA32 : sregs->ss.selector, /* until IRETQ */
		.tr = sregs->tr.selector,
		.target = last,
		.target_selector = user ? CODE64 : sregs->cs.selector,
		.xcr0 = start->xcr0,
		.frame = {start->rip, sregs->cs.selector, 2, LOADER, sregs->ss.selector},
	};
	uint64_t gdt[GDT_ENTRIES] = {0};

	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++)
		put_descriptor(gdt, segments[i], segments[i]->type);
	put_descriptor(gdt, &sregs->tr, 0x9); /* LTR makes it busy */
	gdt[CODE32 / 8] = descriptor(&code32, 0xb);
	gdt[DATA32 / 8] = descriptor(&data32, 3);
	gdt[CODE64 / 8] = descriptor(&code64, 0xb);
	memcpy(memory + LOADER, loader, (size_t)(loader_end - loader));
	memcpy(memory + LOADER_GDT, gdt, sizeof(gdt));
	memcpy(memory + LOADER_DATA, &data, sizeof(data));
}

static int run_loader(struct qemu_process *process, const uint8_t *end)
{
	struct kvm_regs regs = {.rip = LOADER, .rflags = 2};
	int rc = qemu_write_register(process, GDB_CS, 0, 4);

	if (!rc)
		rc = qemu_write_regs(process, &regs, NULL);
	return rc ? rc : qemu_run_to(process, LOADER + (uint64_t)(end - loader));
}

static int load_real_mode(struct qemu_process *process, const struct kvm_sregs *sregs)
{
	const struct kvm_segment *segments[] = {&sregs->cs, &sregs->ss, &sregs->ds,
						&sregs->es, &sregs->fs, &sregs->gs};
	int rc = 0;

	for (unsigned int i = 0; i < 6 && !rc; i++) {
		/* As at reset there is a CS whose base no selector gives: it is there already. */
		if (segments[i]->base == segments[i]->selector * 16ull)
			rc = qemu_write_register(process, GDB_CS + i, segments[i]->selector, 4);
		else if (segments[i]->base != 0xffff0000)
			return -ENOTSUP;
	}
	return rc;
}

/* Level 3 is entered by the descriptors of the guest's own GDT. */
static int enter_user(struct qemu_process *process, uint64_t rip)
{
	struct kvm_regs regs;
	struct kvm_sregs sregs = {0};
	char answer[GDB_ROOM];
	bool hidden;
	int rc = qemu_gdb(process, "s", answer);

	if (!rc)
		rc = qemu_read_quickly(process, &regs, &sregs, &hidden);
	return rc || regs.rip == rip ? rc : -ENOTSUP;
}

static int load_protected(struct qemu_process *process, uint8_t *memory,
			  const struct qemu_start *start)
{
	const struct kvm_sregs *sregs = start->sregs;
	bool is_long = sregs->efer & 0x400, user = sregs->cs.selector & 3;
	const uint8_t *last = user ? loader_last_user : is_long ? loader_last64 : loader_last32;
	const uint8_t *end = user ? loader_iret : is_long ? loader_last_user : loader_last64;
	int rc;

	fill_loader(memory, start, LOADER + (uint32_t)(last - loader));
	rc = run_loader(process, end);
	return rc || !user ? rc : enter_user(process, start->rip);
}

int qemu_load_sregs(struct qemu_process *process, uint8_t *memory, const struct qemu_start *start)
{
	const struct kvm_sregs *sregs = start->sregs;
	bool user = sregs->cs.selector & 3;
	uint8_t saved[LOADER_END - LOADER];
	int rc;

	if (!(sregs->cr0 & 1))
		return load_real_mode(process, sregs);
	if (sregs->cs.base || sregs->cr3 >> 32 || (user && !(sregs->efer & 0x400)) ||
	    (start->xcr0 && !user))
		return -ENOTSUP;
	memcpy(saved, memory + LOADER, sizeof(saved));
	rc = load_protected(process, memory, start);
	memcpy(memory + LOADER, saved, sizeof(saved));
	return rc;
}
