/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The local APIC's registers, as memory (xAPIC) and as MSRs (x2APIC): one row each (SDM 3A
 * tables 11-1 and 11-6). In xAPIC mode reserved bits are ignored; in x2APIC mode #GP.
 */
#include <stddef.h>
#include <string.h>

#include "apic/lapic_internal.h"

enum access {
	XR = 1 << 0,  /* xAPIC read */
	XW = 1 << 1,  /* xAPIC write */
	X2R = 1 << 2, /* x2APIC read */
	X2W = 1 << 3, /* x2APIC write */
	R = XR | X2R,
	RW = R | XW | X2W,
	XQ = 1 << 4, /* exists in xAPIC mode, but this direction does nothing: no ESR bit */
};

struct rule {
	uint8_t access;
	uint32_t writable; /* bits; others are reserved */
};

#define LVT_BITS (0xffu | LAPIC_LVT_MASKED)
#define PIN_BITS (LVT_BITS | LAPIC_LVT_MODE | 1u << 13 | LAPIC_LVT_LEVEL)
/* Vector, mode, destination mode, level, trigger, shorthand. Delivery status (12) is always
 * idle; x2APIC has none, but processors take a written 1. */
#define ICR_BITS     0x000ccfffu
#define ICR_STATUS   (1u << 12)
#define LVT_READONLY (1u << 12 | LAPIC_LVT_REMOTE_IRR)

static const struct rule rules[64] = {
	[LAPIC_ID >> 4] = {R | XW, 0xff000000},
	[LAPIC_VERSION >> 4] = {R | XQ, 0},
	[LAPIC_TPR >> 4] = {RW, 0xff},
	[LAPIC_APR >> 4] = {XR | XQ, 0}, /* not since the Pentium 4: reads 0 */
	[LAPIC_PPR >> 4] = {R | XQ, 0},
	[LAPIC_EOI >> 4] = {XW | X2W | XQ, 0},
	[LAPIC_RRD >> 4] = {XR | XQ, 0}, /* likewise */
	[LAPIC_LDR >> 4] = {R | XW, 0xff000000},
	[LAPIC_DFR >> 4] = {XR | XW, 0xf0000000},
	[LAPIC_SVR >> 4] = {RW, 0x3ff}, /* bit 12 by version */
	[LAPIC_ISR >> 4 ...(LAPIC_ISR >> 4) + 7] = {R | XQ, 0},
	[LAPIC_TMR >> 4 ...(LAPIC_TMR >> 4) + 7] = {R | XQ, 0},
	[LAPIC_IRR >> 4 ...(LAPIC_IRR >> 4) + 7] = {R | XQ, 0},
	[LAPIC_ESR >> 4] = {RW, 0},
	[LAPIC_LVT_CMCI >> 4] = {RW, LVT_BITS | LAPIC_LVT_MODE}, /* by version */
	[LAPIC_ICR >> 4] = {RW, ICR_BITS},
	[LAPIC_ICR_HIGH >> 4] = {XR | XW, 0xff000000},
	[LAPIC_LVT_TIMER >> 4] = {RW, LVT_BITS | LAPIC_TIMER_PERIODIC}, /* bit 18 by CPUID */
	[LAPIC_LVT_THERMAL >> 4] = {RW, LVT_BITS | LAPIC_LVT_MODE},
	[LAPIC_LVT_PERF >> 4] = {RW, LVT_BITS | LAPIC_LVT_MODE},
	[LAPIC_LVT_LINT0 >> 4] = {RW, PIN_BITS},
	[LAPIC_LVT_LINT1 >> 4] = {RW, PIN_BITS},
	[LAPIC_LVT_ERROR >> 4] = {RW, LVT_BITS},
	[LAPIC_TIMER_INITIAL >> 4] = {RW, 0xffffffff},
	[LAPIC_TIMER_CURRENT >> 4] = {R | XQ, 0},
	[LAPIC_TIMER_DIVIDE >> 4] = {RW, 0xb},
	[LAPIC_SELF_IPI >> 4] = {X2W, 0xff},
};

/* The row of @offset as this APIC has it. */
static struct rule find_rule(const struct lapic *lapic, uint32_t offset)
{
	struct rule rule = rules[offset >> 4];

