/* SPDX-License-Identifier: Apache-2.0 */
/* What engines make of single steps: quirks.def. */
#ifndef LOCKSTEP_TOOLS_DIFF_EXPECTED_QUIRKS_H
#define LOCKSTEP_TOOLS_DIFF_EXPECTED_QUIRKS_H

#include <glib.h>
#include <stdbool.h>

enum quirk_kind { QUIRK_MERGES, QUIRK_RUNS_GUEST, QUIRK_STORES_TF, QUIRK_FORGETS_RF };

struct quirk_row {
	const char *engine, *version;
	enum quirk_kind kind;
	const char *mnemonic, *test, *why;
};

extern const struct quirk_row quirk_rows[];
extern const unsigned int quirk_count;

/* What the case's command line says beside its name, by exit. To be freed. */
char *quirk_words(const char *engine, const char *version, const char *test);

/* "any": an event was delivered, by whatever instruction. -1: no row of this engine's says so. */
int quirk_find(const char *engine, const char *version, enum quirk_kind kind, const char *mnemonic);

/* The row's own engine, version and case are these. */
bool quirk_applies(const struct quirk_row *row, const char *engine, const char *version,
		   const char *test);

#endif
