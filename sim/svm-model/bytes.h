/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's instruction bytes in the VMCB (APM 2:15.8.4). */
#ifndef LOCKSTEP_SIM_SVM_MODEL_BYTES_H
#define LOCKSTEP_SIM_SVM_MODEL_BYTES_H

#include "sim/svm-model/svm.h"

/* Up to 15 bytes from CS:RIP, as far as they can be had without a fault, if the exit wants them. */
void svm_note_bytes(struct cpu *cpu);

#endif
