/* SPDX-License-Identifier: Apache-2.0 */
/* VMRUN: what enters and what is refused (APM 2:15.5.1, 15.20, 15.25.4). */
#define THEME "svm"
#include "svm_rig.h"

GUEST(entry_guest, "mov $0x1234, %eax");

CASE(svm_runs, "a guest runs and exits by VMMCALL")
{
	if (svm_guest(entry_guest))
		svm_run_and_show(WITH_STACK | WITH_N_RIP);
}

CASE(svm_bad_intercept, "VMRUN without its own intercept: VMEXIT_INVALID")
{
	if (!svm_guest(entry_guest))
		return;
	vmcb.intercepts4 &= ~SVM_VMRUN;
	svm_run_and_show(0);
}

CASE(svm_bad_asid, "ASID 0: VMEXIT_INVALID")
{
	if (!svm_guest(entry_guest))
		return;
	vmcb.asid = 0;
	svm_run_and_show(0);
}

CASE(svm_bad_efer, "EFER.SVME clear, a reserved bit of EFER: VMEXIT_INVALID")
{
	if (!svm_guest(entry_guest))
		return;
	vmcb.efer &= ~0x1000ull;
	svm_run_and_show(0);
	svm_prepare(entry_guest);
	vmcb.efer |= 1ull << 63;
	svm_run_and_show(0);
}

CASE(svm_bad_cr0, "CR0.NW without CD, a bit above 31: VMEXIT_INVALID")
{
	if (!svm_guest(entry_guest))
		return;
	vmcb.cr0 |= 1u << 29;
	svm_run_and_show(0);
	svm_prepare(entry_guest);
	vmcb.cr0 |= 1ull << 40;
	svm_run_and_show(0);
}

CASE(svm_bad_cr3, "a reserved bit of CR3: VMEXIT_INVALID")
{
	if (!svm_guest(entry_guest))
		return;
	vmcb.cr3 |= 1ull << 60;
	svm_run_and_show(0);
}

CASE(svm_bad_cr4, "a reserved bit of CR4: VMEXIT_INVALID")
{
	if (!svm_guest(entry_guest))
		return;
	vmcb.cr4 |= 1u << 15;
	svm_run_and_show(0);
}

CASE(svm_bad_debug, "bits 63:32 of DR6 and DR7: VMEXIT_INVALID")
{
	if (!svm_guest(entry_guest))
		return;
	vmcb.dr6 |= 1ull << 32;
	svm_run_and_show(0);
	svm_prepare(entry_guest);
	vmcb.dr7 |= 1ull << 33;
	svm_run_and_show(0);
}

CASE(svm_bad_long_mode, "long mode without PAE, without PE: VMEXIT_INVALID")
{
	if (!svm_guest(entry_guest))
		return;
	vmcb.cr4 &= ~0x20ull;
	svm_run_and_show(0);
	svm_prepare(entry_guest);
	vmcb.cr0 &= ~1ull;
	svm_run_and_show(0);
}

CASE(svm_bad_cs, "CS.L and CS.D in long mode: VMEXIT_INVALID")
{
	if (!svm_guest(entry_guest))
		return;
	vmcb.cs.attributes |= 0x400;
	svm_run_and_show(0);
}

CASE(svm_bad_maps, "permission maps beyond the physical addresses: VMEXIT_INVALID")
{
	if (!svm_guest(entry_guest))
		return;
	vmcb.msrpm = 1ull << 52;
	vmcb.intercepts3 = SVM_MSR;
	svm_run_and_show(0);
	svm_prepare(entry_guest);
	vmcb.iopm = 1ull << 52;
	vmcb.intercepts3 = SVM_IOIO;
	svm_run_and_show(0);
}

CASE(svm_bad_inject_type, "EVENTINJ with a reserved type: VMEXIT_INVALID")
{
	if (!svm_guest(entry_guest))
		return;
	vmcb.event_inj = SVM_INJECT | SVM_TYPE(1) | 0x20;
	svm_run_and_show(0);
}

