/* SPDX-License-Identifier: Apache-2.0 */
/* Register access as memory and as MSRs, and KVM's picture of it (SDM 3A:11.4.1, 11.12). */
#include "../check.h"
#include "fake_vm.h"

#include <errno.h>
#include <string.h>

static struct fake_vm vm;
static struct lapic *const apic = &vm.cpu[0].lapic;

#define GP (-1)

static int msr_read(uint32_t msr)
{
	uint64_t value;

	return lapic_msr_read(apic, msr, &value);
}

static uint64_t msr_value(uint32_t msr)
{
	uint64_t value = 0xdead;

	lapic_msr_read(apic, msr, &value);
	return value;
}

/* SDM 3A table 11-6: each MSR's access; all others of 0x800-0x8FF are reserved. */
static void test_x2apic_access(void)
{
	enum { NO, RO, WO, RW };
	static const uint8_t rows[256] = {
		[0x02] = RO, [0x03] = RO, [0x08] = RW, [0x0a] = RO,
		[0x0b] = WO, [0x0d] = RO, [0x0f] = RW, [0x10 ... 0x27] = RO,
		[0x28] = RW, [0x2f] = RW, [0x30] = RW, [0x32 ... 0x37] = RW,
		[0x38] = RW, [0x39] = RO, [0x3e] = RW, [0x3f] = WO,
	};
	unsigned int i;

	fake_vm_reset(&vm, 1, (struct lapic_config){.version = LAPIC_VERSION_INTEL_CMCI});
	fake_x2apic(apic);
	for (i = 0; i < 256; i++) {
		CHECK_EQUAL(msr_read(0x800 + i), rows[i] == RO || rows[i] == RW ? 0 : GP);
		CHECK_EQUAL(lapic_msr_write(apic, 0x800 + i, 0),
			    rows[i] == WO || rows[i] == RW ? 0 : GP);
	}
	CHECK_EQUAL(msr_read(0x7ff), GP);
	CHECK_EQUAL(msr_read(0x900), GP);
}

/* 11.12.1.2: outside x2APIC mode every one of them is #GP. */
static void test_x2apic_off(void)
{
	unsigned int i, mode;

	for (mode = 0; mode < 2; mode++) {
		fake_vm_init(&vm, 1);
		if (mode)
			lapic_set_base(apic, 0xfee00100, false);
		for (i = 0x800; i < 0x900; i++) {
			CHECK_EQUAL(msr_read(i), GP);
			CHECK_EQUAL(lapic_msr_write(apic, i, 0), GP);
		}
	}
}

/* 11.5.1: the CMCI entry exists if the version register counts it. */
static void test_cmci(void)
{
	uint32_t value;

	fake_vm_init(&vm, 1);
	CHECK_EQUAL(lapic_read(apic, LAPIC_LVT_CMCI, &value), -1);
	fake_x2apic(apic);
	CHECK_EQUAL(msr_read(0x82f), GP);
	fake_vm_reset(&vm, 1, (struct lapic_config){.version = LAPIC_VERSION_INTEL_CMCI});
	CHECK_EQUAL(lapic_read(apic, LAPIC_LVT_CMCI, &value), 0);
	CHECK_EQUAL(value, 0x10000);
}

/* 11.12.1.3: reserved bits are #GP, and leave the register as it was. */
static void test_x2apic_reserved(void)
{
	static const struct {
		uint32_t msr;
		uint64_t legal; /* bits that may be set (figures 11-8, 11-23, 11-28 ff.) */
	} rows[] = {
		{0x808, 0xff},
		{0x80b, 0},
		{0x80f, 0x3ff},
		{0x828, 0},
		/* bit 12 has no meaning here, but processors take it */
		{0x830, 0xffffffff00000000 | 0xcdfff},
		{0x832, 0x700ff | 0x1000},
		{0x833, 0x107ff | 0x1000},
		{0x834, 0x107ff | 0x1000},
		{0x835, 0x1f7ff},
		{0x836, 0x1f7ff},
		{0x837, 0x100ff | 0x1000},
		{0x838, 0xffffffff},
		{0x83e, 0xb},
		{0x83f, 0xff},
	};
	unsigned int i, bit;

	fake_vm_init(&vm, 1);
	fake_x2apic(apic);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (bit = 0; bit < 64; bit++) {
			bool legal = rows[i].legal >> bit & 1;
			/* Bits 14 of LVTs are read-only for the pins and reserved for others;
			 * written back they are taken. */
			if (rows[i].msr >= 0x832 && rows[i].msr <= 0x837 && bit == 14)
				continue;
			CHECK_ROW(lapic_msr_write(apic, rows[i].msr, 1ull << bit) ==
					  (legal ? 0 : GP),
				  "MSR 0x%x bit %u", rows[i].msr, bit);
		}
	}
	lapic_msr_write(apic, 0x808, 0x20);
	CHECK_EQUAL(lapic_msr_write(apic, 0x808, 0x130), GP);
	CHECK_EQUAL(msr_value(0x808), 0x20);
}

