/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a store, an interrupt or a time: SDM 2 MONITOR, MWAIT, UMONITOR, UMWAIT, TPAUSE. The
 * TSC ticks once a nanosecond, and time goes on to the next deadline while all processors wait. */
#include "apic.h"
#include "payload.h"

#define EOI            APIC(0xb0)
#define ICR            APIC(0x300)
#define ICR_HIGH       APIC(0x310)
#define LVT_TIMER      APIC(0x320)
#define TIMER_INITIAL  APIC(0x380)
#define TIMER_DIVIDE   APIC(0x3e0)
#define VECTOR         0x70
#define UMWAIT_CONTROL 0xe1
#define LONG           1000000ul /* ns, and TSC ticks */

static u8 __attribute__((aligned(4096))) page[4096];
#define LINE (page + 128)

static u32 interrupts;
static word interrupted_ip;

static bool note(struct trap_frame *frame)
{
	if (frame->vector != VECTOR)
		return false;
	interrupts++;
	interrupted_ip = frame->ip;
	EOI = 0;
	return true;
}

static u64 rdtsc(void)
{
	u32 low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (u64)high << 32 | low;
}

static void timer(u32 ns)
{
	interrupts = 0;
	TIMER_DIVIDE = 0xb; /* by 1, of 1 GHz */
	LVT_TIMER = VECTOR;
	TIMER_INITIAL = ns;
}

static void monitor(const void *address)
{
	__asm__ volatile("monitor" : : "a"(address), "c"(0), "d"(0) : "memory");
}

/* How long the instruction took. */
static u64 mwait(u32 extensions)
{
	u64 start = rdtsc();

	__asm__ volatile("mwait" : : "a"(0), "c"(extensions) : "memory");
	return rdtsc() - start;
}

/* --- stores by this processor --- */

static void stores(void)
{
	section("SDM 2 MWAIT: without an armed monitor it does not wait");
	CHECK(mwait(0) < 100);
	section("SDM 2 MWAIT: a store to the line before it has ended the monitoring");
	monitor(LINE);
	LINE[63] = 1;
	CHECK(mwait(0) < 100);
	section("SDM 2 MWAIT: a locked change too, also of another kind");
	monitor(LINE);
	__asm__ volatile("lock incl %0" : "+m"(*(u32 *)(LINE + 8)));
	CHECK(mwait(0) < 100);
	monitor(LINE + 17);
	__asm__ volatile("xchg %0, %1" : "+m"(*(u32 *)LINE) : "r"(7) : "memory");
	CHECK(mwait(0) < 100);
	CHECK_EQUAL(*(u32 *)LINE, 7);
	section("SDM 2 MONITOR: lines of 64 bytes; stores beside it are none of its business");
	timer(LONG);
	monitor(LINE);
	LINE[-1] = 1;
	LINE[64] = 1;
	CHECK(mwait(1) > LONG / 2);
	__asm__ volatile("sti; nop; cli" : : : "memory");
	CHECK_EQUAL(interrupts, 1);
	section("SDM 2 MWAIT: the monitor is used up");
	CHECK(mwait(0) < 100);
}

/* --- interrupts --- */

extern const char after_mwait[];

static void interrupt_wakes(void)
{
	section("SDM 2 MWAIT: an interrupt ends it and returns behind it");
	timer(LONG);
	monitor(LINE);
	__asm__ volatile("sti; mwait\n after_mwait: cli" : : "a"(0), "c"(0) : "memory");
	CHECK_EQUAL(interrupts, 1);
	CHECK_EQUAL(interrupted_ip, (word)after_mwait);
	section("SDM 2 MWAIT: ECX[0] = 1, an interrupt ends it though IF = 0, and stays pending");
	timer(LONG);
	monitor(LINE);
	CHECK(mwait(1) > LONG / 2);
	CHECK_EQUAL(interrupts, 0);
	section("SDM 2 MWAIT: ECX[0] = 1, so does one that is pending already");
	monitor(LINE);
	CHECK(mwait(1) < 100);
	__asm__ volatile("sti; nop; cli" : : : "memory");
	CHECK_EQUAL(interrupts, 1);
}

/* --- times --- */

/* CF, and how far the TSC is behind the deadline. */
static bool tpause(u64 deadline, u64 *late)
{
	bool carry;

	__asm__ volatile("stc; tpause %%ecx"
			 : "=@ccc"(carry)
			 : "a"((u32)deadline), "d"((u32)(deadline >> 32)), "c"(0)
			 : "memory");
	*late = rdtsc() - deadline;
	return carry;
}

