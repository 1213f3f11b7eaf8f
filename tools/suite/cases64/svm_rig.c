/* SPDX-License-Identifier: Apache-2.0 */
#include "svm_rig.h"

#define NRIPS (1u << 3)

/* QEMU does not tell the address size (APM 2:15.10.2, figure 15-2). */
#define EXIT_IOIO         0x7b
#define IOIO_ADDRESS_SIZE 0x380ull

bool svm_guest(void (*code)(void))
{
	if (!svm_offered())
		return false;
	svm_begin();
	svm_prepare(code);
	return true;
}

bool svm_guest_nested(void (*code)(void))
{
	if (!svm_offered() || !(svm_features() & 1))
		return false;
	svm_begin();
	svm_prepare_nested(code);
	return true;
}

/* A page; few instructions, for engines that are stepped. */
static void forget(void *page)
{
	u64 count = 512;

	__asm__ volatile("rep stosq" : "+D"(page), "+c"(count) : "a"(0) : "memory");
}

u64 svm_run_once(void)
{
	u64 code = svm_run();

	forget(svm_host_save);
	return code;
}

void svm_run_and_show(unsigned int with)
{
	u64 shown[9], code = svm_run_once();
	u32 count = 0;

	/* Of a refusal half the code is compared, for QEMU's has no other; and the manual does not
	 * say what becomes of the VMCB's state. */
	if ((u32)code == (u32)EXIT_INVALID) {
		forget(&vmcb);
		show((u32)code);
		return;
	}
	shown[count++] = code;
	shown[count++] = vmcb.rip;
	shown[count++] = vmcb.rax;
	shown[count++] = vmcb.rflags;
	if (with & WITH_INFO1)
		shown[count++] =
			code == EXIT_IOIO ? vmcb.exit_info1 & ~IOIO_ADDRESS_SIZE : vmcb.exit_info1;
	if (with & WITH_INFO2)
		shown[count++] = vmcb.exit_info2;
	if (with & WITH_EVENT)
		shown[count++] = vmcb.exit_int_info;
	if (with & WITH_STACK)
		shown[count++] = vmcb.rsp;
	if ((with & WITH_N_RIP) && (svm_features() & NRIPS))
		shown[count++] = vmcb.n_rip;
	forget(&vmcb);
	__builtin_memset(svm_guest_registers, 0, sizeof(svm_guest_registers));
	for (u32 i = 0; i < count; i++)
		show(shown[i]);
}
