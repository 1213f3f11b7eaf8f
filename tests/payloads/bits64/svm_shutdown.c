/* SPDX-License-Identifier: Apache-2.0 */
/* A guest's triple fault without the SHUTDOWN intercept shuts the processor down (APM 2:15.14.3):
 * the run has to end by itself, with the exit status of a triple fault. */
#include "svm.h"

static void guest(void)
{
	__asm__ volatile("ud2");
}

void payload(void)
{
	svm_begin();
	svm_prepare(guest);
	vmcb.idtr.limit = 0;
	print("PASSED if this is the last line\n");
	drain();
	svm_run();
	print("FAIL the host is still running\n");
}
