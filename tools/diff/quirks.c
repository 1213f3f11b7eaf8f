/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/quirks.h"

#include <stddef.h>
#include <string.h>

#define CF (1u << 0)
#define PF (1u << 2)
#define AF (1u << 4)
#define ZF (1u << 6)
#define SF (1u << 7)
#define OF (1u << 11)

static const char *const merging[] = {
#define STEP_QUIRK(mnemonic, test, why) mnemonic,
#include "tools/diff/quirks.def"
#undef STEP_QUIRK
};

static const struct {
	const char *mnemonic;
	uint64_t flags;
} undefined[] = {
#define UNDEFINED(mnemonic, flags, manual) {mnemonic, flags},
#include "tools/diff/quirks.def"
#undef UNDEFINED
};

bool quirk_merges(const char *mnemonic)
{
	for (size_t i = 0; i < sizeof(merging) / sizeof(merging[0]); i++)
		if (!strcmp(merging[i], mnemonic))
			return true;
	return false;
}

uint64_t quirk_undefined(const char *mnemonic)
{
	for (size_t i = 0; i < sizeof(undefined) / sizeof(undefined[0]); i++)
		if (!strcmp(undefined[i].mnemonic, mnemonic))
			return undefined[i].flags;
	return 0;
}
