/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host-CPU differential: every user-mode row of the opcode table, in every form, with random
 * operands, here and in the interpreter. Exit status 0 if all agree, 1 if not, 77 if this host
 * can't run it.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cpu/model.h"
#include "tests/native/native.h"

#define EXIT_SKIPPED 77
#define SHOWN_MAX    3 /* mismatches printed a form */

struct options {
	u64 cases, seed;
	const char *row;
	unsigned int bits;
	bool forever;
};

struct totals {
	u64 forms, cases, mismatches, excluded, forms_bad;
	u64 lacked, faults;
};

struct run {
	struct options options;
	struct host *host;
	struct guest *guest;
	struct batch *batch;
	u32 features[FEATURE_WORDS];
	struct rng rng;
	struct totals totals;
};

static bool has_feature(const u32 *features, u16 gate)
{
	return gate == FEATURE_BASE || (features[gate / 32] >> gate % 32 & 1);
}

static void print_form(FILE *out, const struct opcode_form *form, const struct variant *variant)
{
	const struct opcode_row *row = &opcode_rows[form->row];

	fprintf(out, "%s [%s] %s, %u-bit code%s%s", row->mnemonic, row->encoding,
		variant->memory ? "memory" : "register", variant->bits,
		variant->width == 1   ? ", 16-bit operands"
		: variant->width == 2 ? ", 32-bit operands"
		: variant->width == 3 ? ", 64-bit operands"
				      : "",
		variant->lock ? ", locked" : "");
}

static void print_reproducer(const struct run *run, const struct encoding *e,
			     const struct native_case *item)
{
	const u8 *area = item->in.xsave;
	unsigned int n;

	printf("    bytes");
	for (n = 0; n < e->length; n++)
		printf(" %02x", e->bytes[n]);
	printf("  (--bits %u --row %s --seed %llu)\n    in: rflags %llx", e->bits, e->row->mnemonic,
	       (unsigned long long)run->options.seed, (unsigned long long)item->in.rflags);
	for (n = 0; n < 16; n++)
		printf(" r%u=%llx", n, (unsigned long long)item->in.gpr[n]);
	printf("\n    in: fcw %02x%02x fsw %02x%02x tags %02x mxcsr %02x%02x", area[1], area[0],
	       area[3], area[2], area[4], area[25], area[24]);
	for (n = 0; n < 16; n++) {
		u64 q[4];

		memcpy(q, area + 160 + 16 * n, 16);
		memcpy(q + 2, area + 576 + 16 * n, 16);
		if (e->row->flags & (SSE | AVX))
			printf(" ymm%u=%016llx_%016llx_%016llx_%016llx", n,
			       (unsigned long long)q[3], (unsigned long long)q[2],
			       (unsigned long long)q[1], (unsigned long long)q[0]);
	}
	for (n = 0; n < 8 && (e->row->flags & (X87 | MMX)); n++) {
		u64 mantissa;
		u16 exponent;

		memcpy(&mantissa, area + 32 + 16 * n, 8);
		memcpy(&exponent, area + 40 + 16 * n, 2);
		printf(" st%u=%04x:%016llx", n, exponent, (unsigned long long)mantissa);
	}
	putchar('\n');
}

static void judge(struct run *run, const struct opcode_form *form, const struct variant *variant,
		  u64 *bad)
{
	struct batch *batch = run->batch;
	u32 loaded = BATCH_ENCODINGS;

	for (u32 n = 0; n < batch->cases; n++) {
		struct native_case *item = &batch->item[n];
		const struct encoding *e = &batch->encoding[item->encoding];

		if (item->encoding != loaded)
			guest_load(run->guest, e);
		loaded = item->encoding;
		guest_run(run->guest, e, &item->in, &item->guest);
		run->totals.faults += item->host.vector != NO_FAULT;
		if (compare(e, item, NULL))
			continue;
		if (++*bad > SHOWN_MAX)
			continue;
		printf("MISMATCH ");
		print_form(stdout, form, variant);
		printf("\n");
		compare(e, item, stdout);
		print_reproducer(run, e, item);
	}
	run->totals.cases += batch->cases;
}

/* False if the variant has no encoding of its own. */
static bool fill_batch(struct run *run, const struct opcode_form *form,
		       const struct variant *variant, u64 cases)
{
	struct batch *batch = run->batch;

	batch->cases = cases < BATCH_CASES ? (u32)cases : BATCH_CASES;
	for (u32 n = 0; n < BATCH_ENCODINGS; n++)
		if (!encode(form, variant, guest_features(run->guest), host_is_amd(),
			    &run->rng, &batch->encoding[n]))
			return false;
	for (u32 n = 0; n < batch->cases; n++) {
		struct native_case *item = &batch->item[n];

		item->encoding = n * BATCH_ENCODINGS / batch->cases;
		generate(&batch->encoding[item->encoding], &run->rng, &item->in);
	}
	return true;
}

