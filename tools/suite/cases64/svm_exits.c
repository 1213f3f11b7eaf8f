/* SPDX-License-Identifier: Apache-2.0 */
/* Intercepts: exit codes and what comes with them (APM 2:15.7 to 15.14). */
#define THEME "svm"
#include "svm_rig.h"

GUEST(cpuid_guest, "nop; cpuid");
GUEST(rdtsc_guest, "nop; rdtsc");
GUEST(offset_guest, "rdtsc; xor %eax, %eax; shr $28, %edx");
GUEST(hlt_guest, "nop; hlt");
GUEST(pause_guest, "nop; pause");
GUEST(invlpg_guest, "mov $0x1000, %eax; invlpg (%rax)");
GUEST(wbinvd_guest, "nop; wbinvd");
GUEST(int_guest, "nop; int $0x41");
GUEST(iret_guest, "nop; iretq");
GUEST(pushf_guest, "nop; pushf");
GUEST(rdpmc_guest, "xor %ecx, %ecx; rdpmc");
GUEST(table_guest, "sub $16, %rsp; sidt (%rsp)");
GUEST(str_guest, "nop; str %eax");
GUEST(lgdt_guest, "sub $16, %rsp; sgdt (%rsp); lgdt (%rsp)");
GUEST(read_cr_guest, "nop; mov %cr3, %rdx");
GUEST(write_cr_guest, "mov %cr4, %rbx; mov %rbx, %cr4");
GUEST(write_cr0_guest,
      "mov %cr0, %rbx; xor $2, %ebx; mov %rbx, %cr0; xor $0x10002, %ebx; mov %rbx, %cr0");
GUEST(clts_guest, "nop; clts");
GUEST(read_dr_guest, "nop; mov %dr3, %rsi");
GUEST(write_dr_guest, "xor %edx, %edx; mov %rdx, %dr0");
GUEST(in_guest, "mov $0x1f0, %edx; in %dx, %ax");
GUEST(out_guest, "mov $0x1f0, %edx; mov $0x12345678, %eax; out %eax, %dx");
GUEST(outs_guest, "mov $0x1f0, %edx; lea outs_guest(%rip), %rsi; mov $2, %ecx; rep outsb");
GUEST(rdmsr_guest, "mov $0xc0000081, %ecx; rdmsr");
GUEST(wrmsr_guest, "mov $0x174, %ecx; mov $8, %eax; xor %edx, %edx; wrmsr");
GUEST(high_msr_guest, "mov $0x12345678, %ecx; rdmsr");
GUEST(ud_guest, "nop; ud2");
GUEST(gp_guest, "mov $0x1ff8, %eax; mov %eax, %fs");
GUEST(pf_guest, "mov $0x1122, %eax; movabs $0x140001000, %rbx; mov %eax, (%rbx)");
GUEST(de_guest, "xor %ecx, %ecx; div %ecx");
GUEST(vmsave_guest, "xor %eax, %eax; vmsave %rax");
GUEST(nested_guest, "xor %eax, %eax; vmrun %rax");
GUEST(stgi_guest, "nop; stgi");

static void intercepted(void (*code)(void), u32 bits3, u32 bits4, u32 with)
{
	if (!svm_guest(code))
		return;
	vmcb.intercepts3 = bits3;
	vmcb.intercepts4 |= bits4;
	svm_run_and_show(with);
}

CASE(svm_exit_cpuid, "CPUID exits before it runs")
{
	intercepted(cpuid_guest, SVM_CPUID, 0, WITH_N_RIP);
}

CASE(svm_exit_rdtsc, "RDTSC")
{
	intercepted(rdtsc_guest, SVM_RDTSC, 0, WITH_N_RIP);
}

CASE(svm_exit_hlt, "HLT")
{
	intercepted(hlt_guest, SVM_HLT, 0, WITH_N_RIP);
}

CASE(svm_exit_pause, "PAUSE without a filter")
{
	intercepted(pause_guest, SVM_PAUSE, 0, WITH_N_RIP);
}

CASE(svm_exit_invlpg, "INVLPG")
{
	intercepted(invlpg_guest, SVM_INVLPG, 0, WITH_N_RIP);
}

CASE(svm_exit_wbinvd, "WBINVD")
{
	intercepted(wbinvd_guest, 0, 1u << 9, WITH_N_RIP);
}

CASE(svm_exit_int, "INT n")
{
	intercepted(int_guest, SVM_SWINT, 0, WITH_N_RIP);
}

CASE(svm_exit_iret, "IRET")
{
	intercepted(iret_guest, SVM_IRET, 0, WITH_N_RIP);
}

CASE(svm_exit_pushf, "PUSHF")
{
	intercepted(pushf_guest, 1u << 16, 0, WITH_N_RIP);
}

CASE(svm_exit_rdpmc, "RDPMC")
{
	intercepted(rdpmc_guest, 1u << 15, 0, WITH_N_RIP);
}

