/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of a control block on both sides of their boundaries, for the tests of rows of checks: what
 * the manual says, next to what the rows say. A mutant of each row, always true and always false,
 * must be noticed by the same rules.
 */
#ifndef LOCKSTEP_TESTS_CHECK_RULES_H
#define LOCKSTEP_TESTS_CHECK_RULES_H

#include <string.h>

#include "sim/cpu/check.h"
#include "tests/unit/check.h"

struct rule_change {
	u16 input; /* + 1; 0: no more */
	u64 value;
};

#define RULE_CHANGES 6
#define RULE_INPUTS  1024

/* One row's identifier, how it shows, and changes from the base with which it holds and fails. */
struct rule {
	const char *identifier;
	u8 outcome;
	struct rule_change holds[RULE_CHANGES], fails[RULE_CHANGES];
};

struct check_rules {
	const struct check_table *table;
	void (*base)(u64 *value); /* inputs with which every check passes */
	const struct rule *rule;
	size_t count;
};

static inline void rule_inputs(const struct check_rules *rules, const struct rule_change *changes,
			       u64 *value)
{
	rules->base(value);
	for (unsigned int i = 0; i < RULE_CHANGES && changes[i].input; i++)
		value[changes[i].input - 1] = changes[i].value;
}

static inline enum check_verdict rule_verdict(const struct check_rules *rules,
					      const struct rule_change *changes,
					      const struct check_row *row,
					      const struct check_mutant *mutant)
{
	static u64 value[RULE_INPUTS];
	struct check_inputs in = {.table = rules->table, .value = value, .mutant = mutant};

	rule_inputs(rules, changes, value);
	return check_judge(&in, row);
}

static inline void check_rules_boundaries(const struct check_rules *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->rule[i];
		const struct check_row *row = check_find(rules->table, rule->identifier);

		if (!row)
			continue; /* check_rules_complete tells */
		CHECK_ROW(rule_verdict(rules, rule->holds, row, NULL) == CHECK_PASS,
			  "%zu: %s fails, it should hold", i, rule->identifier);
		CHECK_ROW(rule_verdict(rules, rule->fails, row, NULL) == CHECK_FAIL,
			  "%zu: %s holds, it should fail", i, rule->identifier);
		CHECK_ROW(row->outcome == rule->outcome, "%s shows as %s", rule->identifier,
			  rules->table->outcome_name(row->outcome));
	}
}

static inline bool rules_have(const struct check_rules *rules, const char *identifier)
{
	for (size_t i = 0; i < rules->count; i++)
		if (!strcmp(rules->rule[i].identifier, identifier))
			return true;
	return false;
}

/* Every row has a rule, and every rule a row. */
static inline void check_rules_complete(const struct check_rules *rules)
{
	for (unsigned int i = 0; i < rules->table->count; i++)
		CHECK_ROW(rules_have(rules, rules->table->rows[i].identifier), "no rule tests %s",
			  rules->table->rows[i].identifier);
	for (size_t i = 0; i < rules->count; i++)
		CHECK_ROW(check_find(rules->table, rules->rule[i].identifier), "no row %s",
			  rules->rule[i].identifier);
}

/* How many sides of that row's boundaries come out wrong. */
static inline unsigned int rules_wrong(const struct check_rules *rules,
				       const struct check_mutant *mutant)
{
	unsigned int wrong = 0;

	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->rule[i];

		if (strcmp(rule->identifier, mutant->row->identifier))
			continue;
		wrong += rule_verdict(rules, rule->holds, mutant->row, mutant) != CHECK_PASS;
		wrong += rule_verdict(rules, rule->fails, mutant->row, mutant) != CHECK_FAIL;
	}
	return wrong;
}

static inline void check_rules_mutants(const struct check_rules *rules)
{
	for (unsigned int i = 0; i < rules->table->count; i++) {
		const struct check_row *row = &rules->table->rows[i];
		struct check_mutant always = {row, true}, never = {row, false};

		CHECK_ROW(rules_wrong(rules, &always), "%s forced true goes unnoticed",
			  row->identifier);
		CHECK_ROW(rules_wrong(rules, &never), "%s forced false goes unnoticed",
			  row->identifier);
	}
}

#endif
