/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/steps.h"

#include <string.h>

#include "tools/diff/compare.h"
#include "tools/diff/side/side.h"
#include "tools/diff/suite.h"

#define PROBE_CASE    "u_hints" /* NOPs and the like */
#define PROBE_SECONDS 5

static const struct diff_case *probe_case(const GPtrArray *cases)
{
	for (guint i = 0; i < cases->len; i++) {
		const struct diff_case *test = g_ptr_array_index(cases, i);

		if (!strcmp(test->name, PROBE_CASE))
			return test;
	}
	return NULL;
}

static bool step_ends(struct ls_engine *engine, const struct diff_case *test)
{
	struct machine_config config = {
		.engine = engine->ops,
		.vcpus = 1,
		.memory = 4 << 20,
		.boot = MACHINE_BOOT_PAYLOAD,
		.kernel = test->image,
		.append = test->append,
		.exit_port = true,
		.exit_port_base = 0xf4,
		.no_pci = true,
		.no_reboot = true,
		.single_step = true,
	};
	struct diff_fields *fields = diff_fields_create(engine, engine);
	const struct diff_event *event = NULL;
	struct ls_error err = {0};
	struct side *side = side_create(&config, fields, 0, &err);
	bool ends;

	if (side)
		event = side_next(side, PROBE_SECONDS, &err);
	/* What cannot even begin is told when it is compared. */
	ends = !event || event->exit.reason == KVM_EXIT_DEBUG;
	if (side)
		side_close(side);
	diff_fields_free(fields);
	return ends;
}

bool diff_steps_end(const struct ls_engine_ops *ops)
{
	g_autoptr(GPtrArray) cases = g_ptr_array_new_with_free_func((GDestroyNotify)diff_case_free);
	struct ls_error err = {0};
	struct ls_engine *engine = ops == &ls_engine_kvm ? ops->open(&err) : NULL;
	bool ends = true;

	if (engine && !suite_load(cases, &err) && probe_case(cases))
		ends = step_ends(engine, probe_case(cases));
	if (engine)
		ops->close(engine, LS_SYSTEM);
	return ends;
}
