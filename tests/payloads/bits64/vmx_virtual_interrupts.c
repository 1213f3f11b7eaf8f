/* SPDX-License-Identifier: Apache-2.0 */
/* The x2APIC's registers of a guest, virtual interrupts, their end, and posted ones (SDM 3C:30.1.3
 * to 30.1.5, 30.2, 30.4.3.2, 30.5, 30.6). */
#include "apic.h"
#include "vmx.h"

#define VALID             (1u << 31)
#define EXTERNAL_EXITING  1u
#define POSTED            (1u << 7)
#define ACKNOWLEDGE       (1u << 15)
#define REASON_EXCEPTION  0
#define REASON_EXTERNAL   1
#define REASON_WINDOW     7
#define REASON_VMCALL     18
#define REASON_RDMSR      31
#define REASON_TPR        43
#define REASON_EOI        45
#define REASON_APIC_WRITE 56
#define VECTOR            0x55
#define LOWER             0x41
#define NOTIFICATION      0x60
#define IF                0x200

static u8 access_page[4096] __attribute__((aligned(4096)));
static u8 virtual_page[4096] __attribute__((aligned(4096)));
static u8 msr_bitmap[4096] __attribute__((aligned(4096)));
static u64 descriptor_of_posted[8] __attribute__((aligned(64)));

#define V(offset)                 (*(volatile u32 *)(virtual_page + (offset)))
#define VTPR                      V(0x80)
#define VPPR                      V(0xa0)
#define VECTOR_WORD(bank, vector) V((bank) + (vector) / 32 * 16)
#define VECTOR_BIT(vector)        (1u << (vector) % 32)
#define VISR                      0x100
#define VIRR                      0x200

/* What comes by VECTOR, LOWER or NOTIFICATION tells which it was, with its stack. */
__asm__(".text\n"
	"took_vector: mov $0x55, %ebp; vmcall\n"
	"took_lower: mov $0x41, %ebp; vmcall\n"
	"took_notification: mov $0x60, %ebp; vmcall\n");
extern char took_vector[], took_lower[], took_notification[];

#define GUEST(name, code)                                                                          \
	extern char name[], name##_behind[];                                                       \
	__asm__(".text\n" #name ":\n\t" code "\n" #name "_behind:\n\tvmcall\n")
GUEST(nothing, "");
GUEST(read_msr, "rdmsr");
GUEST(write_msr, "wrmsr");
GUEST(write4, "mov %ecx, (%rsi)");
GUEST(write_cr8, "mov %rcx, %cr8");
GUEST(open, "sti; nop");

static void prepare(char *code, u32 secondary)
{
	CHECK_EQUAL(vmclear((u64)vmcs_region), SUCCEED);
	CHECK_EQUAL(vmptrld((u64)vmcs_region), SUCCEED);
	vmx_prepare((void (*)(void))code);
	vmx_set_pin(EXTERNAL_EXITING);
	vmx_set_primary(PRIMARY_TPR_SHADOW | PRIMARY_SECONDARY | PRIMARY_MSR_BITMAPS);
	CHECK(vmx_set_secondary(secondary));
	vmwrite(VIRTUAL_APIC, (u64)virtual_page);
	vmwrite(APIC_ACCESS, (u64)access_page);
	vmwrite(MSR_BITMAP, (u64)msr_bitmap);
	vmwrite(TPR_THRESHOLD, 0);
	vmwrite(INTERRUPT_STATUS, 0);
	for (u32 n = 0; n < 4; n++)
		vmwrite(EOI_EXIT_0 + 2 * n, 0);
	for (u32 n = 0; n < sizeof(virtual_page); n++)
		virtual_page[n] = 0;
	for (u32 n = 0; n < 16; n++)
		vmx_guest_registers[n] = 0;
}

static void expect_exit(u32 reason, char *rip)
{
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), reason);
	CHECK_EQUAL(vmread(GUEST_RIP), (u64)rip);
}

#define RAX 0
#define RCX 1
#define RDX 2
#define RBP 5
#define RSI 6

/* --- the x2APIC's registers; the APIC itself is in xAPIC mode, where they don't exist --- */

