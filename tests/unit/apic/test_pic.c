/* SPDX-License-Identifier: Apache-2.0 */
/* The 8259A pair against its data sheet (231468), ICH9 13.4 and KVM's ABI. */
#include "../check.h"
#include "apic/pic.h"

#include <string.h>

static struct pic pic;
static bool intr;

static void output(void *opaque, bool level)
{
	(void)opaque;
	intr = level;
}

static const struct pic_ops ops = {.output = output};

static void out(uint16_t port, uint8_t value)
{
	CU_ASSERT_TRUE(pic_write(&pic, port, value));
}

static uint8_t in(uint16_t port)
{
	uint8_t value = 0xcc;

	CU_ASSERT_TRUE(pic_read(&pic, port, &value));
	return value;
}

static void initialise(uint8_t icw4)
{
	out(0x20, 0x11);
	out(0x21, 0x30);
	out(0x21, 0x04);
	out(0x21, icw4);
	out(0xa0, 0x11);
	out(0xa1, 0x38);
	out(0xa1, 0x02);
	out(0xa1, icw4 & ~0x10);
}

static void start(void)
{
	intr = false;
	pic_init(&pic, &ops, NULL);
	initialise(0x01);
}

static int line(unsigned int irq, bool level)
{
	return pic_set_irq(&pic, irq, 0, level);
}

static void pulse(unsigned int irq)
{
	line(irq, true);
	line(irq, false);
}

static uint8_t isr(uint16_t port)
{
	out(port, 0x0b);
	return in(port);
}

static uint8_t irr(uint16_t port)
{
	out(port, 0x0a);
	return in(port);
}

#define NONSPECIFIC 0x20
#define SPECIFIC    0x60

/* "Interrupt sequence": IRR, INTA, ISR, vector = ICW2 + input, EOI. */
static void test_sequence(void)
{
	start();
	CU_ASSERT_FALSE(intr);
	CHECK_EQUAL(line(1, true), 1);
	CU_ASSERT_TRUE(intr);
	CHECK_EQUAL(irr(0x20), 0x02);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x31);
	CU_ASSERT_FALSE(intr);
	CHECK_EQUAL(irr(0x20), 0);
	CHECK_EQUAL(isr(0x20), 0x02);
	CHECK_EQUAL(line(1, true), 0); /* no new edge */
	out(0x20, NONSPECIFIC);
	CHECK_EQUAL(isr(0x20), 0);
	CU_ASSERT_FALSE(intr);
	line(1, false);
	line(1, true);
	CU_ASSERT_TRUE(intr);
}

/* "Fully nested mode": 0 is highest; only higher ones interrupt a service. */
static void test_nesting(void)
{
	start();
	pulse(5);
	pulse(3);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x33);
	CU_ASSERT_FALSE(intr);
	pulse(1);
	CU_ASSERT_TRUE(intr);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x31);
	CHECK_EQUAL(isr(0x20), 0x0a);
	out(0x20, NONSPECIFIC); /* the highest in service */
	CHECK_EQUAL(isr(0x20), 0x08);
	CU_ASSERT_FALSE(intr);
	out(0x20, SPECIFIC | 3);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x35);
	pulse(7); /* the lowest waits for any */
	CU_ASSERT_FALSE(intr);
	out(0x20, NONSPECIFIC);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x37);
	out(0x20, NONSPECIFIC);
	pulse(4); /* a latched edge stays latched */
	pulse(4);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x34);
}

/* OCW1: masked requests wait; IMR reads back on the odd port. */
static void test_mask(void)
{
	start();
	out(0x21, 0x12);
	CHECK_EQUAL(in(0x21), 0x12);
	CHECK_EQUAL(line(4, true), -1);
	CU_ASSERT_FALSE(intr);
	out(0x21, 0x02);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x34);
}

