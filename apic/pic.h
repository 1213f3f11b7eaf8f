/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PC's two 8259A interrupt controllers (Intel 8259A data sheet 231468; ELCR: EISA, ICH9
 * 13.4). Master at ports 0x20-0x21, slave on its input 2 at 0xA0-0xA1, ELCR at 0x4D0-0x4D1.
 */
#ifndef LOCKSTEP_APIC_PIC_H
#define LOCKSTEP_APIC_PIC_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

struct pic_ops {
	/* The master's INTR output: apic_bus_set_lint(bus, 0, level), or the processor's pin. */
	void (*output)(void *opaque, bool level);
};

/* One 8259A. ICW1's LTIM is ignored, as in every PC with an ELCR. */
struct pic_chip {
	uint8_t lines; /* input levels */
	uint8_t irr;   /* requests: an edge latched, or the level */
	uint8_t imr;   /* OCW1 */
	uint8_t isr;
	uint8_t lowest;     /* input of lowest priority; 7 unless rotated */
	uint8_t vector;     /* ICW2 bits 7:3 */
	uint8_t init_state; /* 0, or the ICW awaited: 1 for ICW2, 2 for ICW3, 3 for ICW4 */
	uint8_t elcr;
	uint8_t elcr_mask; /* inputs that may be level-triggered */
	bool icw4;         /* ICW1 announced it */
	bool single;       /* ICW1 SNGL: no ICW3 */
	bool read_isr;     /* OCW3 RIS */
	bool poll;         /* OCW3 P: the next read polls */
	bool special_mask;
	bool auto_eoi;
	bool rotate_auto_eoi;
	bool fully_nested; /* ICW4 SFNM */
};

struct pic {
	struct pic_chip chip[2]; /* master, slave */
	uint32_t sources[16];    /* who drives each input */
	bool output;
	const struct pic_ops *ops;
	void *opaque;
};

void pic_init(struct pic *pic, const struct pic_ops *ops, void *opaque);
void pic_reset(struct pic *pic);

/* One byte. False if @port is none of the six. */
bool pic_read(struct pic *pic, uint16_t port, uint8_t *value);
bool pic_write(struct pic *pic, uint16_t port, uint8_t value);

/* @source (below 32) drives input @irq (0-15). An edge stays latched when the line falls
 * before INTA, as in KVM, where devices pulse. Returns as ioapic_set_irq. */
int pic_set_irq(struct pic *pic, unsigned int irq, unsigned int source, bool level);

/* INTA cycles: the vector, of input 7 of a chip whose request has gone (spurious). */
int pic_acknowledge(struct pic *pic);

static inline bool pic_output(const struct pic *pic)
{
	return pic->output;
}

/* KVM_GET_IRQCHIP, KVM_SET_IRQCHIP: @which is KVM_IRQCHIP_PIC_MASTER or _SLAVE. */
void pic_get_state(const struct pic *pic, unsigned int which, struct kvm_pic_state *state);
void pic_set_state(struct pic *pic, unsigned int which, const struct kvm_pic_state *state);

#endif
