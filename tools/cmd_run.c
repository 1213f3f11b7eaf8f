/* SPDX-License-Identifier: Apache-2.0 */
/* lockstep run: one guest, on the terminal. */
#include "tools/log.h"
#include "tools/run_options.h"
#include "tools/tool.h"

int cmd_run(int argc, char **argv)
{
	struct run_options options = {0};
	struct machine_result result;
	struct session session;
	struct ls_error err = {0};
	int status;

	if (run_options_parse(&options, argc, argv, &err) ||
	    run_options_apply(&options, &session, &err)) {
		status = run_options_failed(&err, "run");
	} else {
		status = session_run(&session, &result);
	}
	run_options_free(&options);
	return status;
}