/* "Cascade mode": the slave through input 2; both in service, both need EOI. */
static void test_cascade(void)
{
	start();
	line(12, true);
	CU_ASSERT_TRUE(intr);
	CHECK_EQUAL(irr(0x20), 0x04);
	CHECK_EQUAL(irr(0xa0), 0x10);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x3c);
	CHECK_EQUAL(isr(0x20), 0x04);
	CHECK_EQUAL(isr(0xa0), 0x10);
	pulse(8); /* higher on the slave, but the master's input 2 is in service */
	CU_ASSERT_FALSE(intr);
	pulse(1); /* above input 2 */
	CHECK_EQUAL(pic_acknowledge(&pic), 0x31);
	out(0x20, NONSPECIFIC);
	out(0xa0, NONSPECIFIC);
	CU_ASSERT_FALSE(intr);
	out(0x20, NONSPECIFIC);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x38);
	CHECK_EQUAL(irr(0xa0), 0);
	CHECK_EQUAL(isr(0xa0), 0x01);
	out(0xa0, NONSPECIFIC);
	out(0x20, NONSPECIFIC);
	CHECK_EQUAL(line(15, true), 1);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x3f);
	CHECK_EQUAL(isr(0xa0), 0x80);
	CHECK_EQUAL(line(2, true), -1); /* the cascade is no device's */
}

/* A request of the slave masked there drops its INT; a second one follows the first's EOIs. */
static void test_cascade_mask(void)
{
	start();
	line(10, true);
	out(0xa1, 0x04);
	CU_ASSERT_FALSE(intr);
	CHECK_EQUAL(irr(0x20), 0);
	out(0xa1, 0x00);
	line(11, true);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x3a);
	out(0xa0, NONSPECIFIC);
	out(0x20, NONSPECIFIC);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x3b);
}

/* "Special fully nested mode": the slave's higher requests pass while input 2 is in service. */
static void test_special_fully_nested(void)
{
	start();
	initialise(0x11);
	line(12, true);
	pic_acknowledge(&pic);
	pulse(9);
	CU_ASSERT_TRUE(intr);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x39);
	pulse(13);
	CU_ASSERT_FALSE(intr); /* lower than what the slave serves */
}

/* "... a default IR7 will occur": INTA without a request; no ISR bit. */
static void test_spurious(void)
{
	start();
	CHECK_EQUAL(pic_acknowledge(&pic), 0x37);
	CHECK_EQUAL(isr(0x20), 0);
	/* Level-triggered, and gone before INTA. */
	out(0x4d0, 0x20);
	line(5, true);
	CU_ASSERT_TRUE(intr);
	line(5, false);
	CU_ASSERT_FALSE(intr);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x37);
}

/* "Automatic rotation": on EOI the input served becomes the lowest. */
static void test_rotate(void)
{
	start();
	pulse(3);
	pic_acknowledge(&pic);
	out(0x20, 0xa0); /* rotate on non-specific EOI: 4 is highest now */
	pulse(3);
	pulse(4);
	pulse(2);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x34);
	out(0x20, 0xe0 | 4); /* rotate on specific EOI: 5 is highest */
	pulse(5);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x35);
	out(0x20, SPECIFIC | 5);
	out(0x20, 0xc0 | 2); /* set priority: 3 is highest */
	CHECK_EQUAL(pic_acknowledge(&pic), 0x33);
	out(0x20, 0x40); /* no operation */
	CHECK_EQUAL(isr(0x20), 0x08);
}

/* ICW4 AEOI: no ISR bit; OCW2 can make it rotate. */
static void test_auto_eoi(void)
{
	start();
	initialise(0x03);
	pulse(3);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x33);
	CHECK_EQUAL(isr(0x20), 0);
	out(0x20, 0x80);
	pulse(3);
	pic_acknowledge(&pic);
	pulse(3);
	pulse(4);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x34);
	out(0x20, 0x00); /* rotation off: 5 stays highest */
	CHECK_EQUAL(pic_acknowledge(&pic), 0x33);
	pulse(5);
	pulse(4);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x35);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x34);
	/* two of the slave, one after the other */
	line(9, true);
	line(10, true);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x39);
	CU_ASSERT_TRUE(intr);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x3a);
	CU_ASSERT_FALSE(intr);
}

/* "Special mask mode": a masked input in service holds nobody back. */
static void test_special_mask(void)
{
	start();
	pulse(2 + 1);
	pic_acknowledge(&pic);
	pulse(6);
	out(0x21, 0x08);
	CU_ASSERT_FALSE(intr);
	out(0x20, 0x68);
	CU_ASSERT_TRUE(intr);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x36);
	/* "an IS bit masked by an IMR bit will not be cleared by a non-specific EOI" */
	out(0x20, NONSPECIFIC);
	CHECK_EQUAL(isr(0x20), 0x08);
	out(0x20, NONSPECIFIC);
	CHECK_EQUAL(isr(0x20), 0x08);
	out(0x20, 0x48);
	out(0x20, NONSPECIFIC);
	CHECK_EQUAL(isr(0x20), 0);
}

