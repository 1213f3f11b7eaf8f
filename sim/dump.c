/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/dump.h"

#include <stdlib.h>

#include "sim/svm-model/dump.h"
#include "sim/vmx-model/dump.h"

#define FIELDS_MAX ((unsigned int)VMCS_FIELD_COUNT + VMCB_FIELD_COUNT) /* of either */

/* What is taken out of one dump after the other. */
struct reading {
	struct vmx_inputs vmx;
	struct svm_inputs svm;
	u64 vmcb[SVM_INPUT_COUNT];
	struct ls_dump_field field[FIELDS_MAX];
	struct ls_dump dump;
};

static void add_field(struct reading *reading, u32 field, const char *name, u64 value)
{
	reading->field[reading->dump.count++] =
		(struct ls_dump_field){.field = field, .name = name, .value = value};
}

/* --- one dump; how many bytes it took, 0 if there is none --- */

static size_t read_vmcs(struct reading *reading, unsigned int format, const char *data, size_t size)
{
	const struct vmx_inputs *inputs = &reading->vmx;
	size_t used;

	vmx_inputs_open_dump(&reading->vmx, NULL);
	used = vmcs_dump_formats[format].read(&reading->vmx, data, size);
	for (unsigned int f = 0; f < VMCS_FIELD_COUNT; f++)
		if (inputs->known[f / 64] >> f % 64 & 1)
			add_field(reading, vmcs_fields[f].encoding, vmcs_fields[f].name,
				  inputs->value[f]);
	return used;
}

static size_t read_vmcb(struct reading *reading, unsigned int format, const char *data, size_t size)
{
	const struct svm_inputs *inputs = &reading->svm;
	size_t used;

	svm_inputs_open_dump(&reading->svm, NULL, reading->vmcb);
	used = vmcb_dump_formats[format].read(&reading->svm, data, size);
	for (unsigned int f = 0; f < VMCB_FIELD_COUNT; f++)
		if (inputs->known[f / 64] >> f % 64 & 1)
			add_field(reading, vmcb_fields[f].offset, vmcb_fields[f].name,
				  reading->vmcb[f]);
	return used;
}

/* --- all of them --- */

static unsigned int format_count(enum dump_kind kind)
{
	return kind == DUMP_VMCB ? vmcb_dump_format_count : vmcs_dump_format_count;
}

static const char *format_name(enum dump_kind kind, unsigned int format)
{
	return kind == DUMP_VMCB ? vmcb_dump_formats[format].name : vmcs_dump_formats[format].name;
}

static bool read_format(struct reading *reading, enum dump_kind kind, unsigned int format,
			const char *data, size_t size, dump_found_fn *found, void *opaque)
{
	bool any = false;
	size_t used;

	for (; size; data += used, size -= used) {
		reading->dump = (struct ls_dump){.svm = kind == DUMP_VMCB,
						 .format = format_name(kind, format),
						 .fields = reading->field};
		used = kind == DUMP_VMCB ? read_vmcb(reading, format, data, size)
					 : read_vmcs(reading, format, data, size);
		if (!used)
			break;
		any = true;
		found(opaque, &reading->dump);
	}
	return any;
}

bool dump_read(enum dump_kind kind, const char *data, size_t size, dump_found_fn *found,
	       void *opaque)
{
	struct reading *reading = malloc(sizeof(*reading));
	bool any = false;

	for (unsigned int i = 0; reading && !any && i < format_count(kind); i++)
		any = read_format(reading, kind, i, data, size, found, opaque);
	free(reading);
	return any;
}
