/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/expected/quirks.h"

#include <string.h>

const struct quirk_row quirk_rows[] = {
#define STEP_QUIRK(...) QUIRK_ROW(__VA_ARGS__)
#define QUIRK_ROW(engine, version, kind, mnemonic, test, why)                                      \
	{engine, version, QUIRK_##kind, mnemonic, #test, why},
#include "tools/diff/expected/quirks.def"
#undef QUIRK_ROW
#undef STEP_QUIRK
};
const unsigned int quirk_count = sizeof(quirk_rows) / sizeof(quirk_rows[0]);

int quirk_find(const char *engine, const char *version, enum quirk_kind kind, const char *mnemonic)
{
	for (unsigned int i = 0; i < quirk_count; i++) {
		const struct quirk_row *row = &quirk_rows[i];

		if (row->kind == kind && !strcmp(row->mnemonic, mnemonic) &&
		    !strcmp(row->engine, engine) && !strcmp(row->version, version))
			return (int)i;
	}
	return -1;
}

bool quirk_applies(const struct quirk_row *row, const char *engine, const char *version,
		   const char *test)
{
	return !strcmp(row->engine, engine) && !strcmp(row->version, version) &&
	       !strcmp(row->test, test);
}

static const struct {
	const char *engine, *version, *word, *test;
} case_rows[] = {
#define CASE_QUIRK(...)                            CASE_ROW(__VA_ARGS__)
#define CASE_ROW(engine, version, word, test, why) {engine, version, word, #test},
#include "tools/diff/expected/quirks.def"
#undef CASE_ROW
#undef CASE_QUIRK
};

char *quirk_words(const char *engine, const char *version, const char *test)
{
	GString *words = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(case_rows); i++)
		if (!strcmp(case_rows[i].engine, engine) &&
		    !strcmp(case_rows[i].version, version) && strcmp(case_rows[i].test, test))
			g_string_append_printf(words, "%s ", case_rows[i].word);
	return g_string_free(words, FALSE);
}
