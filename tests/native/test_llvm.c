/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decoder against llvm-mc 19: are the same bytes an instruction, and is it as long? Every
 * sample is a block of its own, behind a MOV that carries its number. A sample that we decode is
 * cut to our length: LLVM has to print one instruction and have nothing left over. One that we
 * call undefined has to be invalid to LLVM from its first byte.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/native/llvm.h"

#define EXIT_SKIPPED 77
#define SAMPLE_BYTES 15u
#define SAMPLES_MAX  60000u
#define SHOWN_MAX    40u

struct sample {
	u8 bytes[SAMPLE_BYTES], length; /* length: ours, or all of them if undefined */
	bool valid;
	const struct opcode_row *row;
	unsigned int printed; /* instructions by LLVM */
	bool left_over;       /* invalid bytes after the first instruction, or at once */
	char mnemonic[24];
};

struct check {
	unsigned int bits, samples;
	u64 seed;
	struct rng rng;
	struct sample *sample;
	u32 features[FEATURE_WORDS];
	bool exhaustive;
	u32 next; /* of the exhaustive samples */
};

static const char *const tools[] = {"llvm-mc-19", "/usr/lib/llvm-19/bin/llvm-mc"};

static const char *find_tool(void)
{
	char command[128];

	for (unsigned int n = 0; n < ARRAY_SIZE(tools); n++) {
		snprintf(command, sizeof(command), "%s --version >/dev/null 2>&1", tools[n]);
		if (system(command) == 0)
			return tools[n];
	}
	return NULL;
}

static void random_bytes(struct check *check, u8 *bytes)
{
	static const u8 starts[] = {0x66, 0xf2, 0xf3, 0x67, 0x0f, 0xc4, 0xc5, 0x48, 0x41, 0x0f};
	unsigned int n, prefixes = rng_below(&check->rng, 3);

	for (n = 0; n < SAMPLE_BYTES; n++)
		bytes[n] = (u8)rng_next(&check->rng);
	for (n = 0; n < prefixes; n++)
		bytes[n] = starts[rng_below(&check->rng, ARRAY_SIZE(starts))];
	if (prefixes && bytes[prefixes - 1] == 0x0f && rng_chance(&check->rng, 3))
		bytes[prefixes] = rng_chance(&check->rng, 2) ? 0x38 : 0x3a;
}

/* A row's encoding, half of them with one byte changed. */
static void mutated_bytes(struct check *check, u8 *bytes)
{
	struct encoding encoding;
	struct variant variants[12];
	unsigned int count;

	random_bytes(check, bytes);
	do {
		const struct opcode_form *form =
			&opcode_forms[rng_below(&check->rng, opcode_row_count)];

		count = encode_variants(form, check->bits, variants);
		if (count && encode(form, &variants[rng_below(&check->rng, count)], check->features,
				    false, &check->rng, &encoding)) {
			memcpy(bytes, encoding.bytes, encoding.length);
			if (rng_chance(&check->rng, 2))
				bytes[rng_below(&check->rng, encoding.length)] =
					(u8)rng_next(&check->rng);
			return;
		}
	} while (true);
}

/*
 * Completeness: every opcode of every map with every mandatory prefix and every ModRM.reg, in
 * memory and register form, and all of ModRM where rm is part of the opcode. What LLVM takes and
 * we do not has to be in the list of what is not ours. False past the last.
 */
#define LEGACY_SAMPLES (4u * 4 * 256 * 16)
#define FIXED_SAMPLES  (4u * 9 * 64)
#define VEX_SAMPLES    (3u * 4 * 2 * 2 * 256 * 16)

static void legacy_sample(u32 index, u8 *to)
{
	static const u8 mandatory[] = {0, 0x66, 0xf3, 0xf2};
	u8 modrm = (u8)((index & 7) << 3 | (index & 8 ? 0xc0 : 0)), opcode = (u8)(index >> 4);
	u8 map = index >> 12 & 3, prefix = index >> 14 & 3;

	if (prefix)
		*to++ = mandatory[prefix];
	if (map)
		*to++ = 0x0f;
	if (map > 1)
		*to++ = map == 2 ? 0x38 : 0x3a;
	*to++ = opcode;
	*to = modrm;
}

static void fixed_sample(u32 index, u8 *to)
{
	static const u8 mandatory[] = {0, 0x66, 0xf3, 0xf2};
	u8 modrm = 0xc0 | (index & 63), group = (u8)(index / 64 % 9), prefix = (u8)(index / 64 / 9);

	if (prefix)
		*to++ = mandatory[prefix];
	if (group == 8)
		*to++ = 0x0f;
	*to++ = group == 8 ? 0x01 : 0xd8 + group;
	*to = modrm;
}

