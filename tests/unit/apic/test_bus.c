/* SPDX-License-Identifier: Apache-2.0 */
/* Destinations and delivery of interrupt messages against SDM 3A:11.6, 11.11, 11.12.10. */
#include "../check.h"
#include "apic/msi.h"
#include "fake_vm.h"

static struct fake_vm vm;

#define VECTOR 0xf1

/* Which processors have VECTOR pending; takes it away from them. */
static unsigned int hit(void)
{
	unsigned int i, mask = 0;

	for (i = 0; i < vm.cpus; i++) {
		if (!fake_bit(&vm.cpu[i].lapic, LAPIC_IRR, VECTOR))
			continue;
		mask |= 1u << i;
		lapic_accept(&vm.cpu[i].lapic);
		if (lapic_x2apic(&vm.cpu[i].lapic))
			lapic_msr_write(&vm.cpu[i].lapic, 0x80b, 0);
		else
			lapic_write(&vm.cpu[i].lapic, LAPIC_EOI, 0);
	}
	return mask;
}

/* An IPI from processor 0 in xAPIC mode. */
static unsigned int ipi(uint32_t low, uint8_t destination)
{
	lapic_write(&vm.cpu[0].lapic, LAPIC_ICR_HIGH, (uint32_t)destination << 24);
	lapic_write(&vm.cpu[0].lapic, LAPIC_ICR, low | VECTOR);
	return hit();
}

static unsigned int x2ipi(uint32_t low, uint32_t destination)
{
	lapic_msr_write(&vm.cpu[0].lapic, 0x830, (uint64_t)destination << 32 | low | VECTOR);
	return hit();
}

#define LOGICAL       (1u << 11)
#define SHORTHAND(n)  ((uint32_t)(n) << 18)
#define DELIVERY(n)   ((uint32_t)(n) << 8)
#define LEVEL_TRIGGER (1u << 15)
#define ASSERT        (1u << 14)

/* 11.6.2.1: physical; 0xFF is all; an ID nobody has reaches nobody. */
static void test_physical(void)
{
	unsigned int id;

	fake_vm_init(&vm, 4);
	for (id = 0; id < 0xff; id++)
		CHECK_EQUAL(ipi(0, id), id < 4 ? 1u << id : 0);
	CHECK_EQUAL(ipi(0, 0xff), 0xf);
	/* The ID register is what counts; two processors may share an ID. */
	lapic_write(&vm.cpu[1].lapic, LAPIC_ID, 0x03000000);
	CHECK_EQUAL(ipi(0, 1), 0);
	CHECK_EQUAL(ipi(0, 3), 0xa);
}

/* 11.6.2.2, flat: any common bit; all ones is all. */
static void test_flat(void)
{
	static const uint8_t ldr[4] = {0x01, 0x02, 0x84, 0x00};
	unsigned int i, mda;

	fake_vm_init(&vm, 4);
	for (i = 0; i < 4; i++)
		lapic_write(&vm.cpu[i].lapic, LAPIC_LDR, (uint32_t)ldr[i] << 24);
	for (mda = 0; mda < 0xff; mda++)
		CHECK_EQUAL(ipi(LOGICAL, mda), (mda & 1) | (mda & 2) | (mda & 0x84 ? 4 : 0));
	CHECK_EQUAL(ipi(LOGICAL, 0xff), 0xf);
	lapic_write(&vm.cpu[0].lapic, LAPIC_DFR, 0x50000000); /* no model */
	CHECK_EQUAL(ipi(LOGICAL, 0x01), 0);
}