/* "Poll command": the next read acknowledges; bit 7 says whether there was a request. */
static void test_poll(void)
{
	start();
	out(0x20, 0x0c);
	CHECK_EQUAL(in(0x20), 0x00);
	pulse(6);
	pulse(4);
	out(0x20, 0x0c);
	CHECK_EQUAL(in(0x20), 0x84);
	CU_ASSERT_FALSE(intr);
	CHECK_EQUAL(isr(0x20), 0x10);
	CU_ASSERT_FALSE(intr);
	out(0x20, NONSPECIFIC);
	line(13, true);
	out(0xa0, 0x0c);
	CHECK_EQUAL(in(0xa0), 0x85);
	CHECK_EQUAL(isr(0xa0), 0x20);
	CHECK_EQUAL(irr(0x20), 0x40); /* the slave asks no more */
	out(0x20, 0x0c);
	pulse(0);
	CHECK_EQUAL(in(0x21), 0x80); /* either address polls */
}

/* ELCR (ICH9 13.4.10): level inputs follow the line; 0, 1, 2, 8 and 13 cannot be level. */
static void test_level(void)
{
	start();
	out(0x4d0, 0xff);
	out(0x4d1, 0xff);
	CHECK_EQUAL(in(0x4d0), 0xf8);
	CHECK_EQUAL(in(0x4d1), 0xde);
	line(5, true);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x35);
	CHECK_EQUAL(irr(0x20), 0x20);
	out(0x20, NONSPECIFIC);
	CU_ASSERT_TRUE(intr);
	line(5, false);
	CU_ASSERT_FALSE(intr);
	/* several devices on one line */
	pic_set_irq(&pic, 11, 31, true);
	pic_set_irq(&pic, 11, 0, true);
	pic_set_irq(&pic, 11, 1, true);
	pic_set_irq(&pic, 11, 1, false);
	pic_set_irq(&pic, 11, 31, false);
	CU_ASSERT_TRUE(intr);
	pic_set_irq(&pic, 11, 0, false);
	CU_ASSERT_FALSE(intr);
	/* turned to level while the line is up, it requests */
	out(0x4d0, 0);
	line(7, true);
	pic_acknowledge(&pic);
	out(0x20, NONSPECIFIC);
	CU_ASSERT_FALSE(intr);
	out(0x4d0, 0x80);
	CU_ASSERT_TRUE(intr);
}

/* "Initialization command words": ICW1's effects, and the forms of the sequence. */
static void test_initialise(void)
{
	start();
	out(0x21, 0xff);
	out(0x20, 0xc0 | 3);
	out(0x20, 0x0b);
	pulse(3);
	out(0x20, 0x11);
	CHECK_EQUAL(in(0x21), 0); /* IMR cleared */
	CHECK_EQUAL(in(0x20), 0); /* edges forgotten, IRR selected */
	line(1, true);
	CU_ASSERT_FALSE(intr); /* not before the sequence ends */
	out(0x21, 0x4f);
	out(0x21, 0x04);
	out(0x21, 0x01);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x49); /* ICW2 bits 2:0 are not the vector's */
	out(0x20, NONSPECIFIC);
	pulse(7);
	pulse(0);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x48); /* 7 is lowest again */
	out(0x20, 0x12);                          /* single, no ICW4 */
	out(0x21, 0x50);
	out(0x21, 0xaa);
	CHECK_EQUAL(in(0x21), 0xaa); /* OCW1 already */
	/* ICW1 ends what was in service, special mask mode, a poll under way, IRR's selection,
	 * and without ICW4 what ICW4 sets. */
	initialise(0x13);
	out(0x20, 0x80);
	out(0x20, 0x68);
	out(0x20, 0x0b);
	out(0x20, 0x0c);
	out(0x20, 0x10);
	out(0x21, 0x30);
	out(0x21, 0x04);
	pulse(3);
	CHECK_EQUAL(in(0x20), 0x08);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x33);
	CHECK_EQUAL(isr(0x20), 0x08); /* no automatic EOI */
	out(0x20, NONSPECIFIC);
	line(12, true);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x3c);
	pulse(9);
	CU_ASSERT_FALSE(intr); /* no special fully nested mode */
	out(0x20, NONSPECIFIC);
	pulse(3);
	pic_acknowledge(&pic);
	out(0x21, 0x08);
	pulse(5);
	CU_ASSERT_FALSE(intr); /* no special mask */
	out(0x20, 0x10);
	out(0x21, 0x30);
	out(0x21, 0x04);
	CHECK_EQUAL(isr(0x20), 0);
	initialise(0x03);
	pulse(3);
	pic_acknowledge(&pic);
	pulse(3);
	pulse(4);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x33); /* no rotation */
	out(0x20, 0x10);                          /* cascaded, no ICW4 */
	out(0x21, 0x50);
	out(0x21, 0x04);
	out(0x21, 0x55);
	CHECK_EQUAL(in(0x21), 0x55);
}