/* 11.12.10.2: LDR is cluster (ID bits 19:4) and one bit (ID bits 3:0); the ID has 32 bits. */
static void test_x2apic_id(void)
{
	static const struct {
		uint32_t id, ldr;
	} rows[] = {{0, 0x1}, {5, 0x20}, {0x1f, 0x18000}, {0x123, 0x120008}};
	unsigned int i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lapic_config config = {.id = rows[i].id, .version = LAPIC_VERSION_INTEL};

		fake_vm_init(&vm, 0);
		lapic_init(apic, &config, &vm.clock.clock, &vm.bus, &fake_lapic_ops, &vm.cpu[0]);
		CHECK_EQUAL(fake_read(apic, LAPIC_ID), rows[i].id << 24);
		fake_x2apic(apic);
		CHECK_EQUAL(msr_value(0x802), rows[i].id);
		CHECK_EQUAL(msr_value(0x80d), rows[i].ldr);
	}
}

/* 11.12.9: the ICR is one 64-bit MSR without delivery status. 11.12.11: SELF IPI. */
static void test_x2apic_icr(void)
{
	fake_vm_init(&vm, 2);
	fake_x2apic(apic);
	fake_x2apic(&vm.cpu[1].lapic);
	CHECK_EQUAL(lapic_msr_write(apic, 0x830, 1ull << 32 | 0x1051), 0);
	CHECK_EQUAL(msr_value(0x830), 1ull << 32 | 0x51);
	CHECK_EQUAL(lapic_pending(&vm.cpu[1].lapic), 0x51);
	CHECK_EQUAL(lapic_msr_write(apic, 0x83f, 0x61), 0);
	CHECK_EQUAL(lapic_accept(apic), 0x61);
	CU_ASSERT_FALSE(fake_bit(&vm.cpu[1].lapic, LAPIC_IRR, 0x61));
	CHECK_EQUAL(msr_read(0x831), GP);
	/* An illegal vector is logged here as in the ICR. */
	lapic_msr_write(apic, 0x83f, 0x0f);
	lapic_msr_write(apic, 0x828, 0);
	CHECK_EQUAL(msr_value(0x828), LAPIC_ESR_SEND_VECTOR | LAPIC_ESR_RECEIVE_VECTOR);
}

/* 11.12.5: going to x2APIC mode keeps what was programmed. */
static void test_x2apic_keeps(void)
{
	fake_vm_init(&vm, 1);
	lapic_write(apic, LAPIC_TPR, 0x30);
	lapic_write(apic, LAPIC_LVT_ERROR, 0xfe);
	fake_raise(apic, 0x55, false);
	fake_x2apic(apic);
	CHECK_EQUAL(msr_value(0x808), 0x30);
	CHECK_EQUAL(msr_value(0x837), 0xfe);
	CHECK_EQUAL(msr_value(0x80f), 0x1ff);
	CHECK_EQUAL(lapic_pending(apic), 0x55);
	CU_ASSERT_FALSE(lapic_mmio_claims(apic, 0xfee00000));
}

