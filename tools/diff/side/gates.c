/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/side/gates.h"

#include <string.h>

#define LONGEST  15
#define CR0_PE   UINT64_C(1)
#define EFER_LMA UINT64_C(0x400)

static uint64_t value_of(const struct diff_fields *fields, const struct diff_event *event,
			 const char *name)
{
	int row = diff_fields_find(fields, name);

	return row < 0 ? 0 : event->registers[event->vcpu * fields->count + (unsigned int)row];
}

static uint64_t offset_of(const uint8_t *entry, unsigned int size)
{
	uint64_t low = entry[0] | (uint64_t)entry[1] << 8;

	if (size == 4) /* real mode: SDM 3B:21.1.4 */
		return low;
	low |= (uint64_t)entry[6] << 16 | (uint64_t)entry[7] << 24; /* SDM 3A:6.11, 6.14.1 */
	for (unsigned int n = 8; n < 12 && size == 16; n++)
		low |= (uint64_t)entry[n] << (8 * n - 32);
	return low;
}

/* A step that delivers an event runs the handler's first instruction, too. */
static bool is_at(struct side *side, uint64_t offset, uint64_t rip, uint64_t code)
{
	struct ls_instruction first;
	uint8_t bytes[LONGEST] = {0};

	if (rip - offset >= LONGEST || rip == offset)
		return rip == offset;
	side_read(side, code + offset, bytes, sizeof(bytes));
	side_instruction(side, bytes, &first);
	return rip == offset + first.length;
}

/* As much of the IDT as is mapped: how many gates, of *@size bytes each. */
static unsigned int read_table(struct side *side, const struct diff_fields *fields,
			       const struct diff_event *event, uint8_t *table, unsigned int *size)
{
	uint64_t base = value_of(fields, event, "IDTR base");
	uint64_t limit = value_of(fields, event, "IDTR limit");

	*size = value_of(fields, event, "IA32_EFER") & EFER_LMA ? 16
		: value_of(fields, event, "CR0") & CR0_PE       ? 8
								: 4;
	return side_read(side, base, table, (unsigned int)MIN(limit + 1, 256 * *size)) / *size;
}

int gate_entered(struct side *side, const struct diff_fields *fields,
		 const struct diff_event *event)
{
	uint64_t rip = event->registers[event->vcpu * fields->count + fields->rip];
	uint64_t code = value_of(fields, event, "CS base");
	uint8_t table[256 * 16];
	unsigned int size, count = read_table(side, fields, event, table, &size);

	for (unsigned int vector = 0; vector < count; vector++)
		if (is_at(side, offset_of(table + vector * size, size), rip, code))
			return (int)vector;
	return -1;
}

unsigned int gates_of(struct side *side, const struct diff_fields *fields,
		      const struct diff_event *event, uint64_t handler[GATES])
{
	uint64_t code = value_of(fields, event, "CS base");
	uint8_t table[256 * 16];
	unsigned int size, count = read_table(side, fields, event, table, &size);

	count = MIN(count, GATES);
	for (unsigned int vector = 0; vector < count; vector++)
		handler[vector] = code + offset_of(table + vector * size, size);
	return count;
}
