/* SPDX-License-Identifier: Apache-2.0 */
/* What can't be compared with the host, and why. */
#include <string.h>

#include "tests/native/native.h"

static const struct {
	const char *mnemonic, *reason;
} rows[] = {
	{"xsaveopt", "what it leaves out depends on the last XRSTOR (SDM 1:13.9)"},
	{"xsaveopt64", "what it leaves out depends on the last XRSTOR (SDM 1:13.9)"},
	{"clzero", "clears a whole line of the host's size at RAX, which need not be a buffer"},
};

const char *exclude_reason(const struct opcode_form *form)
{
	const struct opcode_row *row = &opcode_rows[form->row];

	if (row->flags & VARIES)
		return "differs between implementations";
	for (unsigned int n = 0; n < ARRAY_SIZE(rows); n++)
		if (!strcmp(row->mnemonic, rows[n].mnemonic))
			return rows[n].reason;
	return NULL;
}