/* 11.4.6, 11.6.2.2: what of ID, LDR, DFR, ICR, TPR, LVTs can be written in xAPIC mode. */
static void test_xapic_bits(void)
{
	static const struct {
		uint32_t offset, ones; /* read back after writing all ones */
	} rows[] = {
		{LAPIC_ID, 0xff000000},
		{LAPIC_LDR, 0xff000000},
		{LAPIC_DFR, 0xffffffff},
		{LAPIC_TPR, 0xff},
		{LAPIC_ICR_HIGH, 0xff000000},
		{LAPIC_LVT_THERMAL, 0x107ff},
		{LAPIC_LVT_LINT0, 0x1a7ff},
		{LAPIC_LVT_ERROR, 0x100ff},
		{LAPIC_TIMER_DIVIDE, 0xb},
		{LAPIC_VERSION, LAPIC_VERSION_INTEL},
		{LAPIC_PPR, 0},
		{LAPIC_IRR, 0},
		{LAPIC_ISR, 0},
		{LAPIC_TMR, 0},
		{LAPIC_SVR, 0x3ff},
	};
	unsigned int i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fake_vm_init(&vm, 1);
		lapic_write(apic, rows[i].offset, 0xffffffff);
		CHECK_EQUAL(fake_read(apic, rows[i].offset), rows[i].ones);
	}
	lapic_write(apic, LAPIC_DFR, 0);
	CHECK_EQUAL(fake_read(apic, LAPIC_DFR), 0x0fffffff);
	lapic_write(apic, LAPIC_ICR, 0x000c4000 | 0x51);
	CHECK_EQUAL(fake_read(apic, LAPIC_ICR), 0x000c4051); /* bit 12 reads idle */
	/* 11.5.4: timer mode bit 18 only with TSC-deadline mode. */
	lapic_write(apic, LAPIC_LVT_TIMER, 0x400ff);
	CHECK_EQUAL(fake_read(apic, LAPIC_LVT_TIMER), 0x400ff);
	lapic_set_features(apic, &(struct lapic_features){.phys_bits = 40});
	lapic_write(apic, LAPIC_LVT_TIMER, 0x400ff);
	CHECK_EQUAL(fake_read(apic, LAPIC_LVT_TIMER), 0xff);
}

/* 11.4.1 leaves other accesses to the processor; see lapic_mmio_read(). */
static void test_mmio(void)
{
	uint64_t wide = ~0ull;
	uint32_t value = 0x000000a5, other = 0x5a;
	uint8_t byte = 0xff;

	fake_vm_init(&vm, 1);
	lapic_mmio_write(apic, LAPIC_TPR, &value, 4);
	lapic_mmio_read(apic, LAPIC_TPR, &byte, 1);
	CHECK_EQUAL(byte, 0xa5);
	lapic_mmio_read(apic, LAPIC_VERSION + 2, &byte, 1);
	CHECK_EQUAL(byte, 5);
	lapic_mmio_read(apic, LAPIC_TPR + 4, &byte, 1);
	CHECK_EQUAL(byte, 0);
	lapic_mmio_read(apic, LAPIC_TPR, &wide, 8);
	CHECK_EQUAL(wide, 0);
	lapic_mmio_write(apic, LAPIC_TPR, &byte, 1);
	lapic_mmio_write(apic, LAPIC_TPR + 4, &other, 4);
	lapic_mmio_write(apic, LAPIC_TPR, &wide, 8);
	CHECK_EQUAL(fake_read(apic, LAPIC_TPR), 0xa5);
	lapic_mmio_read(apic, LAPIC_TPR, &other, 4);
	CHECK_EQUAL(other, 0xa5);
	/* not even offsets of registers */
	CHECK_EQUAL(lapic_read(apic, 0x400, &value), -1);
	CHECK_EQUAL(lapic_read(apic, LAPIC_TPR + 1, &value), -1);
	CHECK_EQUAL(lapic_write(apic, 0x400, 0), -1);
	CHECK_EQUAL(lapic_write(apic, LAPIC_TPR + 1, 0), -1);
	/* gone since the Pentium 4, yet no error */
	CHECK_EQUAL(lapic_read(apic, LAPIC_APR, &value), 0);
	CHECK_EQUAL(lapic_read(apic, LAPIC_RRD, &value), 0);
	CHECK_EQUAL(lapic_read(apic, LAPIC_EOI, &value), 0);
}

static uint32_t page_get(const struct kvm_lapic_state *page, uint32_t offset)
{
	uint32_t value;

	memcpy(&value, page->regs + offset, 4);
	return value;
}

