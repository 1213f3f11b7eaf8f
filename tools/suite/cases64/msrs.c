/* SPDX-License-Identifier: Apache-2.0 */
/* Model-specific registers: SDM 4, APM 2 appendix A. */
#define THEME "msrs"
#include "suite.h"

CASE(msr_unknown, "an MSR that does not exist is #GP(0)")
{
	TRY("mov $0x12345678, %ecx; rdmsr");
	TRY("mov $0x12345678, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr");
}

CASE(efer, "EFER: reserved bits are #GP(0); LMA cannot be written")
{
	show(rdmsr(0xc0000080));
	TRY("mov $0xc0000080, %ecx; rdmsr; bts $20, %eax; wrmsr");
	TRY("mov $0xc0000080, %ecx; rdmsr; btc $11, %eax; wrmsr; rdmsr");
}

CASE(efer_lme_paging, "EFER.LME cannot change while paging is on")
{
	TRY("mov $0xc0000080, %ecx; rdmsr; btr $8, %eax; wrmsr");
}

CASE(star, "STAR, LSTAR, CSTAR, FMASK keep what is written")
{
	wrmsr(0xc0000081, 0x1234567890abcdef);
	wrmsr(0xc0000082, 0x123456789abc);
	wrmsr(0xc0000083, 0x7fffffffffff);
	wrmsr(0xc0000084, 0x700);
	show(rdmsr(0xc0000081));
	show(rdmsr(0xc0000082));
	show(rdmsr(0xc0000083));
	show(rdmsr(0xc0000084));
}

CASE(msr_non_canonical, "a non-canonical LSTAR, KERNEL_GS_BASE or GS_BASE is #GP(0)")
{
	TRY("mov $0xc0000082, %ecx; xor %eax, %eax; mov $0x80000000, %edx; wrmsr");
	TRY("mov $0xc0000102, %ecx; xor %eax, %eax; mov $0x8000, %edx; wrmsr");
	TRY("mov $0xc0000101, %ecx; xor %eax, %eax; mov $0x80000000, %edx; wrmsr");
	show(rdmsr(0xc0000101));
}

CASE(sysenter_msrs, "SYSENTER's three MSRs")
{
	wrmsr(0x174, 8);
	wrmsr(0x175, 0x1000);
	wrmsr(0x176, 0x2000);
	show(rdmsr(0x174));
	show(rdmsr(0x175));
	show(rdmsr(0x176));
}

CASE(pat, "PAT: each byte a memory type, others are #GP(0)")
{
	show(rdmsr(0x277));
	TRY("mov $0x277, %ecx; mov $0x00070106, %eax; mov $0x00070106, %edx; wrmsr; rdmsr");
	TRY("mov $0x277, %ecx; mov $0x00070206, %eax; xor %edx, %edx; wrmsr");
	TRY("mov $0x277, %ecx; mov $0x08, %eax; xor %edx, %edx; wrmsr");
}

CASE(mtrr_cap, "MTRRCAP: eight variable ranges, fixed ranges")
{
	show(rdmsr(0xfe) & 0x5ff);
}

CASE(mtrr_default, "MTRR_DEF_TYPE: type and enable bits")
{
	wrmsr(0x2ff, 0xc06);
	show(rdmsr(0x2ff));
	TRY("mov $0x2ff, %ecx; mov $0xc02, %eax; xor %edx, %edx; wrmsr");
}

CASE(mtrr_fixed, "a fixed-range MTRR takes eight types, none of them reserved")
{
	wrmsr(0x250, 0x0606060606060606);
	show(rdmsr(0x250));
	TRY("mov $0x250, %ecx; mov $0x02, %eax; xor %edx, %edx; wrmsr");
}

CASE(mtrr_variable, "a variable range: base and mask")
{
	wrmsr(0x200, 0x40000006);
	wrmsr(0x201, 0xff0000800);
	show(rdmsr(0x200));
	show(rdmsr(0x201));
	TRY("mov $0x200, %ecx; mov $0x40000002, %eax; xor %edx, %edx; wrmsr");
}

CASE(fs_gs_base, "the segment bases are MSRs, too")
{
	wrmsr(0xc0000100, 0x7fff12345678);
	wrmsr(0xc0000101, 0x123456);
	show(rdmsr(0xc0000100));
	show(rdmsr(0xc0000101));
	TRY("mov %cr4, %rax; or $0x10000, %rax; mov %rax, %cr4; rdfsbase %rax; rdgsbase %rdx");
	TRY("mov $0x7777, %eax; wrfsbase %rax; rdfsbase %rdx");
}

CASE(fsgsbase_disabled, "RDFSBASE with CR4.FSGSBASE clear is #UD")
{
	TRY("rdfsbase %rax");
}

CASE(msr_high_bits, "RDMSR and WRMSR use 32 bits of RCX, RAX and RDX")
{
	TRY("mov $0xffffffffc0000082, %rcx; mov $0xffffffff00001000, %rax; mov "
	    "$0xffffffff00000000, %rdx; wrmsr;"
	    "mov $-1, %rax; mov $-1, %rdx; rdmsr");
}

CASE(tsc_aux, "TSC_AUX keeps 32 bits")
{
	u32 out[4];

	cpuid(0x80000001, 0, out);
	show(out[3] & 1u << 27);
	if (!(out[3] & 1u << 27))
		return;
	wrmsr(0xc0000103, 0x1234);
	show(rdmsr(0xc0000103));
}