static void prepare_msr(char *code, u32 secondary, u32 number, u64 value)
{
	prepare(code, secondary | SECONDARY_X2APIC);
	vmwrite(EXCEPTION_BITMAP, 1u << 13);
	vmx_guest_registers[RCX] = number;
	vmx_guest_registers[RAX] = (u32)value;
	vmx_guest_registers[RDX] = value >> 32;
}

static void reads(void)
{
	section("RDMSR of 808H reads 8 bytes from 080H (30.5)");
	prepare_msr(read_msr, 0, 0x808, 0);
	VTPR = 0x12345678;
	V(0x84) = 0x9abcdef0;
	expect_exit(REASON_VMCALL, read_msr_behind);
	CHECK_EQUAL(vmx_guest_registers[RAX], 0x12345678);
	CHECK_EQUAL(vmx_guest_registers[RDX], 0x9abcdef0);
	section("the others are not virtualized without APIC-register virtualization");
	prepare_msr(read_msr, 0, 0x802, 0);
	expect_exit(REASON_EXCEPTION, read_msr);
	section("with it all are, there or not");
	prepare_msr(read_msr, SECONDARY_APIC_REGISTER, 0x8ff, 0);
	V(0xff0) = 0x11;
	V(0xff4) = 0x22;
	expect_exit(REASON_VMCALL, read_msr_behind);
	CHECK_EQUAL(vmx_guest_registers[RAX], 0x11);
	CHECK_EQUAL(vmx_guest_registers[RDX], 0x22);
	section("the MSR bitmap comes first");
	prepare_msr(read_msr, SECONDARY_APIC_REGISTER, 0x808, 0);
	msr_bitmap[0x808 / 8] = 1;
	expect_exit(REASON_RDMSR, read_msr);
	msr_bitmap[0x808 / 8] = 0;
}

static void writes(void)
{
	section("WRMSR of 808H virtualizes the TPR");
	prepare_msr(write_msr, 0, 0x808, 0x35);
	V(0x84) = 7;
	expect_exit(REASON_VMCALL, write_msr_behind);
	CHECK_EQUAL(VTPR, 0x35);
	CHECK_EQUAL(V(0x84), 0);
	section("bits beyond 7:0 are #GP(0)");
	prepare_msr(write_msr, 0, 0x808, 0x100);
	expect_exit(REASON_EXCEPTION, write_msr);
	CHECK_EQUAL(VTPR, 0);
	section("below the threshold: exit 43 behind it");
	prepare_msr(write_msr, 0, 0x808, 0x35);
	VTPR = 0xf0;
	vmwrite(TPR_THRESHOLD, 4);
	expect_exit(REASON_TPR, write_msr_behind);
	section("EOI and self-IPI are virtualized with virtual-interrupt delivery only");
	prepare_msr(write_msr, SECONDARY_APIC_REGISTER, 0x80b, 0);
	expect_exit(REASON_EXCEPTION, write_msr);
	prepare_msr(write_msr, SECONDARY_APIC_REGISTER, 0x83f, VECTOR);
	expect_exit(REASON_EXCEPTION, write_msr);
	section("an EOI other than 0 is #GP(0)");
	prepare_msr(write_msr, SECONDARY_VIRTUAL_INTERRUPTS, 0x80b, 1);
	expect_exit(REASON_EXCEPTION, write_msr);
	section("a self-IPI is requested (30.1.5)");
	prepare_msr(write_msr, SECONDARY_VIRTUAL_INTERRUPTS, 0x83f, VECTOR);
	expect_exit(REASON_VMCALL, write_msr_behind);
	CHECK_EQUAL(vmread(INTERRUPT_STATUS), VECTOR);
	CHECK_EQUAL(VECTOR_WORD(VIRR, VECTOR), VECTOR_BIT(VECTOR));
	section("one with a vector below 16 exits behind it, as a write to 3F0H");
	prepare_msr(write_msr, SECONDARY_VIRTUAL_INTERRUPTS, 0x83f, 0xf);
	expect_exit(REASON_APIC_WRITE, write_msr_behind);
	CHECK_EQUAL(vmread(QUALIFICATION), 0x3f0);
}

/* --- virtual interrupts --- */

static void prepare_request(char *code, u64 flags)
{
	prepare(code, SECONDARY_VIRTUAL_INTERRUPTS | SECONDARY_APIC_ACCESS);
	vmwrite(INTERRUPT_STATUS, VECTOR);
	VECTOR_WORD(VIRR, VECTOR) = VECTOR_BIT(VECTOR);
	vmwrite(GUEST_RFLAGS, flags | 2);
}

