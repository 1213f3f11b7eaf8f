/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cpu/not_offered.h"
#include "sim/cpu/model.h"

#define REASON(identifier, text) static const char text_##identifier[] = text;
#include "sim/cpu/not_offered.def"
#undef REASON

const struct not_offered_row not_offered_rows[] = {
#define NOT_CONTROL(group_, bit_, name_, reason_)                                                  \
	{.kind = NOT_OFFERED_CONTROL,                                                              \
	 .group = #group_,                                                                         \
	 .bit = bit_,                                                                              \
	 .name = name_,                                                                            \
	 .reason = text_##reason_},
#define NOT_CPUID(leaf_, subleaf_, register_, bit_, name_, reason_)                                \
	{.kind = NOT_OFFERED_CPUID,                                                                \
	 .leaf = leaf_,                                                                            \
	 .subleaf = subleaf_,                                                                      \
	 .reg = register_,                                                                         \
	 .bit = bit_,                                                                              \
	 .name = name_,                                                                            \
	 .reason = text_##reason_},
#define NOT_BUILT(area_, name_, reason_)                                                           \
	{.kind = NOT_OFFERED_OTHER, .area = area_, .name = name_, .reason = text_##reason_},
#include "sim/cpu/not_offered.def"
#undef NOT_CONTROL
#undef NOT_CPUID
#undef NOT_BUILT
};
const unsigned int not_offered_row_count = ARRAY_SIZE(not_offered_rows);
