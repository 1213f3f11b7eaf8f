/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/pm.h"

#include <stdlib.h>

#include "machine/chips.h"
#include "machine/internal.h"
#include "record/record.h"

#define PM1_TIMER  0x0001
#define PM1_RTC    0x0400
#define PM1_WAKE   0x8000 /* status only */
#define PM1_EVENTS (PM1_TIMER | 0x0020 | 0x0100 | 0x0200 | PM1_RTC)
#define PM1_STATUS (PM1_EVENTS | 0x0010 | PM1_WAKE)

#define CONTROL_SCI_ENABLE 0x0001
#define CONTROL_SLEEP_TYPE 0x1c00
#define CONTROL_SLEEP      0x2000

#define RESET_SYSTEM 0x02
#define RESET_CPU    0x04

struct pm {
	struct machine *machine;
	struct irq_wire wire;
	struct ls_timer timer; /* the PM timer's next carry, if it interrupts */
	uint16_t status, enable, control;
	uint64_t seen; /* guest time up to which TMR_STS is complete */
	uint8_t reset_control;
};

static uint64_t pm_guest_now(const struct pm *pm)
{
	return pm->machine->clock->now(pm->machine->clock);
}

static uint64_t pm_ticks(uint64_t ns)
{
	return ns / 1000000000 * PM_TIMER_HZ + ns % 1000000000 * PM_TIMER_HZ / 1000000000;
}

/* First ns at which the timer shows @ticks. */
static uint64_t pm_tick_ns(uint64_t ticks)
{
	return ticks / PM_TIMER_HZ * 1000000000 +
	       (ticks % PM_TIMER_HZ * 1000000000 + PM_TIMER_HZ - 1) / PM_TIMER_HZ;
}

/* TMR_STS: the timer's highest bit, 31, has changed (ACPI 6.4, 4.8.3.1.1). */
static void pm_collect(struct pm *pm)
{
	uint64_t now = pm_guest_now(pm);

	if (now <= pm->seen)
		return;
	if (pm_ticks(now) >> 31 != pm_ticks(pm->seen) >> 31)
		pm->status |= PM1_TIMER;
	pm->seen = now;
}

static void pm_update(struct pm *pm)
{
	struct ls_clock *clock = pm->machine->clock;

	irq_set(pm->machine, &pm->wire, pm->status & pm->enable & PM1_EVENTS);
	if (pm->enable & PM1_TIMER && !(pm->status & PM1_TIMER))
		clock->arm(clock, &pm->timer,
			   pm_tick_ns(((pm_ticks(pm_guest_now(pm)) >> 31) + 1) << 31));
	else
		clock->disarm(clock, &pm->timer);
}

static void pm_timer_carry(struct ls_timer *timer, uint64_t now)
{
	struct pm *pm = timer->opaque;

	(void)now;
	pm_collect(pm);
	pm_update(pm);
}

void pm_rtc_alarm(struct machine *machine)
{
	struct pm *pm = machine->pm;

	pm->status |= PM1_RTC;
	pm_update(pm);
	if (pm->enable & PM1_RTC)
		machine_wake(machine);
}

void pm_woken(struct machine *machine)
{
	machine->pm->status |= PM1_WAKE;
}

static void pm_write_control(struct pm *pm, uint16_t value)
{
	/* SLP_EN is write-only; no SMI_CMD, so SCI_EN is always set. */
	pm->control = (value & CONTROL_SLEEP_TYPE) | CONTROL_SCI_ENABLE;
	if (!(value & CONTROL_SLEEP))
		return;
	switch ((value & CONTROL_SLEEP_TYPE) >> 10) {
	case PM_SLEEP_S5:
		machine_request_power_off(pm->machine);
		break;
	case PM_SLEEP_S3:
		machine_request_suspend(pm->machine);
		break;
	}
}

static uint64_t pm_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct pm *pm = opaque;
	uint64_t value = 0;

	pm_collect(pm);
	switch (offset & ~3u) {
	case 0:
		value = pm->status | (uint64_t)pm->enable << 16;
		break;
	case 4:
		value = pm->control;
		break;
	case 8:
		value = (uint32_t)pm_ticks(pm_guest_now(pm));
		break;
	}
	(void)size; /* the bus keeps what was asked for */
	return value >> (8 * (offset & 3));
}

