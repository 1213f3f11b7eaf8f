/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/instruction.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "sim/cpu/decode.h"
#include "sim/cpu/opcode_flags.h"

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static bool is_mnemonic(const char *name)
{
	for (unsigned int n = 0; n < opcode_row_count; n++)
		if (!strcmp(opcode_rows[n].mnemonic, name))
			return true;
	return false;
}

/* Rows whose titles have a condition code: Jcc, CMOVcc, FCMOVcc, SETcc, LOOPcc. */
static const char *conditional_title(const struct opcode_row *row)
{
	static const char *const titles[][2] = {
		{"cmov", "CMOVcc"}, {"fcmov", "FCMOVcc"}, {"loop", "LOOP/LOOPcc"}};

	if (begins(row->encoding, "0F 9") && begins(row->mnemonic, "set"))
		return "SETcc";
	if (row->mnemonic[0] == 'j' && strcmp(row->mnemonic, "jmp"))
		return "Jcc";
	for (size_t n = 0; n < sizeof(titles) / sizeof(titles[0]); n++)
		if (begins(row->mnemonic, titles[n][0]))
			return titles[n][1];
	return NULL;
}

/* SDM 2 goes by the alphabet; a VEX form stands under the name of the older one, if there is one.
 */
static const char *volume_of(const struct opcode_row *row, const char *title)
{
	if (row->gate == FEATURE_SVM)
		return "APM 3";
	if (row->gate == FEATURE_VMX)
		return "SDM 3C:31.3";
	return title[0] <= 'L'   ? "SDM 2A"
	       : title[0] <= 'U' ? "SDM 2B"
	       : title[0] == 'V' ? "SDM 2C"
				 : "SDM 2D";
}

static void name_place(const struct opcode_row *row, struct ls_instruction *instruction)
{
	const char *conditional = conditional_title(row), *name = row->mnemonic;
	char title[24] = "";

	if (name[0] == 'v' && is_mnemonic(name + 1))
		name++;
	snprintf(title, sizeof(title), "%s", conditional ? conditional : name);
	for (char *at = title; !conditional && *at; at++)
		*at = (char)toupper((unsigned char)*at);
	snprintf(instruction->manual, sizeof(instruction->manual), "%s %s", volume_of(row, title),
		 title);
}

void instruction_describe(const struct cpu *cpu, const u8 *bytes, unsigned int size,
			  struct ls_instruction *instruction)
{
	struct decode_environment environment = {cpu->mode & ~(u32)MODE_ENDBRANCH, cpu->feature,
						 cpu->amd};
	struct op op;
	struct instruction decoded = {.op = &op};

	decode_instruction(&environment, bytes, size, &decoded);
	*instruction = (struct ls_instruction){.length = op.length};
	if (!decoded.row)
		return;
	instruction->mnemonic = decoded.row->mnemonic;
	instruction->encoding = decoded.row->encoding;
	instruction->undefined = decoded.row->undefined;
	instruction->varies = decoded.row->flags & VARIES;
	name_place(decoded.row, instruction);
}