CASE(svm_exit_tables, "SIDT, STR, LGDT")
{
	intercepted(table_guest, 1u << 6, 0, WITH_N_RIP);
	intercepted(str_guest, 1u << 9, 0, WITH_N_RIP);
	intercepted(lgdt_guest, 1u << 11, 0, WITH_N_RIP);
}

CASE(svm_exit_cr, "MOV from CR3, to CR4")
{
	if (!svm_guest(read_cr_guest))
		return;
	vmcb.cr_read = 1u << 3;
	svm_run_and_show(WITH_N_RIP);
	svm_prepare(write_cr_guest);
	vmcb.cr_write = 1u << 4;
	svm_run_and_show(WITH_N_RIP);
}

CASE(svm_exit_cr0_selective, "the selective CR0 intercept: not for MP, but for WP; CLTS never")
{
	intercepted(write_cr0_guest, SVM_CR0_SEL, 0, WITH_N_RIP);
	intercepted(clts_guest, SVM_CR0_SEL, 0, WITH_N_RIP);
}

CASE(svm_exit_dr, "MOV from DR3, to DR0")
{
	if (!svm_guest(read_dr_guest))
		return;
	vmcb.dr_read = 1u << 3;
	svm_run_and_show(WITH_N_RIP);
	svm_prepare(write_dr_guest);
	vmcb.dr_write = 1u << 0;
	svm_run_and_show(WITH_N_RIP);
}

CASE(svm_exit_io, "ports: the bit of any byte of the access; EXITINFO1 and the next RIP")
{
	svm_iopm[0x1f1 / 8] = 1u << (0x1f1 % 8);
	if (!svm_guest(in_guest))
		return;
	vmcb.intercepts3 = SVM_IOIO;
	svm_run_and_show(WITH_INFO1 | WITH_INFO2);
	svm_prepare(out_guest);
	vmcb.intercepts3 = SVM_IOIO;
	svm_run_and_show(WITH_INFO1 | WITH_INFO2);
}

CASE(svm_exit_outs, "REP OUTSB: string and repeat in EXITINFO1")
{
	svm_iopm[0x1f0 / 8] = 1;
	intercepted(outs_guest, SVM_IOIO, 0, WITH_INFO1 | WITH_INFO2);
}

CASE(svm_exit_msr, "MSRs: two bits each, EXITINFO1 tells a write; others always exit")
{
	svm_msrpm[0x800 + 0x81 / 4] = 1u << 2; /* reads of STAR */
	svm_msrpm[0x174 / 4] = 1u << 1;        /* writes of SYSENTER_CS */
	intercepted(rdmsr_guest, SVM_MSR, 0, WITH_INFO1);
	intercepted(wrmsr_guest, SVM_MSR, 0, WITH_INFO1);
	intercepted(high_msr_guest, SVM_MSR, 0, WITH_INFO1);
}

static void excepted(void (*code)(void), u8 vector, u32 with)
{
	if (!svm_guest(code))
		return;
	vmcb.exceptions = 1u << vector;
	svm_run_and_show(with);
}

CASE(svm_exit_exceptions, "#UD, #DE; #GP with its error code")
{
	excepted(ud_guest, 6, 0);
	excepted(de_guest, 0, 0);
	excepted(gp_guest, 13, WITH_INFO1);
}

CASE(svm_exit_page_fault, "#PF: error code, address; CR2 is not written")
{
	if (!svm_guest(pf_guest))
		return;
	vmcb.exceptions = 1u << 14;
	vmcb.cr2 = 0x4321;
	svm_run_and_show(WITH_INFO1 | WITH_INFO2);
}

CASE(svm_exit_svm, "SVM's own instructions in a guest")
{
	intercepted(vmsave_guest, 0, SVM_VMSAVE, 0);
	intercepted(nested_guest, 0, 0, 0);
	intercepted(stgi_guest, 0, 1u << 4, 0);
}

CASE(svm_shutdown, "a triple fault with the SHUTDOWN intercept exits")
{
	u64 code;

	if (!svm_guest(ud_guest))
		return;
	vmcb.idtr.limit = 0;
	vmcb.intercepts3 = SVM_SHUTDOWN;
	code = svm_run_once();
	__builtin_memset(&vmcb, 0, sizeof(vmcb)); /* its state is undefined (APM 2:15.14.3) */
	show(code);
}

CASE(svm_tsc_offset, "TSC_OFFSET is added for the guest, and not for the host")
{
	u64 high;

	if (!svm_guest(offset_guest))
		return;
	vmcb.tsc_offset = 5ull << 60;
	svm_run_once();
	high = svm_guest_registers[2];
	__builtin_memset(&vmcb, 0, sizeof(vmcb));
	__builtin_memset(svm_guest_registers, 0, sizeof(svm_guest_registers));
	show(high);
}