/* 11.6.2.2, cluster: equal bits 7:4 and a common bit in 3:0. */
static void test_cluster(void)
{
	static const uint8_t ldr[4] = {0x01, 0x12, 0x13, 0xe8};
	unsigned int i, mda;

	fake_vm_init(&vm, 4);
	for (i = 0; i < 4; i++) {
		lapic_write(&vm.cpu[i].lapic, LAPIC_LDR, (uint32_t)ldr[i] << 24);
		lapic_write(&vm.cpu[i].lapic, LAPIC_DFR, 0);
	}
	for (mda = 0; mda < 0xff; mda++) {
		unsigned int expected = 0;

		for (i = 0; i < 4; i++) {
			if ((mda ^ ldr[i]) < 0x10 && (mda & ldr[i] & 0xf))
				expected |= 1u << i;
		}
		CHECK_EQUAL(ipi(LOGICAL, mda), expected);
	}
	CHECK_EQUAL(ipi(LOGICAL, 0xff), 0xf);
}

/* 11.6.1, table 11-3: shorthands ignore the destination. */
static void test_shorthands(void)
{
	fake_vm_init(&vm, 4);
	CHECK_EQUAL(ipi(SHORTHAND(APIC_SHORTHAND_SELF), 3), 0x1);
	CHECK_EQUAL(ipi(SHORTHAND(APIC_SHORTHAND_ALL), 3), 0xf);
	CHECK_EQUAL(ipi(SHORTHAND(APIC_SHORTHAND_OTHERS), 3), 0xe);
}

/* 11.6.1: NMI, SMI, INIT, SIPI go to their own inputs; trigger and level do not matter. */
static void test_modes(void)
{
	struct apic_message reserved = {.vector = VECTOR, .delivery_mode = 3, .assert = true};
	struct fake_cpu *ap = &vm.cpu[1];

	fake_vm_init(&vm, 2);
	CHECK_EQUAL(ipi(DELIVERY(APIC_NMI), 1), 0);
	ipi(DELIVERY(APIC_NMI) | ASSERT, 1);
	CHECK_EQUAL(ap->nmi, 2);
	ipi(DELIVERY(APIC_SMI), 1);
	CHECK_EQUAL(ap->smi, 1);
	ipi(DELIVERY(APIC_INIT) | ASSERT | LEVEL_TRIGGER, 1);
	CHECK_EQUAL(ap->init, 1);
	/* INIT level de-assert is not supported since the Pentium 4: nothing happens. */
	ipi(DELIVERY(APIC_INIT) | LEVEL_TRIGGER, 1);
	CHECK_EQUAL(ap->init, 1);
	ipi(DELIVERY(APIC_SIPI), 1);
	CHECK_EQUAL(ap->sipi, 1);
	CHECK_EQUAL(ap->sipi_vector, VECTOR);
	/* Reserved modes, here and straight from a device */
	CU_ASSERT_FALSE(lapic_receive(&ap->lapic, &reserved, NULL));
	CHECK_EQUAL(ipi(DELIVERY(3), 1), 0);
	CHECK_EQUAL(ipi(DELIVERY(7), 1), 0);
	CHECK_EQUAL(lapic_pending(&ap->lapic), -1);
	/* "Trigger Mode ... ignored for all other delivery modes": IPIs are edges. */
	lapic_write(&vm.cpu[0].lapic, LAPIC_ICR_HIGH, 1u << 24);
	lapic_write(&vm.cpu[0].lapic, LAPIC_ICR, LEVEL_TRIGGER | ASSERT | VECTOR);
	CU_ASSERT_TRUE(fake_bit(&ap->lapic, LAPIC_IRR, VECTOR));
	CU_ASSERT_FALSE(fake_bit(&ap->lapic, LAPIC_TMR, VECTOR));
}

/* 11.4.7.2: a software-disabled APIC can still send, one disabled by MSR hears nothing. */
static void test_disabled(void)
{
	struct apic_message message = {.vector = VECTOR, .assert = true, .destination = 0xff};

	fake_vm_init(&vm, 4);
	lapic_write(&vm.cpu[0].lapic, LAPIC_SVR, 0xff);
	lapic_set_base(&vm.cpu[2].lapic, 0xfee00000, false);
	CHECK_EQUAL(ipi(0, 0xff), 0xa);
	CHECK_EQUAL(apic_bus_send_device(&vm.bus, &message, NULL), 2);
	ipi(DELIVERY(APIC_NMI), 0xff);
	CHECK_EQUAL(vm.cpu[0].nmi, 1);
	CHECK_EQUAL(vm.cpu[2].nmi, 0);
}

