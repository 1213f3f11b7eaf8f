/* SPDX-License-Identifier: Apache-2.0 */
/* KVM's face: its CPUID leaves, and hypercalls by the vendor's own instruction (Linux,
 * Documentation/virt/kvm/x86/cpuid.rst and hypercalls.rst). */
#include "apic.h"
#include "payload.h"

#define EOI          APIC(0xb0)
#define VECTOR       0x70
#define SEND_IPI     10
#define PV_SEND_IPI  (1u << 11)
#define EPERM        1
#define ENOSYS       1000

static word hypercall(word number, word a0, word a1, word a2, word a3)
{
	word result;

	if (vendor_is_amd())
		__asm__ volatile("vmmcall"
				 : "=a"(result)
				 : "a"(number), "b"(a0), "c"(a1), "d"(a2), "S"(a3)
				 : "memory");
	else
		__asm__ volatile("vmcall"
				 : "=a"(result)
				 : "a"(number), "b"(a0), "c"(a1), "d"(a2), "S"(a3)
				 : "memory");
	return result;
}

static u32 seen;

static bool note(struct trap_frame *frame)
{
	if (frame->vector != VECTOR)
		return false;
	seen++;
	EOI = 0;
	return true;
}

static void identification(void)
{
	u32 out[4];

	section("cpuid.rst: the signature and the highest leaf; PV_SEND_IPI is offered");
	cpuid(0x40000000, 0, out);
	CHECK_EQUAL(out[0], 0x40000001);
	CHECK_EQUAL(out[1], 0x4b4d564b);
	CHECK_EQUAL(out[2], 0x564b4d56);
	CHECK_EQUAL(out[3], 0x4d);
	cpuid(0x40000001, 0, out);
	CHECK_EQUAL(out[0], PV_SEND_IPI);
}

static void ipis(void)
{
	word id = APIC(0x20) >> 24, taken;

	section("hypercalls.rst SEND_IPI: to the APIC IDs of the bitmap, whose bit 0 is a2");
	taken = hypercall(SEND_IPI, 1, 0, id, VECTOR);
	CHECK_EQUAL(taken, 1);
	CHECK_EQUAL(seen, 0);
	__asm__ volatile("sti; hlt; cli" : : : "memory");
	CHECK_EQUAL(seen, 1);
	taken = hypercall(SEND_IPI, 1, 0, id + 1, VECTOR);
	CHECK_EQUAL(taken, 0); /* nobody there */
	__asm__ volatile("sti; nop" : : : "memory");
	CHECK_EQUAL(seen, 1);
	section("hypercalls.rst SEND_IPI: with interrupts open it is taken behind the instruction");
	taken = hypercall(SEND_IPI, 1, 0, id, VECTOR);
	CHECK_EQUAL(taken, 1);
	CHECK_EQUAL(seen, 2);
	__asm__ volatile("cli");
}

extern const char user_vmcall[], user_vmmcall[];
__asm__("user_vmcall: mov $10, %eax; vmcall; ud2\n"
	"user_vmmcall: mov $10, %eax; vmmcall; ud2");

static void do_user(void)
{
	enter_user(vendor_is_amd() ? user_vmmcall : user_vmcall, 0);
}

static void do_foreign(void)
{
	if (vendor_is_amd())
		__asm__ volatile("vmcall");
	else
		__asm__ volatile("vmmcall");
}

static void refusals(void)
{
	section("kvm_para.h: -KVM_ENOSYS for what there is not, -KVM_EPERM for user mode");
	CHECK_EQUAL(hypercall(0, 0, 0, 0, 0), (word)-ENOSYS);
	EXPECT_TRAP(do_user, 6, NO_ERROR); /* the UD2 behind it */
	CHECK_EQUAL(trap.ip, (word)(vendor_is_amd() ? user_vmmcall : user_vmcall) + 8);
	CHECK_EQUAL(trap.ax, (word)-EPERM);
	section("SDM 3C:31.3 VMCALL, APM 3 VMMCALL: the other vendor's is #UD");
	EXPECT_TRAP(do_foreign, 6, NO_ERROR);
}

void payload(void)
{
	trap_hook = note;
	APIC(0xf0) = 0x1ff; /* software enable */
	APIC(0x80) = 0;
	identification();
	ipis();
	refusals();
}
