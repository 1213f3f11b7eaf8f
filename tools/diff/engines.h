/* SPDX-License-Identifier: Apache-2.0 */
/* The engine under test, by name. */
#ifndef LOCKSTEP_TOOLS_DIFF_ENGINES_H
#define LOCKSTEP_TOOLS_DIFF_ENGINES_H

#include <stdbool.h>

#include <lockstep/engine.h>

/* The strongest that works here: "kvm", "lab" or "sim". */
const char *diff_engine_choose(void);
/* The model that fits the engine's processor: "amd" or "intel". */
const char *diff_cpu_choose(const struct ls_engine_ops *engine);

#endif
