/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of features.def and of the VMX controls. */
#ifndef LOCKSTEP_SIM_CPU_FEATURES_H
#define LOCKSTEP_SIM_CPU_FEATURES_H

enum cpu_feature {
#define FEATURE(identifier, name, leaf, subleaf, reg, bit) FEATURE_##identifier,
#include "sim/cpu/features.def"
#undef FEATURE
	FEATURE_CPUID_COUNT, /* those above are bits of CPUID, those below of VMX capability MSRs */
	FEATURE_CONTROLS = FEATURE_CPUID_COUNT - 1,
#define CONTROL(group, identifier, bit, name, needs, models) FEATURE_VMX_##group##_##identifier,
#include "sim/cpu/vmx_controls.def"
#undef CONTROL
	FEATURE_BASE, /* always there: the gate of instructions that every model has */
	FEATURE_COUNT
};

#define FEATURE_WORDS ((FEATURE_COUNT + 31) / 32)

#endif
