/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/expected/expected.h"

#include <cpuid.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

const struct expected_row expected_rows[] = {
#define BY_EXIT(...) EXIT_ROW(__VA_ARGS__)
#define BY_STEP(...) STEP_ROW(__VA_ARGS__)
#define EXIT_ROW(engine, version, test, field, relation, a, b, why)                                \
	{engine, version, false, #test, NULL, field, relation, a, b, why},
#define STEP_ROW(engine, version, test, instruction, field, relation, a, b, why)                   \
	{engine, version, true, #test, instruction, field, relation, a, b, why},
#define IS(ref, dut) EXPECTED_IS, ref, dut
#define FLIPS(bits)  EXPECTED_FLIPS, bits, 0
#define MOVES(by)    EXPECTED_MOVES, (uint64_t)(by), 0
#define LACKS        EXPECTED_LACKS, 0, 0
#define WITHIN(bits) EXPECTED_WITHIN, bits, 0
#define OTHER        EXPECTED_OTHER, 0, 0
#define STEPPED      EXPECTED_STEPPED
#define NONE         EXPECTED_NONE
#define RAN_ON       EXPECTED_RAN_ON
#include "tools/diff/expected/expected.def"
	{0},
};
const unsigned int expected_count = G_N_ELEMENTS(expected_rows) - 1;

/* What this kernel's KVM runs guests by: it is no better than what it runs on (CPUID 40000000H). */
static const char *below(void)
{
	unsigned int a, b, c, d, extended;

	__cpuid(0x80000001, a, b, extended, d);
	__cpuid(1, a, b, c, d);
	if (!(c & 1u << 5) && !(extended & 1u << 2))
		return "without VMX and SVM";
	if (!(c & 1u << 31))
		return "on hardware";
	__cpuid(0x40000000, a, b, c, d);
	return b == 0x54474354 ? "on TCG" : "on a hypervisor"; /* "TCGT" */
}

/* "AuthenticAMD" */
static char *host_vendor(void)
{
	unsigned int a, name[3];

	__cpuid(0, a, name[0], name[2], name[1]);
	return g_strndup((const char *)name, sizeof(name));
}

/* "QEMU 7.2", of the program that the engine starts. */
static char *qemu_version(void)
{
	const char *const words[] = {"qemu-system-x86_64", "--version", NULL};
	g_autofree char *text = NULL;
	unsigned int major = 0, minor = 0;

	if (g_spawn_sync(NULL, (char **)words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &text, NULL,
			 NULL, NULL))
		sscanf(text, "QEMU emulator version %u.%u", &major, &minor);
	return g_strdup_printf("QEMU %u.%u", major, minor);
}

char *expected_version(const char *engine)
{
	struct utsname name;
	unsigned int major = 0, minor = 0;

	if (!strcmp(engine, "native"))
		return host_vendor();
	if (!strcmp(engine, "qemu"))
		return qemu_version();
	if (strcmp(engine, "kvm"))
		return g_strdup(LOCKSTEP_VERSION);
	uname(&name);
	sscanf(name.release, "%u.%u", &major, &minor);
	return g_strdup_printf("Linux %u.%u %s", major, minor, below());
}

bool expected_applies(const struct expected_row *row, const struct expected_run *run)
{
	return row->step == run->step && !strcmp(row->engine, run->engine) &&
	       !strcmp(row->version, run->version) && !strcmp(row->test, run->test);
}

static bool holds(const struct expected_row *row, uint64_t ref, uint64_t dut)
{
	switch (row->relation) {
	case EXPECTED_IS:
		return ref == row->a && dut == row->b;
	case EXPECTED_FLIPS:
		return (ref ^ dut) == row->a;
	case EXPECTED_MOVES:
		return dut - ref == row->a;
	case EXPECTED_LACKS:
		return ref && !dut;
	case EXPECTED_OTHER:
		return ref != dut;
	default:
		return !((ref ^ dut) & ~row->a);
	}
}

int expected_find(const struct expected_run *run, const struct expected_difference *difference)
{
	for (unsigned int i = 0; i < expected_count; i++) {
		const struct expected_row *row = &expected_rows[i];

		if (expected_applies(row, run) && !strcmp(row->field, difference->field) &&
		    (!row->step || !g_strcmp0(row->instruction, difference->instruction)) &&
		    holds(row, difference->ref, difference->dut))
			return (int)i;
	}
	return -1;
}

static char *value_text(uint64_t value)
{
	switch (value) {
	case EXPECTED_STEPPED:
		return g_strdup("a step");
	case EXPECTED_NONE:
		return g_strdup("none");
	case EXPECTED_RAN_ON:
		return g_strdup("the next exit");
	default:
		return g_strdup_printf("0x%" PRIx64, value);
	}
}

char *expected_text(const struct expected_row *row)
{
	g_autofree char *a = value_text(row->a), *b = value_text(row->b);

	switch (row->relation) {
	case EXPECTED_IS:
		return g_strdup_printf("%s, %s where the reference has %s", row->field, b, a);
	case EXPECTED_FLIPS:
		return g_strdup_printf("%s, just bits 0x%" PRIx64, row->field, row->a);
	case EXPECTED_MOVES:
		return g_strdup_printf("%s, off by %" PRId64, row->field, (int64_t)row->a);
	case EXPECTED_LACKS:
		return g_strdup_printf("%s, 0 where the reference has something", row->field);
	case EXPECTED_OTHER:
		return g_strdup(row->field);
	default:
		return g_strdup_printf("%s, bits within 0x%" PRIx64, row->field, row->a);
	}
}
