/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "sim/svm-model/exit_codes.h"

const struct svm_exit_row svm_exit_rows[] = {
#define EXIT(identifier, code, name) {code, name},
#include "sim/svm-model/exit_codes.def"
#undef EXIT
};
const unsigned int svm_exit_row_count = ARRAY_SIZE(svm_exit_rows);

/* Runs of codes, whose names count up. */
static const struct {
	u16 first, last;
	const char *format;
} runs[] = {
	{0x00, 0x0f, "VMEXIT_CR%u_READ"}, {0x10, 0x1f, "VMEXIT_CR%u_WRITE"},
	{0x20, 0x2f, "VMEXIT_DR%u_READ"}, {0x30, 0x3f, "VMEXIT_DR%u_WRITE"},
	{0x40, 0x5f, "VMEXIT_EXCP%u"},    {0x90, 0x9f, "VMEXIT_CR%u_WRITE_TRAP"},
};

const char *svm_exit_name(u64 code, char text[32])
{
	for (unsigned int i = 0; i < ARRAY_SIZE(runs); i++)
		if (code >= runs[i].first && code <= runs[i].last) {
			snprintf(text, 32, runs[i].format, (unsigned int)(code - runs[i].first));
			return text;
		}
	for (unsigned int i = 0; i < svm_exit_row_count; i++)
		if (svm_exit_rows[i].code == code)
			return svm_exit_rows[i].name;
	return NULL;
}

u64 svm_exit_last(u64 code)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(runs); i++)
		if (code == runs[i].first)
			return runs[i].last;
	return code;
}
