/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an engine's single steps can be compared. */
#ifndef LOCKSTEP_TOOLS_DIFF_STEPS_H
#define LOCKSTEP_TOOLS_DIFF_STEPS_H

#include <stdbool.h>

#include <lockstep/engine.h>

/* It ends a step behind an instruction of user-mode code: there are KVMs that give the trap to the
 * guest. Other engines than kvm are not asked. */
bool diff_steps_end(const struct ls_engine_ops *ops);

#endif
