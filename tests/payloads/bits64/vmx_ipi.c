/* SPDX-License-Identifier: Apache-2.0 */
/* IPI virtualization (SDM 3C:30.1.6, 30.4.3.2, 30.5): a guest's IPIs are posted to other virtual
 * processors, here to itself. */
#include "apic.h"
#include "vmx.h"

#define VALID             (1u << 31)
#define EXTERNAL_EXITING  1u
#define POSTED            (1u << 7)
#define ACKNOWLEDGE       (1u << 15)
#define IPI               (1u << 4)
#define IF                0x200
#define REASON_EXCEPTION  0
#define REASON_VMCALL     18
#define REASON_APIC_WRITE 56
#define VECTOR            0x55
#define NOTIFICATION      0x60
#define OUTSTANDING       1u
#define SUPPRESSED        2u

static u8 access_page[4096] __attribute__((aligned(4096)));
static u8 virtual_page[4096] __attribute__((aligned(4096)));
static u8 msr_bitmap[4096] __attribute__((aligned(4096)));
static u64 pid_pointers[4] __attribute__((aligned(4096)));
static u64 posted[8] __attribute__((aligned(64)));

#define V(offset)    (*(volatile u32 *)(virtual_page + (offset)))
#define TARGET       2 /* the virtual APIC ID whose entry is valid */
#define REQUESTED    (1ull << (VECTOR - 64))

__asm__(".text\ntook_vector: mov $0x55, %ebp; vmcall\n");
extern char took_vector[];

#define GUEST(name, code)                                                                          \
	extern char name[], name##_behind[];                                                       \
	__asm__(".text\n" #name ":\n\t" code "\n" #name "_behind:\n\tvmcall\n")
GUEST(write4, "mov %ecx, (%rsi)");
GUEST(write_msr, "wrmsr");

static void prepare(char *code, u32 secondary)
{
	CHECK_EQUAL(vmclear((u64)vmcs_region), SUCCEED);
	CHECK_EQUAL(vmptrld((u64)vmcs_region), SUCCEED);
	vmx_prepare((void (*)(void))code);
	vmx_set_pin(EXTERNAL_EXITING | POSTED);
	vmx_set_primary(PRIMARY_TPR_SHADOW | PRIMARY_SECONDARY | PRIMARY_TERTIARY |
			PRIMARY_MSR_BITMAPS);
	CHECK(vmx_set_secondary(SECONDARY_VIRTUAL_INTERRUPTS | secondary));
	CHECK(vmx_set_tertiary(IPI));
	vmwrite(EXIT_CONTROLS, vmread(EXIT_CONTROLS) | ACKNOWLEDGE);
	vmwrite(EXCEPTION_BITMAP, 1u << 13);
	vmwrite(VIRTUAL_APIC, (u64)virtual_page);
	vmwrite(APIC_ACCESS, (u64)access_page);
	vmwrite(MSR_BITMAP, (u64)msr_bitmap);
	vmwrite(INTERRUPT_STATUS, 0);
	vmwrite(POSTED_VECTOR, NOTIFICATION);
	vmwrite(POSTED_DESCRIPTOR, (u64)posted);
	vmwrite(PID_POINTER_TABLE, (u64)pid_pointers);
	vmwrite(LAST_PID_POINTER, TARGET);
	vmwrite(GUEST_RFLAGS, IF | 2);
	for (u32 n = 0; n < sizeof(virtual_page); n++)
		virtual_page[n] = 0;
	for (u32 n = 0; n < 8; n++)
		posted[n] = 0;
	posted[4] = NOTIFICATION << 16 | 0xffff00ffull << 32; /* to xAPIC ID 0 */
	for (u32 n = 0; n < 4; n++)
		pid_pointers[n] = (u64)posted;
	pid_pointers[TARGET] |= 1;
}

static void prepare_write(u32 low, u32 target)
{
	prepare(write4, SECONDARY_APIC_ACCESS | SECONDARY_APIC_REGISTER);
	V(0x310) = target << 24;
	vmx_guest_registers[6] = (u64)(access_page + 0x300);
	vmx_guest_registers[1] = low;
}

static void prepare_msr(u32 low, u32 target)
{
	prepare(write_msr, SECONDARY_X2APIC);
	vmx_guest_registers[0] = low;
	vmx_guest_registers[1] = 0x830;
	vmx_guest_registers[2] = target;
}

static void expect_exit(u32 reason, char *rip)
{
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), reason);
	CHECK_EQUAL(vmread(GUEST_RIP), (u64)rip);
}