	if (offset == LAPIC_LVT_CMCI && (!lapic || !lapic_has_cmci(lapic)))
		rule.access = 0;
	if (!lapic)
		return rule;
	if (offset == LAPIC_SVR && (lapic->config.version & LAPIC_VERSION_SUPPRESSES_EOI))
		rule.writable |= LAPIC_SVR_SUPPRESS_EOI;
	if (offset == LAPIC_LVT_TIMER && lapic->features.tsc_deadline)
		rule.writable |= LAPIC_TIMER_TSC_DEADLINE;
	return rule;
}

static bool is_lvt(uint32_t offset)
{
	return offset == LAPIC_LVT_CMCI || (offset >= LAPIC_LVT_TIMER && offset <= LAPIC_LVT_ERROR);
}

/* --- reads --- */

static uint32_t read_register(const struct lapic *lapic, uint32_t offset)
{
	uint32_t id = lapic->config.id;

	switch (offset) {
	case LAPIC_ID:
		return lapic_x2apic(lapic) ? id : lapic->regs[offset >> 4];
	case LAPIC_LDR: /* SDM 3A:11.12.10.2 */
		return lapic_x2apic(lapic) ? id >> 4 << 16 | 1u << (id & 0xf)
					   : lapic->regs[offset >> 4];
	case LAPIC_VERSION:
		return lapic->config.version;
	case LAPIC_PPR:
		return lapic_get_ppr(lapic);
	case LAPIC_TIMER_CURRENT:
		return lapic_timer_current(lapic);
	}
	return lapic->regs[offset >> 4];
}

int lapic_read(struct lapic *lapic, uint32_t offset, uint32_t *value)
{
	struct rule rule = {0};

	*value = 0;
	if (offset < 0x400 && !(offset & 0xf))
		rule = find_rule(lapic, offset);
	if (rule.access & XR) {
		*value = read_register(lapic, offset);
		return 0;
	}
	if (rule.access & XQ)
		return 0;
	lapic_error(lapic, LAPIC_ESR_ILLEGAL_ADDRESS);
	return -1;
}

/* --- writes --- */

static void write_svr(struct lapic *lapic, uint32_t value)
{
	*lapic_reg(lapic, LAPIC_SVR) = value;
	/* SDM 3A:11.4.7.2: while software-disabled all LVTs are masked. */
	if (!(value & LAPIC_SVR_ENABLE))
		lapic_mask_lvts(lapic);
	lapic_update(lapic);
}

static void write_lvt(struct lapic *lapic, uint32_t offset, uint32_t value)
{
	uint32_t *lvt = lapic_reg(lapic, offset);
	uint32_t old = *lvt;

	if (!(*lapic_reg(lapic, LAPIC_SVR) & LAPIC_SVR_ENABLE))
		value |= LAPIC_LVT_MASKED;
	*lvt = value | (old & LAPIC_LVT_REMOTE_IRR);
	if (offset == LAPIC_LVT_TIMER)
		lapic_timer_mode_changed(lapic, old);
	if (offset == LAPIC_LVT_LINT0 || offset == LAPIC_LVT_LINT1)
		lapic_lint_changed(lapic, offset == LAPIC_LVT_LINT1);
}

static void write_esr(struct lapic *lapic)
{
	*lapic_reg(lapic, LAPIC_ESR) = lapic->errors;
	lapic->errors = 0;
}

/* @value has no reserved bits. Both modes; ICR's destination is in ICR_HIGH. */
static void write_register(struct lapic *lapic, uint32_t offset, uint32_t value)
{
	uint32_t high = *lapic_reg(lapic, LAPIC_ICR_HIGH);
	bool wide = lapic_x2apic(lapic);

	switch (offset) {
	case LAPIC_TPR:
		*lapic_reg(lapic, offset) = value;
		lapic_update(lapic);
		return;
	case LAPIC_EOI:
		lapic_end_of_interrupt(lapic);
		return;
	case LAPIC_DFR: /* bits 27:0 read as ones (SDM 3A:11.6.2.2) */
		*lapic_reg(lapic, offset) = value | 0x0fffffff;
		return;
	case LAPIC_SVR:
		write_svr(lapic, value);
		return;
	case LAPIC_ESR:
		write_esr(lapic);
		return;
	case LAPIC_ICR:
		*lapic_reg(lapic, offset) = value;
		lapic_send(lapic, value, wide ? high : high >> 24, wide);
		return;
	case LAPIC_SELF_IPI: /* as ICR with fixed mode, edge, self (SDM 3A:11.12.11) */
		lapic_send(lapic, value | APIC_SHORTHAND_SELF << 18, 0, true);
		return;
	case LAPIC_TIMER_INITIAL:
		lapic_timer_write_initial(lapic, value);
		return;
	case LAPIC_TIMER_DIVIDE:
		lapic_timer_write_divide(lapic, value);
		return;
	}
	if (is_lvt(offset))
		write_lvt(lapic, offset, value);
	else
		*lapic_reg(lapic, offset) = value;
}

