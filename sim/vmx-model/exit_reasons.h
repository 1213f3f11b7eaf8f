/* SPDX-License-Identifier: Apache-2.0 */
/* Basic exit reasons (SDM 3D:C). */
#ifndef LOCKSTEP_SIM_VMX_MODEL_EXIT_REASONS_H
#define LOCKSTEP_SIM_VMX_MODEL_EXIT_REASONS_H

enum vmx_reason {
#define EXIT_REASON(identifier, number, name) REASON_##identifier = number,
#include "sim/vmx-model/exit_reasons.def"
#undef EXIT_REASON
};
#define REASON_ENTRY_FAILURE 0x80000000u

#endif
