/* SPDX-License-Identifier: Apache-2.0 */
/* vCPU 0's registers at the start of a direct boot. */
#include <string.h>

#include "machine/internal.h"
#include "machine/irqchip.h"
#include "machine/load.h"

#define CR0_PE       0x00000001ull
#define CR0_PG       0x80000000ull
#define CR4_PAE      0x00000020ull
#define EFER_LME_LMA 0x500ull
#define RFLAGS_FIXED 2
#define PTE_FLAGS    0x03 /* present, writable */
#define PDE_2M_FLAGS 0x83 /* and a large page */

#define MSR_MTRR_DEF_TYPE 0x2ff
#define MTRR_ENABLE       0x800
#define MTRR_WRITE_BACK   0x006

/* Selectors as Linux's boot protocol wants them: __BOOT_CS 0x10, __BOOT_DS 0x18. */
#define CODE_SELECTOR 0x10
#define DATA_SELECTOR 0x18
#define TSS_SELECTOR  0x20

static const uint64_t gdt_code32 = 0x00cf9b000000ffff;
static const uint64_t gdt_code64 = 0x00af9b000000ffff;
static const uint64_t gdt_data = 0x00cf93000000ffff;
static const uint64_t gdt_tss = 0x00008b0000000067;

static struct kvm_segment flat(uint16_t selector, uint8_t type)
{
	return (struct kvm_segment){.limit = 0xffffffff,
				    .selector = selector,
				    .type = type,
				    .present = 1,
				    .s = 1,
				    .db = 1,
				    .g = 1};
}

static int boot_write_gdt(struct machine *machine, bool is_long, struct ls_error *err)
{
	uint64_t gdt[6] = {0, 0, is_long ? gdt_code64 : gdt_code32, gdt_data, gdt_tss, 0};

	return load_bytes(machine, BOOT_GDT, gdt, sizeof(gdt), "the boot GDT", err);
}

/* PML4, PDPT and four page directories of 2 MiB pages (SDM 3A, 4.5). */
static int boot_write_page_tables(struct machine *machine, struct ls_error *err)
{
	uint64_t table[512];
	int ret;

	memset(table, 0, sizeof(table));
	table[0] = (BOOT_PAGE_TABLES + 0x1000) | PTE_FLAGS;
	ret = load_bytes(machine, BOOT_PAGE_TABLES, table, sizeof(table), "page tables", err);
	for (uint64_t i = 0; i < 4; i++)
		table[i] = (BOOT_PAGE_TABLES + 0x2000 + i * 0x1000) | PTE_FLAGS;
	if (!ret)
		ret = load_bytes(machine, BOOT_PAGE_TABLES + 0x1000, table, sizeof(table),
				 "page tables", err);
	for (uint64_t i = 0; i < 4 && !ret; i++) {
		for (uint64_t j = 0; j < 512; j++)
			table[j] = (i << 30 | j << 21) | PDE_2M_FLAGS;
		ret = load_bytes(machine, BOOT_PAGE_TABLES + 0x2000 + i * 0x1000, table,
				 sizeof(table), "page tables", err);
	}
	return ret;
}

static void boot_flat_segments(struct kvm_sregs *sregs, bool is_long)
{
	sregs->cs = flat(CODE_SELECTOR, 0xb);
	if (is_long) {
		sregs->cs.l = 1;
		sregs->cs.db = 0;
	}
	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = flat(DATA_SELECTOR, 0x3);
	sregs->tr = (struct kvm_segment){
		.limit = 0x67, .selector = TSS_SELECTOR, .type = 0xb, .present = 1};
	sregs->gdt = (struct kvm_dtable){.base = BOOT_GDT, .limit = 6 * 8 - 1};
	sregs->cr0 |= CR0_PE;
	if (is_long) {
		sregs->cr0 |= CR0_PG;
		sregs->cr4 |= CR4_PAE;
		sregs->cr3 = BOOT_PAGE_TABLES;
		sregs->efer |= EFER_LME_LMA;
	}
}

static void boot_real_mode(struct kvm_sregs *sregs, struct kvm_regs *regs, uint64_t entry)
{
	sregs->cs.selector = (uint16_t)(entry >> 4);
	sregs->cs.base = entry & ~0xfull;
	regs->rip = entry & 0xf;
}

/* Firmware leaves the MTRRs on with memory write-back (SDM 3A, 12.11.2.1); Linux sets up its
 * PAT only then. An engine without MTRRs has nothing to set. */
static void boot_enable_mtrrs(struct machine *machine)
{
	union {
		struct kvm_msrs head;
		uint8_t room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
	} msrs = {.head = {.nmsrs = 1}};

	msrs.head.entries[0] = (struct kvm_msr_entry){.index = MSR_MTRR_DEF_TYPE,
						      .data = MTRR_ENABLE | MTRR_WRITE_BACK};

	for (unsigned int i = 0; i < machine->vcpu_count; i++)
		ls_ioctl_ptr(machine->engine, machine->vcpus[i].fd, KVM_SET_MSRS, &msrs);
}

int boot_apply(struct machine *machine, const struct boot_state *boot, struct ls_error *err)
{
	struct vcpu *vcpu = &machine->vcpus[0];
	struct kvm_sregs sregs;
	struct kvm_regs regs = {.rflags = RFLAGS_FIXED,
				.rip = boot->entry,
				.rax = boot->rax,
				.rbx = boot->rbx,
				.rsi = boot->rsi,
				.rsp = boot->rsp};
	bool is_long = boot->mode == BOOT_LONG;
	int ret = 0;

	if (boot->mode == BOOT_RESET)
		return 0;
	if (boot->mode == BOOT_USER)
		return boot_user(machine, boot, err);
	ret = ls_ioctl_ptr(machine->engine, vcpu->fd, KVM_GET_SREGS, &sregs);
	if (ret >= 0 && boot->mode == BOOT_REAL) {
		boot_real_mode(&sregs, &regs, boot->entry);
	} else if (ret >= 0) {
		ret = boot_write_gdt(machine, is_long, err);
		if (!ret && is_long)
			ret = boot_write_page_tables(machine, err);
		boot_flat_segments(&sregs, is_long);
	}
	if (ret >= 0)
		ret = ls_ioctl_ptr(machine->engine, vcpu->fd, KVM_SET_SREGS, &sregs);
	if (ret >= 0)
		ret = ls_ioctl_ptr(machine->engine, vcpu->fd, KVM_SET_REGS, &regs);
	if (ret < 0)
		return ls_error_set(err, ret, "cannot set the boot registers: %s", strerror(-ret));
	boot_enable_mtrrs(machine);
	/* A PC's firmware leaves the 8259s there; programs in real mode count on it. */
	machine_irqchip_set_vectors(machine, 0x08, 0x70);
	return 0;
}