int lapic_write(struct lapic *lapic, uint32_t offset, uint32_t value)
{
	struct rule rule = {0};

	if (offset < 0x400 && !(offset & 0xf))
		rule = find_rule(lapic, offset);
	if (rule.access & XW) {
		write_register(lapic, offset, value & rule.writable);
		return 0;
	}
	if (rule.access & XQ)
		return 0; /* read-only */
	lapic_error(lapic, LAPIC_ESR_ILLEGAL_ADDRESS);
	return -1;
}

void lapic_mmio_read(struct lapic *lapic, uint32_t offset, void *data, unsigned int len)
{
	uint32_t value;

	memset(data, 0, len);
	if ((offset & 0xf) + len > 4)
		return;
	lapic_read(lapic, offset & 0xff0, &value);
	memcpy(data, (const char *)&value + (offset & 0xf), len);
}

void lapic_mmio_write(struct lapic *lapic, uint32_t offset, const void *data, unsigned int len)
{
	uint32_t value;

	if (len != 4 || (offset & 0xf))
		return;
	memcpy(&value, data, 4);
	lapic_write(lapic, offset & 0xff0, value);
}

/* --- MSRs --- */

bool lapic_x2apic_allows(const struct lapic *lapic, uint32_t offset, bool write, uint64_t value)
{
	struct rule rule;

	if (offset >= 0x400)
		return false;
	rule = find_rule(lapic, offset);
	if (!write)
		return rule.access & X2R;
	if (offset == LAPIC_ICR)
		value = (uint32_t)value & ~ICR_STATUS; /* the upper half is the destination */
	else if (is_lvt(offset))                       /* read-only bits may be written back */
		value &= ~(uint64_t)LVT_READONLY;
	return (rule.access & X2W) && !(value & ~(uint64_t)rule.writable);
}

static int read_x2apic(const struct lapic *lapic, uint32_t offset, uint64_t *value)
{
	if (!lapic_x2apic_allows(lapic, offset, false, 0))
		return -1;
	*value = read_register(lapic, offset);
	if (offset == LAPIC_ICR)
		*value |= (uint64_t)lapic->regs[LAPIC_ICR_HIGH >> 4] << 32;
	return 0;
}

static int write_x2apic(struct lapic *lapic, uint32_t offset, uint64_t value)
{
	if (!lapic_x2apic_allows(lapic, offset, true, value))
		return -1;
	if (offset == LAPIC_ICR)
		*lapic_reg(lapic, LAPIC_ICR_HIGH) = value >> 32;
	write_register(lapic, offset, value & find_rule(lapic, offset).writable);
	return 0;
}

int lapic_msr_read(struct lapic *lapic, uint32_t msr, uint64_t *value)
{
	if (msr == LAPIC_MSR_BASE) {
		*value = lapic->base;
		return 0;
	}
	if (msr == LAPIC_MSR_TSC_DEADLINE) {
		*value = lapic_timer_get_tsc_deadline(lapic);
		return lapic->features.tsc_deadline ? 0 : -1;
	}
	if (msr - LAPIC_MSR_X2APIC > 0xff || !lapic_x2apic(lapic))
		return -1;
	return read_x2apic(lapic, (msr - LAPIC_MSR_X2APIC) << 4, value);
}

int lapic_msr_write(struct lapic *lapic, uint32_t msr, uint64_t value)
{
	if (msr == LAPIC_MSR_BASE)
		return lapic_set_base(lapic, value, false);
	if (msr == LAPIC_MSR_TSC_DEADLINE) {
		if (!lapic->features.tsc_deadline)
			return -1;
		lapic_timer_set_tsc_deadline(lapic, value);
		return 0;
	}
	if (msr - LAPIC_MSR_X2APIC > 0xff || !lapic_x2apic(lapic))
		return -1;
	return write_x2apic(lapic, (msr - LAPIC_MSR_X2APIC) << 4, value);
}
