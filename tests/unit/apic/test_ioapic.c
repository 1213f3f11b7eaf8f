/* SPDX-License-Identifier: Apache-2.0 */
/* The I/O APIC against the 82093AA data sheet (290566), ICH9 13.5 and KVM's ABI. */
#include "../check.h"
#include "apic/ioapic.h"
#include "fake_vm.h"

static struct fake_vm vm;
static struct ioapic ioapic;
static struct lapic *const apic = &vm.cpu[0].lapic;

#define LEVEL  (1u << 15)
#define MASKED (1u << 16)
#define REMOTE (1u << 14)
#define PIN    14

static int deliver(void *opaque, const struct apic_message *message, bool *coalesced)
{
	return apic_bus_send_device(opaque, message, coalesced);
}

static const struct ioapic_ops ops = {.deliver = deliver};

static void broadcast(void *opaque, uint8_t vector)
{
	(void)opaque;
	vm.eois++;
	ioapic_eoi(&ioapic, vector);
}

static const struct apic_bus_ops bus_ops = {.eoi = broadcast};

static void start(void)
{
	fake_vm_init(&vm, 4);
	vm.bus.ops = &bus_ops;
	ioapic_init(&ioapic, IOAPIC_VERSION_82093AA, &ops, &vm.bus);
}

static uint32_t reg_read(uint8_t index)
{
	uint32_t value = index;

	ioapic_mmio_write(&ioapic, 0x00, &value, 4);
	ioapic_mmio_read(&ioapic, 0x10, &value, 4);
	return value;
}

static void reg_write(uint8_t index, uint32_t value)
{
	uint32_t select = index;

	ioapic_mmio_write(&ioapic, 0x00, &select, 4);
	ioapic_mmio_write(&ioapic, 0x10, &value, 4);
}

static void entry(unsigned int pin, uint32_t low, uint32_t high)
{
	reg_write(0x10 + 2 * pin, low | MASKED);
	reg_write(0x11 + 2 * pin, high);
	reg_write(0x10 + 2 * pin, low);
}

static bool remote_irr(unsigned int pin)
{
	return reg_read(0x10 + 2 * pin) & REMOTE;
}

static int line(unsigned int pin, bool level)
{
	return ioapic_set_irq(&ioapic, pin, 0, level);
}

static void eoi(void)
{
	lapic_write(apic, LAPIC_EOI, 0);
}

/* 3.2.1 to 3.2.3: ID has bits 27:24, version and arbitration are read-only. */
static void test_registers(void)
{
	uint64_t wide = ~0ull;
	uint32_t value = 0x1234;
	uint8_t byte;

	start();
	CHECK_EQUAL(reg_read(1), 0x00170011);
	reg_write(1, 0xffffffff);
	CHECK_EQUAL(reg_read(1), 0x00170011);
	reg_write(0, 0xffffffff);
	CHECK_EQUAL(reg_read(0), 0x0f000000);
	CHECK_EQUAL(reg_read(2), 0x0f000000);
	reg_write(2, 0);
	CHECK_EQUAL(reg_read(2), 0x0f000000);
	CHECK_EQUAL(reg_read(0x10 + 2 * IOAPIC_PINS), 0);
	CHECK_EQUAL(reg_read(0x05), 0);
	/* 3.1: IOREGSEL has 8 bits; other widths as the header says. */
	ioapic_mmio_write(&ioapic, 0x00, &value, 4);
	ioapic_mmio_read(&ioapic, 0x00, &value, 4);
	CHECK_EQUAL(value, 0x34);
	reg_read(1);
	ioapic_mmio_read(&ioapic, 0x10, &byte, 1);
	CHECK_EQUAL(byte, 0x11);
	ioapic_mmio_read(&ioapic, 0x10, &wide, 8);
	CHECK_EQUAL(wide, 0x00170011);
	ioapic_mmio_read(&ioapic, 0x20, &value, 4);
	CHECK_EQUAL(value, 0);
	CU_ASSERT_TRUE(ioapic_claims(&ioapic, 0xfec000ff));
	CU_ASSERT_FALSE(ioapic_claims(&ioapic, 0xfec00100));
	CU_ASSERT_FALSE(ioapic_claims(&ioapic, 0xfebfffff));
}

