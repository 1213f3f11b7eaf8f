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

const char *exclude_reason(const struct opcode_form *form, const struct variant *variant)
{
	const struct opcode_row *row = &opcode_rows[form->row];

	if (row->flags & VARIES)
		return "differs between implementations";
	for (unsigned int n = 0; n < ARRAY_SIZE(rows); n++)
		if (!strcmp(row->mnemonic, rows[n].mnemonic))
			return rows[n].reason;
	if (!strcmp(row->mnemonic, "movsxd") && variant->width == 1)
		return "66 63: AMD reads four bytes, Intel two, as we do (SDM 2B)";
	if (form->space == 0 && form->map == 1 && form->opcode == 0x0d && !variant->memory)
		return "PREFETCH with a register: #UD on AMD, no operation on Intel and here";
	if (variant->bits == 64 && variant->width == 1 && (row->flags & F64) &&
	    (row->flags & BRANCH))
		return "66 on near branches: AMD truncates RIP, Intel ignores it, as we do (APM 3 "
		       "1.2.7)";
	return NULL;
}
