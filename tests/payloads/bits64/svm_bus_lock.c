/* SPDX-License-Identifier: Apache-2.0 */
/* The bus lock threshold (APM 2:15.14.5; what locks the bus: 7.3.3; types: 15.25.8). */
#include "bus_lock.h"
#include "svm.h"

#define SVM_BUS_LOCK (1u << 5) /* of intercepts5 */
#define EXIT_BUSLOCK 0xa5

static void prepare(void *operand, u16 count)
{
	svm_prepare(lock_guest);
	vmcb.intercepts3 = SVM_CPUID;
	vmcb.intercepts5 = SVM_BUS_LOCK;
	vmcb.bus_lock_count = count;
	svm_guest_registers[7] = (u64)operand;
}

static void across(void)
{
	u32 before;

	section("no bus lock within a line of write-back memory");
	prepare(LOCK_WITHIN, 0);
	CHECK_EQUAL(svm_run(), EXIT_CPUID);
	section("across lines; with a count of 0 the instruction is not executed");
	prepare(LOCK_ACROSS, 0);
	CHECK_EQUAL(svm_run(), EXIT_BUSLOCK);
	CHECK_EQUAL(vmcb.rip, (u64)lock_guest_first);
	CHECK_EQUAL(vmcb.exit_info1 | vmcb.exit_info2, 0);
	before = *(volatile u32 *)LOCK_ACROSS;
	section("with 1 it is, and the count is 0 at the next, which exits: XCHG needs no prefix");
	vmcb.bus_lock_count = 1;
	CHECK_EQUAL(svm_run(), EXIT_BUSLOCK);
	CHECK_EQUAL(vmcb.rip, (u64)lock_guest_second);
	CHECK_EQUAL(*(volatile u32 *)LOCK_ACROSS, before + 1);
	CHECK_EQUAL(vmcb.bus_lock_count, 0);
	section("what is left is written back");
	prepare(LOCK_ACROSS, 5);
	CHECK_EQUAL(svm_run(), EXIT_CPUID);
	CHECK_EQUAL(vmcb.bus_lock_count, 3);
	section("without the enable bit nothing counts");
	prepare(LOCK_ACROSS, 5);
	vmcb.intercepts5 = 0;
	CHECK_EQUAL(svm_run(), EXIT_CPUID);
	CHECK_EQUAL(vmcb.bus_lock_count, 5);
}

static void by_type(void)
{
	section("by the PAT: uncached memory");
	lock_set_type(lock_lines, true);
	prepare(LOCK_WITHIN, 0);
	CHECK_EQUAL(svm_run(), EXIT_BUSLOCK);
	lock_set_type(lock_lines, false);
	section("by the guest's own PAT");
	svm_prepare_nested(lock_guest);
	vmcb.intercepts3 = SVM_CPUID;
	vmcb.intercepts5 = SVM_BUS_LOCK;
	svm_guest_registers[7] = (u64)LOCK_WITHIN;
	CHECK_EQUAL(svm_run(), EXIT_CPUID);
	svm_prepare_nested(lock_guest);
	vmcb.intercepts5 = SVM_BUS_LOCK;
	vmcb.g_pat = 0x0007040600070404; /* index 0: WT */
	svm_guest_registers[7] = (u64)LOCK_WITHIN;
	CHECK_EQUAL(svm_run(), EXIT_BUSLOCK);
	section("by the nested tables");
	svm_prepare_nested(lock_guest);
	vmcb.intercepts5 = SVM_BUS_LOCK;
	svm_nested_directory[(u64)lock_lines >> 21] |= 0x18;
	svm_guest_registers[7] = (u64)LOCK_WITHIN;
	CHECK_EQUAL(svm_run(), EXIT_BUSLOCK);
	section("by CR0.CD");
	prepare(LOCK_WITHIN, 0);
	vmcb.cr0 |= 1u << 30;
	CHECK_EQUAL(svm_run(), EXIT_BUSLOCK);
	section("by the host's CR0.CD, with nested paging");
	lock_cache(false);
	svm_prepare_nested(lock_guest);
	vmcb.intercepts5 = SVM_BUS_LOCK;
	vmcb.cr0 &= ~(3ull << 29);
	svm_guest_registers[7] = (u64)LOCK_WITHIN;
	CHECK_EQUAL(svm_run(), EXIT_BUSLOCK);
	lock_cache(true);
	section("by the MTRRs");
	prepare(LOCK_WITHIN, 0);
	wrmsr(0x200, ((u64)lock_lines & ~0xfffull) | 4);
	wrmsr(0x201, 0xfffffff000ull | 0x800);
	CHECK_EQUAL(svm_run(), EXIT_BUSLOCK);
	wrmsr(0x201, 0);
}

void payload(void)
{
	if (!(svm_features() >> 29 & 1))
		skip("bus-lock threshold");
	lock_cache(true);
	svm_begin();
	across();
	by_type();
}
