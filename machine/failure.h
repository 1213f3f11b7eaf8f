/* SPDX-License-Identifier: Apache-2.0 */
/* A vCPU that the engine could not run (KVM_EXIT_FAIL_ENTRY, KVM_EXIT_INTERNAL_ERROR), as it can be
 * read by KVM's calls. */
#ifndef LOCKSTEP_MACHINE_FAILURE_H
#define LOCKSTEP_MACHINE_FAILURE_H

#include <stdint.h>

#define FAILURE_CODE 15 /* most bytes of an instruction, SDM 2A:2.3.11 */

struct vcpu;

struct machine_failure {
	unsigned int vcpu;
	/* The guest's state, as a dump that ls_extension.explain reads: of a VMCS on Intel's
	 * processors, of a VMCB on AMD's. What can't be read is not in it. */
	const char *state;
	/* The instruction that comes next, or which the engine gave up at. */
	uint64_t rip;
	unsigned int code_bits, code_size; /* 16, 32 or 64; bytes that could be read */
	uint8_t code[FAILURE_CODE];
};

/* Calls the configuration's `failed`, if there is one. */
void failure_tell(struct vcpu *vcpu);

#endif