/* 11.6.2.4: lowest priority reaches one; the rule for equals is in bus.h. */
static void test_lowest(void)
{
	unsigned int i;

	fake_vm_init(&vm, 4);
	for (i = 0; i < 4; i++) {
		lapic_write(&vm.cpu[i].lapic, LAPIC_LDR, 1u << (24 + i));
		lapic_write(&vm.cpu[i].lapic, LAPIC_TPR, 0x40);
	}
	CHECK_EQUAL(ipi(LOGICAL | DELIVERY(APIC_LOWEST), 0xf), 1u << (VECTOR % 4));
	lapic_write(&vm.cpu[2].lapic, LAPIC_TPR, 0x30);
	CHECK_EQUAL(ipi(LOGICAL | DELIVERY(APIC_LOWEST), 0xf), 0x4);
	CHECK_EQUAL(ipi(LOGICAL | DELIVERY(APIC_LOWEST), 0xb),
		    1u << (VECTOR % 3 == 2 ? 3 : VECTOR % 3));
	lapic_write(&vm.cpu[2].lapic, LAPIC_SVR, 0xff); /* no candidate */
	CHECK_EQUAL(ipi(LOGICAL | DELIVERY(APIC_LOWEST), 0xc), 0x8);
	CHECK_EQUAL(ipi(LOGICAL | DELIVERY(APIC_LOWEST), 0x4), 0);
}

/* 11.12.9: 32-bit physical IDs; 0xFFFFFFFF is all, 0xFF is an ID. */
static void test_x2apic_physical(void)
{
	struct lapic_config config = {.version = LAPIC_VERSION_INTEL, .id = 0x1ff};
	unsigned int i;

	fake_vm_init(&vm, 4);
	lapic_init(&vm.cpu[3].lapic, &config, &vm.clock.clock, &vm.bus, &fake_lapic_ops,
		   &vm.cpu[3]);
	for (i = 0; i < 4; i++) {
		fake_x2apic(&vm.cpu[i].lapic);
		lapic_msr_write(&vm.cpu[i].lapic, 0x80f, 0x1ff);
	}
	CHECK_EQUAL(x2ipi(0, 2), 0x4);
	CHECK_EQUAL(x2ipi(0, 0x1ff), 0x8);
	CHECK_EQUAL(x2ipi(0, 0xff), 0);
	CHECK_EQUAL(x2ipi(0, 0x102), 0);
	CHECK_EQUAL(x2ipi(0, 0xffffffff), 0xf);
	CHECK_EQUAL(x2ipi(SHORTHAND(APIC_SHORTHAND_OTHERS), 0), 0xe);
}