/* api.rst 4.57, 4.58: the page has the registers where the xAPIC page has them. */
static void test_state(void)
{
	struct apic_message extint = {.delivery_mode = APIC_EXTINT, .assert = true};
	struct kvm_lapic_state page;
	struct fake_vm copy;

	fake_vm_init(&vm, 1);
	lapic_write(apic, LAPIC_TPR, 0x20);
	lapic_write(apic, LAPIC_LDR, 0x04000000);
	fake_raise(apic, 0x55, false);
	lapic_accept(apic);
	fake_raise(apic, 0x77, true);
	memset(&page, 0xff, sizeof(page));
	lapic_get_state(apic, &page, false);
	CHECK_EQUAL(page_get(&page, LAPIC_TPR + 4), 0);
	CHECK_EQUAL(page_get(&page, LAPIC_ID), 0);
	CHECK_EQUAL(page_get(&page, LAPIC_VERSION), LAPIC_VERSION_INTEL);
	CHECK_EQUAL(page_get(&page, LAPIC_TPR), 0x20);
	CHECK_EQUAL(page_get(&page, LAPIC_PPR), 0x50);
	CHECK_EQUAL(page_get(&page, LAPIC_ISR + 0x20), 1u << 0x15);
	CHECK_EQUAL(page_get(&page, LAPIC_IRR + 0x30), 1u << 0x17);
	CHECK_EQUAL(page_get(&page, LAPIC_TMR + 0x30), 1u << 0x17);
	fake_vm_reset(&copy, 1, (struct lapic_config){.version = LAPIC_VERSION_INTEL});
	fake_read(&copy.cpu[0].lapic, 0x040); /* collected for ESR */
	lapic_receive(&copy.cpu[0].lapic, &extint, NULL);
	copy.cpu[0].changed = 0;
	CHECK_EQUAL(lapic_set_state(&copy.cpu[0].lapic, &page, false), 0);
	CHECK_EQUAL(lapic_pending(&copy.cpu[0].lapic), 0x77);
	CHECK_EQUAL(copy.cpu[0].changed, 1);
	CHECK_EQUAL(lapic_accept(&copy.cpu[0].lapic), 0x77);
	lapic_write(&copy.cpu[0].lapic, LAPIC_EOI, 0);
	CHECK_EQUAL(copy.eoi_vector, 0x77);
	lapic_write(&copy.cpu[0].lapic, LAPIC_ESR, 0);
	CHECK_EQUAL(fake_read(&copy.cpu[0].lapic, LAPIC_ESR), 0);
	CHECK_EQUAL(fake_read(&copy.cpu[0].lapic, LAPIC_LDR), 0x04000000);
}

/* KVM_CAP_X2APIC_API: the ID is in bits 31:24 or, with 32-bit IDs, whole; it cannot change. */
static void test_state_x2apic(void)
{
	struct kvm_lapic_state page;
	struct lapic *ap = &vm.cpu[2].lapic;

	fake_vm_init(&vm, 3);
	fake_x2apic(ap);
	lapic_msr_write(ap, 0x830, 0x12345678ull << 32 | 0x51);
	lapic_get_state(ap, &page, false);
	CHECK_EQUAL(page_get(&page, LAPIC_ID), 0x02000000);
	CHECK_EQUAL(page_get(&page, LAPIC_LDR), 4);
	CHECK_EQUAL(page_get(&page, LAPIC_ICR_HIGH), 0x12345678);
	CHECK_EQUAL(lapic_set_state(ap, &page, true), -EINVAL);
	CHECK_EQUAL(lapic_set_state(ap, &page, false), 0);
	lapic_get_state(ap, &page, true);
	CHECK_EQUAL(page_get(&page, LAPIC_ID), 2);
	CHECK_EQUAL(lapic_set_state(ap, &page, true), 0);
	CHECK_EQUAL(lapic_set_state(ap, &page, false), -EINVAL);
	ap->config.id = 0x25;
	lapic_get_state(ap, &page, true);
	CHECK_EQUAL(page_get(&page, LAPIC_LDR), 0x00020020);
}

static CU_TestInfo tests[] = {
	{"x2APIC MSR access", test_x2apic_access},
	{"no MSRs outside x2APIC mode", test_x2apic_off},
	{"CMCI", test_cmci},
	{"x2APIC reserved bits", test_x2apic_reserved},
	{"x2APIC ID and LDR", test_x2apic_id},
	{"x2APIC ICR and SELF IPI", test_x2apic_icr},
	{"x2APIC keeps registers", test_x2apic_keeps},
	{"xAPIC writable bits", test_xapic_bits},
	{"access sizes", test_mmio},
	{"KVM_GET_LAPIC, KVM_SET_LAPIC", test_state},
	{"... in x2APIC mode", test_state_x2apic},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("local APIC registers", tests)
