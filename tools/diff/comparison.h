/* SPDX-License-Identifier: Apache-2.0 */
/* A comparison while it runs; between compare.c and what it is made of. */
#ifndef LOCKSTEP_TOOLS_DIFF_COMPARISON_H
#define LOCKSTEP_TOOLS_DIFF_COMPARISON_H

#include <lockstep/extension.h>

#include "tools/diff/compare.h"
#include "tools/diff/expected/expected.h"
#include "tools/diff/expected/quirks.h"
#include "tools/diff/history.h"
#include "tools/diff/recorded/recorded.h"
#include "tools/diff/recorded/saved.h"

#define REF 0
#define DUT 1

#define NO_PAGE UINT64_MAX
/* The field of a trace, which has no more of memory. */
#define MEMORY_HASH "memory hash"

#define FLAG_TF UINT64_C(0x100)
#define FLAG_RF UINT64_C(0x10000)

/* Where the reference stood before its present event. */
struct moment_before {
	bool known;
	bool lost; /* by an access in a step whose TF was lost */
	uint64_t linear_rip, rflags, tss, rax;
	struct ls_instruction instruction; /* there */
	struct ls_instruction access;      /* whose access to a port or device that event was */
};

struct comparison {
	const struct diff_options *options;
	const struct diff_case *test;
	struct diff_result *result;
	struct ls_engine *engine[2]; /* opened to see what they list */
	struct diff_fields *fields;
	struct machine_config config[2];
	struct side *side[2];      /* no engine under test if it is recorded */
	struct recorded *recorded; /* NULL: it runs */
	struct streams *streams;   /* the reference's records, and the trace's; NULL: it stops */
	bool end_shown;            /* what the run ended with has been shown */
	struct diff_event shown;   /* the reference's, if it is made of another */
	struct saved *saved[2];
	const struct diff_event *now[2];
	struct diff_history history[2];
	const char *dut;        /* name of the engine under test, or of the one that was recorded */
	char *version, *append; /* of that engine; the guest's command line */
	struct moment_before before;
	uint64_t undefined;                 /* flags that may differ for now */
	struct expected_difference control; /* field: NULL if both went the same way */
	unsigned int words;                 /* of memory that differ, as far as they are told */
	bool more;                          /* and more */
	uint64_t open_page;                 /* its content is left open for now; NO_PAGE: none */
	bool in_guest; /* the engine under test runs a guest of the payload's on, unstepped */
	bool by_trap;  /* the engine under test steps by the guest's own TF, as KVM does */
	bool *quirk_used;
};

/* result.c: equal, without an event, until there is a verdict; the first one stands. */
struct diff_result *diff_result_create(const struct diff_options *options,
				       const struct diff_case *test);
__attribute__((format(printf, 3, 4))) void
diff_verdict(struct diff_result *result, enum diff_verdict is, const char *format, ...);

/* next.c: the next event of one of them; false: it could not run. */
bool comparison_next(struct comparison *c, unsigned int who);

static inline bool is_step(const struct diff_event *event)
{
	return event->exit.reason == KVM_EXIT_DEBUG;
}

static inline const uint64_t *registers_of(const struct comparison *c, unsigned int who)
{
	return c->now[who]->registers + c->now[who]->vcpu * c->fields->count;
}

/* sides.c: engines and what is known of the recorded one; a trace fills @options and @test. False:
 * it could not be done, and the result says why. */
bool sides_open(struct comparison *c, struct diff_options *options, struct diff_case *test);
/* Both machines, alike, before their first instruction. */
bool sides_build(struct comparison *c);
void sides_close(struct comparison *c);
/* It could not be made: false. */
bool comparison_could_not(struct comparison *c, const struct ls_error *err);

/* settle.c: a difference that has a row is none, and a row that its case does not need is one. */
void comparison_settle(struct comparison *c, const struct diff_used *used);

/* save_sides.c: traces of both sides begin, if they are wanted; and they end. */
bool comparison_save(struct comparison *c);
void comparison_save_end(struct comparison *c);

/* host.c: the reference's next event, as a host's processor has it. */
const struct diff_event *host_next(struct comparison *c, struct ls_error *err);

/* records.c: compares what both recorded of a step. */
bool records_differ(struct comparison *c);
/* pair.c */
void comparison_add_value(struct comparison *c, const char *field, uint64_t ref, uint64_t dut,
			  const char *manual, bool differs);

/* Nothing is noted. */
bool pair_same_registers(const struct comparison *c);
/* pair.c: compares both present events and notes in the result what differs. */
bool pair_differs(struct comparison *c);
/* Whose handlers they are at; -1: at none. */
void pair_exceptions(const struct comparison *c, int vector[2]);

/* rule.c: of the instruction that was stepped over, and of the exceptions it led to. NULL: not
 * known. To be freed. */
char *rule_describe(const struct comparison *c);

/* step.c: steps are compared from the first instruction on: which it is. */
void step_begin(struct comparison *c);
/* The next pair of events, step by step. */
bool step_next_pair(struct comparison *c);
/* The reference's present instruction is known when the next event is looked at. */
void step_remember(struct comparison *c);
/* What has been stepped over is known, and what the guest's own debugging asks for is given to
 * both. */
void step_pair_done(struct comparison *c);

#endif
