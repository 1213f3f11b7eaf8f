/* SPDX-License-Identifier: Apache-2.0 */
/* What the cases on SVM share. They do nothing on a processor without it: --cpu amd,+svm. */
#ifndef SUITE_SVM_RIG_H
#define SUITE_SVM_RIG_H

#include "suite.h"
#include "svm.h"

/* A guest's code; AT in it marks the instruction that is to exit. It ends by VMMCALL. */
#define GUEST(name, code)                                                                          \
	void name(void);                                                                           \
	__asm__(".pushsection .text\n" #name ": " code "; vmmcall\n.popsection\n")

/* What of an exit is compared. The rest of the VMCB is forgotten first: much of it is left open. */
enum {
	WITH_INFO1 = 1,
	WITH_INFO2 = 2,
	WITH_EVENT = 4,
	WITH_STACK = 8,
	WITH_N_RIP = 16, /* where the processor has it */
};

/* Runs the prepared guest; what the processor keeps at VM_HSAVE_PA is its own (APM 2:15.5.1) and
 * forgotten. */
u64 svm_run_once(void);
/* Runs the prepared guest and shows exit code, RIP, RAX, RFLAGS and what @with says. */
void svm_run_and_show(unsigned int with);
/* Turns SVM on and prepares the guest; false: there is no SVM. */
bool svm_guest(void (*code)(void));
bool svm_guest_nested(void (*code)(void));

#endif
