/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sim/svm-model/dump.h"

const struct vmcb_dump_format vmcb_dump_formats[] = {
	{"a VMCB", vmcb_dump_read_page},
	{"a dump of kvm_amd", vmcb_dump_read_text},
};
const unsigned int vmcb_dump_format_count = ARRAY_SIZE(vmcb_dump_formats);

/* --- the page itself, bare or behind the header of struct kvm_nested_state --- */

#define NESTED_STATE_HEADER 128
#define NESTED_FORMAT_SVM   1

static bool is_nested_state(const char *data, size_t size)
{
	u16 format;

	if (size < NESTED_STATE_HEADER + PAGE_SIZE_4K)
		return false;
	memcpy(&format, data + 2, sizeof(format));
	return format == NESTED_FORMAT_SVM && !memchr(data, '\n', 4);
}

/* Nothing in a VMCB says that it is one: a file of its size that is no text. */
static bool is_page(const char *data, size_t size)
{
	return size == PAGE_SIZE_4K && memchr(data, 0, size);
}

size_t vmcb_dump_read_page(struct svm_inputs *inputs, const char *data, size_t size)
{
	u64 value[VMCB_FIELD_COUNT];

	if (is_nested_state(data, size))
		data += NESTED_STATE_HEADER;
	else if (!is_page(data, size))
		return 0;
	vmcb_fetch_all(value, (const u8 *)data);
	for (unsigned int f = 0; f < VMCB_FIELD_COUNT; f++)
		svm_inputs_set(inputs, f, value[f]);
	return size;
}