static void expect_interrupt(char *handler, u32 vector, char *interrupted)
{
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_VMCALL);
	CHECK_EQUAL(vmread(GUEST_RIP), (u64)handler + 5);
	CHECK_EQUAL(vmx_guest_registers[RBP], vector);
	CHECK_EQUAL(*(u64 *)vmread(GUEST_RSP), (u64)interrupted);
}

static void delivery(void)
{
	section("what VM entry finds requested is delivered (27.3.2.5, 30.2.2)");
	prepare_request(nothing, IF);
	VECTOR_WORD(VIRR, LOWER) |= VECTOR_BIT(LOWER);
	expect_interrupt(took_vector, VECTOR, nothing);
	CHECK_EQUAL(vmread(INTERRUPT_STATUS), VECTOR << 8 | LOWER);
	CHECK_EQUAL(VECTOR_WORD(VISR, VECTOR), VECTOR_BIT(VECTOR));
	CHECK_EQUAL(VECTOR_WORD(VIRR, VECTOR), VECTOR_BIT(LOWER)); /* the same word */
	CHECK_EQUAL(VPPR, VECTOR & 0xf0);
	section("but for one in the class of the priority, which VM entry has worked out (30.1.3)");
	prepare_request(nothing, IF);
	VTPR = 0x50;
	expect_exit(REASON_VMCALL, nothing);
	CHECK_EQUAL(VPPR, 0x50);
	CHECK_EQUAL(vmread(INTERRUPT_STATUS), VECTOR);
	prepare_request(nothing, IF);
	vmwrite(INTERRUPT_STATUS, 0x6f << 8 | VECTOR);
	expect_exit(REASON_VMCALL, nothing);
	CHECK_EQUAL(VPPR, 0x60);
	section("it waits for RFLAGS.IF, and for the instruction behind STI");
	prepare_request(nothing, 0);
	expect_exit(REASON_VMCALL, nothing);
	CHECK_EQUAL(vmread(INTERRUPT_STATUS), VECTOR);
	prepare_request(open, 0);
	expect_interrupt(took_vector, VECTOR, open_behind);
	section("MOV to CR8 lets it in");
	prepare_request(write_cr8, IF);
	VTPR = 0xf0;
	expect_interrupt(took_vector, VECTOR, write_cr8_behind);
	section("interrupt windows come instead (30.2.1)");
	prepare_request(nothing, IF);
	vmx_set_primary(PRIMARY_TPR_SHADOW | PRIMARY_SECONDARY | PRIMARY_INTERRUPT_WINDOW);
	expect_exit(REASON_WINDOW, nothing);
	CHECK_EQUAL(vmread(INTERRUPT_STATUS), VECTOR);
	section("an event that is injected goes first, and its handler is interrupted");
	prepare_request(nothing, IF);
	gate_set(LOWER, (word)took_lower, GATE_TRAP);
	vmwrite(ENTRY_INFO, VALID | LOWER);
	expect_interrupt(took_vector, VECTOR, took_lower);
	gate_set(LOWER, (word)took_lower, GATE_INTERRUPT);
}

/* --- what a guest writes to the APIC-access page --- */

static void prepare_write(u32 secondary, u32 offset, u32 value)
{
	prepare(write4, secondary | SECONDARY_APIC_ACCESS);
	vmx_guest_registers[RSI] = (u64)(access_page + offset);
	vmx_guest_registers[RCX] = value;
}

static void expect_write_exit(u32 offset)
{
	expect_exit(REASON_APIC_WRITE, write4_behind);
	CHECK_EQUAL(vmread(QUALIFICATION), offset);
}