static void test_ports(void)
{
	uint8_t value;

	start();
	CU_ASSERT_FALSE(pic_read(&pic, 0x22, &value));
	CU_ASSERT_FALSE(pic_write(&pic, 0xa2, 0));
	CU_ASSERT_FALSE(pic_write(&pic, 0x4d2, 0));
	CU_ASSERT_FALSE(pic_write(&pic, 0x120, 0));
}

/* KVM_GET_IRQCHIP, KVM_SET_IRQCHIP: struct kvm_pic_state. */
static void test_state(void)
{
	struct kvm_pic_state master, slave;

	start();
	out(0x4d1, 0x08);
	out(0x21, 0x80);
	out(0x20, 0xc0 | 4);
	line(1, true);
	pic_acknowledge(&pic);
	line(11, true);
	line(12, true);
	pic_get_state(&pic, KVM_IRQCHIP_PIC_MASTER, &master);
	pic_get_state(&pic, KVM_IRQCHIP_PIC_SLAVE, &slave);
	CHECK_EQUAL(master.irq_base, 0x30);
	CHECK_EQUAL(master.imr, 0x80);
	CHECK_EQUAL(master.isr, 0x02);
	CHECK_EQUAL(master.priority_add, 5);
	CHECK_EQUAL(master.last_irr & 0x02, 0x02);
	CHECK_EQUAL(master.elcr_mask, 0xf8);
	CHECK_EQUAL(slave.irr, 0x18);
	CHECK_EQUAL(slave.elcr, 0x08);
	CHECK_EQUAL(slave.irq_base, 0x38);
	intr = false;
	pic_init(&pic, &ops, NULL);
	pic_set_state(&pic, KVM_IRQCHIP_PIC_MASTER, &master);
	pic_set_state(&pic, KVM_IRQCHIP_PIC_SLAVE, &slave);
	CU_ASSERT_FALSE(intr); /* priorities start at 5: 1 in service blocks 2 */
	pic_reset(&pic);
	pic_set_state(&pic, KVM_IRQCHIP_PIC_SLAVE, &slave);
	CU_ASSERT_TRUE(intr);
	pic_set_irq(&pic, 11, 5, true); /* as if another one drove it before */
	pic_set_state(&pic, KVM_IRQCHIP_PIC_SLAVE, &slave);
	pic_set_irq(&pic, 11, 0, false);
	CHECK_EQUAL(irr(0xa0), 0x10);
	pic_set_state(&pic, KVM_IRQCHIP_PIC_SLAVE, &slave);
	pic_set_state(&pic, KVM_IRQCHIP_PIC_MASTER, &master);
	CU_ASSERT_FALSE(intr);
	out(0x20, SPECIFIC | 1);
	CHECK_EQUAL(pic_acknowledge(&pic), 0x3b);
	out(0x20, NONSPECIFIC);
	CHECK_EQUAL(isr(0x20), 0);
	line(1, true);
	CHECK_EQUAL(irr(0x20) & 2, 0); /* the line was up: no edge */
}

static CU_TestInfo tests[] = {
	{"interrupt sequence", test_sequence},
	{"fully nested mode", test_nesting},
	{"mask", test_mask},
	{"cascade", test_cascade},
	{"cascade and masks", test_cascade_mask},
	{"special fully nested mode", test_special_fully_nested},
	{"spurious", test_spurious},
	{"rotation", test_rotate},
	{"automatic EOI", test_auto_eoi},
	{"special mask mode", test_special_mask},
	{"poll", test_poll},
	{"level, ELCR", test_level},
	{"initialisation", test_initialise},
	{"ports", test_ports},
	{"KVM_GET_IRQCHIP, KVM_SET_IRQCHIP", test_state},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("8259 pair", tests)
