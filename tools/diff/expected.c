/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/expected.h"

#include <cpuid.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

const struct expected_row expected_rows[] = {
#define EXPECTED(...) EXPECTED_ROW(__VA_ARGS__)
#define EXIT          false
#define STEP          true
#define EXPECTED_ROW(engine, version, step, test, field, bits, why)                                \
	{engine, version, step, #test, field, bits, why},
#include "tools/diff/expected.def"
#undef EXPECTED_ROW
#undef STEP
#undef EXIT
#undef EXPECTED
	{NULL, NULL, false, NULL, NULL, 0, NULL},
};
const unsigned int expected_count = G_N_ELEMENTS(expected_rows) - 1;

/* Under which hypervisor this kernel runs itself (CPUID 40000000H): KVM is no better than what it
 * runs on. */
static const char *below(void)
{
	unsigned int a, b, c, d;

	__cpuid(1, a, b, c, d);
	if (!(c & 1u << 31))
		return "hardware";
	__cpuid(0x40000000, a, b, c, d);
	return b == 0x54474354 ? "TCG" : "a hypervisor"; /* "TCGT" */
}

/* "AuthenticAMD" */
static char *host_vendor(void)
{
	unsigned int a, name[3];

	__cpuid(0, a, name[0], name[2], name[1]);
	return g_strndup((const char *)name, sizeof(name));
}

char *expected_version(const char *engine)
{
	struct utsname name;
	unsigned int major = 0, minor = 0;

	if (!strcmp(engine, "native"))
		return host_vendor();
	if (strcmp(engine, "kvm"))
		return g_strdup(LOCKSTEP_VERSION);
	uname(&name);
	sscanf(name.release, "%u.%u", &major, &minor);
	return g_strdup_printf("Linux %u.%u on %s", major, minor, below());
}

bool expected_applies(const struct expected_row *row, const struct expected_run *run)
{
	return row->step == run->step && !strcmp(row->engine, run->engine) &&
	       !strcmp(row->version, run->version) && !strcmp(row->test, run->test);
}

int expected_find(const struct expected_run *run, const char *field, uint64_t differing)
{
	for (unsigned int i = 0; i < expected_count; i++) {
		const struct expected_row *row = &expected_rows[i];

		if (!strcmp(row->field, field) && !(differing & ~row->bits) &&
		    expected_applies(row, run))
			return (int)i;
	}
	return -1;
}
