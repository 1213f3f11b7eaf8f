/* SPDX-License-Identifier: Apache-2.0 */
/* Each side's next event, be it run or recorded, with its instruction. */
#include "tools/diff/comparison.h"

/* A trace has none: the reference's memory is what its guest's was, up to here. */
static void find_instruction(struct comparison *c)
{
	uint8_t bytes[sizeof(c->now[DUT]->bytes)] = {0};

	side_read(c->side[REF], c->now[DUT]->linear_rip, bytes, sizeof(bytes));
	recorded_give_bytes(c->recorded, bytes);
}

static void read_instruction(struct comparison *c, unsigned int who)
{
	bool same = who == DUT && c->now[REF]->linear_rip == c->now[DUT]->linear_rip;

	if (who == DUT && c->now[DUT]->partial) {
		recorded_give_rip(c->recorded, c->now[REF]);
		return;
	}
	if (c->now[who]->by_records)
		return;
	if (same && c->recorded)
		recorded_give_instruction(c->recorded, c->now[REF]);
	else if (same)
		side_take_instruction(c->side[DUT], c->now[REF]);
	else if (who == DUT && c->recorded)
		find_instruction(c);
	else
		side_read_instruction(c->side[who]);
}

static const struct diff_event *next_event(struct comparison *c, unsigned int who,
					   struct ls_error *err)
{
	if (who == DUT && c->recorded)
		return recorded_next(c->recorded, c->now[REF], err);
	if (c->recorded && recorded_is_host(c->recorded))
		return host_next(c, err);
	return side_next(c->side[who], c->options->seconds, err);
}

bool comparison_next(struct comparison *c, unsigned int who)
{
	struct ls_error err = {0};

	c->now[who] = next_event(c, who, &err);
	if (!c->now[who]) {
		diff_verdict(c->result, DIFF_FAILED, "%s", err.text);
		return false;
	}
	read_instruction(c, who);
	if (who == REF && c->saved[REF])
		saved_add(c->saved[REF], c->now[REF], c->side[REF]);
	history_add(&c->history[who], c->now[who]);
	return true;
}
