/* SPDX-License-Identifier: Apache-2.0 */
/* INT1, a privileged software exception, type 5: what its exits tell, and its injection (SDM
 * 3C:26.2, 27.6.1, 28.2). */
#include "vmx.h"

#define VALID              (1u << 31)
#define ERROR_CODE         (1u << 11)
#define HARDWARE_EXCEPTION (3u << 8)
#define INT1               (VALID | 5u << 8 | 1)
#define NOT_PRESENT        11
#define REASON_EXCEPTION   0
#define REASON_VMCALL      18
#define HANDLER            0x1111

void guest(void), handler(void);
extern const char guest_end[];
__asm__(".text; guest: int1; guest_end: vmcall\n"
	"handler: mov $0x1111, %eax; vmcall");

static void prepare(u32 exceptions)
{
	CHECK_EQUAL(vmclear((u64)vmcs_region), SUCCEED);
	CHECK_EQUAL(vmptrld((u64)vmcs_region), SUCCEED);
	vmx_prepare(guest);
	vmwrite(EXCEPTION_BITMAP, exceptions);
	vmx_guest_registers[0] = 0;
}

static void exits(void)
{
	section("bit 1 of the exception bitmap catches INT1: type 5, no bit of DR6, length 1 "
		"(28.2.1, 28.2.2, 28.2.5)");
	prepare(1u << 1);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_EXCEPTION);
	CHECK_EQUAL(vmread(EXIT_INFO), INT1);
	CHECK_EQUAL(vmread(QUALIFICATION), 0);
	CHECK_EQUAL(vmread(EXIT_LENGTH), 1);
	CHECK_EQUAL(vmread(GUEST_RIP), (u64)guest);
	CHECK_EQUAL(vmread(VECTORING_INFO) & VALID, 0);
	CHECK_EQUAL(vmread(PENDING_DEBUG), 0);
}

static void delivery(void)
{
	section("an exit in its delivery tells it as IDT-vectoring, with its length (28.2.4, "
		"28.2.5)");
	prepare(1u << NOT_PRESENT);
	idt[1].type &= 0x7f;
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_EXCEPTION);
	CHECK_EQUAL(vmread(EXIT_INFO), VALID | ERROR_CODE | HARDWARE_EXCEPTION | NOT_PRESENT);
	CHECK_EQUAL(vmread(EXIT_ERROR), 1 << 3 | 2 | 1);
	CHECK_EQUAL(vmread(VECTORING_INFO), INT1);
	CHECK_EQUAL(vmread(EXIT_LENGTH), 1);
	CHECK_EQUAL(vmread(GUEST_RIP), (u64)guest);
	gate_reset(1);
}

static void injection(void)
{
	section("injected, it pushes RIP and the length, and the bitmap does not catch it "
		"(27.6.1.1)");
	prepare(1u << 1);
	gate_set(1, (word)handler, GATE_INTERRUPT);
	vmwrite(ENTRY_INFO, INT1);
	vmwrite(ENTRY_LENGTH, 1);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_VMCALL);
	CHECK_EQUAL(vmx_guest_registers[0], HANDLER);
	CHECK_EQUAL(*(u64 *)vmread(GUEST_RSP), (u64)guest_end);
	gate_reset(1);
}

void payload(void)
{
	vmx_begin();
	exits();
	delivery();
	injection();
	CHECK_EQUAL(vmxoff(), SUCCEED);
}
