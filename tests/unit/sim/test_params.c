/* SPDX-License-Identifier: Apache-2.0 */
/* Module parameters: their names as a user types them, ranges, and errors. */
#include <string.h>

#include "sim/cpu/params.h"
#include "tests/unit/check.h"

/* --param interp.trace=0: a switch of the interpreter's own, dotted to tell it from KVM's names. */
static void test_interpreter_switch(void)
{
	struct sim_params params;

	sim_params_init(&params);
	CHECK_EQUAL(params.interp_trace, 1);
	CHECK_EQUAL(sim_params_set(&params, "interp.trace", "0", NULL), 0);
	CHECK_EQUAL(params.interp_trace, 0);
	CHECK_EQUAL(sim_params_set(&params, "interp.trace", "on", NULL), 0);
	CHECK_EQUAL(params.interp_trace, 1);
}

static void test_presets_fit_their_range(void)
{
	for (unsigned int n = 0; n < param_info_count; n++) {
		const struct param_info *info = &param_infos[n];

		CU_ASSERT_TRUE(info->min <= info->preset && info->preset <= info->max);
		CU_ASSERT_TRUE(info->type != PARAM_BOOL || (info->min == 0 && info->max == 1));
	}
}

static void test_unknown_name(void)
{
	struct sim_params params;
	struct ls_error err = {0};

	sim_params_init(&params);
	CHECK_EQUAL(sim_params_set(&params, "interp_trace", "0", &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "interp.trace"));
}

static void test_value_out_of_range(void)
{
	struct sim_params params;

	sim_params_init(&params);
	CHECK_EQUAL(sim_params_set(&params, "ignore_msrs", "2", NULL), -EINVAL);
	CHECK_EQUAL(sim_params_set(&params, "tsc_khz", "999", NULL), -EINVAL);
	CHECK_EQUAL(sim_params_set(&params, "tsc_khz", "-1000000", NULL), -EINVAL);
	CHECK_EQUAL(params.ignore_msrs, 0);
	CHECK_EQUAL(params.tsc_khz, 1000000);
}

/* --param tlb.mode=sticky: one of a few words. */
static void test_words(void)
{
	struct sim_params params;
	struct ls_error err = {0};

	sim_params_init(&params);
	CHECK_EQUAL(params.tlb_mode, TLB_MODE_FINITE);
	CHECK_EQUAL(sim_params_set(&params, "tlb.mode", "coherent", NULL), 0);
	CHECK_EQUAL(params.tlb_mode, TLB_MODE_COHERENT);
	CHECK_EQUAL(sim_params_set(&params, "tlb.mode", "1", &err), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "finite, sticky, coherent"));
	CHECK_EQUAL(params.tlb_mode, TLB_MODE_COHERENT);
}

static CU_TestInfo tests[] = {
	{"words", test_words},
	{"the interpreter's switch", test_interpreter_switch},
	{"presets", test_presets_fit_their_range},
	{"unknown name", test_unknown_name},
	{"range", test_value_out_of_range},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.params", tests)
