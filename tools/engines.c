/* SPDX-License-Identifier: Apache-2.0 */
/* The engines by name, and the one that --engine auto takes. */
#include "accel/probe.h"
#include "machine/machine.h"
#include "tools/log.h"
#include "tools/tool.h"

#include <string.h>

static const struct ls_engine_ops *const engines[] = {&ls_engine_sim, &ls_engine_kvm,
						      &ls_engine_qemu, &ls_engine_native, NULL};

const struct ls_engine_ops *const *tool_engines(void)
{
	return engines;
}

const struct ls_engine_ops *tool_engine_find(const char *name)
{
	size_t i;

	for (i = 0; engines[i]; i++) {
		if (!strcmp(engines[i]->name, name))
			return engines[i];
	}
	return NULL;
}

static int engine_try_kvm(struct machine_config *config, struct ls_error *err)
{
	struct ls_engine *engine;
	int rc;

	config->engine = &ls_engine_kvm;
	rc = machine_check_engine(config, err);
	if (rc)
		return rc;
	engine = ls_engine_kvm.open(err);
	if (!engine)
		return err->code;
	rc = accel_probe(engine, err);
	ls_engine_kvm.close(engine, LS_SYSTEM);
	return rc;
}

void tool_engine_choose(struct machine_config *config)
{
	struct ls_error err = {0};

	if (engine_try_kvm(config, &err)) {
		config->engine = &ls_engine_sim;
		log_notice("engine sim, not kvm: %s", err.text);
	} else {
		log_notice("engine kvm: it runs what a kernel needs");
	}
}
