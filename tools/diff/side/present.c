/* SPDX-License-Identifier: Apache-2.0 */
/* Memory and the instruction of the present event. */
#include <string.h>

#include "machine/memory.h"
#include "tools/diff/side/internal.h"

#define PAGE 4096u

uint8_t *side_linear_ptr(struct side *side, uint64_t linear, uint64_t *gpa)
{
	struct kvm_translation at = {.linear_address = linear};

	*gpa = NOT_MAPPED;
	if (ls_ioctl_ptr(machine_engine(side->machine), machine_vcpu(side->machine, 0),
			 KVM_TRANSLATE, &at) < 0 ||
	    !at.valid)
		return NULL;
	*gpa = at.physical_address;
	return machine_memory_ptr(side->machine, at.physical_address, 1);
}

unsigned int side_read(struct side *side, uint64_t linear, void *to, unsigned int size)
{
	unsigned int done = 0;

	while (done < size) {
		unsigned int left = PAGE - ((linear + done) & (PAGE - 1)),
			     n = MIN(size - done, left);
		uint64_t gpa;
		const uint8_t *from = side_linear_ptr(side, linear + done, &gpa);

		if (!from)
			break;
		memcpy((uint8_t *)to + done, from, n);
		done += n;
	}
	return done;
}

void side_read_instruction(struct side *side)
{
	struct diff_event *event = side_present(side);

	memset(event->bytes, 0, sizeof(event->bytes));
	side_linear_ptr(side, event->linear_rip, &event->physical_rip);
	side_read(side, event->linear_rip, event->bytes, sizeof(event->bytes));
}

void side_take_instruction(struct side *side, const struct diff_event *from)
{
	struct diff_event *event = side_present(side);

	memcpy(event->bytes, from->bytes, sizeof(event->bytes));
	event->physical_rip = from->physical_rip;
}

void side_instruction(struct side *side, const uint8_t *bytes, struct ls_instruction *instruction)
{
	struct ls_engine *engine = machine_engine(side->machine);
	const struct diff_event *event = side_present(side);

	*instruction = (struct ls_instruction){0};
	if (engine->ext->vcpu_instruction)
		engine->ext->vcpu_instruction(engine, machine_vcpu(side->machine, event->vcpu),
					      bytes, sizeof(event->bytes), instruction);
}

const GArray *side_changed(const struct side *side)
{
	return side->memory.changed;
}

void side_memory_changed(struct side *side, uint64_t gpa)
{
	machine_memory_written(side->machine, gpa, 1);
	memory_hash_page(&side->memory, side->machine, gpa);
	side_present(side)->memory = side->memory.sum;
}

bool side_leave_open(struct side *side, const struct side *other, uint64_t gpa)
{
	uint64_t own = memory_hash_share(&side->memory, gpa);
	uint64_t others = memory_hash_share(&other->memory, gpa);

	side_present(side)->memory += others - own;
	return own != others;
}