/* 11.12.10.2: cluster in bits 31:16, processors in 15:0. */
static void test_x2apic_logical(void)
{
	struct lapic_config config = {.version = LAPIC_VERSION_INTEL, .id = 0x25};
	unsigned int i;

	fake_vm_init(&vm, 4);
	lapic_init(&vm.cpu[3].lapic, &config, &vm.clock.clock, &vm.bus, &fake_lapic_ops,
		   &vm.cpu[3]);
	for (i = 0; i < 4; i++) {
		fake_x2apic(&vm.cpu[i].lapic);
		lapic_msr_write(&vm.cpu[i].lapic, 0x80f, 0x1ff);
	}
	CHECK_EQUAL(x2ipi(LOGICAL, 0x00000005), 0x5);
	CHECK_EQUAL(x2ipi(LOGICAL, 0x0000ffff), 0x7);
	CHECK_EQUAL(x2ipi(LOGICAL, 0x00020020), 0x8);
	CHECK_EQUAL(x2ipi(LOGICAL, 0x0002ffdf), 0);
	CHECK_EQUAL(x2ipi(LOGICAL, 0x00010020), 0);
	CHECK_EQUAL(x2ipi(LOGICAL, 0xffffffff), 0xf);
	/* An 8-bit logical ID has no part in a 32-bit destination. */
	lapic_set_base(&vm.cpu[1].lapic, 0xfee00000, false);
	lapic_set_base(&vm.cpu[1].lapic, 0xfee00800, false);
	lapic_write(&vm.cpu[1].lapic, LAPIC_SVR, 0x1ff);
	lapic_write(&vm.cpu[1].lapic, LAPIC_LDR, 0x02000000);
	CHECK_EQUAL(x2ipi(LOGICAL, 0x00010002), 0);
	CHECK_EQUAL(x2ipi(LOGICAL, 0x00000002), 0x2);
}

/* A processor whose ID needs more than 8 bits is no other one's alias before it is in x2APIC
 * mode, and SIPI finds it by its 32-bit ID. */
static void test_large_id(void)
{
	struct lapic_config config = {.version = LAPIC_VERSION_INTEL, .id = 0x101};

	fake_vm_init(&vm, 3);
	lapic_init(&vm.cpu[2].lapic, &config, &vm.clock.clock, &vm.bus, &fake_lapic_ops,
		   &vm.cpu[2]);
	fake_x2apic(&vm.cpu[0].lapic);
	x2ipi(DELIVERY(APIC_SIPI), 1);
	CHECK_EQUAL(vm.cpu[1].sipi, 1);
	CHECK_EQUAL(vm.cpu[2].sipi, 0);
	x2ipi(DELIVERY(APIC_SIPI), 0x101);
	CHECK_EQUAL(vm.cpu[1].sipi, 1);
	CHECK_EQUAL(vm.cpu[2].sipi, 1);
}

/* KVM_CAP_X2APIC_API (api.rst 7.20): a device's 0xFF is broadcast, unless the quirk is off: then
 * it is x2APIC ID 255. */
static void test_device_broadcast(void)
{
	struct apic_message message = {.vector = VECTOR, .assert = true, .destination = 0xff};

	fake_vm_init(&vm, 2);
	fake_x2apic(&vm.cpu[1].lapic);
	CHECK_EQUAL(apic_bus_send_device(&vm.bus, &message, NULL), 2);
	CHECK_EQUAL(hit(), 0x3);
	vm.bus.wide_devices = true;
	CHECK_EQUAL(apic_bus_send_device(&vm.bus, &message, NULL), 1);
	CHECK_EQUAL(hit(), 0x1);
}

/* "Coalesced" is for a vector that every taker had pending already. */
static void test_coalesced(void)
{
	struct apic_message message = {.vector = VECTOR, .assert = true, .destination = 0xff};
	bool coalesced = true;

	fake_vm_init(&vm, 2);
	fake_raise(&vm.cpu[0].lapic, VECTOR, false);
	CHECK_EQUAL(apic_bus_send_device(&vm.bus, &message, &coalesced), 2);
	CU_ASSERT_FALSE(coalesced);
	CHECK_EQUAL(apic_bus_send_device(&vm.bus, &message, &coalesced), 2);
	CU_ASSERT_TRUE(coalesced);
	message.destination = 9;
	CHECK_EQUAL(apic_bus_send_device(&vm.bus, &message, &coalesced), 0);
	CU_ASSERT_FALSE(coalesced);
	message.assert = false;
	message.destination = 0xff;
	hit();
	CHECK_EQUAL(apic_bus_send_device(&vm.bus, &message, &coalesced), 0);
	CHECK_EQUAL(hit(), 0);
}

