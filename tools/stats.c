/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/stats.h"

#include "machine/machine.h"

#include <errno.h>
#include <math.h>

enum stats_kind { STATS_COUNT, STATS_FRACTION, STATS_PERCENT };

struct stats_row {
	const char *title; /* of the table */
	const char *key;   /* of the JSON object */
	enum stats_kind kind;
	double (*value)(const struct stats *stats);
};

static double stats_ratio(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

static double stats_instructions(const struct stats *stats)
{
	return (double)stats->sum.instructions;
}

static double stats_wall(const struct stats *stats)
{
	return stats->wall_seconds;
}

static double stats_mips(const struct stats *stats)
{
	return stats_ratio((double)stats->sum.instructions / 1e6, stats->wall_seconds);
}

static double stats_interrupts(const struct stats *stats)
{
	return (double)stats->sum.interrupts;
}

static double stats_exceptions(const struct stats *stats)
{
	return (double)stats->sum.exceptions;
}

static double stats_walks(const struct stats *stats)
{
	return (double)stats->sum.page_walks;
}

/* A lower bound. The engine doesn't count the hits of its fastest path; but every instruction
 * needs one translation at least, for its own fetch, and every miss is a walk. */
static double stats_tlb(const struct stats *stats)
{
	double lookups = (double)MAX(stats->sum.instructions, stats->sum.tlb_lookups);

	return 100 * stats_ratio(MAX(lookups - (double)stats->sum.page_walks, 0), lookups);
}

static double stats_exits(const struct stats *stats)
{
	return (double)stats->sum.exits;
}

static double stats_guest(const struct stats *stats)
{
	return stats->guest_seconds;
}

static double stats_speed(const struct stats *stats)
{
	return stats_ratio(stats->guest_seconds, stats->wall_seconds);
}

static double stats_unclaimed(const struct stats *stats)
{
	return (double)stats->unclaimed;
}

static const struct stats_row rows[] = {
	{"guest instructions", "instructions", STATS_COUNT, stats_instructions},
	{"wall seconds", "wall_seconds", STATS_FRACTION, stats_wall},
	{"MIPS", "mips", STATS_FRACTION, stats_mips},
	{"interrupts", "interrupts", STATS_COUNT, stats_interrupts},
	{"exceptions", "exceptions", STATS_COUNT, stats_exceptions},
	{"page walks", "page_walks", STATS_COUNT, stats_walks},
	{"TLB hit rate, at least", "tlb_hit_percent", STATS_PERCENT, stats_tlb},
	{"exits to the machine", "exits", STATS_COUNT, stats_exits},
	{"unclaimed accesses", "unclaimed_accesses", STATS_COUNT, stats_unclaimed},
	{"guest seconds", "guest_seconds", STATS_FRACTION, stats_guest},
	{"guest / wall time", "guest_to_wall", STATS_FRACTION, stats_speed},
};

int stats_collect(struct stats *stats, struct machine *machine)
{
	struct ls_engine *engine = machine_engine(machine);
	const struct ls_extension *ext = engine->ext;
	struct ls_clock *clock = machine_clock(machine);
	struct ls_vcpu_stats one;
	unsigned int i;

	if (!ext->vcpu_stats)
		return -ENOTSUP;
	stats->vcpus = machine_vcpu_count(machine);
	for (i = 0; i < stats->vcpus; i++) {
		int rc = ext->vcpu_stats(engine, machine_vcpu(machine, i), &one);

		if (rc)
			return rc;
		stats->sum.instructions += one.instructions;
		stats->sum.interrupts += one.interrupts;
		stats->sum.exceptions += one.exceptions;
		stats->sum.page_walks += one.page_walks;
		stats->sum.tlb_lookups += one.tlb_lookups;
		stats->sum.tlb_hits += one.tlb_hits;
		stats->sum.exits += one.exits;
	}
	stats->guest_seconds = (double)clock->now(clock) / 1e9;
	return 0;
}

/* 1234567 as "1,234,567", whatever the locale. */
static char *stats_group(double value)
{
	g_autofree char *digits = g_strdup_printf("%.0f", value);
	GString *text = g_string_new(digits);
	gssize at;

	for (at = (gssize)text->len - 3; at > 0; at -= 3)
		g_string_insert_c(text, at, ',');
	return g_string_free(text, FALSE);
}

static char *stats_format(const struct stats_row *row, double value)
{
	switch (row->kind) {
	case STATS_COUNT:
		return stats_group(value);
	case STATS_PERCENT:
		/* 99.996 is not 100: cut off, don't round up. */
		return g_strdup_printf("%.2f %%", floor(value * 100) / 100);
	default:
		return g_strdup_printf("%.2f", value);
	}
}

void stats_append_table(GString *text, const struct stats *stats)
{
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *value = stats_format(&rows[i], rows[i].value(stats));

		g_string_append_printf(text, "%-24s %18s\n", rows[i].title, value);
	}
}

void stats_append_json(GString *text, const struct stats *stats)
{
	size_t i;

	g_string_append_printf(text, "{\"status\": %d, \"vcpus\": %u", stats->status, stats->vcpus);
	for (i = 0; i < G_N_ELEMENTS(rows); i++) {
		char number[G_ASCII_DTOSTR_BUF_SIZE];

		g_ascii_formatd(number, sizeof(number),
				rows[i].kind == STATS_COUNT ? "%.0f" : "%.6f",
				rows[i].value(stats));
		g_string_append_printf(text, ", \"%s\": %s", rows[i].key, number);
	}
	g_string_append(text, "}\n");
}
