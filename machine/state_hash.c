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

/* Address and content of each page of the slot that was written since it was last asked. */
static int hash_written(struct machine *machine, unsigned int slot, const struct memory_slot *ram)
{
	struct state_hash *state = &machine->state_hash;
	struct kvm_dirty_log log = {.slot = slot, .dirty_bitmap = state->dirty};
	uint64_t pages = ram->size / PAGE;
	int ret = ls_ioctl_ptr(machine->engine, machine->vm, KVM_GET_DIRTY_LOG, &log);

	for (uint64_t word = 0; ret >= 0 && word < (pages + 63) / 64; word++)
		for (uint64_t bits = state->dirty[word]; bits; bits &= bits - 1) {
			uint64_t page = word * 64 + (unsigned int)__builtin_ctzll(bits);

			state->value = ls_hash_word(state->value, ram->gpa + page * PAGE);
			state->value = hash_page(state->value, ram->host + page * PAGE);
		}
	return ret < 0 ? ret : 0;
}

/* The slots are numbered in the order in which memory_create made them. */
static int hash_memory(struct machine *machine)
{
	unsigned int slot = 0;

	for (int n = 0; n < 2; n++) {
		const struct memory_slot *ram = &machine->memory.ram[n];
		int ret = ram->size ? hash_written(machine, slot++, ram) : 0;

		if (ret)
			return ret;
	}
	return 0;
}

static int hash_prepare(struct machine *machine)
{
	uint64_t most = machine->memory.ram[0].size > machine->memory.ram[1].size
				? machine->memory.ram[0].size
				: machine->memory.ram[1].size;

	if (machine->state_hash.dirty)
		return 0;
	machine->state_hash.dirty = malloc((most / PAGE + 63) / 64 * sizeof(uint64_t));
	machine->state_hash.value = LS_HASH_START;
	return machine->state_hash.dirty ? 0 : -ENOMEM;
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

	if (!every || executed == state->last || executed % every)
		return 0;
	state->last = executed;
	ret = hash_prepare(machine);
	if (!ret)
		ret = hash_memory(machine);
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
}
