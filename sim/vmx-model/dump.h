/* SPDX-License-Identifier: Apache-2.0 */
/* Dumps of a VMCS as others write them, read for the checks of VM entry. */
#ifndef LOCKSTEP_SIM_VMX_MODEL_DUMP_H
#define LOCKSTEP_SIM_VMX_MODEL_DUMP_H

#include "sim/vmx-model/inputs.h"

struct vmcs_dump_format {
	const char *name;
	/* Takes the first dump in @data (with a NUL behind @size bytes) into @inputs. Returns how
	 * many bytes it used, 0 if there is none of this format. */
	size_t (*read)(struct vmx_inputs *inputs, const char *data, size_t size);
};

extern const struct vmcs_dump_format vmcs_dump_formats[];
extern const unsigned int vmcs_dump_format_count;

size_t vmcs_dump_read_text(struct vmx_inputs *inputs, const char *data, size_t size);
size_t vmcs_dump_read_encodings(struct vmx_inputs *inputs, const char *data, size_t size);
size_t vmcs_dump_read_region(struct vmx_inputs *inputs, const char *data, size_t size);

#endif
