/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/choose.h"

#include <lockstep/extension.h>

#include "machine/load.h"

/* Why an engine cannot begin a case. */
enum lack { NONE, LEVEL0, LEVEL3, VCPUS, LACKS };

struct bounds {
	const char *engine;
	bool user_only; /* it has no level 0 */
	bool no_user;   /* it lacks a call by which code can begin at level 3 */
	int vcpus;
};

int diff_payload_is_user(const char *path, bool *user, struct ls_error *err)
{
	struct image image;
	int rc = image_read(&image, path, "payload", err);

	if (rc)
		return rc;
	*user = load_is_user(&image);
	image_free(&image);
	return 0;
}

static int find_bounds(const struct ls_engine_ops *ops, struct bounds *bounds, struct ls_error *err)
{
	struct ls_engine *engine = ops->open(err);

	if (!engine)
		return err->code ? err->code : -ENODEV;
	*bounds = (struct bounds){
		.engine = ops->name,
		.user_only = engine->ext->user_only,
		.no_user = ls_ioctl(engine, LS_SYSTEM, KVM_CHECK_EXTENSION, KVM_CAP_XCRS) <= 0,
		.vcpus = ls_ioctl(engine, LS_SYSTEM, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS),
	};
	ops->close(engine, LS_SYSTEM);
	return 0;
}

static enum lack lack_of(const struct bounds *bounds, const struct diff_case *test)
{
	if (test->user ? bounds->no_user : bounds->user_only)
		return test->user ? LEVEL3 : LEVEL0;
	return test->vcpus > (unsigned int)bounds->vcpus ? VCPUS : NONE;
}

static char *reason(const struct bounds *bounds, enum lack lack, unsigned int cases,
		    unsigned int of)
{
	if (lack == VCPUS)
		return g_strdup_printf("%u of %u cases need more vCPUs than the %d of engine %s",
				       cases, of, bounds->vcpus, bounds->engine);
	return lack == LEVEL0
		       ? g_strdup_printf("%u of %u cases need CPL 0, which engine %s does not run",
					 cases, of, bounds->engine)
		       : g_strdup_printf("%u of %u cases begin at CPL 3, for which engine %s lacks "
					 "KVM_SET_XCRS",
					 cases, of, bounds->engine);
}

static int refuse_payload(const struct bounds *bounds, const struct diff_case *test, enum lack lack,
			  struct ls_error *err)
{
	if (lack == VCPUS)
		return ls_error_set(err, -ENOTSUP, "--smp %u: engine %s has %d; use another --dut",
				    test->vcpus, bounds->engine, bounds->vcpus);
	return lack == LEVEL0
		       ? ls_error_set(err, -ENOTSUP,
				      "'%s' is no user-mode case (an ELF file with Lockstep's "
				      "note), and engine %s runs nothing else; use another --dut",
				      test->image, bounds->engine)
		       : ls_error_set(err, -ENOTSUP,
				      "'%s' begins at CPL 3, for which engine %s lacks "
				      "KVM_SET_XCRS; use another --dut",
				      test->image, bounds->engine);
}

static int choose_for(GPtrArray *tests, const struct ls_engine_ops *ops, GPtrArray *left_out,
		      struct ls_error *err)
{
	struct bounds bounds;
	unsigned int dropped[LACKS] = {0}, of = tests->len;
	int rc = find_bounds(ops, &bounds, err);

	for (guint i = 0; i < tests->len && !rc;) {
		const struct diff_case *test = g_ptr_array_index(tests, i);
		enum lack lack = lack_of(&bounds, test);

		if (lack == NONE) {
			i++;
		} else if (!test->theme) {
			rc = refuse_payload(&bounds, test, lack, err);
		} else {
			g_ptr_array_remove_index(tests, i);
			dropped[lack]++;
		}
	}
	for (enum lack lack = NONE + 1; lack < LACKS && !rc; lack++)
		if (dropped[lack])
			g_ptr_array_add(left_out, reason(&bounds, lack, dropped[lack], of));
	return rc;
}

int diff_leave_out(GPtrArray *tests, const struct ls_engine_ops *const engine[2],
		   GPtrArray *left_out, struct ls_error *err)
{
	int rc = 0;

	for (unsigned int who = 0; who < 2 && !rc; who++)
		if (engine[who] && (!who || engine[1] != engine[0]))
			rc = choose_for(tests, engine[who], left_out, err);
	if (!rc && !tests->len)
		rc = ls_error_set(err, -ENOTSUP, "nothing to compare: %s",
				  (const char *)g_ptr_array_index(left_out, 0));
	return rc;
}
