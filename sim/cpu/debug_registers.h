/* SPDX-License-Identifier: Apache-2.0 */
/* Bits of DR6, DR7 and IA32_DEBUGCTL (SDM 3B:18.2, 17.4.1; APM 2:13.1.1). */
#ifndef LOCKSTEP_SIM_CPU_DEBUG_REGISTERS_H
#define LOCKSTEP_SIM_CPU_DEBUG_REGISTERS_H

#include "mmu/types.h"

#define DR6_TRAPS UINT64_C(0xf) /* B0 to B3 */
#define DR6_BD    BIT(13)
#define DR6_BS    BIT(14)
#define DR6_BT    BIT(15)
#define DR6_KNOWN UINT64_C(0x0000e00f)
#define DR6_ONES  UINT64_C(0xffff0ff0)

#define DR7_ENABLES UINT64_C(0xff) /* L0, G0 to L3, G3 */
#define DR7_GD	    BIT(13)
#define DR7_KNOWN   UINT64_C(0xffff23ff)
#define DR7_ONES    UINT64_C(0x00000400)

#define DEBUGCTL_LBR BIT(0)
#define DEBUGCTL_BTF BIT(1)

#endif
