/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/tool.h"

#include <string.h>

static const struct ls_engine_ops *const engines[] = {&ls_engine_sim, &ls_engine_kvm, NULL};

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