CASE(svm_bad_inject_vector, "EVENTINJ of exception 2: VMEXIT_INVALID")
{
	if (!svm_guest(entry_guest))
		return;
	vmcb.event_inj = SVM_INJECT | SVM_TYPE(3) | 2;
	svm_run_and_show(0);
}

CASE(svm_bad_nested_cr3, "nested paging: reserved bits of N_CR3: VMEXIT_INVALID")
{
	if (!svm_guest_nested(entry_guest))
		return;
	vmcb.n_cr3 |= 1ull << 60;
	svm_run_and_show(0);
}

CASE(svm_bad_g_pat, "nested paging: a type in G_PAT that is none: VMEXIT_INVALID")
{
	if (!svm_guest_nested(entry_guest))
		return;
	vmcb.g_pat = 2;
	svm_run_and_show(0);
}

CASE(svm_vmrun_address, "VMRUN, VMLOAD, VMSAVE: an address that is no page is #GP(0)")
{
	if (!svm_offered())
		return;
	svm_begin();
	TRY("mov $0x1001, %eax; vmrun %rax");
	TRY("mov $0x1800, %eax; vmload %rax");
	TRY("mov $1, %eax; shl $60, %rax; vmsave %rax");
}

CASE(svm_without_svme, "without EFER.SVME the instructions are #UD")
{
	if (!svm_offered())
		return;
	TRY("xor %eax, %eax; vmrun %rax");
	TRY("xor %eax, %eax; vmload %rax");
	TRY("xor %eax, %eax; invlpga %rax, %ecx");
	TRY("clgi");
}

CASE(svm_user, "at level 3 they are #GP(0)")
{
	if (!svm_offered())
		return;
	svm_begin();
	TRY_USER("xor %eax, %eax; vmrun %rax");
	TRY_USER("stgi");
}

CASE(svm_guest_gp, "a guest's RIP that is not canonical is its own #GP")
{
	if (!svm_guest(entry_guest))
		return;
	vmcb.rip = 1ull << 60;
	vmcb.exceptions = 1u << 13;
	svm_run_and_show(WITH_INFO1);
}

/* The attributes of TR are left out: QEMU's LTR does not set the busy bit in the register. */
CASE(svm_vmload_vmsave, "VMLOAD takes what VMSAVE wrote")
{
	struct svm_vmcb *other = (struct svm_vmcb *)scratch[0];
	u64 star, base, selectors, tr_base;

	if (!svm_offered())
		return;
	svm_begin();
	wrmsr(0xc0000081, 0x1234567800000000);
	wrmsr(0xc0000102, 0x7654321);
	__asm__ volatile("vmsave %0" : : "a"(other) : "memory");
	star = other->star;
	base = other->kernel_gs_base;
	selectors = (u64)other->fs.selector << 16 | other->tr.selector;
	tr_base = other->tr.base;
	other->star = 0x8765432100000000;
	other->fs.base = 0x123000;
	other->sysenter_esp = 0x4567;
	__asm__ volatile("vmload %0" : : "a"(other) : "memory");
	__builtin_memset(other, 0, sizeof(*other));
	show(star);
	show(base);
	show(selectors);
	show(tr_base);
	show(rdmsr(0xc0000081));
	show(rdmsr(0xc0000100));
	show(rdmsr(0x175));
}

CASE(svm_msrs, "VM_CR, VM_HSAVE_PA: what may be written")
{
	if (!svm_offered())
		return;
	show(rdmsr(0xc0010114));
	TRY("mov $0xc0010117, %ecx; mov $0x1001, %eax; xor %edx, %edx; wrmsr");
	TRY("mov $0xc0010117, %ecx; mov $0x5000, %eax; xor %edx, %edx; wrmsr; rdmsr");
	TRY("mov $0xc0010114, %ecx; mov $0x20, %eax; xor %edx, %edx; wrmsr");
}
