/* SPDX-License-Identifier: Apache-2.0 */
/* IA32_TSC_DEADLINE (SDM 3A:11.5.4.1). */
#include "apic.h"
#include "payload.h"

#define LVT_TIMER    APIC(0x320)
#define TSC_DEADLINE (2u << 17)
#define VECTOR       0x70
#define MSR          0x6e0

static u32 seen;

static bool note(struct trap_frame *frame)
{
	if (frame->vector != VECTOR)
		return false;
	seen++;
	APIC(0xb0) = 0;
	return true;
}

static u64 tsc(void)
{
	u32 low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (u64)high << 32 | low;
}

void payload(void)
{
	u64 deadline;

	APIC(0xf0) = 0x1ff;
	trap_hook = note;
	LVT_TIMER = TSC_DEADLINE | VECTOR;
	section("a deadline that has not come reads back as it was written");
	deadline = tsc() + 0x123456789ull;
	wrmsr(MSR, deadline);
	CHECK_EQUAL(rdmsr(MSR), deadline);
	CHECK_EQUAL(rdmsr(MSR), deadline);
	section("one that has come reads as 0, and has interrupted once");
	wrmsr(MSR, tsc() + 1000);
	__asm__ volatile("sti; hlt; cli" : : : "memory");
	CHECK_EQUAL(seen, 1);
	CHECK_EQUAL(rdmsr(MSR), 0);
	section("0 disarms");
	wrmsr(MSR, tsc() + 100000);
	wrmsr(MSR, 0);
	CHECK_EQUAL(rdmsr(MSR), 0);
	section("in another mode of the timer writes are ignored and it reads as 0");
	LVT_TIMER = VECTOR;
	wrmsr(MSR, deadline);
	CHECK_EQUAL(rdmsr(MSR), 0);
}