static void expect_write_exit(char *rip)
{
	expect_exit(REASON_APIC_WRITE, rip);
	CHECK_EQUAL(vmread(QUALIFICATION), 0x300);
	CHECK_EQUAL(posted[1], 0);
}

static void expect_interrupt(char *interrupted)
{
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_VMCALL);
	CHECK_EQUAL(vmread(GUEST_RIP), (u64)took_vector + 5);
	CHECK_EQUAL(*(u64 *)vmread(GUEST_RSP), (u64)interrupted);
	CHECK_EQUAL(posted[1], 0);
	CHECK_EQUAL(posted[4] & OUTSTANDING, 0);
}

static void sent(void)
{
	section("a write of the ICR is posted, and who it is for notified: it comes back");
	prepare_write(VECTOR, TARGET);
	expect_interrupt(write4_behind);
	CHECK_EQUAL(V(0x300), VECTOR);
	section("so is a WRMSR");
	prepare_msr(VECTOR, TARGET);
	expect_interrupt(write_msr_behind);
	section("where a notification is outstanding, there is no other");
	prepare_write(VECTOR, TARGET);
	posted[4] |= OUTSTANDING;
	expect_exit(REASON_VMCALL, write4_behind);
	CHECK_EQUAL(posted[1], REQUESTED);
	section("nor where they are suppressed");
	prepare_write(VECTOR, TARGET);
	posted[4] |= SUPPRESSED;
	expect_exit(REASON_VMCALL, write4_behind);
	CHECK_EQUAL(posted[1], REQUESTED);
	CHECK_EQUAL(posted[4] & 3, SUPPRESSED);
}

static void not_sent(void)
{
	static const u32 others[] = {
		0x800 | VECTOR,   /* logical */
		0x500,            /* INIT */
		0xc0000 | VECTOR, /* all but itself */
		0x8000 | VECTOR,  /* level */
		0x1000 | VECTOR,  /* delivery status */
		0xf,              /* an illegal vector */
	};

	section("what it can't post exits behind the write");
	for (u32 n = 0; n < sizeof(others) / sizeof(others[0]); n++) {
		prepare_write(others[n], TARGET);
		expect_write_exit(write4_behind);
		prepare_msr(others[n], TARGET);
		expect_write_exit(write_msr_behind);
	}
	section("so does a target beyond the table's last");
	prepare_write(VECTOR, TARGET);
	vmwrite(LAST_PID_POINTER, TARGET - 1);
	expect_write_exit(write4_behind);
	prepare_msr(VECTOR, 0x100 + TARGET); /* 32 bits */
	expect_write_exit(write_msr_behind);
	section("and one whose entry is not valid");
	prepare_write(VECTOR, TARGET - 1);
	expect_write_exit(write4_behind);
	prepare_write(VECTOR, TARGET);
	pid_pointers[TARGET] |= 2;
	expect_write_exit(write4_behind);
	prepare_write(VECTOR, TARGET);
	pid_pointers[TARGET] |= 1ull << 52;
	expect_write_exit(write4_behind);
	section("WRMSR with reserved bits is #GP(0)");
	prepare_msr(0x100000 | VECTOR, TARGET);
	expect_exit(REASON_EXCEPTION, write_msr);
	section("with the control 0 the ICR is not virtualized: #GP(0) in xAPIC mode");
	prepare_msr(VECTOR, TARGET);
	vmx_set_tertiary(0);
	expect_exit(REASON_EXCEPTION, write_msr);
}

static void entry(void)
{
	section("it wants the TPR shadow: VMfailValid(7) (27.2.1.1)");
	prepare_msr(VECTOR, TARGET);
	vmx_set_pin(0);
	vmx_set_secondary(0);
	vmx_set_primary(PRIMARY_SECONDARY | PRIMARY_TERTIARY);
	CHECK_EQUAL(vmx_launch(), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 7);
	vmx_set_tertiary(0);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
}

void payload(void)
{
	vmx_map_small_pages();
	gate_set(VECTOR, (word)took_vector, GATE_INTERRUPT);
	APIC(0xf0) = 0x1ff;
	vmx_begin();
	if (!(rdmsr(0x482) >> 32 & PRIMARY_TERTIARY) || !vmx_set_tertiary(IPI))
		skip("IPI virtualization");
	sent();
	not_sent();
	entry();
	CHECK_EQUAL(vmxoff(), SUCCEED);
}
