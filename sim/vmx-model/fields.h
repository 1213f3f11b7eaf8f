/* SPDX-License-Identifier: Apache-2.0 */
/* Bits within fields of the VMCS. */
#ifndef LOCKSTEP_SIM_VMX_MODEL_FIELDS_H
#define LOCKSTEP_SIM_VMX_MODEL_FIELDS_H

#include "mmu/types.h"

/* Interruption-information fields, of VM entry (SDM 3C table 25-18), VM exit (25-20) and for
 * IDT vectoring. */
#define INFO_VECTOR(info)   ((info)&0xff)
#define INFO_TYPE(info)     ((info) >> 8 & 7)
#define INFO_TYPE_SHIFT     8
#define INFO_ERROR_CODE     BIT(11)
#define INFO_NMI_UNBLOCKING BIT(12)
#define INFO_VALID          BIT(31)
enum interruption_type {
	TYPE_EXTERNAL = 0,
	TYPE_NMI = 2,
	TYPE_EXCEPTION = 3,
	TYPE_SOFTWARE = 4,
	TYPE_PRIVILEGED_SOFTWARE_EXCEPTION = 5, /* INT1 */
	TYPE_SOFTWARE_EXCEPTION = 6,            /* INT3, INTO */
	TYPE_OTHER = 7,                         /* a pending MTF VM exit */
};

/* Activity state (SDM 3C:25.4.2). */
enum vmcs_activity { ACTIVE, HLT, SHUTDOWN, WAIT_FOR_SIPI };

/* Interruptibility state (SDM 3C table 25-3). */
#define BY_STI    BIT(0)
#define BY_MOV_SS BIT(1)
#define BY_SMI    BIT(2)
#define BY_NMI    BIT(3)

/* Pending debug exceptions (SDM 3C table 25-4): B3 to B0, enabled breakpoint, BS. RTM and bus locks
 * are not there. */
#define PENDING_BREAKPOINTS UINT64_C(0xf)
#define PENDING_ENABLED     BIT(12)
#define PENDING_BS          BIT(14)
#define PENDING_DEBUG_KNOWN (PENDING_BREAKPOINTS | PENDING_ENABLED | PENDING_BS)

#endif
