/* SPDX-License-Identifier: Apache-2.0 */
/* SMM_CTL: the signals of SMM by themselves (APM 2:15.30.3), on a processor that has it. */
#include "apic.h"
#include "payload.h"

#define SMI_COMMAND  0x200
#define NMI_COMMAND  0x400
#define ENTRY        0x38000ul
#define RUNS         (*(volatile u32 *)0x20000)
#define MSR_HWCR     0xc0010015
#define MSR_SMM_CTL  0xc0010116
#define MSR_SMM_KEY  0xc0010119
#define DISMISS      1
#define ENTER        2
#define EXIT         8

extern const char handler[], handler_end[];
__asm__(".code16\nhandler: addr32 incl 0x20000; rsm\nhandler_end: .code64");

u32 nmis;
void nmi_handler(void);
__asm__(".text\nnmi_handler: incl nmis; iretq\n");

static void send(u32 command)
{
	APIC(0x310) = APIC(0x20);
	APIC(0x300) = command;
	for (int i = 0; i < 100; i++)
		__asm__ volatile("nop");
}

static void read(void)
{
	rdmsr(MSR_SMM_CTL);
}

static void enter(void)
{
	wrmsr(MSR_SMM_CTL, ENTER);
}

void payload(void)
{
	u32 highest[4], out[4];

	cpuid(0x80000000, 0, highest);
	cpuid(0x80000021, 0, out);
	if (highest[0] >= 0x80000021 && out[0] & 1u << 9) /* NoSmmCtlMSR */
		skip("SMM_CTL");
	APIC(0xf0) = 0x1ff;
	for (word n = 0; n < (word)(handler_end - handler); n++)
		((volatile u8 *)ENTRY)[n] = handler[n];
	RUNS = 0;
	gate_set(2, (word)nmi_handler, GATE_INTERRUPT);
	section("it is write-only");
	EXPECT_TRAP(read, 13, 0);
	section("ENTER blocks SMIs and NMIs, EXIT lets them come");
	enter();
	send(SMI_COMMAND);
	send(NMI_COMMAND);
	CHECK_EQUAL(RUNS, 0);
	CHECK_EQUAL(nmis, 0);
	wrmsr(MSR_SMM_CTL, EXIT);
	CHECK_EQUAL(RUNS, 1);
	CHECK_EQUAL(nmis, 1);
	section("DISMISS drops the SMI that is pending");
	enter();
	send(SMI_COMMAND);
	wrmsr(MSR_SMM_CTL, DISMISS);
	wrmsr(MSR_SMM_CTL, EXIT);
	CHECK_EQUAL(RUNS, 1);
	section("HWCR.SmmLock: #GP");
	wrmsr(MSR_SMM_KEY, 1);
	wrmsr(MSR_HWCR, rdmsr(MSR_HWCR) | 1);
	EXPECT_TRAP(enter, 13, 0);
}
