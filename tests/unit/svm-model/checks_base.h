/* SPDX-License-Identifier: Apache-2.0 */
/* A 64-bit guest of a processor with 48 physical bits and shadow stacks: every check passes. */
#ifndef LOCKSTEP_TESTS_SVM_CHECKS_BASE_H
#define LOCKSTEP_TESTS_SVM_CHECKS_BASE_H

#include <string.h>

#include "sim/svm-model/svm.h"

static inline void base_inputs(u64 *value)
{
	memset(value, 0, SVM_INPUT_COUNT * sizeof(*value));
	value[VMCB_INTERCEPTS_4] = 1;
	value[VMCB_GUEST_ASID] = 1;
	value[VMCB_EFER] = 0x1d00;
	value[VMCB_CR0] = 0x80010031;
	value[VMCB_CR4] = 0x20;
	value[VMCB_CS_ATTRIB] = 0x29b;
	value[VMCB_RFLAGS] = 2;
	value[VMCB_G_PAT] = UINT64_C(0x0007040600070406);
	value[SVM_PHYSICAL_BITS] = 48;
	value[SVM_CR4_RESERVED] = ~UINT64_C(0x8000ff);
	value[SVM_EFER_RESERVED] = ~UINT64_C(0x1d01);
	value[SVM_HOST_CR0] = 0x80000011;
	value[SVM_HOST_EFER] = 0x1d00;
	value[SVM_HAS_CET] = 1;
	value[SVM_HAS_AVIC] = value[SVM_HAS_X2AVIC] = 1;
}

#endif
