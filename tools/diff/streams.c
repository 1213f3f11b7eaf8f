/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/streams.h"

#include <string.h>

struct streams {
	unsigned int vcpus;
	uint64_t kinds;               /* of the trace's records */
	uint64_t *registers[2];       /* of all vCPUs */
	struct fold fold;             /* of the reference's records */
	struct stream *of[2];         /* each vCPU's; of the trace: NULL if it has none */
	struct diff_records left;     /* of what the reference has shown last */
	unsigned int from;            /* whose they are */
	const struct diff_event *end; /* NULL: the reference runs */
	unsigned int ended;           /* vCPUs whose ends have been compared */
	unsigned int vcpu;            /* of the present pair */
	struct diff_event now[2];
};

static void start_side(struct comparison *c, unsigned int who, const struct fold *fold)
{
	struct streams *s = c->streams;

	s->registers[who] = g_new0(uint64_t, s->vcpus * c->fields->count);
	s->of[who] = g_new0(struct stream, s->vcpus);
	for (unsigned int n = 0; n < s->vcpus; n++)
		stream_start(&s->of[who][n], fold, s->registers[who] + n * c->fields->count);
}

void streams_start(struct comparison *c)
{
	struct ls_engine *engine = machine_engine(side_machine(c->side[REF]));
	const struct ls_table *states = engine->ext->table(engine, "state");
	struct streams *s = c->streams = g_new0(struct streams, 1);

	s->vcpus = machine_vcpu_count(side_machine(c->side[REF]));
	s->kinds = recorded_events(c->recorded);
	fold_start(&s->fold, c->fields);
	for (size_t n = 0; n < states->rows; n++) {
		g_autofree char *row = g_strdup(states->cell(engine, n, 0));

		fold_add_row(&s->fold, engine, row);
	}
	start_side(c, REF, &s->fold);
	if (recorded_is_stream(c->recorded))
		start_side(c, DUT, recorded_fold(c->recorded));
}

void streams_free(struct comparison *c)
{
	struct streams *s = c->streams;

	for (unsigned int who = REF; s && who <= DUT; who++) {
		for (unsigned int n = 0; s->of[who] && n < s->vcpus; n++)
			stream_free(&s->of[who][n]);
		g_free(s->of[who]);
		g_free(s->registers[who]);
	}
	if (s)
		fold_free(&s->fold);
	g_free(s);
}

/* --- the reference's --- */

static bool next_records(struct comparison *c, struct ls_error *err)
{
	struct streams *s = c->streams;
	const struct diff_event *event = side_next(c->side[REF], c->options->seconds, err);

	if (event && event->exit.reason == DIFF_END) {
		s->end = event;
	} else if (event) {
		s->left = side_records(c->side[REF]);
		s->from = event->vcpu;
	}
	return event && !s->end;
}

static bool is_recorded(const struct comparison *c, unsigned int vcpu, const uint64_t *record)
{
	return !recorded_is_stream(c->recorded) || record[1] >= recorded_begin(c->recorded, vcpu);
}

const struct stream *streams_step(struct comparison *c, struct ls_error *err)
{
	struct streams *s = c->streams;

	while (s->left.at < s->left.end || (!s->end && next_records(c, err))) {
		const uint64_t *record = s->left.at;
		struct stream *stream = &s->of[REF][s->from];

		s->left.at += LS_TRACE_WORDS(record[0]);
		stream_take(stream, record);
		if (stream->over && is_recorded(c, s->from, record))
			return stream;
	}
	return NULL;
}

const struct diff_event *streams_end(const struct comparison *c)
{
	return c->streams->end;
}

/* --- pairs --- */

const struct stream *streams_present(const struct comparison *c, unsigned int who)
{
	return &c->streams->of[who][c->streams->vcpu];
}

uint64_t streams_kinds(const struct comparison *c)
{
	return c->streams->kinds;
}

/* As far as the trace goes, the vCPU's next step. */
static void read_step(struct comparison *c, struct ls_error *err)
{
	struct stream *stream = &c->streams->of[DUT][c->streams->vcpu];
	const uint64_t *record;

	stream_pass(stream);
	while (!stream->over && (record = recorded_vcpu_record(c->recorded, c->streams->vcpu, err)))
		stream_take(stream, record);
}

static void show(struct comparison *c, unsigned int who)
{
	struct streams *s = c->streams;
	struct diff_event *event = &s->now[who];
	const struct stream *stream = streams_present(c, who);
	const uint64_t *registers = stream->state.registers;
	const uint64_t *instruction = stream_instruction(stream);

	*event = (struct diff_event){
		.number = stream->steps - stream->over,
		.exit.reason = DIFF_TORN,
		.vcpu = s->vcpu,
		.linear_rip = registers[c->fields->rip] + registers[c->fields->cs_base],
		.physical_rip = UINT64_MAX,
		.by_records = true,
		.registers = s->registers[who],
	};
	if (instruction) {
		event->exit.reason = KVM_EXIT_DEBUG;
		memcpy(event->bytes, instruction + 3, sizeof(event->bytes));
	} else if (who == REF) {
		event->exit.reason = DIFF_END;
		event->end = s->end->end;
		event->code = s->end->code;
	}
	c->now[who] = event;
	history_add(&c->history[who], event);
}

static bool is_same(const struct comparison *c)
{
	const GArray *ref = streams_present(c, REF)->group, *dut = streams_present(c, DUT)->group;

	return ref->len == dut->len && !memcmp(ref->data, dut->data, ref->len * sizeof(uint64_t)) &&
	       pair_same_registers(c);
}

/* What it is leaves flags undefined, and is told of a difference. Both began alike: flags differ
 * first behind an instruction that may leave them so. */
static void look_at_instruction(struct comparison *c)
{
	c->before = (struct moment_before){.known = true, .linear_rip = c->now[REF]->linear_rip};
	side_instruction(c->side[REF], c->now[REF]->bytes, &c->before.instruction);
	c->undefined |= c->before.instruction.undefined;
}

bool streams_next_pair(struct comparison *c)
{
	struct streams *s = c->streams;
	struct ls_error err = {0};
	const struct stream *stream = streams_step(c, &err);

	if (!stream && !err.code && s->ended == s->vcpus)
		return false;
	s->vcpu = stream ? (unsigned int)(stream - s->of[REF]) : s->ended++;
	if (!stream)
		stream_pass(&s->of[REF][s->vcpu]);
	if (!err.code)
		read_step(c, &err);
	if (err.code)
		return comparison_could_not(c, &err);
	show(c, REF);
	show(c, DUT);
	if (!is_same(c))
		look_at_instruction(c);
	return true;
}
