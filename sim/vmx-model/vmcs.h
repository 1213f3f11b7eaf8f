/* SPDX-License-Identifier: Apache-2.0 */
/* VMCS fields by name and by encoding, and the region in memory that holds them (SDM 3C:25). */
#ifndef LOCKSTEP_SIM_VMX_MODEL_VMCS_H
#define LOCKSTEP_SIM_VMX_MODEL_VMCS_H

#include "sim/cpu/vmx_capability.h"

enum vmcs_field {
#define VMCS_FIELD(identifier, encoding, offset, exists, name) VMCS_##identifier,
#include "sim/cpu/vmcs_fields.def"
#undef VMCS_FIELD
	VMCS_FIELD_COUNT
};

/* Of the region: revision identifier with the shadow-VMCS indicator, VMX-abort indicator, then data
 * (SDM 3C:25.2, table 25-1). The launch state stands where KVM's ABI has it. */
#define VMCS_SHADOW       BIT(31)
#define VMCS_ABORT_OFFSET 4u
#define VMCS_STATE_OFFSET 8u
#define VMCS_TAIL         0x800u
#define VMCS_NONE         UINT64_MAX /* no current VMCS; a link pointer to none */

/* Bits of an encoding (SDM 3C table 25-21). */
#define ENCODING_HIGH     BIT(0) /* bits 63:32 of a 64-bit field */
#define ENCODING_INDEX(e) ((e) >> 1 & 0x1ff)
#define ENCODING_TYPE(e)  ((e) >> 10 & 3)
#define ENCODING_WIDTH(e) ((e) >> 13 & 3)
enum vmcs_type { VMCS_TYPE_CONTROL, VMCS_TYPE_READ_ONLY, VMCS_TYPE_GUEST, VMCS_TYPE_HOST };
enum vmcs_width { VMCS_WIDTH_16, VMCS_WIDTH_64, VMCS_WIDTH_32, VMCS_WIDTH_NATURAL };

struct vmcs_field_row {
	u16 encoding, offset;
	const char *identifier, *name;
};

extern const struct vmcs_field_row vmcs_fields[VMCS_FIELD_COUNT];

/* The field with that encoding, its high half included; -1 if there is none. */
int vmcs_find(u64 encoding);

/* What a field that held @old holds after a VMWRITE: @high, to the upper half of a 64-bit field;
 * without it the field takes as much as it can hold. */
u64 vmcs_written(enum vmcs_field field, bool high, u64 old, u64 written);
/* How many it has in the region. */
unsigned int vmcs_bytes(enum vmcs_field field);

/* All fields from and to a region's data. */
void vmcs_load(u64 *value, const u8 *region);
void vmcs_store(const u64 *value, u8 *region);

#endif
