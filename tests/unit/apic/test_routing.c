/* SPDX-License-Identifier: Apache-2.0 */
/* The GSI table (api.rst 4.52) and the chips wired together as a PC's. */
#include "../check.h"
#include "apic/ioapic.h"
#include "apic/pic.h"
#include "apic/pit.h"
#include "apic/routing.h"
#include "fake_vm.h"

#include <errno.h>

static struct fake_vm vm;
static struct ioapic ioapic;
static struct pic pic;
static struct pit pit;
static struct irq_routing routing;
static struct kvm_irq_routing_entry storage[64];
static struct lapic *const apic = &vm.cpu[0].lapic;

static int deliver(void *opaque, const struct apic_message *message, bool *coalesced)
{
	return apic_bus_send_device(opaque, message, coalesced);
}

static void intr(void *opaque, bool level)
{
	apic_bus_set_lint(opaque, 0, level);
}

static void timer(void *opaque, bool level)
{
	(void)opaque;
	irq_routing_set_line(&routing, 0, IRQ_SOURCE_PIT, level);
}

static const struct ioapic_ops ioapic_ops = {.deliver = deliver};
static const struct pic_ops pic_ops = {.output = intr};
static const struct pit_ops pit_ops = {.irq = timer};

static void start(void)
{
	fake_vm_init(&vm, 2);
	ioapic_init(&ioapic, IOAPIC_VERSION_82093AA, &ioapic_ops, &vm.bus);
	pic_init(&pic, &pic_ops, &vm.bus);
	irq_routing_init(&routing, storage, 64,
			 &(struct irq_targets){.pic = &pic, .ioapic = &ioapic, .bus = &vm.bus});
	irq_routing_set_default(&routing);
	pit_init(&pit, &vm.clock.clock, &pit_ops, NULL);
}

static bool has(uint32_t gsi, uint32_t chip, uint32_t pin)
{
	size_t i;

	for (i = 0; i < routing.count; i++) {
		if (storage[i].gsi == gsi && storage[i].type == KVM_IRQ_ROUTING_IRQCHIP &&
		    storage[i].u.irqchip.irqchip == chip && storage[i].u.irqchip.pin == pin)
			return true;
	}
	return false;
}

/* The PC's map: IRQ 0 is on I/O APIC pin 2, the cascade nowhere. */
static void test_default(void)
{
	uint32_t gsi;

	start();
	for (gsi = 0; gsi < 24; gsi++) {
		uint32_t chip = gsi < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE;

		CHECK_EQUAL(has(gsi, chip, gsi % 8), gsi < 16 && gsi != 2);
		CHECK_EQUAL(has(gsi, KVM_IRQCHIP_IOAPIC, gsi), gsi != 0 && gsi != 2);
	}
	CU_ASSERT_TRUE(has(0, KVM_IRQCHIP_IOAPIC, 2));
	CHECK_EQUAL(routing.count, 15 + 23);
	irq_routing_set_default(&routing); /* replaces */
	CHECK_EQUAL(routing.count, 15 + 23);
	irq_routing_set_identity(&routing);
	CU_ASSERT_TRUE(has(0, KVM_IRQCHIP_IOAPIC, 0));
	CU_ASSERT_TRUE(has(2, KVM_IRQCHIP_PIC_MASTER, 2));
	CHECK_EQUAL(routing.count, 16 + 24);
	routing.capacity = 3; /* never beyond the storage */
	irq_routing_set_default(&routing);
	CHECK_EQUAL(routing.count, 3);
}

static struct kvm_irq_routing_entry pin(uint32_t gsi, uint32_t chip, uint32_t number)
{
	return (struct kvm_irq_routing_entry){
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = {.irqchip = chip, .pin = number},
	};
}

static struct kvm_irq_routing_entry msi(uint32_t gsi, uint32_t address, uint32_t data)
{
	return (struct kvm_irq_routing_entry){
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi = {.address_lo = address, .data = data},
	};
}