static void ends(void)
{
	section("EOI ends the service of the highest, and lets the next in (30.1.4)");
	prepare_write(SECONDARY_VIRTUAL_INTERRUPTS, 0xb0, 0x77);
	vmwrite(INTERRUPT_STATUS, VECTOR << 8 | LOWER);
	vmwrite(GUEST_RFLAGS, IF | 2);
	VECTOR_WORD(VISR, VECTOR) = VECTOR_BIT(VECTOR);
	VECTOR_WORD(VISR, 0x21) = VECTOR_BIT(0x21);
	VECTOR_WORD(VIRR, LOWER) = VECTOR_BIT(LOWER);
	expect_interrupt(took_lower, LOWER, write4_behind);
	CHECK_EQUAL(V(0xb0), 0);
	CHECK_EQUAL(VECTOR_WORD(VISR, VECTOR), VECTOR_BIT(LOWER)); /* the same word */
	CHECK_EQUAL(VECTOR_WORD(VISR, 0x21), VECTOR_BIT(0x21));
	CHECK_EQUAL(vmread(INTERRUPT_STATUS), LOWER << 8);
	section("exit 45 behind it, where the bitmap has the vector");
	prepare_write(SECONDARY_VIRTUAL_INTERRUPTS, 0xb0, 0);
	vmwrite(INTERRUPT_STATUS, VECTOR << 8 | LOWER);
	vmwrite(GUEST_RFLAGS, IF | 2);
	VECTOR_WORD(VISR, VECTOR) = VECTOR_BIT(VECTOR);
	vmwrite(EOI_EXIT_0 + 2, 1ull << (VECTOR - 64));
	expect_exit(REASON_EOI, write4_behind);
	CHECK_EQUAL(vmread(QUALIFICATION), VECTOR);
	CHECK_EQUAL(vmread(INTERRUPT_STATUS), LOWER);
	CHECK_EQUAL(VPPR, 0);
	section("without virtual-interrupt delivery EOI is an APIC-write exit");
	prepare_write(SECONDARY_APIC_REGISTER, 0xb0, 5);
	expect_write_exit(0xb0);
	CHECK_EQUAL(V(0xb0), 5);
}

static void commands(void)
{
	section("the ICR: a fixed, edge-triggered one to oneself is requested (30.4.3.2)");
	prepare_write(SECONDARY_VIRTUAL_INTERRUPTS, 0x300, 0x40000 | VECTOR);
	expect_exit(REASON_VMCALL, write4_behind);
	CHECK_EQUAL(vmread(INTERRUPT_STATUS), VECTOR);
	CHECK_EQUAL(VECTOR_WORD(VIRR, VECTOR), VECTOR_BIT(VECTOR));
	section("any other exits behind the write, which is done");
	static const u32 others[] = {
		VECTOR,               /* no shorthand */
		0x40000 | 0xf,        /* an illegal vector */
		0x40000 | 0x400,      /* NMI */
		0x48000 | VECTOR,     /* level */
		0x41000 | VECTOR,     /* delivery status */
		0x42000 | VECTOR,     /* reserved */
		0x80040000u | VECTOR, /* reserved */
	};
	for (u32 n = 0; n < sizeof(others) / sizeof(others[0]); n++) {
		prepare_write(SECONDARY_VIRTUAL_INTERRUPTS, 0x300, others[n]);
		expect_write_exit(0x300);
		CHECK_EQUAL(V(0x300), others[n]);
		CHECK_EQUAL(vmread(INTERRUPT_STATUS), 0);
	}
	section("its high half keeps byte 3 alone, and exits never");
	prepare_write(SECONDARY_APIC_REGISTER, 0x310, 0x12345678);
	expect_exit(REASON_VMCALL, write4_behind);
	CHECK_EQUAL(V(0x310), 0x12000000);
	section("other registers exit behind the write");
	prepare_write(SECONDARY_APIC_REGISTER, 0x320, 0x12345678);
	expect_write_exit(0x320);
	CHECK_EQUAL(V(0x320), 0x12345678);
}

/* --- posted interrupts --- */


/* The notification waits in the local APIC when the guest is entered. */
static void prepare_posted(char *code, u64 flags, u8 vector)
{
	prepare(code, SECONDARY_VIRTUAL_INTERRUPTS);
	vmx_set_pin(EXTERNAL_EXITING | POSTED);
	vmwrite(EXIT_CONTROLS, vmread(EXIT_CONTROLS) | ACKNOWLEDGE);
	vmwrite(POSTED_VECTOR, NOTIFICATION);
	vmwrite(POSTED_DESCRIPTOR, (u64)descriptor_of_posted);
	vmwrite(GUEST_RFLAGS, flags | 2);
	descriptor_of_posted[0] = 0;
	descriptor_of_posted[1] = 1ull << (VECTOR - 64) | 1ull << (LOWER - 64);
	descriptor_of_posted[4] = 0x12345677;
	APIC(0xf0) = 0x1ff;
	APIC(0x300) = 0x40000 | vector;
}

