/* SPDX-License-Identifier: Apache-2.0 */
/* A guest's accesses to its vAPIC, as memory and as MSRs (APM 2:15.29.3.1, 15.29.10). */
#include "sim/svm-model/avic.h"

enum behaviour { ALLOW, ACCELERATE, TRAP, FAULT };

static const struct {
	u8 read, write;
} registers[PAGE_SIZE_4K >> 4] = {
#define AVIC_REGISTER(first, last, read, write, name) [(first) >> 4 ...(last) >> 4] = {read, write},
#include "sim/svm-model/avic_registers.def"
#undef AVIC_REGISTER
};

#define INFO_WRITE  BIT(32) /* EXITINFO1 of AVIC_NOACCEL (table 15-28) */
#define INFO_OFFSET 0xff0u

/* Comes back if the access is done. */
static void filter(struct cpu *cpu, u32 offset, bool write)
{
	u64 info = (offset & INFO_OFFSET) | (write ? INFO_WRITE : 0);

	if ((write ? registers[offset >> 4].write : registers[offset >> 4].read) == FAULT)
		svm_leave_fault(cpu, SVM_EXIT_AVIC_NOACCEL, info, 0, false);
}

void avic_trap(struct cpu *cpu, u32 offset, u8 vector)
{
	svm_exit(cpu, SVM_EXIT_AVIC_NOACCEL, offset | INFO_WRITE, vector);
}

/* The registers that writes act on stand below 400H: a bit each. */
static void note_write(struct cpu *cpu, u32 offset)
{
	svm_of(cpu)->avic_written |= BIT(offset >> 4);
	event_post(cpu, EVENT_VENDOR);
}

/* --- memory: an access is its first byte's register's --- */

static void write_memory(struct cpu *cpu, u32 offset, const void *data, unsigned int size)
{
	bool acts = registers[offset >> 4].write != ALLOW;
	u64 page = avic_backing_page(cpu), value;

	if (acts && !cpu->single)
		cpu_abandon(cpu, CPU_EXIT_NONE);
	for (unsigned int done = 0; done < size; done += sizeof(value)) {
		unsigned int piece = size - done < sizeof(value) ? size - done : sizeof(value);

		__builtin_memcpy(&value, (const u8 *)data + done, piece);
		apic_page_set(cpu, page, offset + done, value, piece);
	}
	if (acts)
		note_write(cpu, offset);
}

static void read_memory(struct cpu *cpu, u32 offset, void *data, unsigned int size)
{
	u64 page = avic_backing_page(cpu), value;

	for (unsigned int done = 0; done < size; done += sizeof(value)) {
		unsigned int piece = size - done < sizeof(value) ? size - done : sizeof(value);

		value = apic_page_get(cpu, page, offset + done, piece);
		__builtin_memcpy((u8 *)data + done, &value, piece);
	}
}

void svm_apic_access(struct cpu *cpu, u64 address, void *data, unsigned int size,
		     enum vendor_access access)
{
	u32 offset = address & PAGE_OFFSET_MASK;

	filter(cpu, offset, access == VENDOR_WRITE);
	if (!data)
		return;
	if (access == VENDOR_WRITE)
		write_memory(cpu, offset, data, size);
	else
		read_memory(cpu, offset, data, size);
}

/* --- MSRs: intercepts and what the x2APIC itself refuses come first --- */

static u64 read_register(struct cpu *cpu, u32 offset)
{
	u64 page = avic_backing_page(cpu), value = apic_page_get(cpu, page, offset, 4);

	if (offset == LAPIC_ICR)
		value |= apic_page_get(cpu, page, LAPIC_ICR_HIGH, 4) << 32;
	return value;
}

static void write_register(struct cpu *cpu, u32 offset, u64 value)
{
	u64 page = avic_backing_page(cpu);

	if (offset == LAPIC_ICR)
		apic_page_set(cpu, page, LAPIC_ICR_HIGH, value >> 32, 4);
	apic_page_set(cpu, page, offset, value, 4);
	if (registers[offset >> 4].write != ALLOW || offset == LAPIC_SELF_IPI)
		note_write(cpu, offset);
}

enum vendor_msr svm_x2apic(struct cpu *cpu, u32 number, u64 *value, bool write)
{
	u32 offset = (number & 0xff) << 4;

	if (!svm_x2avic(cpu))
		return VENDOR_MSR_AS_EVER;
	if (!lapic_x2apic_allows(cpu->lapic, offset, write, *value))
		return VENDOR_MSR_REFUSED;
	filter(cpu, offset, write);
	if (write)
		write_register(cpu, offset, *value);
	else
		*value = read_register(cpu, offset);
	return VENDOR_MSR_DONE;
}

/* --- behind the write --- */

/* As a command with the shorthand (APM 2:16.13). */
static bool act_on_self_ipi(struct cpu *cpu)
{
	u32 vector = apic_page_get(cpu, avic_backing_page(cpu), LAPIC_SELF_IPI, 1);

	return avic_send(cpu, vector | APIC_SHORTHAND_SELF << 18, 0);
}

static bool act_on(struct cpu *cpu, u32 offset)
{
	u64 page = avic_backing_page(cpu);

	switch (offset) {
	case LAPIC_TPR:
		avic_act_on_tpr(cpu);
		return false;
	case LAPIC_EOI:
		return avic_end_interrupt(cpu);
	case LAPIC_ICR:
		return avic_send(cpu, apic_page_get(cpu, page, LAPIC_ICR, 4),
				 apic_page_get(cpu, page, LAPIC_ICR_HIGH, 4));
	case LAPIC_SELF_IPI:
		return act_on_self_ipi(cpu);
	default:
		avic_trap(cpu, offset, 0);
		return true;
	}
}

bool avic_act(struct cpu *cpu)
{
	u64 *written = &svm_of(cpu)->avic_written;

	while (unlikely(*written)) {
		unsigned int n = __builtin_ctzll(*written);

		*written &= *written - 1;
		if (act_on(cpu, n << 4))
			return true;
	}
	return false;
}
