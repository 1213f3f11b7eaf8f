/* SPDX-License-Identifier: Apache-2.0 */
/* The TPR shadow and the APIC-access page (SDM 3C:27.7.7, 30.1.2, 30.3, 30.4). */
#include "vmx.h"

#define VALID                        (1u << 31)
#define CR8_LOAD                     (1u << 19)
#define REASON_EXCEPTION             0
#define REASON_VMCALL                18
#define REASON_CR                    28
#define REASON_TPR                   43
#define REASON_APIC_ACCESS           44
#define TYPE_WRITE                   0x1000
#define TYPE_FETCH                   0x2000
#define TYPE_GUEST_PHYSICAL          0xf000
#define TYPE_GUEST_PHYSICAL_DELIVERY 0xa000
#define REASON_EPT_VIOLATION         48
#define TYPE_DELIVERY                0x3000
#define VTPR                         (*(volatile u32 *)(virtual_page + 0x80))

static u8 access_page[4096] __attribute__((aligned(4096)));
static u8 virtual_page[4096] __attribute__((aligned(4096)));

/* Guests: what they do, between two labels, then VMCALL. */
#define GUEST(name, code)                                                                          \
	extern char name[], name##_behind[];                                                       \
	__asm__(".text\n" #name ":\n\t" code "\n" #name "_behind:\n\tvmcall\n")
GUEST(write_cr8, "mov %rcx, %cr8");
GUEST(read_cr8, "mov %cr8, %rbx");
GUEST(read4, "mov (%rsi), %ebx");
GUEST(read8, "mov (%rsi), %rbx");
GUEST(read2, "mov (%rsi), %bx");
GUEST(write4, "mov %ecx, (%rsi)");
GUEST(modify4, "orl %ecx, (%rsi)");
GUEST(jump, "jmp *%rsi");
GUEST(flush, "clflush (%rsi)");
GUEST(push_event, "mov %rsi, %rsp; int $0x40");
GUEST(stores, "rep stosl");

static void prepare(char *code, u32 primary, u32 secondary)
{
	CHECK_EQUAL(vmclear((u64)vmcs_region), SUCCEED);
	CHECK_EQUAL(vmptrld((u64)vmcs_region), SUCCEED);
	vmx_prepare((void (*)(void))code);
	vmx_set_primary(primary | PRIMARY_SECONDARY);
	CHECK(vmx_set_secondary(secondary));
	vmwrite(VIRTUAL_APIC, (u64)virtual_page);
	vmwrite(APIC_ACCESS, (u64)access_page);
	vmwrite(TPR_THRESHOLD, 0);
	for (u32 n = 0; n < sizeof(virtual_page); n++)
		access_page[n] = virtual_page[n] = 0;
}

static void expect_exit(u32 reason, char *rip)
{
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), reason);
	CHECK_EQUAL(vmread(GUEST_RIP), (u64)rip);
}

static u64 *guest_register(u32 number)
{
	return &vmx_guest_registers[number];
}
#define RCX 1
#define RBX 3
#define RSI 6
#define RDI 7

/* --- the TPR shadow --- */

static void prepare_cr8(char *code, u32 threshold, u64 value)
{
	prepare(code, PRIMARY_TPR_SHADOW, 0);
	VTPR = 0xf0;
	vmwrite(TPR_THRESHOLD, threshold);
	*guest_register(RCX) = value;
}

static void cr8(void)
{
	section("MOV to CR8 stores VTPR[7:4] and clears the rest; the APIC's TPR stays (30.3)");
	prepare_cr8(write_cr8, 0, 5);
	VTPR = 0xffffffff;
	expect_exit(REASON_VMCALL, write_cr8_behind);
	CHECK_EQUAL(VTPR, 0x50);
	CHECK_EQUAL(READ_REGISTER("cr8"), 0);
	section("MOV from CR8 loads VTPR[7:4]");
	prepare_cr8(read_cr8, 0, 0);
	VTPR = 0x12345697;
	expect_exit(REASON_VMCALL, read_cr8_behind);
	CHECK_EQUAL(*guest_register(RBX), 9);
	section("a value beyond 15 is #GP(0), and stores nothing");
	prepare_cr8(write_cr8, 0, 16);
	vmwrite(EXCEPTION_BITMAP, 1u << 13);
	expect_exit(REASON_EXCEPTION, write_cr8);
	CHECK_EQUAL(VTPR, 0xf0);
	section("CR8-load exiting comes before (26.1.3)");
	prepare_cr8(write_cr8, 0, 5);
	vmx_set_primary(PRIMARY_TPR_SHADOW | CR8_LOAD);
	expect_exit(REASON_CR, write_cr8);
	CHECK_EQUAL(VTPR, 0xf0);
}