static void vex_sample(u32 index, u8 *to)
{
	u8 modrm = (u8)((index & 7) << 3 | (index & 8 ? 0xc0 : 0)), opcode = (u8)(index >> 4);
	u8 low = index >> 12 & 15; /* L, W, pp */

	to[0] = 0xc4;
	to[1] = (u8)(0xe0 | (1 + index / 65536));
	to[2] = (u8)((low & 1) << 7 | 0x78 | (low >> 1 & 1) << 2 | low >> 2);
	to[3] = opcode;
	to[4] = modrm;
}

static bool enumerate(struct check *check, u8 *bytes)
{
	u32 index = check->next++;

	memset(bytes, 0, SAMPLE_BYTES);
	if (index < LEGACY_SAMPLES)
		legacy_sample(index, bytes);
	else if ((index -= LEGACY_SAMPLES) < FIXED_SAMPLES)
		fixed_sample(index, bytes);
	else if ((index -= FIXED_SAMPLES) < VEX_SAMPLES && check->bits == 64)
		vex_sample(index, bytes);
	else
		return false;
	return true;
}

static bool make_sample(struct check *check, struct sample *sample)
{
	static const u32 modes[] = {MODE_CODE16, MODE_CODE32, MODE_CODE64};
	const struct decode_environment env = {
		.mode = modes[check->bits / 32] | MODE_PROTECTED | MODE_OSFXSR | MODE_AVX,
		.feature = check->features,
	};
	struct op op;
	struct instruction insn = {.op = &op};

	if (check->exhaustive) {
		if (!enumerate(check, sample->bytes))
			return false;
	} else if (rng_chance(&check->rng, 2))
		random_bytes(check, sample->bytes);
	else
		mutated_bytes(check, sample->bytes);
	sample->valid = decode_instruction(&env, sample->bytes, SAMPLE_BYTES, &insn) == DECODE_OK;
	sample->length = sample->valid ? insn.op->length : SAMPLE_BYTES;
	sample->row = sample->valid ? insn.row : NULL;
	return true;
}

/* As many samples as one run of llvm-mc takes; false if there are no more. */
static bool make_samples(struct check *check, u32 wanted)
{
	memset(check->sample, 0, wanted * sizeof(*check->sample));
	for (check->samples = 0; check->samples < wanted; check->samples++)
		if (!make_sample(check, &check->sample[check->samples]))
			break;
	return check->samples;
}

/* Line 2n + 1 is the marker of sample n, line 2n + 2 the sample. */
static void write_samples(const struct check *check, FILE *to)
{
	for (u32 n = 0; n < check->samples; n++) {
		const struct sample *sample = &check->sample[n];

		fprintf(to, "[0xb8,0x%02x,0x%02x", n & 0xff, n >> 8);
		fprintf(to, check->bits == 16 ? "]\n[" : ",0x00,0x00]\n[");
		for (unsigned int i = 0; i < sample->length; i++)
			fprintf(to, i ? ",0x%02x" : "0x%02x", sample->bytes[i]);
		fprintf(to, "]\n");
	}
}

/* The instruction behind the prefixes that LLVM prints before it, on its line or on their own. */
static const char *skip_prefixes(const char *text)
{
	static const char *const prefixes[] = {"lock",   "rep",    "repne", "data16",   "data32",
					       "addr16", "addr32", "rex64", "xacquire", "xrelease",
					       "cs",     "ds",     "es",    "fs",       "gs",
					       "ss",     "notrack"};
	unsigned int n;

	do {
		size_t length = strcspn(text, " \t\n");

		for (n = 0; n < ARRAY_SIZE(prefixes); n++)
			if (strlen(prefixes[n]) == length && !strncmp(text, prefixes[n], length))
				break;
		if (n == ARRAY_SIZE(prefixes))
			return text;
		text += length;
		text += strspn(text, " \t");
	} while (*text != '\n');
	return text;
}

static void read_output(struct check *check, FILE *from)
{
	struct sample *current = NULL;
	unsigned int next = 0;
	char line[512];

	while (fgets(line, sizeof(line), from)) {
		const char *text = line + strspn(line, " \t");
		unsigned int number, expected = check->bits == 16 ? (u16)next : next;
		const char *marker = check->bits == 16 ? "movw" : "movl";

		if (*text == '.' || *text == '\n' || *text == '#')
			continue;
		if (!strncmp(text, marker, 4) && sscanf(text + 4, " $%i", (int *)&number) == 1 &&
		    strstr(text, check->bits == 16 ? "%ax" : "%eax") && next < check->samples &&
		    (check->bits == 16 ? (u16)number : number) == expected) {
			current = &check->sample[next++];
			continue;
		}
		if (!current)
			continue;
		text = skip_prefixes(text);
		if (*text == '\n')
			continue;
		if (!current->printed++)
			snprintf(current->mnemonic, sizeof(current->mnemonic), "%.*s",
				 (int)strcspn(text, " \t\n"), text);
	}
	if (next != check->samples) {
		printf("llvm-mc printed %u of %u samples\n", next, check->samples);
		exit(2);
	}
}