static void run_variant(struct run *run, const struct opcode_form *form,
			const struct variant *variant)
{
	u64 left, bad = 0;

	for (left = run->options.cases; left; left -= run->batch->cases) {
		if (!fill_batch(run, form, variant, left)) {
			if (left == run->options.cases)
				return; /* another row's bytes, or none at all */
			break;
		}
		if (host_run(run->host)) {
			judge(run, form, variant, &bad);
			continue;
		}
		printf("MISMATCH ");
		print_form(stdout, form, variant);
		printf(": the host's child died\n");
		print_reproducer(
			run, &run->batch->encoding[run->batch->item[run->batch->running].encoding],
			&run->batch->item[run->batch->running]);
		bad++;
	}
	run->totals.forms++;
	run->totals.mismatches += bad;
	if (bad) {
		run->totals.forms_bad++;
		printf("  ");
		print_form(stdout, form, variant);
		printf(": %llu of %llu cases differ\n", (unsigned long long)bad,
		       (unsigned long long)run->options.cases);
	}
}

static void run_form(struct run *run, const struct opcode_form *form, unsigned int bits)
{
	const struct opcode_row *row = &opcode_rows[form->row];
	struct variant variants[12];
	unsigned int count, n;

	if (!(row->flags & USER) || (run->options.row && strcmp(run->options.row, row->mnemonic)))
		return;
	count = encode_variants(form, bits, variants);
	if (!has_feature(run->features, row->gate)) {
		if (count)
			printf("host lacks %s: %s [%s]\n", feature_infos[row->gate].name,
			       row->mnemonic, row->encoding);
		run->totals.lacked += count;
		return;
	}
	for (n = 0; n < count; n++) {
		const char *reason = exclude_reason(form);

		if (!reason) {
			run_variant(run, form, &variants[n]);
			continue;
		}
		run->totals.excluded++;
		if (run->options.row) {
			print_form(stdout, form, &variants[n]);
			printf(": not compared: %s\n", reason);
		}
	}
}

static void run_all(struct run *run)
{
	unsigned int n;

	/* The forms stand in the order of the rows, one each. */
	for (n = 0; n < opcode_row_count; n++)
		run_form(run, &opcode_forms[n], run->options.bits);
}

static void parse_options(struct options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{"cases", required_argument, NULL, 'c'},
		{"row", required_argument, NULL, 'r'},
		{"seed", required_argument, NULL, 's'},
		{"bits", required_argument, NULL, 'b'},
		{"forever", no_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->cases = strtoull(optarg, NULL, 0);
			break;
		case 'r':
			options->row = optarg;
			break;
		case 's':
			options->seed = strtoull(optarg, NULL, 0);
			break;
		case 'b':
			options->bits = (unsigned int)strtoul(optarg, NULL, 0);
			break;
		case 'f':
			options->forever = true;
			break;
		default:
			printf("native_differential [--cases N] [--row MNEMONIC] [--seed N] "
			       "[--bits 16|32|64] [--forever]\n");
			exit(option == 'h' ? 0 : 2);
		}
	}
	if (!options->seed)
		options->seed = 1;
}

static void print_totals(const struct run *run)
{
	const struct totals *totals = &run->totals;

	printf("%u-bit code: %llu forms compared, %llu lacked by this host, %llu not comparable, "
	       "%llu cases (%llu of them faults), %llu mismatches in %llu forms (seed %llu)\n",
	       run->options.bits, (unsigned long long)totals->forms,
	       (unsigned long long)totals->lacked, (unsigned long long)totals->excluded,
	       (unsigned long long)totals->cases, (unsigned long long)totals->faults,
	       (unsigned long long)totals->mismatches, (unsigned long long)totals->forms_bad,
	       (unsigned long long)run->options.seed);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct run *run = calloc(1, sizeof(*run));
	bool good = true;

	run->options = (struct options){.cases = 1000, .seed = 1, .bits = 64};
	parse_options(&run->options, argc, argv);
	host_features(run->features);
	if (!has_feature(run->features, FEATURE_AVX) ||
	    !has_feature(run->features, FEATURE_XSAVE)) {
		printf("skipped: this host has no AVX\n");
		return EXIT_SKIPPED;
	}
	run->guest = guest_open();
	run->host = host_open(&run->batch);
	if (!run->host) {
		printf("skipped: no child process: %s\n", strerror(errno));
		return EXIT_SKIPPED;
	}
	do {
		memset(&run->totals, 0, sizeof(run->totals));
		run->rng.state = run->options.seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
		run_all(run);
		print_totals(run);
		good &= !run->totals.mismatches && run->totals.forms;
		run->options.seed++;
	} while (run->options.forever);
	host_close(run->host);
	guest_close(run->guest);
	free(run);
	return good ? 0 : 1;
}
