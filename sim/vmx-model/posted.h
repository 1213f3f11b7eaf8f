/* SPDX-License-Identifier: Apache-2.0 */
/* The posted-interrupt descriptor (SDM 3C table 30-1). */
#ifndef LOCKSTEP_SIM_VMX_MODEL_POSTED_H
#define LOCKSTEP_SIM_VMX_MODEL_POSTED_H

#include "mmu/types.h"

#define POSTED_WORDS 8

struct posted_descriptor {
	u32 requests[POSTED_WORDS]; /* a bit a vector */
	u64 control;
	u64 reserved[3];
};

/* Of control. */
#define POSTED_OUTSTANDING          BIT(0) /* a notification is */
#define POSTED_SUPPRESSED           BIT(1) /* none is to be sent */
#define POSTED_VECTOR(control)      ((u8)((control) >> 16))
#define POSTED_DESTINATION(control) ((u32)((control) >> 32)) /* xAPIC: in bits 15:8 */

#endif
