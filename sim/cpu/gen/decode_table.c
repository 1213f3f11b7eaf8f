/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Build-time tool: parses the encodings and operands of opcodes.def, proves that no two rows
 * claim the same instruction, and prints decode_table.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cpu/opcode_flags.h"
#include "sim/cpu/opcode_table.h"

struct source_row {
	const char *mnemonic, *encoding, *operands, *gate;
	u32 flags;
};

static const struct source_row rows[] = {
#define INSN(mnemonic, encoding, operands, gate, flags, reads, writes, undefined, body)            \
	{mnemonic, encoding, operands, #gate, flags},
#include "sim/cpu/opcodes.def"
#undef INSN
};

static struct opcode_form forms[ARRAY_SIZE(rows)];

_Noreturn static void fail(const struct source_row *row, const char *why)
{
	fprintf(stderr, "opcodes.def: %s \"%s\" \"%s\": %s\n", row->mnemonic, row->encoding,
		row->operands, why);
	exit(1);
}

static bool hex_byte(const char *token, unsigned int *value)
{
	char *end;

	if (strlen(token) < 2 || !strchr("0123456789ABCDEF", token[0]) ||
	    !strchr("0123456789ABCDEF", token[1]))
		return false;
	*value = strtoul((char[]){token[0], token[1], 0}, &end, 16);
	return token[2] == 0 || token[2] == '+';
}

static void parse_vex(const struct source_row *row, struct opcode_form *form, char *token)
{
	char *save, *part;

	form->space = 1;
	form->prefix = PREFIX_NP;
	form->l = ANY;
	for (part = strtok_r(token + 4, ".", &save); part; part = strtok_r(NULL, ".", &save)) {
		if (!strcmp(part, "128") || !strcmp(part, "LZ") || !strcmp(part, "L0"))
			form->l = 0;
		else if (!strcmp(part, "256") || !strcmp(part, "L1"))
			form->l = 1;
		else if (!strcmp(part, "LIG"))
			form->l = ANY;
		else if (!strcmp(part, "NP"))
			form->prefix = PREFIX_NP;
		else if (!strcmp(part, "66"))
			form->prefix = PREFIX_66;
		else if (!strcmp(part, "F3"))
			form->prefix = PREFIX_F3;
		else if (!strcmp(part, "F2"))
			form->prefix = PREFIX_F2;
		else if (!strcmp(part, "0F"))
			form->map = 1;
		else if (!strcmp(part, "0F38"))
			form->map = 2;
		else if (!strcmp(part, "0F3A"))
			form->map = 3;
		else if (!strcmp(part, "W0"))
			form->w = 0;
		else if (!strcmp(part, "W1"))
			form->w = 1;
		else if (strcmp(part, "WIG"))
			fail(row, "unknown VEX part");
	}
}

static void parse_modrm(const struct source_row *row, struct opcode_form *form, const char *token)
{
	form->modrm = 1;
	if (token[1] >= '0' && token[1] <= '7')
		form->reg = token[1] - '0';
	else if (token[1] != 'r')
		fail(row, "ModRM is /r or /0 to /7");
	if (!token[2])
		return;
	if (!strcmp(token + 2, ":mem"))
		form->mod = MOD_MEM;
	else if (!strcmp(token + 2, ":reg"))
		form->mod = MOD_REG;
	else
		fail(row, "after ModRM only :mem or :reg");
}

static void parse_encoding(const struct source_row *row, struct opcode_form *form)
{
	static const char *const immediates[] = {"ib", "iw", "id", "io", "cb", "cw",
						 "cd", "cp", "is4", "imm8"};
	char text[128], *save, *token;
	bool have_opcode = false;
	unsigned int value;

	snprintf(text, sizeof(text), "%s", row->encoding);
	for (token = strtok_r(text, " ", &save); token; token = strtok_r(NULL, " ", &save)) {
		size_t i;

		for (i = 0; i < ARRAY_SIZE(immediates); i++)
			if (!strcmp(token, immediates[i]))
				break;
		if (i < ARRAY_SIZE(immediates))
			continue;
		if (!strncmp(token, "VEX.", 4)) {
			parse_vex(row, form, token);
		} else if (!strcmp(token, "NP")) {
			form->prefix = PREFIX_NP;
		} else if (!strcmp(token, "REX.W") || !strcmp(token, "W1")) {
			form->w = 1;
		} else if (!strcmp(token, "W0")) {
			form->w = 0;
		} else if (token[0] == '/') {
			parse_modrm(row, form, token);
		} else if (!hex_byte(token, &value)) {
			fail(row, "unknown word in the encoding");
		} else if (!have_opcode && form->map == 0 && form->space == 0 && value == 0x66) {
			form->prefix = PREFIX_66;
		} else if (!have_opcode && form->map == 0 && form->space == 0 && value == 0xf3) {
			form->prefix = PREFIX_F3;
		} else if (!have_opcode && form->map == 0 && form->space == 0 && value == 0xf2) {
			form->prefix = PREFIX_F2;
		} else if (!have_opcode && form->space == 0 && form->map == 0 && value == 0x0f) {
			form->map = 1;
		} else if (!have_opcode && form->space == 0 && form->map == 1 &&
			   (value == 0x38 || value == 0x3a)) {
			form->map = value == 0x38 ? 2 : 3;
		} else if (!have_opcode) {
			have_opcode = true;
			form->opcode = value;
			if (token[2] == '+')
				form->count = 8;
		} else {
			form->modrm = 1;
			form->mod = MOD_REG;
			form->reg = value >> 3 & 7;
			form->rm = value & 7;
			if (value < 0xc0)
				fail(row, "a fixed ModRM byte has mod = 3");
		}
	}
	if (!have_opcode)
		fail(row, "no opcode byte");
}

static const struct {
	char letter;
	u8 place;
} places[] = {
	{'G', PLACE_REG},    {'E', PLACE_RM},	   {'R', PLACE_RM_REG},	    {'M', PLACE_MEM},
	{'Z', PLACE_OPCODE}, {'B', PLACE_VVVV},	   {'I', PLACE_IMM},	    {'J', PLACE_REL},
	{'O', PLACE_MOFFS},  {'A', PLACE_FAR},	   {'S', PLACE_SREG},	    {'C', PLACE_CR},
	{'D', PLACE_DR},     {'V', PLACE_VREG},	   {'W', PLACE_VRM},	    {'U', PLACE_VRM_REG},
	{'H', PLACE_VVVVV},  {'L', PLACE_VIS4},	   {'P', PLACE_MMX_REG},    {'Q', PLACE_MMX_RM},
	{'N', PLACE_MMX_RM_REG}, {'X', PLACE_STRING_SOURCE}, {'Y', PLACE_STRING_TARGET},
};

static const struct {
	const char *name;
	u8 size;
} sizes[] = {
	{"", SIZE_NONE}, {"b", SIZE_B},	  {"w", SIZE_W},     {"d", SIZE_D},	{"q", SIZE_Q},
	{"v", SIZE_V},	 {"z", SIZE_Z},	  {"y", SIZE_Y},     {"dq", SIZE_DQ},	{"qq", SIZE_QQ},
	{"x", SIZE_X},	 {"ps", SIZE_X},  {"pd", SIZE_X},    {"ss", SIZE_SS},	{"sd", SIZE_SD},
	{"t", SIZE_T},	 {"p", SIZE_P},	  {"s", SIZE_S},     {"bs", SIZE_BS},	{"h", SIZE_HALF},
	{"f", SIZE_QUARTER}, {"e", SIZE_EIGHTH}, {"a", SIZE_A},
};

static const struct {
	const char *name;
	u8 place, size;
} named[] = {
	{"AL", PLACE_ACCUMULATOR, SIZE_B},  {"AX", PLACE_ACCUMULATOR, SIZE_W},
	{"EAX", PLACE_ACCUMULATOR, SIZE_D}, {"rAX", PLACE_ACCUMULATOR, SIZE_V},
	{"RAX", PLACE_ACCUMULATOR, SIZE_Q}, {"eAX", PLACE_ACCUMULATOR, SIZE_Z},
	{"STi", PLACE_STI, SIZE_NONE},	    {"CL", PLACE_FIXED, SIZE_B},
	{"CX", PLACE_FIXED, SIZE_W},	    {"rCX", PLACE_FIXED, SIZE_NONE},
	{"DX", PLACE_FIXED, SIZE_W},	    {"rDX", PLACE_FIXED, SIZE_NONE},
	{"1", PLACE_FIXED, SIZE_B},	    {"3", PLACE_FIXED, SIZE_B},
	{"ST0", PLACE_FIXED, SIZE_NONE},    {"XMM0", PLACE_FIXED, SIZE_DQ},
	{"ES", PLACE_FIXED, SIZE_W},	    {"CS", PLACE_FIXED, SIZE_W},
	{"SS", PLACE_FIXED, SIZE_W},	    {"DS", PLACE_FIXED, SIZE_W},
	{"FS", PLACE_FIXED, SIZE_W},	    {"GS", PLACE_FIXED, SIZE_W},
	{"AH", PLACE_FIXED, SIZE_B},
};

static void parse_operand(const struct source_row *row, const char *token,
			  struct opcode_operand *operand)
{
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(named); i++)
		if (!strcmp(token, named[i].name)) {
			*operand = (struct opcode_operand){named[i].place, named[i].size};
			return;
		}
	for (i = 0; i < ARRAY_SIZE(places); i++)
		if (token[0] == places[i].letter)
			for (j = 0; j < ARRAY_SIZE(sizes); j++)
				if (!strcmp(token + 1, sizes[j].name)) {
					*operand = (struct opcode_operand){places[i].place,
									   sizes[j].size};
					return;
				}
	fail(row, "unknown operand");
}