/* 3.2.4: masked after reset; delivery status and remote IRR read-only; 55:17 reserved. */
static void test_entry_bits(void)
{
	unsigned int pin;

	start();
	for (pin = 0; pin < IOAPIC_PINS; pin++) {
		CHECK_EQUAL(reg_read(0x10 + 2 * pin), 0x00010000);
		CHECK_EQUAL(reg_read(0x11 + 2 * pin), 0);
		reg_write(0x10 + 2 * pin, 0xffffffff);
		reg_write(0x11 + 2 * pin, 0xffffffff);
		CHECK_EQUAL(reg_read(0x10 + 2 * pin), 0x0001afff);
		CHECK_EQUAL(reg_read(0x11 + 2 * pin), 0xff000000);
	}
	ioapic_reset(&ioapic);
	CHECK_EQUAL(reg_read(0x10 + 2 * PIN), 0x00010000);
	reg_write(0, 0x03000000);
	ioapic_reset(&ioapic);
	ioapic_mmio_read(&ioapic, 0x00, &pin, 4);
	CHECK_EQUAL(pin, 0);
	CHECK_EQUAL(reg_read(0), 0);
}

/* Edge: one message a rising edge; masked, the edge is lost. */
static void test_edge(void)
{
	start();
	entry(PIN, 0x76, 0);
	CHECK_EQUAL(line(PIN, true), 1);
	CHECK_EQUAL(line(PIN, true), 0);
	CHECK_EQUAL(line(PIN, false), 1);
	CHECK_EQUAL(lapic_accept(apic), 0x76);
	CU_ASSERT_FALSE(fake_bit(apic, LAPIC_TMR, 0x76));
	CU_ASSERT_FALSE(remote_irr(PIN));
	eoi();
	CHECK_EQUAL(vm.eois, 0);
	CHECK_EQUAL(lapic_pending(apic), -1);
	/* still pending in IRR: coalesced */
	line(PIN, true);
	line(PIN, false);
	CHECK_EQUAL(line(PIN, true), 0);
	line(PIN, false);
	lapic_accept(apic);
	eoi();
	CHECK_EQUAL(lapic_pending(apic), -1);
	entry(PIN, 0x76 | MASKED, 0);
	CHECK_EQUAL(line(PIN, true), -1);
	line(PIN, false);
	entry(PIN, 0x76, 0);
	CHECK_EQUAL(lapic_pending(apic), -1);
	line(PIN, true);
	CHECK_EQUAL(lapic_pending(apic), 0x76);
}

/* Level: remote IRR from acceptance to EOI; asserted then, it is sent again. */
static void test_level(void)
{
	start();
	entry(PIN, 0x77 | LEVEL, 0);
	CHECK_EQUAL(line(PIN, true), 1);
	CU_ASSERT_TRUE(remote_irr(PIN));
	CU_ASSERT_TRUE(fake_bit(apic, LAPIC_TMR, 0x77));
	CHECK_EQUAL(lapic_accept(apic), 0x77);
	line(PIN, false);
	CHECK_EQUAL(line(PIN, true), 0); /* coalesced: not ended yet */
	CHECK_EQUAL(line(PIN, true), 0);
	CHECK_EQUAL(lapic_pending(apic), -1);
	eoi();
	CHECK_EQUAL(lapic_accept(apic), 0x77);
	CU_ASSERT_TRUE(remote_irr(PIN));
	line(PIN, false);
	CU_ASSERT_TRUE(remote_irr(PIN)); /* EOI ends it, not the line */
	eoi();
	CU_ASSERT_FALSE(remote_irr(PIN));
	CHECK_EQUAL(lapic_pending(apic), -1);
}

/* Level and mask: asserted while masked, or at EOI while masked, it is sent on unmasking. */
static void test_level_mask(void)
{
	start();
	entry(PIN, 0x82 | LEVEL | MASKED, 0);
	CHECK_EQUAL(line(PIN, true), -1);
	entry(PIN, 0x82 | LEVEL, 0);
	CHECK_EQUAL(lapic_accept(apic), 0x82);
	reg_write(0x10 + 2 * PIN, 0x82 | LEVEL | MASKED);
	CU_ASSERT_TRUE(remote_irr(PIN));
	eoi();
	CU_ASSERT_FALSE(remote_irr(PIN));
	CHECK_EQUAL(lapic_pending(apic), -1);
	reg_write(0x10 + 2 * PIN, 0x82 | LEVEL);
	CHECK_EQUAL(lapic_accept(apic), 0x82);
}

