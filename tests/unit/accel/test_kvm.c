/* SPDX-License-Identifier: Apache-2.0 */
/* The kvm engine where there is no KVM: one line that says what is wrong and what to do. */
#include <string.h>

#include "accel/kvm.h"
#include "tests/unit/check.h"

static void expect_refusal(const char *path, int code, const char *words)
{
	struct ls_error err = {0};

	CU_ASSERT_PTR_NULL(kvm_open_path(path, &err));
	CHECK_EQUAL(err.code, code);
	CHECK_ROW(strstr(err.text, path) && strstr(err.text, words), "%s: '%s'", path, err.text);
	CHECK_ROW(strstr(err.text, "use engine sim"), "no remedy: '%s'", err.text);
}

static void test_no_node(void)
{
	expect_refusal("/nonexistent/kvm", -ENOENT, "has no KVM");
}

/* A node that is no KVM answers KVM_GET_API_VERSION with ENOTTY. */
static void test_other_node(void)
{
	expect_refusal("/dev/null", -ENOTSUP, "version 12");
}

static CU_TestInfo tests[] = {
	{"no device node", test_no_node},
	{"a node that is not KVM's", test_other_node},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("accel/kvm", tests)
