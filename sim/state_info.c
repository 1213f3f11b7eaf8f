/* SPDX-License-Identifier: Apache-2.0 */
/* A vCPU's state as text, for the monitor. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apic/lapic.h"
#include "sim/cpu/flags.h"
#include "sim/ioctl_state.h"

static void print_general(FILE *out, const struct cpu *cpu)
{
	static const char *const names[] = {"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
					    "R8",  "R9",  "R10", "R11", "R12", "R13", "R14", "R15"};
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(names); n++)
		fprintf(out, "%-3s=%016" PRIx64 "%c", names[n], cpu->reg[n], n % 4 == 3 ? '\n' : ' ');
	fprintf(out, "RIP=%016" PRIx64 " RFLAGS=%08" PRIx64 " CPL=%u\n", cpu->reg[REG_RIP],
		cpu_rflags(cpu), cpu->cpl);
}

static void print_segments(FILE *out, const struct cpu *cpu)
{
	static const char *const names[] = {"ES", "CS", "SS", "DS", "FS", "GS", "LDT", "TR"};
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(names); n++)
		fprintf(out, "%-3s=%04x base=%016" PRIx64 " limit=%08x rights=%05x\n", names[n],
			cpu->seg[n].selector, SEG_BASE(cpu, n), cpu->seg[n].limit,
			cpu->seg[n].rights);
	fprintf(out, "GDT base=%016" PRIx64 " limit=%04x\n", cpu->gdtr.base, cpu->gdtr.limit);
	fprintf(out, "IDT base=%016" PRIx64 " limit=%04x\n", cpu->idtr.base, cpu->idtr.limit);
}

static void print_control(FILE *out, const struct cpu *cpu)
{
	fprintf(out, "CR0=%08" PRIx64 " CR2=%016" PRIx64 " CR3=%016" PRIx64 " CR4=%08" PRIx64 "\n",
		cpu->cr0, cpu->cr2, cpu->cr3, cpu->cr4);
	fprintf(out, "EFER=%04" PRIx64 " XCR0=%" PRIx64 " DR6=%08" PRIx64 " DR7=%08" PRIx64 "\n",
		cpu->efer, cpu->xcr0, cpu->dr[6], cpu->dr[7]);
}

static void print_tlb(FILE *out, const struct cpu *cpu)
{
	unsigned int n;

	for (n = 0; n < TLB_DATA_ENTRIES; n++) {
		const struct tlb_entry *entry = &cpu->tlb.data[n];

		if (entry->read_tag == TLB_TAG_INVALID)
			continue;
		fprintf(out, "%016" PRIx64 " -> %012" PRIx64 " context %03" PRIx64 " %s\n",
			entry->read_tag & ~PAGE_OFFSET_MASK, entry->gpa,
			entry->read_tag & PAGE_OFFSET_MASK,
			entry->write_tag == entry->read_tag ? "rw" : "r-");
	}
}

static void print_apic(FILE *out, const struct cpu *cpu)
{
	unsigned int n;

	if (!cpu->lapic) {
		fprintf(out, "no local APIC below the seam\n");
		return;
	}
	fprintf(out, "APIC_BASE=%" PRIx64 " pending=%d\n", cpu->lapic->base,
		lapic_pending(cpu->lapic));
	for (n = 0; n < 64; n++)
		if (cpu->lapic->regs[n])
			fprintf(out, "%03x: %08" PRIx32 "\n", n << 4, cpu->lapic->regs[n]);
}

char *vcpu_info_text(struct cpu *cpu, const char *what)
{
	char *text = NULL;
	size_t size;
	FILE *out;

	if (strcmp(what, "registers") && strcmp(what, "tlb") && strcmp(what, "apic"))
		return NULL;
	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	if (!strcmp(what, "tlb")) {
		print_tlb(out, cpu);
	} else if (!strcmp(what, "apic")) {
		print_apic(out, cpu);
	} else {
		print_general(out, cpu);
		print_segments(out, cpu);
		print_control(out, cpu);
	}
	fclose(out);
	return text;
}
