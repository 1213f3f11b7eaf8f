/* SPDX-License-Identifier: Apache-2.0 */
/* Dumps of VMCSs and VMCBs, in any format that is known, as fields. */
#ifndef LOCKSTEP_SIM_DUMP_H
#define LOCKSTEP_SIM_DUMP_H

#include <lockstep/extension.h>

enum dump_kind { DUMP_VMCS, DUMP_VMCB };

typedef void dump_found_fn(void *opaque, const struct ls_dump *dump);

/* Calls @found with each dump of the first format of that kind that is there. False: there is none.
 */
bool dump_read(enum dump_kind kind, const char *data, size_t size, dump_found_fn *found,
	       void *opaque);

#endif
