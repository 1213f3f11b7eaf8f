/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cpu/vmcs_existence.h"
#include "sim/cpu/vmx_controls.h"

/* The words of the column `exists`. What may be set stands in the upper half of the older MSRs. */
#define ALWAYS                true
#define NEVER                 false
#define MAY_BE_SET(msr, bits) ((capability[msr] >> 32 & (bits)) != 0)
#define PIN(control)          MAY_BE_SET(VMX_PINBASED, PIN_##control)
#define PRIMARY(control)      MAY_BE_SET(VMX_PROCBASED, PRIMARY_##control)
#define SECONDARY(control)    MAY_BE_SET(VMX_PROCBASED2, SECONDARY_##control)
#define EXIT(control)         MAY_BE_SET(VMX_EXIT, EXIT_##control)
#define ENTRY(control)        MAY_BE_SET(VMX_ENTRY, ENTRY_##control)
#define TERTIARY(control)     ((capability[VMX_PROCBASED3] & TERTIARY_##control) != 0)
#define FUNCTION(control)     ((capability[VMX_FUNCTION] & FUNCTION_##control) != 0)

bool vmcs_exists(const u64 *capability, u32 encoding)
{
	switch (encoding) {
#define VMCS_FIELD(identifier, encoding_, offset, exists, name)                                    \
	case encoding_:                                                                            \
		return exists;
#include "sim/cpu/vmcs_fields.def"
#undef VMCS_FIELD
	default:
		return false;
	}
}

static u32 higher(u32 a, u32 b)
{
	return a > b ? a : b;
}

u32 vmcs_highest_index(const u64 *capability)
{
	u32 highest = 0;

#define VMCS_FIELD(identifier, encoding, offset, exists, name)                                     \
	if (exists)                                                                                \
		highest = higher(highest, (encoding) >> 1 & 0x1ff);
#include "sim/cpu/vmcs_fields.def"
#undef VMCS_FIELD
	return highest;
}
