/* SPDX-License-Identifier: Apache-2.0 */
/* Which fields a processor's VMCS has, by the controls that it offers (SDM 3D appendix B). */
#ifndef LOCKSTEP_SIM_CPU_VMCS_EXISTENCE_H
#define LOCKSTEP_SIM_CPU_VMCS_EXISTENCE_H

#include "sim/cpu/vmx_capability.h"

/* @capability: the MSRs, by enum vmx_msr; @encoding: a row's of vmcs_fields.def. */
bool vmcs_exists(const u64 *capability, u32 encoding);
/* Bits 9:1 of any encoding of a field that exists (SDM 3D:A.9). */
u32 vmcs_highest_index(const u64 *capability);

#endif