/* What KVM_SET_GSI_ROUTING refuses; the table then stays. */
static void test_refused(void)
{
	struct kvm_irq_routing_entry flags = pin(1, KVM_IRQCHIP_IOAPIC, 1);
	struct kvm_irq_routing_entry type = pin(1, KVM_IRQCHIP_IOAPIC, 1);
	unsigned int i;

	flags.flags = 1;
	type.type = KVM_IRQ_ROUTING_S390_ADAPTER;
	struct kvm_irq_routing_entry bad[][2] = {
		{pin(0, KVM_IRQCHIP_IOAPIC, 0), pin(1, KVM_IRQCHIP_IOAPIC, 24)},
		{pin(0, KVM_IRQCHIP_IOAPIC, 0), pin(1, KVM_IRQCHIP_PIC_SLAVE, 8)},
		{pin(0, KVM_IRQCHIP_IOAPIC, 0), pin(1, KVM_NR_IRQCHIPS, 0)},
		{pin(0, KVM_IRQCHIP_IOAPIC, 0), pin(IRQ_ROUTING_MAX, KVM_IRQCHIP_IOAPIC, 0)},
		{pin(5, KVM_IRQCHIP_IOAPIC, 0), pin(5, KVM_IRQCHIP_IOAPIC, 1)},
		{pin(5, KVM_IRQCHIP_IOAPIC, 0), msi(5, 0xfee00000, 0x41)},
		{msi(5, 0xfee00000, 0x41), msi(5, 0xfee01000, 0x41)},
		{pin(0, KVM_IRQCHIP_IOAPIC, 0), flags},
		{pin(0, KVM_IRQCHIP_IOAPIC, 0), type},
	};

	start();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_EQUAL(irq_routing_set(&routing, bad[i], 2), -EINVAL);
	CHECK_EQUAL(irq_routing_set(&routing, storage, 65), -E2BIG);
	CHECK_EQUAL(irq_routing_set(&routing, storage, IRQ_ROUTING_MAX + 1), -EINVAL);
	bad[0][1] = msi(5, 0xfee00000, 0x41);
	bad[0][1].u.msi.address_hi = 0x101; /* bits 7:0 with 32-bit IDs */
	routing.targets.msi_ids32 = true;
	CHECK_EQUAL(irq_routing_set(&routing, bad[0], 2), -EINVAL);
	CHECK_EQUAL(routing.count, 15 + 23);
	routing.capacity = 2;
	routing.targets.msi_ids32 = false;
	CHECK_EQUAL(irq_routing_set(&routing, bad[0], 2), 0); /* just fits */
	CHECK_EQUAL(irq_routing_set(&routing, NULL, 0), 0);
	CHECK_EQUAL(irq_routing_set_line(&routing, 4, IRQ_SOURCE_USER, true), -1);
}

static void ioapic_entry(unsigned int number, uint32_t low)
{
	uint32_t index = 0x10 + 2 * number;

	ioapic_mmio_write(&ioapic, 0x00, &index, 4);
	ioapic_mmio_write(&ioapic, 0x10, &low, 4);
}

/* Entries in any order; a GSI drives all its pins, an MSI at level 1 only. */
static void test_lines(void)
{
	const struct kvm_irq_routing_entry table[] = {
		msi(40, 0xfee01000, 0x0051),
		pin(9, KVM_IRQCHIP_IOAPIC, 20),
		pin(7, KVM_IRQCHIP_IOAPIC, 7),
		pin(9, KVM_IRQCHIP_PIC_SLAVE, 1),
	};

	start();
	CHECK_EQUAL(irq_routing_set(&routing, table, 4), 0);
	ioapic_entry(20, 0x61);
	CHECK_EQUAL(irq_routing_set_line(&routing, 9, IRQ_SOURCE_USER, true), 2);
	CHECK_EQUAL(lapic_pending(apic), 0x61);
	CU_ASSERT_TRUE(pic_output(&pic));
	CHECK_EQUAL(pic.chip[1].irr, 0x02);
	/* a GSI's entries keep their order */
	CHECK_EQUAL(storage[1].u.irqchip.irqchip, KVM_IRQCHIP_IOAPIC);
	CHECK_EQUAL(storage[2].u.irqchip.irqchip, KVM_IRQCHIP_PIC_SLAVE);
	CHECK_EQUAL(irq_routing_set_line(&routing, 40, IRQ_SOURCE_USER, false), -1);
	CHECK_EQUAL(lapic_pending(&vm.cpu[1].lapic), -1);
	CHECK_EQUAL(irq_routing_set_line(&routing, 40, IRQ_SOURCE_USER, true), 1);
	CHECK_EQUAL(lapic_pending(&vm.cpu[1].lapic), 0x51);
	CHECK_EQUAL(irq_routing_set_line(&routing, 40, IRQ_SOURCE_USER, true), 0); /* coalesced */
	CHECK_EQUAL(irq_routing_set_line(&routing, 8, IRQ_SOURCE_USER, true), -1);
	CHECK_EQUAL(irq_routing_set_line(&routing, 7, IRQ_SOURCE_USER, true), -1); /* masked */
	/* without chips (split irqchip) */
	routing.targets.pic = NULL;
	routing.targets.ioapic = NULL;
	CHECK_EQUAL(irq_routing_set_line(&routing, 9, IRQ_SOURCE_USER, true), -1);
}

