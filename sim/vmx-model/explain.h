/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a VMCS, in words. */
#ifndef LOCKSTEP_SIM_VMX_MODEL_EXPLAIN_H
#define LOCKSTEP_SIM_VMX_MODEL_EXPLAIN_H

#include "sim/cpu/check_report.h"
#include "sim/vmx-model/inputs.h"

/* All that can be said of a dump, as lines. */
void vmx_explain_dump(struct vmx_inputs *inputs, FILE *to);

/* Where a processor with VMX stands, as lines for a person. */
void vmx_print_info(const struct cpu *cpu, FILE *to);

#endif
