/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON of Chrome's trace viewer and Perfetto ("Trace Event Format"): a vCPU is a thread, time
 * in the guest a span, every other event an instant; its hypervisor's guests are spans of a thread
 * of their own. Instructions are left out. */
#ifndef LOCKSTEP_TRACES_EXPORT_CHROME_H
#define LOCKSTEP_TRACES_EXPORT_CHROME_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct chrome_export {
	FILE *to;
	unsigned int vcpu;
	bool inside;     /* a span has begun */
	bool named;      /* the thread for the vCPU's guests of its own has its name */
	uint64_t offset; /* of the guest's time from the number of instructions */
	uint64_t time;
	uint64_t entered; /* when a guest of the machine's hypervisor was; UINT64_MAX: none is */
};

void chrome_export_begin(struct chrome_export *export, FILE *to, unsigned int vcpus);
/* All records of a vCPU, then those of the next. */
void chrome_export_add(struct chrome_export *export, unsigned int vcpu, const uint64_t *record);
void chrome_export_end(struct chrome_export *export);

#endif
