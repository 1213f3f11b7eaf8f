/* SPDX-License-Identifier: Apache-2.0 */
/* The 8259A pair (data sheet 231468). */
#include "apic/pic.h"

#include <string.h>

enum { MASTER = 0, SLAVE = 1, CASCADE = 2, SPURIOUS = 7 };

/* --- priority --- */

/* The input of highest priority in @mask, or -1. */
static int highest(const struct pic_chip *chip, uint8_t mask)
{
	unsigned int i;

	for (i = 1; i <= 8; i++) {
		if (mask >> ((chip->lowest + i) & 7) & 1)
			return (chip->lowest + i) & 7;
	}
	return -1;
}

/* Distance from the top: 0 is the highest priority, 8 is none. */
static int rank(const struct pic_chip *chip, int irq)
{
	return irq < 0 ? 8 : (irq - chip->lowest - 1) & 7;
}

/* In-service inputs that hold others back. */
static uint8_t blocking(const struct pic *pic, unsigned int which)
{
	const struct pic_chip *chip = &pic->chip[which];
	uint8_t mask = chip->isr;

	if (chip->special_mask)
		mask &= ~chip->imr;
	if (chip->fully_nested && which == MASTER)
		mask &= ~(1u << CASCADE);
	return mask;
}

/* The input for which the chip asserts INT, or -1. */
static int requested(const struct pic *pic, unsigned int which)
{
	const struct pic_chip *chip = &pic->chip[which];
	int irq = highest(chip, chip->irr & ~chip->imr);

	if (chip->init_state || rank(chip, irq) >= rank(chip, highest(chip, blocking(pic, which))))
		return -1;
	return irq;
}

/* --- inputs and output --- */

static void set_line(struct pic_chip *chip, unsigned int irq, bool level)
{
	uint8_t bit = 1u << irq;

	if (chip->elcr & bit)
		chip->irr = level ? chip->irr | bit : chip->irr & ~bit;
	else if (level && !(chip->lines & bit))
		chip->irr |= bit;
	chip->lines = level ? chip->lines | bit : chip->lines & ~bit;
}

static void update(struct pic *pic)
{
	bool cascade = requested(pic, SLAVE) >= 0, output;

	set_line(&pic->chip[MASTER], CASCADE, cascade);
	if (!cascade)
		pic->chip[MASTER].irr &= ~(1u << CASCADE);
	output = requested(pic, MASTER) >= 0;
	if (output == pic->output)
		return;
	pic->output = output;
	pic->ops->output(pic->opaque, output);
}

int pic_set_irq(struct pic *pic, unsigned int irq, unsigned int source, bool level)
{
	struct pic_chip *chip = &pic->chip[irq / 8 & 1];
	uint8_t bit = 1u << irq % 8, before = chip->irr;
	bool was = chip->lines & bit;

	if (irq > 15 || irq == CASCADE || source > 31)
		return -1;
	if (level)
		pic->sources[irq] |= 1u << source;
	else
		pic->sources[irq] &= ~(1u << source);
	level = pic->sources[irq];
	set_line(chip, irq % 8, level);
	update(pic);
	if (chip->imr & bit)
		return -1;
	return !level || (!was && !(before & bit));
}

/* --- acknowledge --- */

static void acknowledge(struct pic *pic, unsigned int which, int irq)
{
	struct pic_chip *chip = &pic->chip[which];
	uint8_t bit = 1u << irq;

	/* INT drops at INTA, so that the slave's next request is an edge to the master. */
	if (which == SLAVE)
		set_line(&pic->chip[MASTER], CASCADE, false);
	if (!(chip->elcr & bit))
		chip->irr &= ~bit;
	if (!chip->auto_eoi)
		chip->isr |= bit;
	else if (chip->rotate_auto_eoi)
		chip->lowest = irq;
}

int pic_acknowledge(struct pic *pic)
{
	struct pic_chip *master = &pic->chip[MASTER], *slave = &pic->chip[SLAVE];
	int irq = requested(pic, MASTER), vector;

	if (irq >= 0)
		acknowledge(pic, MASTER, irq);
	if (irq == CASCADE) {
		irq = requested(pic, SLAVE);
		if (irq >= 0)
			acknowledge(pic, SLAVE, irq);
		vector = slave->vector + (irq >= 0 ? irq : SPURIOUS);
	} else {
		vector = master->vector + (irq >= 0 ? irq : SPURIOUS);
	}
	update(pic);
	return vector;
}

/* --- commands --- */

static void write_icw1(struct pic_chip *chip, uint8_t value)
{
	chip->init_state = 1;
	chip->icw4 = value & 1;
	chip->single = value & 2;
	/* The edge sense is reset: a line that is up needs a new edge. */
	chip->irr &= chip->elcr;
	chip->imr = 0;
	chip->isr = 0;
	chip->lowest = 7;
	chip->special_mask = false;
	chip->read_isr = false;
	chip->poll = false;
	chip->rotate_auto_eoi = false;
	if (!chip->icw4) {
		chip->fully_nested = false;
		chip->auto_eoi = false;
	}
}

static void write_ocw2(struct pic_chip *chip, uint8_t value)
{
	bool rotate = value & 0x80, specific = value & 0x40, eoi = value & 0x20;
	/* In special mask mode a non-specific EOI leaves masked inputs in service. */
	int irq = specific ? value & 7
			   : highest(chip, chip->special_mask ? chip->isr & ~chip->imr : chip->isr);

	if (!eoi) {
		if (!specific)
			chip->rotate_auto_eoi = rotate;
		else if (rotate)
			chip->lowest = irq; /* set priority */
		return;
	}
	if (irq < 0)
		return;
	chip->isr &= ~(1u << irq);
	if (rotate)
		chip->lowest = irq;
}

