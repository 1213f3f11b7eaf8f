/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/refusals.h"

#include <inttypes.h>
#include <string.h>

#include "tools/log.h"

#define SHOWN_PER_RULE 3

struct refusals {
	GMutex lock;
	GHashTable *rules; /* the part that names outcome and rule: how many */
	uint64_t total, shown;
};

struct refusals *refusals_create(void)
{
	struct refusals *refusals = g_new0(struct refusals, 1);

	g_mutex_init(&refusals->lock);
	refusals->rules = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return refusals;
}

/* Up to "): ". */
static char *rule_of(const char *text)
{
	const char *end = strstr(text, "): ");

	return g_strndup(text, end ? (size_t)(end - text) : strlen(text));
}

void refusals_add(void *opaque, unsigned int vcpu, const char *text)
{
	struct refusals *refusals = opaque;
	char *rule = rule_of(text);
	guint seen;

	g_mutex_lock(&refusals->lock);
	seen = GPOINTER_TO_UINT(g_hash_table_lookup(refusals->rules, rule)) + 1;
	g_hash_table_replace(refusals->rules, rule, GUINT_TO_POINTER(seen));
	refusals->total++;
	if (seen <= SHOWN_PER_RULE) {
		refusals->shown++;
		log_notice("vCPU %u: %s", vcpu, text);
	}
	if (seen == SHOWN_PER_RULE)
		log_notice("more of this rule are counted, not shown");
	g_mutex_unlock(&refusals->lock);
}

void refusals_destroy(struct refusals *refusals)
{
	if (refusals->total > refusals->shown)
		log_notice("%" PRIu64 " VM entries were refused, of which %" PRIu64 " were shown",
			   refusals->total, refusals->shown);
	g_hash_table_unref(refusals->rules);
	g_mutex_clear(&refusals->lock);
	g_free(refusals);
}