static void parse_operands(const struct source_row *row, struct opcode_form *form)
{
	char text[64], *save, *token;
	unsigned int n = 0;

	snprintf(text, sizeof(text), "%s", row->operands);
	for (token = strtok_r(text, ", ", &save); token; token = strtok_r(NULL, ", ", &save)) {
		if (n == OPERANDS_MAX)
			fail(row, "too many operands");
		parse_operand(row, token, &form->operand[n++]);
	}
}

static unsigned int specificity(const struct opcode_form *form)
{
	return (form->prefix != PREFIX_ANY) * 16 + (form->rm != ANY) * 8 + (form->reg != ANY) * 4 +
	       (form->mod != MOD_ANY) * 2 + (form->w != ANY);
}

/* M, U and N say by themselves which ModRM.mod they stand for. R does not: MOV to and from control
 * registers takes any. */
static void restrict_mod(struct opcode_form *form)
{
	size_t i;

	for (i = 0; i < OPERANDS_MAX && form->modrm && form->mod == MOD_ANY; i++) {
		u8 place = form->operand[i].place;

		if (place == PLACE_MEM)
			form->mod = MOD_MEM;
		else if (place == PLACE_VRM_REG || place == PLACE_MMX_RM_REG)
			form->mod = MOD_REG;
	}
}