static void write_ocw3(struct pic_chip *chip, uint8_t value)
{
	if (value & 4)
		chip->poll = true;
	else if (value & 2)
		chip->read_isr = value & 1;
	if (value & 0x40)
		chip->special_mask = value & 0x20;
}

static void write_data(struct pic_chip *chip, uint8_t value)
{
	switch (chip->init_state) {
	case 0:
		chip->imr = value;
		return;
	case 1: /* ICW2 */
		chip->vector = value & 0xf8;
		chip->init_state = chip->single ? (chip->icw4 ? 3 : 0) : 2;
		return;
	case 2: /* ICW3: the PC's wiring is fixed */
		chip->init_state = chip->icw4 ? 3 : 0;
		return;
	default: /* ICW4 */
		chip->fully_nested = value & 0x10;
		chip->auto_eoi = value & 2;
		chip->init_state = 0;
	}
}

static uint8_t read_poll(struct pic *pic, unsigned int which)
{
	int irq = requested(pic, which);

	pic->chip[which].poll = false;
	if (irq < 0)
		return 0;
	acknowledge(pic, which, irq);
	update(pic);
	return 0x80 | irq;
}

/* --- ports --- */

bool pic_read(struct pic *pic, uint16_t port, uint8_t *value)
{
	unsigned int which = port >> 7 & 1;
	struct pic_chip *chip = &pic->chip[which];

	if (port == 0x4d0 || port == 0x4d1) {
		*value = pic->chip[port & 1].elcr;
		return true;
	}
	if ((port & ~0x81) != 0x20)
		return false;
	if (chip->poll)
		*value = read_poll(pic, which);
	else if (port & 1)
		*value = chip->imr;
	else
		*value = chip->read_isr ? chip->isr : chip->irr;
	return true;
}

static void write_elcr(struct pic_chip *chip, uint8_t value)
{
	chip->elcr = value & chip->elcr_mask;
	chip->irr = (chip->irr & ~chip->elcr) | (chip->lines & chip->elcr);
}

bool pic_write(struct pic *pic, uint16_t port, uint8_t value)
{
	struct pic_chip *chip = &pic->chip[port >> 7 & 1];

	if (port == 0x4d0 || port == 0x4d1)
		write_elcr(&pic->chip[port & 1], value);
	else if ((port & ~0x81) != 0x20)
		return false;
	else if (port & 1)
		write_data(chip, value);
	else if (value & 0x10)
		write_icw1(chip, value);
	else if (value & 0x08)
		write_ocw3(chip, value);
	else
		write_ocw2(chip, value);
	update(pic);
	return true;
}

/* --- life --- */

void pic_reset(struct pic *pic)
{
	unsigned int which;

	for (which = 0; which < 2; which++) {
		struct pic_chip *chip = &pic->chip[which];

		*chip = (struct pic_chip){
			.lines = chip->lines,
			.lowest = 7,
			/* 0, 1, 2, 8 and 13 are always edges (ICH9 13.4.10) */
			.elcr_mask = which == MASTER ? 0xf8 : 0xde,
		};
	}
	update(pic);
}

void pic_init(struct pic *pic, const struct pic_ops *ops, void *opaque)
{
	*pic = (struct pic){.ops = ops, .opaque = opaque};
	pic_reset(pic);
}

void pic_get_state(const struct pic *pic, unsigned int which, struct kvm_pic_state *state)
{
	const struct pic_chip *chip = &pic->chip[which & 1];

	*state = (struct kvm_pic_state){
		.last_irr = chip->lines,
		.irr = chip->irr,
		.imr = chip->imr,
		.isr = chip->isr,
		.priority_add = (chip->lowest + 1) & 7,
		.irq_base = chip->vector,
		.read_reg_select = chip->read_isr,
		.poll = chip->poll,
		.special_mask = chip->special_mask,
		.init_state = chip->init_state,
		.auto_eoi = chip->auto_eoi,
		.rotate_on_auto_eoi = chip->rotate_auto_eoi,
		.special_fully_nested_mode = chip->fully_nested,
		.init4 = chip->icw4,
		.elcr = chip->elcr,
		.elcr_mask = chip->elcr_mask,
	};
}

void pic_set_state(struct pic *pic, unsigned int which, const struct kvm_pic_state *state)
{
	struct pic_chip *chip = &pic->chip[which & 1];

	*chip = (struct pic_chip){
		.lines = state->last_irr,
		.irr = state->irr,
		.imr = state->imr,
		.isr = state->isr,
		.lowest = (state->priority_add + 7) & 7,
		.vector = state->irq_base & 0xf8,
		.init_state = state->init_state & 3,
		.elcr = state->elcr & chip->elcr_mask,
		.elcr_mask = chip->elcr_mask,
		.icw4 = state->init4,
		.read_isr = state->read_reg_select,
		.poll = state->poll,
		.special_mask = state->special_mask,
		.auto_eoi = state->auto_eoi,
		.rotate_auto_eoi = state->rotate_on_auto_eoi,
		.fully_nested = state->special_fully_nested_mode,
	};
	/* The state does not say who drives an input; the next driver rules. */
	memset(&pic->sources[(which & 1) * 8], 0, 8 * sizeof(pic->sources[0]));
	update(pic);
}
