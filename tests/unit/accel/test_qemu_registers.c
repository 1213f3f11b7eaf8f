/* SPDX-License-Identifier: Apache-2.0 */
/* What QEMU's monitor prints of a processor, in KVM's structs (QEMU, target/i386/cpu-dump.c; the
 * attributes are a descriptor's second half, SDM 3A:3.4.5). */
#include <string.h>

#include "accel/qemu/registers.h"
#include "tests/unit/check.h"

static const char wide[] =
	"\nCPU#0\n"
	"RAX=0000000000000001 RBX=0000000000000002 RCX=0000000000000003 RDX=0000000000000004\n"
	"RSI=0000000000000005 RDI=0000000000000006 RBP=0000000000000007 RSP=0000000000000008\n"
	"R8 =0000000000000009 R9 =000000000000000a R10=000000000000000b R11=000000000000000c\n"
	"R12=000000000000000d R13=000000000000000e R14=000000000000000f R15=fedcba9876543210\n"
	"RIP=ffffffff81000000 RFL=00000202 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0\n"
	"ES =0018 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
	"CS =0010 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]\n"
	"SS =0018 0000000000000000 ffffffff 00cff300 DPL=3 DS   [-WA]\n"
	"DS =0000 0000000000000000 00000000 00000000\n"
	"FS =0000 00007f0000001000 00000000 00000000\n"
	"GS =0000 0000000000000000 00000000 00000000\n"
	"LDT=0000 0000000000000000 0000ffff 00008200 DPL=0 LDT\n"
	"TR =0020 0000000000001000 00000067 00008900 DPL=0 TSS64-avl\n"
	"GDT=     0000000000000500 0000002f\n"
	"IDT=     0000000000002000 00000fff\n"
	"CR0=80000011 CR2=0000000000001234 CR3=0000000000001000 CR4=00000020\n"
	"EFER=0000000000000500\n";

static void test_wide(void)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	qemu_parse_registers(wide, &regs, &sregs);
	CHECK_EQUAL(regs.rax, 1);
	CHECK_EQUAL(regs.rsp, 8);
	CHECK_EQUAL(regs.r8, 9);
	CHECK_EQUAL(regs.r15, 0xfedcba9876543210);
	CHECK_EQUAL(regs.rip, 0xffffffff81000000);
	CHECK_EQUAL(regs.rflags, 0x202);
	CHECK_EQUAL(sregs.cs.selector, 0x10);
	CHECK_EQUAL(sregs.cs.limit, 0xffffffff);
	CHECK_EQUAL(sregs.cs.type, 0xb);
	CHECK_EQUAL(sregs.cs.l, 1);
	CHECK_EQUAL(sregs.cs.db, 0);
	CHECK_EQUAL(sregs.cs.g, 1);
	CHECK_EQUAL(sregs.ss.dpl, 3);
	CHECK_EQUAL(sregs.ss.db, 1);
	CHECK_EQUAL(sregs.ds.unusable, 1);
	CHECK_EQUAL(sregs.fs.base, 0x7f0000001000);
	CHECK_EQUAL(sregs.tr.limit, 0x67);
	CHECK_EQUAL(sregs.tr.type, 0xb); /* SDM 3A:7.2.2: what LTR has loaded is busy */
	CHECK_EQUAL(sregs.gdt.base, 0x500);
	CHECK_EQUAL(sregs.idt.limit, 0xfff);
	CHECK_EQUAL(sregs.cr0, 0x80000011);
	CHECK_EQUAL(sregs.cr2, 0x1234);
	CHECK_EQUAL(sregs.efer, 0x500);
}

/* Outside of 64-bit code the names are those of 32 bits. */
static void test_narrow(void)
{
	static const char text[] =
		"\nCPU#0\n"
		"EAX=00000001 EBX=00000000 ECX=00000000 EDX=00800f12\n"
		"ESI=00000000 EDI=00000000 EBP=00000000 ESP=0000abcd\n"
		"EIP=0000fff0 EFL=00000046 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0\n"
		"CS =f000 ffff0000 0000ffff 00009b00\n"
		"CR0=60000010 CR2=00000000 CR3=00000000 CR4=00000000\n";
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	qemu_parse_registers(text, &regs, &sregs);
	CHECK_EQUAL(regs.rax, 1);
	CHECK_EQUAL(regs.rdx, 0x800f12);
	CHECK_EQUAL(regs.rsp, 0xabcd);
	CHECK_EQUAL(regs.rip, 0xfff0);
	CHECK_EQUAL(regs.rflags, 0x46);
	CHECK_EQUAL(sregs.cs.base, 0xffff0000);
	CHECK_EQUAL(sregs.cs.db, 0);
	CHECK_EQUAL(sregs.cr0, 0x60000010);
}

static CU_TestInfo tests[] = {
	{"64-bit code", test_wide},
	{"16- and 32-bit code", test_narrow},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("accel/qemu_registers", tests)