static void threshold(void)
{
	section("below the threshold: exit 43 behind the instruction (30.1.2)");
	prepare_cr8(write_cr8, 4, 3);
	expect_exit(REASON_TPR, write_cr8_behind);
	CHECK_EQUAL(vmread(QUALIFICATION), 0);
	CHECK_EQUAL(VTPR, 0x30);
	section("at the threshold: none");
	prepare_cr8(write_cr8, 4, 4);
	expect_exit(REASON_VMCALL, write_cr8_behind);
	section("it comes before a single-step trap, which is pending then (28.3.4)");
	prepare_cr8(write_cr8, 4, 3);
	vmwrite(GUEST_RFLAGS, 0x102);
	expect_exit(REASON_TPR, write_cr8_behind);
	CHECK_EQUAL(vmread(PENDING_DEBUG), 1u << 14);
	section("VM entry wants VTPR at the threshold: VMfailValid(7) (27.2.1.1)");
	prepare_cr8(write_cr8, 4, 3);
	VTPR = 0x3f;
	CHECK_EQUAL(vmx_launch(), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 7);
	section("and bits 31:4 of the threshold 0");
	VTPR = 0xf0;
	vmwrite(TPR_THRESHOLD, 0x10);
	CHECK_EQUAL(vmx_launch(), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 7);
	vmwrite(TPR_THRESHOLD, 0xf);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
}

static void threshold_at_entry(void)
{
	section("with APIC accesses virtualized the guest exits at once (27.7.7)");
	prepare(read_cr8, PRIMARY_TPR_SHADOW, SECONDARY_APIC_ACCESS);
	vmwrite(TPR_THRESHOLD, 4);
	VTPR = 0x3f;
	expect_exit(REASON_TPR, read_cr8);
	section("so does one that would halt, whatever RFLAGS.IF");
	prepare(read_cr8, PRIMARY_TPR_SHADOW, SECONDARY_APIC_ACCESS);
	vmx_set_pin_halted(0);
	vmwrite(TPR_THRESHOLD, 4);
	vmwrite(ACTIVITY, 1);
	expect_exit(REASON_TPR, read_cr8);
	section("behind the event that is injected");
	prepare(read_cr8, PRIMARY_TPR_SHADOW, SECONDARY_APIC_ACCESS);
	gate_set(0x40, (word)write4, GATE_INTERRUPT);
	vmwrite(TPR_THRESHOLD, 4);
	vmwrite(GUEST_RFLAGS, 0x202);
	vmwrite(ENTRY_INFO, VALID | 0x40);
	expect_exit(REASON_TPR, write4);
}

/* --- the APIC-access page --- */

static void prepare_access(char *code, int offset, u32 value)
{
	prepare(code, PRIMARY_TPR_SHADOW, SECONDARY_APIC_ACCESS);
	VTPR = 0xf0;
	*guest_register(RSI) = *guest_register(RDI) = (u64)(access_page + offset);
	*guest_register(RCX) = value;
	*guest_register(RBX) = 0;
}

static void expect_access(char *code, u32 qualification)
{
	expect_exit(REASON_APIC_ACCESS, code);
	CHECK_EQUAL(vmread(QUALIFICATION), qualification);
}

