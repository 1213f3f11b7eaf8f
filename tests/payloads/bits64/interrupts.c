/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts between instructions: IF, the STI and MOV SS shadows, NMI blocking, HLT, priorities
 * (SDM 3A:6.7, 6.8, 6.9). The local APIC sends them to itself (SDM 3A:11.6.1). */
#include "apic.h"
#include "payload.h"

#define ICR          APIC(0x300)
#define EOI          APIC(0xb0)
#define SELF         0x40000
#define NMI          0x400
#define VECTOR       0x70
#define LOW_VECTOR   0x50

static word seen_ip[16];
static u8 seen_vector[16];
static word seen_flags[16];
static u32 seen;

static bool note(struct trap_frame *frame)
{
	if (frame->vector != VECTOR && frame->vector != LOW_VECTOR && frame->vector != 2)
		return false;
	if (seen < 16) {
		seen_ip[seen] = frame->ip;
		seen_flags[seen] = frame->flags;
		seen_vector[seen++] = (u8)frame->vector;
	}
	if (frame->vector != 2)
		EOI = 0;
	return true;
}

static void pend(u32 command)
{
	ICR = SELF | command;
	/* delivered at once by the APIC; the read keeps the order */
	while (ICR & 0x1000)
		;
	seen = 0;
}

extern const char sti_after[], popf_after[], hlt_after[], sti_sti[];

static void shadows(void)
{
	section("SDM 2B STI: not before the end of the next instruction");
	pend(VECTOR);
	__asm__ volatile("nop; nop; sti; nop\n sti_after: nop; cli" : : : "memory");
	CHECK_EQUAL(seen, 1);
	CHECK_EQUAL(seen_ip[0], (word)sti_after);
	CHECK_EQUAL(seen_flags[0] & 0x200, 0x200);
	section("SDM 2B STI: STI; CLI leaves no window");
	pend(VECTOR);
	__asm__ volatile("sti; cli; nop; nop" : : : "memory");
	CHECK_EQUAL(seen, 0);
	section("SDM 2B STI: a second STI does not lengthen the shadow");
	__asm__ volatile("sti; sti\n sti_sti: nop; nop; cli" : : : "memory");
	CHECK_EQUAL(seen, 1);
	CHECK_EQUAL(seen_ip[0], (word)sti_sti);
	section("SDM 2B POPF has no shadow");
	pend(VECTOR);
	__asm__ volatile("push $0x202; popfq\n popf_after: nop; cli" : : : "memory");
	CHECK_EQUAL(seen, 1);
	CHECK_EQUAL(seen_ip[0], (word)popf_after);
}

static void halts(void)
{
	section("SDM 2A HLT: STI; HLT is woken by what is pending, RIP behind it");
	pend(VECTOR);
	__asm__ volatile("sti; hlt\n hlt_after: cli" : : : "memory");
	CHECK_EQUAL(seen, 1);
	CHECK_EQUAL(seen_ip[0], (word)hlt_after);
}

static void priorities(void)
{
	section("SDM 3A:11.8.3 the higher vector class goes first");
	pend(LOW_VECTOR);
	pend(VECTOR);
	__asm__ volatile("sti; nop; nop; nop; cli" : : : "memory");
	CHECK_EQUAL(seen, 2);
	CHECK_EQUAL(seen_vector[0], VECTOR);
	CHECK_EQUAL(seen_vector[1], LOW_VECTOR);
}

extern const char ipi_after[], immediate_after[], low_after[], timer_after[];

/* The local APIC is written in the middle of straight code; what that brings comes right behind. */
static void straight(void)
{
	volatile u32 *icr = &ICR, *initial = &APIC(0x380);
	u32 command = SELF | VECTOR;

	section("SDM 3A:11.6.1 an interrupt to oneself comes behind the store that sends it");
	seen = 0;
	__asm__ volatile("sti; nop; nop; mov %1, %0\n ipi_after: nop; nop; cli"
			 : "=m"(*icr)
			 : "r"(command)
			 : "memory");
	CHECK_EQUAL(seen, 1);
	CHECK_EQUAL(seen_ip[0], (word)ipi_after);
	seen = 0;
	__asm__ volatile("sti; nop; nop; movl %1, %0\n immediate_after: nop; nop; cli"
			 : "=m"(*icr)
			 : "i"(SELF | VECTOR)
			 : "memory");
	CHECK_EQUAL(seen, 1);
	CHECK_EQUAL(seen_ip[0], (word)immediate_after);

	section("SDM 3A:11.8.3.1 a lower TPR lets through what it held back, behind the store");
	APIC(0x80) = 0xf0;
	pend(LOW_VECTOR);
	__asm__ volatile("sti; nop; nop; movl $0, %0\n low_after: nop; nop; cli"
			 : "=m"(APIC(0x80))
			 :
			 : "memory");
	CHECK_EQUAL(seen, 1);
	CHECK_EQUAL(seen_ip[0], (word)low_after);

	section("SDM 3A:11.5.4 a count of 4 at 1 GHz is over with the fourth nanosecond");
	APIC(0x3e0) = 0xb; /* divide by 1 */
	APIC(0x320) = VECTOR;
	seen = 0;
	__asm__ volatile("sti; nop; nop; movl $4, %0; nop; nop; nop\n timer_after: nop; nop; cli"
			 : "=m"(*initial)
			 :
			 : "memory");
	CHECK_EQUAL(seen, 1);
	CHECK_EQUAL(seen_ip[0], (word)timer_after);
	APIC(0x320) = 0x10000;
}

static u32 nmi_depth, nmi_nested;

static bool nmi_hook(struct trap_frame *frame)
{
	if (frame->vector != 2)
		return false;
	seen++;
	if (nmi_depth++) {
		nmi_nested++;
		return true;
	}
	/* Another NMI is held while this handler runs. */
	if (seen < 3)
		ICR = SELF | NMI;
	for (int i = 0; i < 50; i++)
		__asm__ volatile("nop");
	nmi_depth = 0;
	return true;
}

static void blocking(void)
{
	section("SDM 3A:6.7.1 NMIs are blocked until the handler's IRET, one is kept");
	trap_hook = nmi_hook;
	seen = nmi_depth = nmi_nested = 0;
	ICR = SELF | NMI;
	for (int i = 0; i < 50 && seen < 3; i++)
		__asm__ volatile("nop");
	CHECK_EQUAL(seen, 3);
	CHECK_EQUAL(nmi_nested, 0);
	trap_hook = note;
	section("SDM 3A:6.7.1 NMIs come with IF = 0 and clear nothing else");
	seen = 0;
	ICR = SELF | NMI;
	for (int i = 0; i < 50; i++)
		__asm__ volatile("nop");
	CHECK_EQUAL(seen, 1);
	CHECK_EQUAL(seen_vector[0], 2);
	CHECK_EQUAL(seen_flags[0] & 0x200, 0);
}

void payload(void)
{
	trap_hook = note;
	APIC(0xf0) = 0x1ff; /* software enable */
	APIC(0x80) = 0;
	shadows();
	halts();
	priorities();
	straight();
	blocking();
}
