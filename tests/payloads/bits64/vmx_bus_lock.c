/* SPDX-License-Identifier: Apache-2.0 */
/* VMM bus-lock detection: an exit behind the instruction, and bit 26 of the reason (SDM
 * 3C:26.2, 25.9.1); what locks the bus: SDM 3A:8.1.4; types with EPT: 3C:29.3.7. */
#include "bus_lock.h"
#include "vmx.h"

#define BUS_LOCK        (1u << 30)
#define REASON_CPUID    10
#define REASON_BUS_LOCK (74 | 1u << 26)
#define EPT_TYPE_WB     (6u << 3)
#define EPT_IGNORE_PAT  (1u << 6)
#define DI              7

static void prepare(void *operand)
{
	CHECK_EQUAL(vmclear((u64)vmcs_region), SUCCEED);
	CHECK_EQUAL(vmptrld((u64)vmcs_region), SUCCEED);
	vmx_prepare(lock_guest);
	vmx_set_primary(PRIMARY_SECONDARY);
	CHECK(vmx_set_secondary(BUS_LOCK));
	vmx_guest_registers[DI] = (u64)operand;
}

static void across(void)
{
	section("no bus lock within a line of write-back memory");
	prepare(LOCK_WITHIN);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_CPUID);
	section("across lines: the exit is behind the instruction");
	prepare(LOCK_ACROSS);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_BUS_LOCK);
	CHECK_EQUAL(vmread(QUALIFICATION), 0);
	CHECK_EQUAL(vmread(GUEST_RIP), (u64)lock_guest_second);
	section("XCHG locks by itself");
	CHECK_EQUAL(vmx_resume(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_BUS_LOCK);
	CHECK_EQUAL(vmread(GUEST_RIP), (u64)lock_guest_third);
	section("and what exits later tells of none");
	CHECK_EQUAL(vmx_resume(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_CPUID);
	section("nor without the control");
	prepare(LOCK_ACROSS);
	CHECK(vmx_set_secondary(0));
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_CPUID);
}

static void by_type(void)
{
	section("uncached memory by the PAT");
	lock_set_type(lock_lines, true);
	prepare(LOCK_WITHIN);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_BUS_LOCK);
	section("EPT's \"ignore PAT\" makes it write-back");
	prepare(LOCK_WITHIN);
	if (!vmx_set_ept(BUS_LOCK))
		return;
	*vmx_ept_entry(lock_lines) |= EPT_TYPE_WB | EPT_IGNORE_PAT;
	vmx_invept();
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_CPUID);
	lock_set_type(lock_lines, false);
	section("EPT's own type");
	prepare(LOCK_WITHIN);
	CHECK(vmx_set_ept(BUS_LOCK));
	*vmx_ept_entry(lock_lines) &= ~(u64)(EPT_TYPE_WB | EPT_IGNORE_PAT);
	vmx_invept();
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_BUS_LOCK);
	*vmx_ept_entry(lock_lines) |= EPT_TYPE_WB;
}

void payload(void)
{
	lock_cache(true);
	vmx_begin();
	if (!(rdmsr(0x48b) >> 32 & BUS_LOCK))
		skip("bus-lock detection of guests");
	across();
	by_type();
	CHECK_EQUAL(vmxoff(), SUCCEED);
}
