/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <lockstep/hash.h>
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
	recording_free(machine);
}
