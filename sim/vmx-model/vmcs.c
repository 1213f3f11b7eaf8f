/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/vmx-model/vmcs.h"

const struct vmcs_field_row vmcs_fields[VMCS_FIELD_COUNT] = {
#define VMCS_FIELD(identifier_, encoding_, offset_, exists_, name_)                                \
	[VMCS_##identifier_] = {.encoding = encoding_,                                             \
				.offset = offset_,                                                 \
				.identifier = #identifier_,                                        \
				.name = name_},
#include "sim/cpu/vmcs_fields.def"
#undef VMCS_FIELD
};

/* Number of the field plus 1, by its encoding without ENCODING_HIGH. */
static const u8 by_encoding[0x4000] = {
#define VMCS_FIELD(identifier, encoding, offset, exists, name)                                     \
	[(encoding) / 2] = VMCS_##identifier + 1,
#include "sim/cpu/vmcs_fields.def"
#undef VMCS_FIELD
};
_Static_assert(VMCS_FIELD_COUNT < 0xff, "by_encoding holds bytes");

static enum vmcs_width width(enum vmcs_field field)
{
	return ENCODING_WIDTH(vmcs_fields[field].encoding);
}

int vmcs_find(u64 encoding)
{
	int field;

	if (encoding / 2 >= ARRAY_SIZE(by_encoding))
		return -1;
	field = by_encoding[encoding / 2] - 1;
	if (field >= 0 && (encoding & ENCODING_HIGH) && width(field) != VMCS_WIDTH_64)
		return -1;
	return field;
}

u64 vmcs_written(enum vmcs_field field, bool high, u64 old, u64 written)
{
	static const u64 masks[] = {[VMCS_WIDTH_16] = 0xffff,
				    [VMCS_WIDTH_64] = UINT64_MAX,
				    [VMCS_WIDTH_32] = UINT32_MAX,
				    [VMCS_WIDTH_NATURAL] = UINT64_MAX};

	if (high)
		return (old & UINT32_MAX) | written << 32;
	return written & masks[width(field)];
}

unsigned int vmcs_bytes(enum vmcs_field field)
{
	static const u8 sizes[] = {[VMCS_WIDTH_16] = 2,
				   [VMCS_WIDTH_64] = 8,
				   [VMCS_WIDTH_32] = 4,
				   [VMCS_WIDTH_NATURAL] = 8};

	return sizes[width(field)];
}

void vmcs_load(u64 *value, const u8 *region)
{
	for (unsigned int f = 0; f < VMCS_FIELD_COUNT; f++) {
		value[f] = 0;
		__builtin_memcpy(&value[f], region + vmcs_fields[f].offset, vmcs_bytes(f));
	}
}

void vmcs_store(const u64 *value, u8 *region)
{
	for (unsigned int f = 0; f < VMCS_FIELD_COUNT; f++)
		__builtin_memcpy(region + vmcs_fields[f].offset, &value[f], vmcs_bytes(f));
}