static void parse_row(size_t i)
{
	struct opcode_form *form = &forms[i];

	*form = (struct opcode_form){.row = i, .count = 1, .prefix = PREFIX_ANY, .w = ANY, .l = ANY,
				     .mod = MOD_ANY, .reg = ANY, .rm = ANY};
	parse_encoding(&rows[i], form);
	parse_operands(&rows[i], form);
	restrict_mod(form);
	form->specificity = specificity(form);
}

static bool meets(u8 a, u8 b)
{
	return a == ANY || b == ANY || a == b;
}

/* Two rows clash if some instruction fits both and neither is plainly the narrower one. Rows of
 * different CPUID gates may stand for different processors. */
static bool clash(size_t i, size_t j)
{
	const struct opcode_form *a = &forms[i], *b = &forms[j];
	u32 modes = rows[i].flags | rows[j].flags;

	if (a->space != b->space || a->map != b->map || a->opcode >= b->opcode + b->count ||
	    b->opcode >= a->opcode + a->count)
		return false;
	if ((modes & I64) && (modes & O64))
		return false;
	if (strcmp(rows[i].gate, rows[j].gate))
		return false;
	return meets(a->prefix, b->prefix) && meets(a->w, b->w) && meets(a->l, b->l) &&
	       meets(a->mod, b->mod) && meets(a->reg, b->reg) && meets(a->rm, b->rm) &&
	       a->specificity == b->specificity;
}

