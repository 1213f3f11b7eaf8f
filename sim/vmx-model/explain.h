/* SPDX-License-Identifier: Apache-2.0 */
/* Why a VM entry fails, in words. */
#ifndef LOCKSTEP_SIM_VMX_MODEL_EXPLAIN_H
#define LOCKSTEP_SIM_VMX_MODEL_EXPLAIN_H

#include <stdio.h>

#include "sim/vmx-model/inputs.h"

/* One line for a log: the row that failed, what it found and wanted, and all others of its group
 * and of those behind it that would fail, too. */
void vmx_explain_failure(struct check_inputs *in, const struct check_row *row, char *text,
			 size_t size);

/* All that can be said of a dump, as lines. */
void vmx_explain_dump(struct vmx_inputs *inputs, FILE *to);

/* Where a processor with VMX stands, as lines for a person. */
void vmx_print_info(const struct cpu *cpu, FILE *to);

#endif