static void virtualized(void)
{
	section("a read at 080H is of VTPR (30.4.2)");
	prepare_access(read4, 0x80, 0);
	VTPR = 0x12345678;
	expect_exit(REASON_VMCALL, read4_behind);
	CHECK_EQUAL(*guest_register(RBX), 0x12345678);
	section("a write there is to VTPR, whose bytes 3:1 are cleared (30.4.3.2)");
	prepare_access(write4, 0x80, 0x12345678);
	expect_exit(REASON_VMCALL, write4_behind);
	CHECK_EQUAL(VTPR, 0x78);
	CHECK_EQUAL(*(u32 *)(access_page + 0x80), 0);
	section("and may go below the threshold: exit 43 behind it");
	prepare_access(write4, 0x80, 0x35);
	vmwrite(TPR_THRESHOLD, 4);
	expect_exit(REASON_TPR, write4_behind);
	section("read and written by one instruction");
	prepare_access(modify4, 0x80, 0x0f);
	expect_exit(REASON_VMCALL, modify4_behind);
	CHECK_EQUAL(VTPR, 0xff);
	section("REP STOS is left behind the iteration that went below the threshold");
	prepare_access(stores, 0x80, 3);
	vmwrite(TPR_THRESHOLD, 4);
	vmx_guest_registers[0] = 0x30;
	expect_exit(REASON_TPR, stores);
	CHECK_EQUAL(*guest_register(RCX), 2);
}

static void not_virtualized(void)
{
	section("other registers: exit 44 with offset and kind of access (table 28-6)");
	prepare_access(read4, 0x20, 0);
	expect_access(read4, 0x20);
	prepare_access(write4, 0xb0, 0);
	expect_access(write4, TYPE_WRITE | 0xb0);
	CHECK_EQUAL(*(u32 *)(virtual_page + 0xb0), 0);
	section("a read that a write is to follow counts as one");
	prepare_access(modify4, 0x30, 1);
	expect_access(modify4, TYPE_WRITE | 0x30);
	section("more than 32 bits, or not from 080H on");
	prepare_access(read8, 0x80, 0);
	expect_access(read8, 0x80);
	prepare_access(read2, 0x82, 0);
	expect_access(read2, 0x82);
	section("an access that begins on the page before");
	prepare_access(read4, -2, 0);
	expect_access(read4, 0);
	section("CLFLUSH counts as a read");
	prepare_access(flush, 0x40, 0);
	expect_access(flush, 0x40);
	section("without the TPR shadow, 080H too");
	prepare_access(read4, 0x80, 0);
	vmx_set_primary(PRIMARY_SECONDARY);
	expect_access(read4, 0x80);
	section("the page elsewhere, and with the control off, is memory");
	prepare_access(read4, 0x20, 0);
	vmx_set_secondary(0);
	*(u32 *)(access_page + 0x20) = 7;
	expect_exit(REASON_VMCALL, read4_behind);
	CHECK_EQUAL(*guest_register(RBX), 7);
}

static void prepare_register(char *code, int offset)
{
	prepare_access(code, offset, 0);
	vmx_set_secondary(SECONDARY_APIC_ACCESS | SECONDARY_APIC_REGISTER);
}

static void registers(void)
{
	static const u32 read_too[] = {0x20,  0x30,  0x80,  0xb0,  0xd0,  0xe0,  0xf0,
				       0x100, 0x170, 0x180, 0x1f0, 0x200, 0x270, 0x280,
				       0x300, 0x310, 0x320, 0x370, 0x380, 0x3e0};
	static const u32 exits[] = {0x0, 0x10, 0x40, 0xa0, 0xc0, 0x290, 0x2f0, 0x390, 0x3f0, 0x400};

	section("APIC-register virtualization: these are read (30.4.2)");
	for (u32 n = 0; n < sizeof(read_too) / sizeof(read_too[0]); n++) {
		prepare_register(read4, read_too[n]);
		*(u32 *)(virtual_page + read_too[n]) = n + 1;
		expect_exit(REASON_VMCALL, read4_behind);
		CHECK_EQUAL(*guest_register(RBX), n + 1);
	}
	section("these exit");
	for (u32 n = 0; n < sizeof(exits) / sizeof(exits[0]); n++) {
		prepare_register(read4, exits[n]);
		expect_access(read4, exits[n]);
		prepare_register(write4, exits[n]);
		expect_access(write4, TYPE_WRITE | exits[n]);
	}
	section("and writes to these that are only read (30.4.3.1)");
	prepare_register(write4, 0x30);
	expect_access(write4, TYPE_WRITE | 0x30);
	prepare_register(write4, 0x200);
	expect_access(write4, TYPE_WRITE | 0x200);
	section("a part of a register's 4 bytes is read, but nothing beyond");
	prepare_register(read2, 0x22);
	*(u32 *)(virtual_page + 0x20) = 0x12345678;
	expect_exit(REASON_VMCALL, read2_behind);
	CHECK_EQUAL(*guest_register(RBX), 0x1234);
	prepare_register(read4, 0x22);
	expect_access(read4, 0x22);
}