/* An entry may get a new destination while its interrupt is in service; EOI still ends it. */
static void test_reconfigure(void)
{
	start();
	entry(13, 0x64 | LEVEL, 0);
	entry(14, 0x84 | LEVEL, 0);
	line(13, true);
	CHECK_EQUAL(lapic_accept(apic), 0x64);
	line(14, true);
	line(14, false);
	reg_write(0x11 + 28, 0x01000000);
	line(13, false);
	reg_write(0x11 + 26, 0x01000000);
	CU_ASSERT_TRUE(remote_irr(13));
	CHECK_EQUAL(lapic_accept(apic), 0x84);
	eoi();
	CU_ASSERT_TRUE(remote_irr(13)); /* the other vector's EOI */
	CU_ASSERT_FALSE(remote_irr(14));
	eoi();
	CU_ASSERT_FALSE(remote_irr(13));
	CU_ASSERT_FALSE(remote_irr(14));
	line(14, true);
	CHECK_EQUAL(lapic_pending(&vm.cpu[1].lapic), 0x84);
}

/* Software without an EOI register clears remote IRR by switching to edge and back. */
static void test_clear_by_edge(void)
{
	start();
	entry(PIN, 0x77 | LEVEL, 0);
	line(PIN, true);
	line(PIN, false);
	reg_write(0x10 + 2 * PIN, 0x77 | MASKED);
	reg_write(0x10 + 2 * PIN, 0x77 | LEVEL | MASKED);
	CU_ASSERT_FALSE(remote_irr(PIN));
}

/* ICH9 13.5.1.3: version 0x20 has an EOI register at 0x40; 0x11 has none. */
static void test_eoi_register(void)
{
	uint32_t vector = 0x77;

	start();
	entry(PIN, 0x77 | LEVEL, 0);
	line(PIN, true);
	line(PIN, false);
	ioapic_mmio_write(&ioapic, 0x40, &vector, 4);
	CU_ASSERT_TRUE(remote_irr(PIN));
	start();
	ioapic.version = IOAPIC_VERSION_ICH;
	entry(PIN, 0x77 | LEVEL, 0);
	entry(PIN + 1, 0x78 | LEVEL, 0);
	line(PIN, true);
	line(PIN + 1, true);
	line(PIN, false);
	ioapic_mmio_write(&ioapic, 0x40, &vector, 4);
	CU_ASSERT_FALSE(remote_irr(PIN));
	CU_ASSERT_TRUE(remote_irr(PIN + 1));
}

/* 3.2.4: destination and mode fields of the message. NMI and ExtINT are never level. */
static void test_message(void)
{
	unsigned int i;

	start();
	for (i = 0; i < 4; i++)
		lapic_write(&vm.cpu[i].lapic, LAPIC_LDR, 1u << (24 + i));
	entry(PIN, 0x86 | LEVEL | 1u << 11, 0x0d000000);
	CHECK_EQUAL(line(PIN, true), 3);
	for (i = 0; i < 4; i++)
		CHECK_EQUAL(lapic_pending(&vm.cpu[i].lapic), i == 1 ? -1 : 0x86);
	entry(PIN + 1, 0x51 | LEVEL | APIC_NMI << 8, 0x02000000);
	line(PIN + 1, true);
	CHECK_EQUAL(vm.cpu[2].nmi, 1);
	CU_ASSERT_FALSE(remote_irr(PIN + 1));
	entry(0, APIC_EXTINT << 8, 0);
	line(0, true);
	CHECK_EQUAL(lapic_pending(apic), LAPIC_EXTINT);
	/* nobody there */
	entry(PIN + 2, 0x51 | LEVEL, 0x77000000);
	CHECK_EQUAL(line(PIN + 2, true), -1);
	CU_ASSERT_FALSE(remote_irr(PIN + 2));
	/* not there yet: a level is tried again when it is asserted again */
	lapic_write(&vm.cpu[3].lapic, LAPIC_SVR, 0xff);
	entry(PIN + 3, 0x52 | LEVEL, 0x03000000);
	CHECK_EQUAL(line(PIN + 3, true), -1);
	lapic_write(&vm.cpu[3].lapic, LAPIC_SVR, 0x1ff);
	CHECK_EQUAL(line(PIN + 3, true), 1);
}

