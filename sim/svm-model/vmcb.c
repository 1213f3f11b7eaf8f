/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/svm-model/vmcb.h"

const struct vmcb_field_row vmcb_fields[VMCB_FIELD_COUNT] = {
#define VMCB(identifier_, offset_, size_, group_, clean_, name_)                                   \
	[VMCB_##identifier_] = {                                                                   \
		.offset = offset_,                                                                 \
		.size = size_,                                                                     \
		.group = VMCB_GROUP_##group_,                                                      \
		.identifier = #identifier_,                                                        \
		.name = name_,                                                                     \
	},
#include "sim/svm-model/vmcb_fields.def"
#undef VMCB
};

/* @size is a constant where these are inlined. */
ALWAYS_INLINE u64 fetch(const u8 *page, unsigned int offset, unsigned int size)
{
	u64 value = 0;

	__builtin_memcpy(&value, page + offset, size);
	return value;
}

ALWAYS_INLINE void store(u8 *page, unsigned int offset, unsigned int size, u64 value)
{
	__builtin_memcpy(page + offset, &value, size);
}

static const u8 nothing[PAGE_SIZE_4K] = {[0 ... PAGE_SIZE_4K - 1] = 0xff};

/* The table unrolled: what remains is a load and a store a field. */
void vmcb_fetch(u64 *value, const u8 *page)
{
	page = page ? page : nothing;
#define VMCB(identifier, offset, size, group, clean, name)                                         \
	if (VMCB_GROUP_##group != VMCB_GROUP_EXIT && VMCB_GROUP_##group != VMCB_GROUP_LOAD &&      \
	    VMCB_GROUP_##group != VMCB_GROUP_NONE)                                                 \
		value[VMCB_##identifier] = fetch(page, offset, size);
#include "sim/svm-model/vmcb_fields.def"
#undef VMCB
}

void vmcb_fetch_load(u64 *value, const u8 *page)
{
	page = page ? page : nothing;
#define VMCB(identifier, offset, size, group, clean, name)                                         \
	if (VMCB_GROUP_##group == VMCB_GROUP_LOAD)                                                 \
		value[VMCB_##identifier] = fetch(page, offset, size);
#include "sim/svm-model/vmcb_fields.def"
#undef VMCB
}

void vmcb_fetch_all(u64 *value, const u8 *page)
{
	for (unsigned int i = 0; i < VMCB_FIELD_COUNT; i++)
		value[i] = fetch(page, vmcb_fields[i].offset, vmcb_fields[i].size);
}

void vmcb_store_all(const u64 *value, u8 *page)
{
	for (unsigned int i = 0; i < VMCB_FIELD_COUNT; i++)
		store(page, vmcb_fields[i].offset, vmcb_fields[i].size, value[i]);
}

void vmcb_store_load(const u64 *value, u8 *page)
{
#define VMCB(identifier, offset, size, group, clean, name)                                         \
	if (VMCB_GROUP_##group == VMCB_GROUP_LOAD)                                                 \
		store(page, offset, size, value[VMCB_##identifier]);
#include "sim/svm-model/vmcb_fields.def"
#undef VMCB
}

void vmcb_store_exit(const u64 *value, u8 *page)
{
#define VMCB(identifier, offset, size, group, clean, name)                                         \
	if (VMCB_GROUP_##group == VMCB_GROUP_EXIT || VMCB_GROUP_##group == VMCB_GROUP_BOTH)        \
		store(page, offset, size, value[VMCB_##identifier]);
#include "sim/svm-model/vmcb_fields.def"
#undef VMCB
}

void vmcb_store_state(const u64 *value, u8 *page)
{
#define VMCB(identifier, offset, size, group, clean, name)                                         \
	if (VMCB_GROUP_##group == VMCB_GROUP_STATE)                                                \
		store(page, offset, size, value[VMCB_##identifier]);
#include "sim/svm-model/vmcb_fields.def"
#undef VMCB
}

void vmcb_store_field(const u64 *value, u8 *page, enum vmcb_field field)
{
	store(page, vmcb_fields[field].offset, vmcb_fields[field].size, value[field]);
}