/* --- EPT: the page is what guest-physical addresses are translated to --- */

extern u64 page_directories[];
static u8 guest_page[4096] __attribute__((aligned(4096)));

static void prepare_ept(u64 rights)
{
	prepare_access(read4, 0, 0);
	CHECK(vmx_set_ept(SECONDARY_APIC_ACCESS));
	*guest_register(RSI) = (u64)guest_page + 0x20;
	*vmx_ept_entry(guest_page) = (*vmx_ept_entry(access_page) & ~EPT_RWX) | rights;
	vmx_invept();
}

static void with_ept(void)
{
	section("a guest-physical address that leads to the page (30.4)");
	prepare_ept(EPT_RWX);
	expect_access(read4, 0x20);
	section("EPT violations come before (30.4.1)");
	prepare_ept(0);
	expect_exit(REASON_EPT_VIOLATION, read4);
	section("a paging structure of the guest's on it: a guest-physical access (30.4.6.1)");
	prepare_ept(EPT_RWX);
	vmwrite(APIC_ACCESS, page_directories[0] & ~0xfffull);
	expect_exit(REASON_APIC_ACCESS, read4);
	CHECK_EQUAL(vmread(QUALIFICATION) & ~0xfffull, TYPE_GUEST_PHYSICAL);
	CHECK_EQUAL(vmread(VECTORING_INFO) & VALID, 0);
	section("so while an event is delivered");
	prepare_ept(EPT_RWX);
	vmwrite(APIC_ACCESS, page_directories[0] & ~0xfffull);
	vmwrite(GUEST_RFLAGS, 0x202);
	vmwrite(ENTRY_INFO, VALID | 0x40);
	expect_exit(REASON_APIC_ACCESS, read4);
	CHECK_EQUAL(vmread(QUALIFICATION) & ~0xfffull, TYPE_GUEST_PHYSICAL_DELIVERY);
	CHECK_EQUAL(vmread(VECTORING_INFO), VALID | 0x40);
	prepare_ept(EPT_RWX);
	*vmx_ept_entry(guest_page) = (*vmx_ept_entry(guest_page) & 0xfff) | (u64)guest_page;
	vmx_invept();
}

static void in_delivery(void)
{
	section("an event's stack on the page: exit 44, with the event as IDT-vectoring (28.2.4)");
	prepare_access(push_event, 0x100, 0);
	gate_set(0x40, (word)write4, GATE_INTERRUPT);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_APIC_ACCESS);
	CHECK_EQUAL(vmread(QUALIFICATION), TYPE_DELIVERY | 0xf8);
	CHECK_EQUAL(vmread(VECTORING_INFO), VALID | 4u << 8 | 0x40);
	CHECK_EQUAL(vmread(EXIT_LENGTH), 2);
	gate_reset(0x40);
}

/* The last, for where it ends the machine. */
static void fetch(void)
{
	section("an instruction fetch");
	prepare_access(jump, 0x80, 0);
	expect_access((char *)access_page + 0x80, TYPE_FETCH | 0x80);
}

void payload(void)
{
	vmx_map_small_pages();
	vmx_begin();
	cr8();
	threshold();
	threshold_at_entry();
	virtualized();
	not_virtualized();
	registers();
	with_ept();
	in_delivery();
	fetch();
	CHECK_EQUAL(vmxoff(), SUCCEED);
}
