/* SPDX-License-Identifier: Apache-2.0 */
/* The formats of dumps; the simple ones. */
#include <stdio.h>
#include <string.h>

#include "sim/vmx-model/dump.h"

const struct vmcs_dump_format vmcs_dump_formats[] = {
	{"a VMCS region in KVM's layout", vmcs_dump_read_region},
	{"a dump of kvm_intel or Xen", vmcs_dump_read_text},
	{"a dump of HAXM", vmcs_dump_read_encodings},
};
const unsigned int vmcs_dump_format_count = ARRAY_SIZE(vmcs_dump_formats);

/* --- a region, bare or behind the header of struct kvm_nested_state --- */

#define NESTED_STATE_HEADER 128

static bool is_region(const char *data, size_t size)
{
	u32 revision;

	if (size < VMCS_REGION_SIZE)
		return false;
	memcpy(&revision, data, sizeof(revision));
	return (revision & ~VMCS_SHADOW) == VMCS_REVISION;
}

size_t vmcs_dump_read_region(struct vmx_inputs *inputs, const char *data, size_t size)
{
	size_t skip = 0;

	if (!is_region(data, size)) {
		skip = NESTED_STATE_HEADER;
		if (size < skip || !is_region(data + skip, size - skip))
			return 0;
	}
	vmcs_load(inputs->value, (const u8 *)data + skip);
	for (unsigned int f = 0; f < VMCS_FIELD_COUNT; f++)
		vmx_inputs_set(inputs, f, inputs->value[f]);
	return size; /* what may follow is another's: the shadow VMCS */
}

/* --- "ENCODING NAME: VALUE", all in hex --- */

static bool read_encoding(struct vmx_inputs *inputs, const char *word)
{
	unsigned long long value;
	unsigned int encoding;
	char name[64];
	int field;

	if (sscanf(word, "%4x %63[A-Z0-9_]: %llx", &encoding, name, &value) != 3)
		return false;
	field = vmcs_find(encoding);
	if (field < 0)
		return false;
	vmx_inputs_set(inputs, field, value);
	return true;
}

/* Whatever a logger put before it, the field starts at one of the line's words. */
static bool read_line(struct vmx_inputs *inputs, const char *line, const char *end)
{
	for (const char *word = line; word < end; word++)
		if ((word == line || word[-1] == ' ') && read_encoding(inputs, word))
			return true;
	return false;
}

size_t vmcs_dump_read_encodings(struct vmx_inputs *inputs, const char *data, size_t size)
{
	const char *line = data, *end = data + size, *stop;
	unsigned int fields = 0;

	for (; line < end; line = stop + 1) {
		stop = memchr(line, '\n', end - line);
		if (!stop)
			stop = end;
		fields += read_line(inputs, line, stop);
	}
	return fields ? size : 0;
}