/* The pin is the OR of its sources. */
static void test_sources(void)
{
	start();
	entry(PIN, 0x77 | LEVEL, 0);
	ioapic_set_irq(&ioapic, PIN, 31, true);
	ioapic_set_irq(&ioapic, PIN, 0, true);
	ioapic_set_irq(&ioapic, PIN, 1, true);
	ioapic_set_irq(&ioapic, PIN, 1, false);
	ioapic_set_irq(&ioapic, PIN, 31, false);
	lapic_accept(apic);
	eoi();
	CHECK_EQUAL(lapic_accept(apic), 0x77);
	ioapic_set_irq(&ioapic, PIN, 0, false);
	eoi();
	CHECK_EQUAL(lapic_pending(apic), -1);
	CHECK_EQUAL(ioapic_set_irq(&ioapic, IOAPIC_PINS, 0, true), -1);
}

static void test_handles_vector(void)
{
	start();
	entry(PIN, 0x77 | LEVEL, 0);
	entry(PIN + 1, 0x78, 0);
	entry(PIN + 2, 0x79 | LEVEL | MASKED, 0);
	CU_ASSERT_TRUE(ioapic_handles_vector(&ioapic, 0x77));
	CU_ASSERT_FALSE(ioapic_handles_vector(&ioapic, 0x78));
	CU_ASSERT_FALSE(ioapic_handles_vector(&ioapic, 0x79));
	line(PIN, true);
	reg_write(0x10 + 2 * PIN, 0x77 | LEVEL | MASKED);
	CU_ASSERT_TRUE(ioapic_handles_vector(&ioapic, 0x77));
}

/* KVM_GET_IRQCHIP, KVM_SET_IRQCHIP: struct kvm_ioapic_state. */
static void test_state(void)
{
	struct kvm_ioapic_state state;
	uint32_t select;

	start();
	reg_write(0, 0x05000000);
	entry(PIN, 0x77 | LEVEL | 1u << 11, 0x01000000);
	lapic_write(apic, LAPIC_LDR, 0x01000000);
	line(PIN, true);
	line(3, true);
	reg_read(0x12);
	ioapic_get_state(&ioapic, &state);
	CHECK_EQUAL(state.base_address, 0xfec00000);
	CHECK_EQUAL(state.ioregsel, 0x12);
	CHECK_EQUAL(state.id, 5);
	CHECK_EQUAL(state.irr, 1u << PIN | 1u << 3);
	CHECK_EQUAL(state.redirtbl[PIN].fields.vector, 0x77);
	CHECK_EQUAL(state.redirtbl[PIN].fields.dest_mode, 1);
	CHECK_EQUAL(state.redirtbl[PIN].fields.trig_mode, 1);
	CHECK_EQUAL(state.redirtbl[PIN].fields.remote_irr, 1);
	CHECK_EQUAL(state.redirtbl[PIN].fields.dest_id, 1);
	CHECK_EQUAL(state.redirtbl[3].fields.mask, 1);
	start();
	lapic_write(apic, LAPIC_LDR, 0x01000000);
	ioapic_set_state(&ioapic, &state);
	CHECK_EQUAL(lapic_pending(apic), -1); /* it was with the local APIC already */
	ioapic_mmio_read(&ioapic, 0x00, &select, 4);
	CHECK_EQUAL(select, 0x12);
	CHECK_EQUAL(reg_read(0), 0x05000000);
	ioapic_eoi(&ioapic, 0x77);
	CHECK_EQUAL(lapic_pending(apic), 0x77); /* still asserted */
	/* Asserted, unmasked and not sent yet: sent by the restore. */
	start();
	lapic_write(apic, LAPIC_LDR, 0x01000000);
	state.redirtbl[PIN].fields.remote_irr = 0;
	state.base_address = 0xfec10000;
	ioapic_set_irq(&ioapic, PIN, 1, true); /* as if another one drove it before */
	ioapic_set_state(&ioapic, &state);
	CU_ASSERT_TRUE(ioapic_claims(&ioapic, 0xfec10010));
	CHECK_EQUAL(lapic_pending(apic), 0x77);
	line(PIN, false);
	lapic_accept(apic);
	eoi();
	CHECK_EQUAL(lapic_pending(apic), -1);
}

static CU_TestInfo tests[] = {
	{"registers", test_registers},
	{"redirection entry bits", test_entry_bits},
	{"edge", test_edge},
	{"level", test_level},
	{"level and mask", test_level_mask},
	{"reconfigure in service", test_reconfigure},
	{"remote IRR cleared by edge", test_clear_by_edge},
	{"EOI register", test_eoi_register},
	{"message", test_message},
	{"sources", test_sources},
	{"handles vector", test_handles_vector},
	{"KVM_GET_IRQCHIP, KVM_SET_IRQCHIP", test_state},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("I/O APIC", tests)
