/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <lockstep/hash.h>
#include <stdlib.h>
#include <string.h>

#include "machine/internal.h"

#define PAGE 4096u

static uint64_t hash_page(uint64_t hash, const uint8_t *page)
{
	uint64_t word;

	for (unsigned int n = 0; n < PAGE; n += sizeof(word)) {
		memcpy(&word, page + n, sizeof(word));
		hash = ls_hash_word(hash, word);
	}
	return hash;
}

static int written_in(struct machine *machine, unsigned int slot, const struct memory_slot *ram,
		      void (*page)(void *opaque, uint64_t gpa, const uint8_t *bytes), void *opaque)
{
	uint64_t *dirty = machine->state_hash.dirty;
	struct kvm_dirty_log log = {.slot = slot, .dirty_bitmap = dirty};
	uint64_t pages = ram->size / PAGE;
	int ret = ls_ioctl_ptr(machine->engine, machine->vm, KVM_GET_DIRTY_LOG, &log);

	for (uint64_t word = 0; ret >= 0 && word < (pages + 63) / 64; word++)
		for (uint64_t bits = dirty[word]; bits; bits &= bits - 1) {
			uint64_t at = (word * 64 + (unsigned int)__builtin_ctzll(bits)) * PAGE;

			recording_note(machine, ram->gpa + at);
			page(opaque, ram->gpa + at, ram->host + at);
		}
	return ret < 0 ? ret : 0;
}

static int written_prepare(struct machine *machine)
{
	uint64_t most = machine->memory.ram[0].size > machine->memory.ram[1].size
				? machine->memory.ram[0].size
				: machine->memory.ram[1].size;

	if (!machine->state_hash.dirty)
		machine->state_hash.dirty = malloc((most / PAGE + 63) / 64 * sizeof(uint64_t));
	return machine->state_hash.dirty ? 0 : -ENOMEM;
}

/* The slots are numbered in the order in which memory_create made them. */
int machine_written(struct machine *machine,
		    void (*page)(void *opaque, uint64_t gpa, const uint8_t *bytes), void *opaque)
{
	unsigned int slot = 0;
	int ret = written_prepare(machine);

	for (int n = 0; n < 2 && !ret; n++) {
		const struct memory_slot *ram = &machine->memory.ram[n];

		ret = ram->size ? written_in(machine, slot++, ram, page, opaque) : 0;
	}
	return ret;
}

static void hash_written(void *opaque, uint64_t gpa, const uint8_t *bytes)
{
	struct state_hash *state = opaque;

	state->value = hash_page(ls_hash_word(state->value, gpa), bytes);
}

uint64_t state_hash_distance(const struct machine *machine, uint64_t executed)
{
	uint64_t every = machine->config.state_hash_every;

	return every ? every - executed % every : UINT64_MAX;
}

int state_hash_look(struct machine *machine, uint64_t executed)
{
	struct state_hash *state = &machine->state_hash;
	uint64_t every = machine->config.state_hash_every;
	int ret;

	if (!state->last)
		state->value = LS_HASH_START;
	if (!every || executed == state->last || executed % every)
		return 0;
	state->last = executed;
	ret = machine_written(machine, hash_written, state);
	if (ret)
		return ret;
	for (unsigned int n = 0; n < machine->vcpu_count; n++)
		state->value = machine_ext(machine)->vcpu_state_hash(
			machine->engine, machine->vcpus[n].fd, state->value);
	machine->config.state_hash(machine->config.output_opaque, executed, state->value);
	return 0;
}

void state_hash_free(struct machine *machine)
{
	free(machine->state_hash.dirty);
	recording_free(machine);
}