static void posted(void)
{
	section("a notification: requests are taken over and the highest is delivered (30.6)");
	prepare_posted(nothing, IF, NOTIFICATION);
	expect_interrupt(took_vector, VECTOR, nothing);
	CHECK_EQUAL(vmread(INTERRUPT_STATUS), VECTOR << 8 | LOWER);
	CHECK_EQUAL(VECTOR_WORD(VIRR, LOWER), VECTOR_BIT(LOWER));
	CHECK_EQUAL(descriptor_of_posted[1], 0);
	CHECK_EQUAL(descriptor_of_posted[4], 0x12345676); /* only ON is cleared */
	section("the local APIC has been told of its end");
	CHECK_EQUAL(APIC(0x100 + NOTIFICATION / 32 * 16), 0);
	CHECK_EQUAL(APIC(0x200 + NOTIFICATION / 32 * 16), 0);
	section("whatever RFLAGS.IF, which only delivery waits for");
	prepare_posted(nothing, 0, NOTIFICATION);
	vmwrite(INTERRUPT_STATUS, 0x71);
	expect_exit(REASON_VMCALL, nothing);
	CHECK_EQUAL(vmread(INTERRUPT_STATUS), 0x71);
	CHECK_EQUAL(VECTOR_WORD(VIRR, VECTOR), VECTOR_BIT(VECTOR) | VECTOR_BIT(LOWER));
	section("another vector exits, acknowledged");
	prepare_posted(nothing, 0, NOTIFICATION + 1);
	expect_exit(REASON_EXTERNAL, nothing);
	CHECK_EQUAL(vmread(EXIT_INFO), VALID | (NOTIFICATION + 1));
	CHECK_EQUAL(descriptor_of_posted[4], 0x12345677);
	APIC(0xb0) = 0;
	section("posted interrupts want exits to acknowledge: VMfailValid(7) (27.2.1.1)");
	prepare_posted(nothing, 0, NOTIFICATION);
	vmwrite(EXIT_CONTROLS, vmread(EXIT_CONTROLS) & ~(u64)ACKNOWLEDGE);
	CHECK_EQUAL(vmx_launch(), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 7);
	vmwrite(EXIT_CONTROLS, vmread(EXIT_CONTROLS) | ACKNOWLEDGE);
	expect_exit(REASON_VMCALL, nothing);
}

/* An interrupt of this processor's own waits, too. */
static void prepare_both(u32 activity)
{
	APIC(0x300) = 0x40000 | NOTIFICATION;
	prepare_request(nothing, IF);
	vmx_set_pin_halted(EXTERNAL_EXITING);
	vmwrite(EXIT_CONTROLS, vmread(EXIT_CONTROLS) | ACKNOWLEDGE);
	vmwrite(ACTIVITY, activity);
}

static void expect_virtual_first(void)
{
	expect_exit(REASON_EXTERNAL, took_vector);
	CHECK_EQUAL(vmread(INTERRUPT_STATUS), VECTOR << 8);
	APIC(0xb0) = 0;
}

static void priority(void)
{
	section("virtual interrupts go before external ones, which exit before the handler's first "
		"instruction (30.2.2)");
	prepare_both(0);
	expect_virtual_first();
	section("of a halted guest, too");
	prepare_both(1);
	expect_virtual_first();
	section("a halted guest wakes (30.2.2)");
	prepare_request(nothing, IF);
	vmx_set_pin_halted(EXTERNAL_EXITING);
	vmwrite(ACTIVITY, 1);
	expect_interrupt(took_vector, VECTOR, nothing);
}

void payload(void)
{
	vmx_map_small_pages();
	gate_set(VECTOR, (word)took_vector, GATE_INTERRUPT);
	gate_set(LOWER, (word)took_lower, GATE_INTERRUPT);
	gate_set(NOTIFICATION, (word)took_notification, GATE_INTERRUPT);
	vmx_begin();
	reads();
	writes();
	delivery();
	ends();
	commands();
	posted();
	priority();
	CHECK_EQUAL(vmxoff(), SUCCEED);
}
