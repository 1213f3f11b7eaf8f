/* SPDX-License-Identifier: Apache-2.0 */
/* What a #VMEXIT says of its reason (APM 2 appendix C). */
#ifndef LOCKSTEP_SIM_SVM_MODEL_EXIT_CODES_H
#define LOCKSTEP_SIM_SVM_MODEL_EXIT_CODES_H

#include "mmu/types.h"

#define EXIT(identifier, code, name) static const u64 SVM_EXIT_##identifier = (code);
#include "sim/svm-model/exit_codes.def"
#undef EXIT

/* The rows of exit_codes.def. */
struct svm_exit_row {
	u64 code;
	const char *name;
};

extern const struct svm_exit_row svm_exit_rows[];
extern const unsigned int svm_exit_row_count;

/* The last of the codes that a row stands for. */
u64 svm_exit_last(u64 code);

/* "VMEXIT_CR3_WRITE", for traces and `explain`; NULL if there is no such code. Stands in @text
 * where the name has a number. */
const char *svm_exit_name(u64 code, char text[32]);

#endif
