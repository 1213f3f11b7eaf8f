/* SPDX-License-Identifier: Apache-2.0 */
/* The bits of VMX controls and capabilities: PIN_NMI, PRIMARY_HLT, EPT_VPID_INVEPT …; and the bits
 * that each field of controls has set when nothing asks for another (SDM 3D appendix A: default1).
 */
#ifndef LOCKSTEP_SIM_CPU_VMX_CONTROLS_H
#define LOCKSTEP_SIM_CPU_VMX_CONTROLS_H

#include "mmu/types.h"

enum vmx_control_bit {
#define CONTROL(group, identifier, bit, name, needs, models) group##_##identifier = BIT(bit),
#include "sim/cpu/vmx_controls.def"
#undef CONTROL
};

#define PIN_DEFAULT1     UINT64_C(0x00000016)
#define PRIMARY_DEFAULT1 UINT64_C(0x0401e172)
#define EXIT_DEFAULT1    UINT64_C(0x00036dff)
#define ENTRY_DEFAULT1   UINT64_C(0x000011ff)

#endif