static bool umwait(u64 deadline, u64 *took)
{
	u64 start = rdtsc();
	bool carry;

	__asm__ volatile("stc; umwait %%ecx"
			 : "=@ccc"(carry)
			 : "a"((u32)deadline), "d"((u32)(deadline >> 32)), "c"(0)
			 : "memory");
	*took = rdtsc() - start;
	return carry;
}

static void umonitor(const void *address)
{
	__asm__ volatile("umonitor %0" : : "r"(address) : "memory");
}

static void times(void)
{
	u64 late;

	section("SDM 2 TPAUSE: until the TSC has come to EDX:EAX; CF = 0");
	wrmsr(UMWAIT_CONTROL, 0);
	CHECK(!tpause(rdtsc() + LONG, &late));
	CHECK(late < 20);
	section("SDM 2 TPAUSE: a time that has passed");
	CHECK(!tpause(rdtsc() - 1, &late));
	CHECK(late < 100);
	section("SDM 4:2.1 IA32_UMWAIT_CONTROL[31:2]: the OS's limit comes first; CF = 1");
	wrmsr(UMWAIT_CONTROL, LONG / 10 & ~3ul);
	CHECK(tpause(rdtsc() + LONG, &late));
	CHECK((long)late < -(long)LONG / 2);
	section("SDM 4:2.1 IA32_UMWAIT_CONTROL: a deadline before the limit; CF = 0");
	CHECK(!tpause(rdtsc() + LONG / 20, &late));
	CHECK(late < 20);
	section("SDM 2 TPAUSE: an interrupt ends it though IF = 0; CF = 0");
	wrmsr(UMWAIT_CONTROL, 0);
	timer(LONG / 4);
	CHECK(!tpause(rdtsc() + LONG, &late));
	CHECK((long)late < -(long)LONG / 2);
	__asm__ volatile("sti; nop; cli" : : : "memory");
	CHECK_EQUAL(interrupts, 1);
}

static void user_waits(void)
{
	u64 took;

	section("SDM 2 UMWAIT: without an armed monitor it does not wait; CF = 0");
	CHECK(!umwait(rdtsc() + LONG, &took));
	CHECK(took < 100);
	section("SDM 2 UMWAIT: a store before it");
	umonitor(LINE);
	LINE[0] = 2;
	CHECK(!umwait(rdtsc() + LONG, &took));
	CHECK(took < 100);
	section("SDM 2 UMWAIT: the deadline");
	umonitor(LINE);
	CHECK(!umwait(rdtsc() + LONG, &took));
	CHECK(took >= LONG - 100 && took < LONG + 100);
	section("SDM 2 UMWAIT: the OS's limit; CF = 1");
	wrmsr(UMWAIT_CONTROL, LONG / 10 & ~3ul);
	umonitor(LINE);
	CHECK(umwait(rdtsc() + LONG, &took));
	CHECK(took >= LONG / 10 - 100 && took < LONG / 10 + 100);
	wrmsr(UMWAIT_CONTROL, 0);
}

/* --- another processor --- */

/* Real mode at the SIPI's page: waits a while, stores into the word at 9100H, halts. */
extern const char ap_start[], ap_end[];
__asm__(".code16\n"
	"ap_start: xor %ax, %ax; mov %ax, %ds; mov $20000, %cx\n"
	"1: loop 1b\n"
	"movw $1, 0x9100; cli; hlt\n"
	"ap_end: .code64");

static void another_processor(void)
{
	volatile u16 *flag = (volatile u16 *)0x9100;

	section("SDM 2 MWAIT: a store by another processor ends it");
	for (word i = 0; i < (word)(ap_end - ap_start); i++)
		((volatile char *)0x8000)[i] = ap_start[i];
	*flag = 0;
	ICR_HIGH = 1u << 24;
	ICR = 0x4500;
	ICR = 0x4608;
	monitor((const void *)flag);
	CHECK_EQUAL(*flag, 0);
	CHECK(mwait(0) > 10000); /* IF = 0 and no timer: nothing else can */
	CHECK_EQUAL(*flag, 1);
}

void payload(void)
{
	trap_hook = note;
	APIC(0xf0) = 0x1ff; /* software enable */
	APIC(0x80) = 0;
	stores();
	interrupt_wakes();
	times();
	user_waits();
	another_processor();
}
