/* SPDX-License-Identifier: Apache-2.0 */
/* A vCPU's state as text, for the monitor. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apic/lapic.h"
#include "sim/cpu/state_table.h"
#include "sim/ioctl_state.h"
#include "sim/svm-model/dump.h"
#include "sim/vmx-model/explain.h"
#include "sim/vmx-model/vmx.h"

static void print_field(FILE *out, const struct cpu *cpu, const struct state_field *field)
{
	unsigned int n, digits = (field->bits + 3) / 4;

	if (!field->count)
		fprintf(out, "%s=%0*" PRIx64, field->name, digits, state_value(cpu, field, 0));
	for (n = 0; n < field->count; n++)
		fprintf(out, "%s%s%u=%0*" PRIx64, n ? " " : "", field->name, n, digits,
			state_value(cpu, field, n));
}

/* A group on lines of so many fields; arrays have their own. */
static void print_group(FILE *out, const struct cpu *cpu, enum state_group group,
			unsigned int columns)
{
	unsigned int i, column = 0;

	for (i = 0; i < state_field_count; i++) {
		const struct state_field *field = &state_fields[i];

		if (field->group != group)
			continue;
		if (column && (column == columns || field->count)) {
			fputc('\n', out);
			column = 0;
		}
		if (column++)
			fputc(' ', out);
		print_field(out, cpu, field);
	}
	fputc('\n', out);
}

static void print_registers(FILE *out, const struct cpu *cpu)
{
	print_group(out, cpu, STATE_GENERAL, 4);
	print_group(out, cpu, STATE_SEGMENT, 4);
	print_group(out, cpu, STATE_TABLE, 2);
	print_group(out, cpu, STATE_CONTROL, 4);
	print_group(out, cpu, STATE_DEBUG, 4);
	print_group(out, cpu, STATE_EVENT, 3);
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

static void print_vmx(FILE *out, const struct cpu *cpu)
{
	if (cpu->vendor == &vmx_ops)
		vmx_print_info(cpu, out);
	else
		fprintf(out, "no VMX\n");
}

static void print_svm(FILE *out, const struct cpu *cpu)
{
	if (cpu->vendor == &svm_ops)
		svm_print_info(cpu, out);
	else
		fprintf(out, "no SVM\n");
}

static const struct info {
	const char *what;
	void (*print)(FILE *out, const struct cpu *cpu);
} infos[] = {
	{"registers", print_registers},
	{"tlb", print_tlb},
	{"apic", print_apic},
	{"vmx", print_vmx},
	{"svm", print_svm},
};

char *vcpu_info_text(struct cpu *cpu, const char *what)
{
	unsigned int n = 0;
	char *text = NULL;
	size_t size;
	FILE *out;

	while (n < ARRAY_SIZE(infos) && strcmp(what, infos[n].what))
		n++;
	if (n == ARRAY_SIZE(infos))
		return NULL;
	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	infos[n].print(out, cpu);
	fclose(out);
	return text;
}
