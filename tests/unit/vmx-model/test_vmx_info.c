/* SPDX-License-Identifier: Apache-2.0 */
/* What the monitor is told of a processor with VMX. */
#include <stdlib.h>
#include <string.h>

#include "sim/vmx-model/explain.h"
#include "sim/vmx-model/vmx.h"
#include "tests/unit/check.h"
#include "tests/unit/printed.h"

static struct cpu *cpu;
static struct vmx vmx;

static void print_info(FILE *to)
{
	vmx_print_info(cpu, to);
}

static bool says(const char *what)
{
	return prints(print_info, what);
}

static void test_info(void)
{
	cpu = aligned_alloc(64, (sizeof(*cpu) + 63) & ~(size_t)63);
	memset(cpu, 0, sizeof(*cpu));
	cpu->virtualization = &vmx;
	CU_ASSERT(says("outside VMX operation"));
	vmx.on = true;
	vmx.current = VMCS_NONE;
	CU_ASSERT(says("VMX root operation"));
	CU_ASSERT(says("no current VMCS"));
	CU_ASSERT(says("refused entries: 0"));
	vmx.current = 0x5000;
	vmx.launched = true;
	vmx.value[VMCS_EXIT_REASON] = 0x80000021;
	vmx.failures = 2;
	strcpy(vmx.failure, "VM entry: exit 33");
	CU_ASSERT(says("current VMCS: 5000, launched"));
	CU_ASSERT(says("reason=80000021"));
	CU_ASSERT(says("refused entries: 2\nVM entry: exit 33"));
	cpu->guest = true;
	vmx.primary = 0x401e172;
	CU_ASSERT(says("VMX non-root operation"));
	CU_ASSERT(says("primary=0401e172"));
	vmx.secondary = 1u << 9;
	vmx.value[VMCS_GUEST_INTERRUPT_STATUS] = 0x5541;
	CU_ASSERT(says("RVI=41 SVI=55, none is recognized"));
	free(cpu);
}

static CU_TestInfo tests[] = {
	{"info", test_info},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("vmx.info", tests)
