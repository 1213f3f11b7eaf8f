/* SPDX-License-Identifier: Apache-2.0 */
/* Dumps of a VMCB, and what is wrong with them. */
#ifndef LOCKSTEP_SIM_SVM_MODEL_DUMP_H
#define LOCKSTEP_SIM_SVM_MODEL_DUMP_H

#include <stdio.h>

#include "sim/svm-model/inputs.h"

struct vmcb_dump_format {
	const char *name;
	/* Takes the first dump in @data (with a NUL behind @size bytes) into @inputs. Returns how
	 * many bytes it used, 0 if there is none of this format. */
	size_t (*read)(struct svm_inputs *inputs, const char *data, size_t size);
};

extern const struct vmcb_dump_format vmcb_dump_formats[];
extern const unsigned int vmcb_dump_format_count;

size_t vmcb_dump_read_text(struct svm_inputs *inputs, const char *data, size_t size);
size_t vmcb_dump_read_page(struct svm_inputs *inputs, const char *data, size_t size);

/* All that can be said of a dump, as lines. */
void svm_explain_dump(struct svm_inputs *inputs, FILE *to);

/* Where a processor with SVM stands, as lines for a person. */
void svm_print_info(const struct cpu *cpu, FILE *to);

#endif
