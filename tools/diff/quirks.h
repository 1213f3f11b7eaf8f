/* SPDX-License-Identifier: Apache-2.0 */
/* What the architecture leaves open between two single steps: quirks.def. */
#ifndef LOCKSTEP_TOOLS_DIFF_QUIRKS_H
#define LOCKSTEP_TOOLS_DIFF_QUIRKS_H

#include <stdbool.h>
#include <stdint.h>

/* Engines may differ in how many steps they make of it and the one behind it. */
bool quirk_merges(const char *mnemonic);
/* Flags that it may leave as it likes. */
uint64_t quirk_undefined(const char *mnemonic);

#endif