static void read_warnings(struct check *check, FILE *from)
{
	char line[1024];
	unsigned int number;

	while (fgets(line, sizeof(line), from))
		if (sscanf(line, "%*[^:]:%u:", &number) == 1 && strstr(line, "warning") &&
		    number % 2 == 0 && number / 2 <= check->samples)
			check->sample[number / 2 - 1].left_over = true;
}

static void ask(struct check *check, const char *tool)
{
	static const char *const triples[] = {"i386-unknown-unknown-code16", "i386", "x86_64"};
	char folder[] = "/tmp/lockstep-llvm-XXXXXX", path[3][64], command[512];
	FILE *file;

	if (!mkdtemp(folder))
		exit(2);
	for (unsigned int n = 0; n < 3; n++)
		snprintf(path[n], sizeof(path[n]), "%s/%u", folder, n);
	file = fopen(path[0], "w");
	write_samples(check, file);
	fclose(file);
	snprintf(command, sizeof(command), "%s --disassemble -triple=%s %s >%s 2>%s", tool,
		 triples[check->bits / 32], path[0], path[1], path[2]);
	if (system(command) < 0) /* its exit status tells of invalid samples: expected */
		exit(2);
	file = fopen(path[1], "r");
	read_output(check, file);
	fclose(file);
	file = fopen(path[2], "r");
	read_warnings(check, file);
	fclose(file);
	for (unsigned int n = 0; n < 3; n++)
		unlink(path[n]);
	rmdir(folder);
}

static const char *judge(const struct sample *sample)
{
	if (!sample->valid)
		return sample->printed ? "only LLVM takes it" : NULL;
	if (!sample->printed)
		return "LLVM calls it invalid, or longer";
	if (sample->printed > 1 || sample->left_over)
		return "LLVM calls it shorter";
	return NULL;
}

static bool report(const struct check *check)
{
	u64 valid = 0, known = 0, bad = 0, not_ours = 0;

	for (u32 n = 0; n < check->samples; n++) {
		const struct sample *sample = &check->sample[n];
		const char *difference = judge(sample);

		valid += sample->valid;
		if (!difference)
			continue;
		if (!sample->valid && llvm_not_ours(sample->mnemonic)) {
			not_ours++;
			continue;
		}
		if (llvm_quirk(sample->bytes, check->bits, sample->row, check->features)) {
			known++;
			continue;
		}
		if (bad++ >= SHOWN_MAX)
			continue;
		printf("MISMATCH %u-bit code:", check->bits);
		for (unsigned int i = 0; i < sample->length; i++)
			printf(" %02x", sample->bytes[i]);
		printf("  ours: %s [%s]; LLVM: %s; %s\n",
		       sample->row ? sample->row->mnemonic : "#UD",
		       sample->row ? sample->row->encoding : "", sample->mnemonic, difference);
	}
	printf("%u-bit code: %u samples, %llu of them instructions, %llu outside the table, %llu "
	       "known "
	       "differences, %llu mismatches\n",
	       check->bits, check->samples, (unsigned long long)valid, (unsigned long long)not_ours,
	       (unsigned long long)known, (unsigned long long)bad);
	return !bad;
}

static bool run_size(struct check *check, const char *tool, unsigned int wanted)
{
	bool good = true;

	check->rng.state = check->seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	check->next = 0;
	check->sample = calloc(wanted, sizeof(*check->sample));
	while (make_samples(check, wanted)) {
		ask(check, tool);
		good &= report(check);
		if (!check->exhaustive)
			break;
	}
	free(check->sample);
	return good;
}

int main(int argc, char **argv)
{
	static const unsigned int sizes[] = {64, 32, 16};
	static const struct option longs[] = {{"samples", required_argument, NULL, 'n'},
					      {"seed", required_argument, NULL, 's'},
					      {"exhaustive", no_argument, NULL, 'e'},
					      {0}};
	const char *tool = find_tool();
	struct check check = {.seed = 1};
	unsigned int wanted = 20000;
	bool good = true;
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (option == 'n')
			wanted = (unsigned int)strtoul(optarg, NULL, 0);
		else if (option == 's')
			check.seed = strtoull(optarg, NULL, 0);
		else if (option == 'e')
			check.exhaustive = true;
		else
			return 2;
	}
	if (!tool) {
		printf("skipped: no llvm-mc-19 (Debian's package llvm-19)\n");
		return EXIT_SKIPPED;
	}
	if (check.exhaustive || !wanted || wanted > SAMPLES_MAX)
		wanted = SAMPLES_MAX;
	memset(check.features, 0xff, sizeof(check.features));
	for (unsigned int n = 0; n < (check.exhaustive ? 2 : ARRAY_SIZE(sizes)); n++) {
		check.bits = sizes[n];
		good &= run_size(&check, tool, wanted);
	}
	return good ? 0 : 1;
}
