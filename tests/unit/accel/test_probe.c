/* SPDX-License-Identifier: Apache-2.0 */
/* The probe over the seam: on the reference engine, which passes, and on that engine hindered. */
#include <string.h>
#include <unistd.h>

#include "accel/probe.h"
#include "tests/unit/check.h"

#define LEAF1_ECX_CX16 (1u << 13)
#define LEAF1_EDX_CX8  (1u << 8)

static int without_cx16(struct ls_engine *engine, int handle, unsigned long request,
			unsigned long arg)
{
	struct kvm_cpuid2 *cpuid = (void *)arg;

	for (uint32_t i = 0; request == KVM_SET_CPUID2 && i < cpuid->nent; i++) {
		if (cpuid->entries[i].function != 1)
			continue;
		cpuid->entries[i].ecx &= ~LEAF1_ECX_CX16;
		cpuid->entries[i].edx &= ~LEAF1_EDX_CX8;
	}
	return ls_engine_sim.ioctl(engine, handle, request, arg);
}

/* A vCPU that goes nowhere until somebody stops it. */
static int without_progress(struct ls_engine *engine, int handle, unsigned long request,
			    unsigned long arg)
{
	if (request != KVM_RUN)
		return ls_engine_sim.ioctl(engine, handle, request, arg);
	while (!__atomic_load_n(&ls_engine_sim.mmap(engine, handle)->immediate_exit,
				__ATOMIC_SEQ_CST))
		usleep(1000);
	return -EINTR;
}

static int probe(struct ls_engine_ops *ops, struct ls_error *err)
{
	struct ls_engine *engine = ops->open(err);
	int ret;

	CU_ASSERT_PTR_NOT_NULL_FATAL(engine);
	engine->ops = ops;
	ret = accel_probe(engine, err);
	ops->close(engine, LS_SYSTEM);
	return ret;
}

static void test_passes(void)
{
	struct ls_engine_ops ops = ls_engine_sim;
	struct ls_error err = {0};

	CHECK_EQUAL(probe(&ops, &err), 0);
	CHECK_EQUAL(err.code, 0);
}

/* SDM 2A CMPXCHG16B: #UD without CPUID.01H:ECX.CMPXCHG16B; without an IDT that is a shutdown. */
static void test_instruction(void)
{
	struct ls_engine_ops ops = ls_engine_sim;
	struct ls_error err = {0};

	ops.ioctl = without_cx16;
	CHECK_EQUAL(probe(&ops, &err), -ENOTSUP);
	CHECK_ROW(strstr(err.text, "stops at CMPXCHG16B"), "'%s'", err.text);
}

static void test_time(void)
{
	struct ls_engine_ops ops = ls_engine_sim;
	struct ls_error err = {0};

	ops.ioctl = without_progress;
	CHECK_EQUAL(probe(&ops, &err), -ETIME);
	CHECK_ROW(strstr(err.text, "in a second"), "'%s'", err.text);
}

static CU_TestInfo tests[] = {
	{"the reference passes", test_passes},
	{"an instruction that is missing is named", test_instruction},
	{"one that hangs is stopped", test_time},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("accel/probe", tests)