/* KVM_SIGNAL_MSI: > 0 delivered, 0 coalesced, < 0 nobody there. */
static void test_msi(void)
{
	struct kvm_irq_routing_entry table = msi(40, 0xfee01000, 0x51);

	start();
	CHECK_EQUAL(irq_routing_send_msi(&routing.targets, 0xfee00000, 0x41), 1);
	CHECK_EQUAL(irq_routing_send_msi(&routing.targets, 0xfee00000, 0x41), 0);
	CHECK_EQUAL(irq_routing_send_msi(&routing.targets, 0xfeeff000, 0x42), 2);
	CHECK_EQUAL(irq_routing_send_msi(&routing.targets, 0xfee77000, 0x42), -1);
	CHECK_EQUAL(irq_routing_send_msi(&routing.targets, 0x0000010000000000 | 0xfee00000, 0x43),
		    1);
	/* through the table, with a 32-bit destination */
	table.u.msi.address_hi = 0x100;
	CHECK_EQUAL(irq_routing_set(&routing, &table, 1), 0);
	CHECK_EQUAL(irq_routing_set_line(&routing, 40, IRQ_SOURCE_USER, true), 1);
	routing.targets.msi_ids32 = true; /* destination 0x100 */
	CHECK_EQUAL(irq_routing_set_line(&routing, 40, IRQ_SOURCE_USER, true), -1);
	CHECK_EQUAL(irq_routing_send_msi(&routing.targets, 0x0000010000000000 | 0xfee00000, 0x44),
		    -1);
}

/* PIT, 8259 and LINT0 in virtual-wire mode (MP specification 3.6.2.2), as firmware has it. */
static void test_virtual_wire(void)
{
	unsigned int i;

	start();
	lapic_write(apic, LAPIC_LVT_LINT0, 0x700);
	pic_write(&pic, 0x20, 0x11);
	pic_write(&pic, 0x21, 0x08);
	pic_write(&pic, 0x21, 0x04);
	pic_write(&pic, 0x21, 0x01);
	pit_write(&pit, 0x43, 0x34);
	pit_write(&pit, 0x40, 0xa9); /* 1193: about 1 kHz */
	pit_write(&pit, 0x40, 0x04);
	pic_acknowledge(&pic); /* the control word's own edge of OUT */
	pic_write(&pic, 0x20, 0x20);
	fake_clock_advance(&vm.clock, 2000); /* past the CLK that loads the count */
	for (i = 1; i <= 10; i++) {
		fake_clock_advance(&vm.clock, 1000000);
		CHECK_EQUAL(lapic_pending(apic), LAPIC_EXTINT);
		CHECK_EQUAL(lapic_pending(&vm.cpu[1].lapic), -1);
		vm.inta_vector = pic_acknowledge(&pic);
		CHECK_EQUAL(vm.inta_vector, 8);
		CHECK_EQUAL(lapic_pending(apic), -1);
		pic_write(&pic, 0x20, 0x20);
	}
}

/* PIT through I/O APIC pin 2. */
static void test_timer_pin(void)
{
	start();
	ioapic_entry(2, 0x30);
	pic_write(&pic, 0x21, 0xff);
	pit_write(&pit, 0x43, 0x30);
	pit_write(&pit, 0x40, 100);
	pit_write(&pit, 0x40, 0);
	fake_clock_advance(&vm.clock, 101ull * 1000000000 / PIT_HZ);
	CHECK_EQUAL(lapic_pending(apic), -1);
	fake_clock_advance(&vm.clock, 1000);
	CHECK_EQUAL(lapic_pending(apic), 0x30);
}

static CU_TestInfo tests[] = {
	{"default tables", test_default},
	{"refused tables", test_refused},
	{"lines", test_lines},
	{"MSI", test_msi},
	{"virtual wire", test_virtual_wire},
	{"timer on pin 2", test_timer_pin},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("IRQ routing", tests)
