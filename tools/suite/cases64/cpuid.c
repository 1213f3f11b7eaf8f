/* SPDX-License-Identifier: Apache-2.0 */
/* CPUID and control registers: SDM 2A CPUID, SDM 3A chapter 2. */
#define THEME "cpuid"
#include "suite.h"

static void show_leaf(u32 leaf, u32 subleaf)
{
	u32 out[4];

	cpuid(leaf, subleaf, out);
	for (int n = 0; n < 4; n++)
		show(out[n]);
}

CASE(cpuid_vendor, "leaf 0: highest leaf and vendor")
{
	show_leaf(0, 0);
}

CASE(cpuid_version, "leaf 1: version, APIC ID, features")
{
	show_leaf(1, 0);
}

CASE(cpuid_osxsave, "leaf 1 shows CR4.OSXSAVE")
{
	TRY("mov %cr4, %rax; or $0x40000, %rax; mov %rax, %cr4");
	show_leaf(1, 0);
	TRY("mov %cr4, %rax; and $~0x40000, %rax; mov %rax, %cr4");
	show_leaf(1, 0);
}

CASE(cpuid_caches, "leaves 2 and 4")
{
	show_leaf(2, 0);
	for (u32 n = 0; n < 5; n++)
		show_leaf(4, n);
}

CASE(cpuid_features, "leaf 7: structured features")
{
	show_leaf(7, 0);
	show_leaf(7, 1);
}

CASE(cpuid_xsave, "leaf 0DH: XSAVE's components")
{
	for (u32 n = 0; n < 10; n++)
		show_leaf(0xd, n);
}

CASE(cpuid_extended, "leaves 80000000H to 80000008H")
{
	for (u32 n = 0; n < 9; n++)
		show_leaf(0x80000000 + n, 0);
}

CASE(cpuid_beyond, "a leaf beyond the highest")
{
	show_leaf(0x7fffffff, 0);
}

CASE(cpuid_clears_high, "CPUID clears the high halves of its registers")
{
	TRY("mov $-1, %rax; mov $-1, %rbx; mov $-1, %rdx; mov $0xffffffff00000000, %rax; mov $-1, "
	    "%rcx; cpuid");
}

CASE(cpuid_in_user, "CPUID works at level 3")
{
	TRY_USER("xor %eax, %eax; cpuid");
}

CASE(xgetbv, "XGETBV is #UD without CR4.OSXSAVE; XCR0's x87 bit cannot be cleared")
{
	TRY("xor %ecx, %ecx; xgetbv");
	TRY("mov %cr4, %rax; or $0x40000, %rax; mov %rax, %cr4; xor %ecx, %ecx; xgetbv");
	TRY("xor %ecx, %ecx; xor %edx, %edx; mov $2, %eax; xsetbv");
	TRY("xor %ecx, %ecx; xor %edx, %edx; mov $5, %eax; xsetbv");
	TRY("mov $1, %ecx; xor %edx, %edx; mov $1, %eax; xsetbv");
	TRY("xor %ecx, %ecx; xor %edx, %edx; mov $3, %eax; xsetbv; xgetbv");
	TRY_USER("xor %ecx, %ecx; xgetbv");
	TRY_USER("xor %ecx, %ecx; xor %edx, %edx; mov $3, %eax; xsetbv");
}

CASE(cr_rules, "CR0, CR4, CR3 and CR8: reserved bits and forbidden combinations are #GP(0)")
{
	TRY("mov %cr0, %rax; and $~1, %rax; mov %rax, %cr0");
	TRY("mov %cr0, %rax; or $0x20000000, %rax; mov %rax, %cr0");
	TRY("mov %cr0, %rax; and $~0x10, %rax; mov %rax, %cr0; mov %cr0, %rdx");
	TRY("mov %cr4, %rax; btr $5, %rax; mov %rax, %cr4");
	TRY("mov %cr4, %rax; bts $31, %rax; mov %rax, %cr4");
	TRY("mov %cr0, %rax; bts $32, %rax; mov %rax, %cr0");
	TRY("mov %cr4, %rax; bts $63, %rax; mov %rax, %cr4");
	TRY("mov %cr3, %rax; bts $52, %rax; mov %rax, %cr3");
	TRY("mov $0x10, %eax; mov %rax, %cr8");
}

/* AMD's checks have none for it (APM 2:14.6.2, table 14-5), and what comes next is 16-bit code; KVM
 * refuses it on either vendor's. */
CASE(cr0_paging_off,
     "clearing CR0.PG in 64-bit mode is #GP(0) on Intel's processors (SDM 3A:4.1.2)")
{
	if (vendor_is_amd())
		return;
	TRY("mov %cr0, %rax; btr $31, %rax; mov %rax, %cr0");
}

CASE(cr_undefined, "CR1, CR5, CR6, CR7 and CR9 are #UD")
{
	TRY(".byte 0x0f, 0x20, 0xc8");
	TRY(".byte 0x0f, 0x20, 0xe8");
	TRY(".byte 0x0f, 0x22, 0xf0");
	TRY(".byte 0x0f, 0x22, 0xf8");
	TRY(".byte 0x44, 0x0f, 0x20, 0xc8");
}

CASE(cr2_read_write, "CR2 keeps 64 bits")
{
	TRY("mov $0x123456789abcdef0, %rax; mov %rax, %cr2; mov %cr2, %rdx");
}

CASE(monitor_in_user, "MONITOR and MWAIT above level 0 are #UD")
{
	TRY_USER("mov $scratch, %eax; xor %ecx, %ecx; xor %edx, %edx; monitor");
	TRY_USER("xor %ecx, %ecx; xor %eax, %eax; mwait");
}

CASE(vmx_and_svm_off, "VMX's and SVM's instructions without their enable bits are #UD")
{
	wrmsr(0xc0000080, rdmsr(0xc0000080) & ~0x1000ul);
	TRY(".byte 0x0f, 0x01, 0xc4");
	TRY("mov $scratch, %eax; vmrun");
	TRY("clgi");
}