/* Bytes of one 16-bit register that an access covers: mask and value in place. */
static bool pm_lane(uint64_t offset, unsigned int size, uint64_t value, unsigned int at,
		    uint16_t *mask, uint16_t *bits)
{
	*mask = *bits = 0;
	for (unsigned int i = 0; i < size; i++) {
		unsigned int byte = (unsigned int)offset + i;

		if (byte != at && byte != at + 1)
			continue;
		*mask |= (uint16_t)(0xff << (8 * (byte - at)));
		*bits |= (uint16_t)((value >> (8 * i) & 0xff) << (8 * (byte - at)));
	}
	return *mask != 0;
}

static void pm_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct pm *pm = opaque;
	uint16_t mask, bits;

	pm_collect(pm);
	if (pm_lane(offset, size, value, 0, &mask, &bits))
		pm->status &= (uint16_t) ~(bits & PM1_STATUS); /* ones clear */
	if (pm_lane(offset, size, value, 2, &mask, &bits))
		pm->enable = ((pm->enable & ~mask) | bits) & PM1_EVENTS;
	pm_update(pm);
	if (pm_lane(offset, size, value, 4, &mask, &bits))
		pm_write_control(pm, (uint16_t)((pm->control & ~mask) | bits));
}

static uint64_t pm_read_reset(void *opaque, uint64_t offset, unsigned int size)
{
	(void)offset;
	(void)size;
	return ((struct pm *)opaque)->reset_control;
}

/* RST_CNT of Intel's chip sets: bit 2 rising resets, hard if bit 1 is set. A CPU-only reset
 * is made a full one. */
static void pm_write_reset(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct pm *pm = opaque;
	bool rising = value & RESET_CPU && !(pm->reset_control & RESET_CPU);

	(void)offset;
	(void)size;
	pm->reset_control = value & (RESET_SYSTEM | RESET_CPU | 0x08);
	if (rising)
		machine_request_reset(pm->machine);
}

static void pm_reset(void *opaque)
{
	struct pm *pm = opaque;

	pm->status = pm->enable = 0;
	pm->control = CONTROL_SCI_ENABLE;
	pm->reset_control = 0;
	pm->seen = pm_guest_now(pm);
	pm_update(pm);
}

static const struct record_field pm_fields[] = {
	RECORD_FIELD(struct pm, wire.level),    RECORD_FIELD_TIMER(struct pm, timer),
	RECORD_FIELD(struct pm, status),        RECORD_FIELD(struct pm, enable),
	RECORD_FIELD(struct pm, control),       RECORD_FIELD(struct pm, seen),
	RECORD_FIELD(struct pm, reset_control),
};
static const struct record_table pm_table = {.name = "pm", .version = 1, RECORD_FIELDS(pm_fields)};

static const struct bus_ops pm_ops = {.read = pm_read, .write = pm_write, .widest = 4};
static const struct bus_ops pm_reset_ops = {
	.read = pm_read_reset, .write = pm_write_reset, .widest = 1};

int pm_create(struct machine *machine, struct ls_error *err)
{
	struct pm *pm = calloc(1, sizeof(*pm));
	const struct bus_region ports[] = {
		{.name = "ACPI PM",
		 .base = PM_EVENT_PORT,
		 .size = PM_BLOCK_SIZE,
		 .ops = &pm_ops,
		 .opaque = pm},
		{.name = "reset control",
		 .base = PM_RESET_PORT,
		 .size = 1,
		 .ops = &pm_reset_ops,
		 .opaque = pm},
	};
	struct machine_device device = {
		.name = "pm", .state = &pm_table, .reset = pm_reset, .destroy = free, .opaque = pm};

	if (!pm)
		return ls_error_set(err, -ENOMEM, "no memory for the ACPI registers");
	pm->machine = machine;
	pm->wire.gsi = IRQ_GSI_SCI;
	pm->timer = (struct ls_timer){.deadline = LS_NEVER, .fn = pm_timer_carry, .opaque = pm};
	machine->pm = pm;
	return chip_add(machine, &device, ports, 2, err);
}