static void prove_disjoint(void)
{
	bool bad = false;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		for (j = 0; j < i; j++)
			if (clash(i, j)) {
				fprintf(stderr, "opcodes.def: \"%s\" (%s) and \"%s\" (%s) overlap\n",
					rows[i].encoding, rows[i].mnemonic, rows[j].encoding,
					rows[j].mnemonic);
				bad = true;
			}
	if (bad)
		exit(1);
}

static void print_forms(void)
{
	size_t i, n;

	printf("const struct opcode_form opcode_forms[] = {\n");
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct opcode_form *f = &forms[i];

		printf("\t{%u, %u, %u, 0x%02x, %u, %u, %u, %u, %u, %u, %u, %u, %u, {", f->row,
		       f->space, f->map, f->opcode, f->count, f->prefix, f->w, f->l, f->modrm,
		       f->mod, f->reg, f->rm, f->specificity);
		for (n = 0; n < OPERANDS_MAX; n++)
			printf("{%u, %u}, ", f->operand[n].place, f->operand[n].size);
		printf("}}, /* %s */\n", rows[i].mnemonic);
	}
	printf("};\n");
}

static int by_specificity(const void *a, const void *b)
{
	const struct opcode_form *x = &forms[*(const u16 *)a], *y = &forms[*(const u16 *)b];

	return x->specificity != y->specificity ? y->specificity - x->specificity
						: x->row - y->row;
}

static void print_spans(void)
{
	unsigned int space, map, opcode, n, total = 0;
	static struct opcode_span spans[2][4][256];
	u16 list[ARRAY_SIZE(rows) + 1];
	size_t i;

	printf("const u16 opcode_candidates[] = {\n");
	for (space = 0; space < 2; space++)
		for (map = 0; map < 4; map++)
			for (opcode = 0; opcode < 256; opcode++) {
				for (i = n = 0; i < ARRAY_SIZE(rows); i++)
					if (forms[i].space == space && forms[i].map == map &&
					    opcode >= forms[i].opcode &&
					    opcode < forms[i].opcode + forms[i].count)
						list[n++] = i;
				qsort(list, n, sizeof(*list), by_specificity);
				for (i = 0; i < n; i++)
					printf("%u,%s", list[i], i + 1 == n ? "\n" : " ");
				spans[space][map][opcode] = (struct opcode_span){total, n};
				total += n;
			}
	printf("0};\nconst struct opcode_span opcode_spans[2][4][256] = {\n");
	for (space = 0; space < 2; space++) {
		printf("{");
		for (map = 0; map < 4; map++) {
			printf("{");
			for (opcode = 0; opcode < 256; opcode++)
				printf("{%u,%u},", spans[space][map][opcode].first,
				       spans[space][map][opcode].count);
			printf("},\n");
		}
		printf("},\n");
	}
	printf("};\n");
}

int main(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		parse_row(i);
	prove_disjoint();
	printf("/* Generated from opcodes.def. */\n");
	print_forms();
	print_spans();
	return 0;
}