/* 11.11.1, 11.11.2: address and data of an MSI. */
static void test_msi(void)
{
	struct apic_message m = apic_message_from_msi((struct msi){0xfee1200c, 0x8351}, false);

	CHECK_EQUAL(m.destination, 0x12);
	CHECK_EQUAL(m.dest_mode, APIC_LOGICAL);
	CU_ASSERT_TRUE(m.redirect);
	CHECK_EQUAL(m.vector, 0x51);
	CHECK_EQUAL(m.delivery_mode, 3);
	CHECK_EQUAL(m.trigger_level, 1);
	CU_ASSERT_FALSE(m.assert); /* level 0 is a de-assert only if level-triggered */
	m = apic_message_from_msi((struct msi){0x00abcd00fee34000, 0x0051}, false);
	CHECK_EQUAL(m.destination, 0x34);
	CU_ASSERT_TRUE(m.assert);
	CHECK_EQUAL(m.trigger_level, 0);
	m = apic_message_from_msi((struct msi){0x00abcd00fee34000, 0xc051}, true);
	CHECK_EQUAL(m.destination, 0x00abcd34);
	CU_ASSERT_TRUE(m.assert);
	CHECK_EQUAL(apic_message_to_msi(&m).address, 0x00abcd00fee34000);
	CHECK_EQUAL(apic_message_to_msi(&m).data, 0xc051);
}

/* 11.11.1: with the redirection hint a fixed message goes to one of its targets. */
static void test_redirection(void)
{
	struct apic_message message = {
		.vector = VECTOR, .assert = true, .destination = 0xff, .redirect = true};

	fake_vm_init(&vm, 4);
	CHECK_EQUAL(apic_bus_send_device(&vm.bus, &message, NULL), 1);
	CHECK_EQUAL(hit(), 1u << (VECTOR % 4));
}

/* APM 2:15.29.8.2: by the physical APIC ID, which an xAPIC's register holds; all ones are no
 * broadcast, and nothing becomes an interrupt. */
static void test_doorbell(void)
{
	fake_vm_init(&vm, 3);
	lapic_write(&vm.cpu[2].lapic, LAPIC_ID, 0x07000000);
	apic_bus_ring_doorbell(&vm.bus, 1);
	apic_bus_ring_doorbell(&vm.bus, 7);
	apic_bus_ring_doorbell(&vm.bus, 7);
	apic_bus_ring_doorbell(&vm.bus, 2);
	apic_bus_ring_doorbell(&vm.bus, 0xff);
	CHECK_EQUAL(vm.cpu[0].doorbell, 0);
	CHECK_EQUAL(vm.cpu[1].doorbell, 1);
	CHECK_EQUAL(vm.cpu[2].doorbell, 2);
	CHECK_EQUAL(vm.cpu[1].changed, 0);
	CHECK_EQUAL(hit(), 0);
}

/* A processor that has gone is no target. */
static void test_remove(void)
{
	fake_vm_init(&vm, 3);
	apic_bus_remove(&vm.bus, &vm.cpu[1].lapic);
	CHECK_EQUAL(ipi(0, 0xff), 0x5);
	CHECK_EQUAL(apic_bus_add(&vm.bus, &vm.cpu[1].lapic), 0);
	CHECK_EQUAL(ipi(0, 0xff), 0x7);
}

static CU_TestInfo tests[] = {
	{"physical", test_physical},
	{"logical flat", test_flat},
	{"logical cluster", test_cluster},
	{"shorthands", test_shorthands},
	{"delivery modes", test_modes},
	{"disabled APICs", test_disabled},
	{"lowest priority", test_lowest},
	{"x2APIC physical", test_x2apic_physical},
	{"x2APIC logical", test_x2apic_logical},
	{"IDs over 255", test_large_id},
	{"device broadcast", test_device_broadcast},
	{"coalesced", test_coalesced},
	{"MSI address and data", test_msi},
	{"MSI redirection hint", test_redirection},
	{"doorbell", test_doorbell},
	{"remove", test_remove},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("interrupt bus", tests)
