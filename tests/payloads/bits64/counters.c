/* SPDX-License-Identifier: Apache-2.0 */
/* Performance counters where the privilege and the interrupt count: SDM 3B:20.2, SDM 3A:11.5.1,
 * SDM 2B RDPMC; APM 2:13.2. Events are retired instructions, so every number is exact. */
#include "apic.h"
#include "payload.h"

#define EOI          APIC(0xb0)
#define LVTPC        APIC(0x340)
#define LVT_MASKED   0x10000
#define LVT_NMI      0x400
#define VECTOR       0x70

#define SELECT_USR (1ul << 16)
#define SELECT_OS  (1ul << 17)
#define SELECT_INT (1ul << 20)
#define SELECT_EN  (1ul << 22)
#define RETIRED    0xc0ul /* both vendors' event */

#define CR4_PCE 0x100ul

static u32 select_msr, counter_msr, control_msr, status_msr, clear_msr;
static bool amd;

static void find_registers(void)
{
	amd = vendor_is_amd();
	select_msr = amd ? 0xc0010200 : 0x186;
	counter_msr = amd ? 0xc0010201 : 0x4c1;
	control_msr = amd ? 0xc0000301 : 0x38f;
	status_msr = amd ? 0xc0000300 : 0x38e;
	clear_msr = amd ? 0xc0000302 : 0x390;
}

static void program(u64 controls, u64 value)
{
	wrmsr(control_msr, 0);
	wrmsr(clear_msr, rdmsr(status_msr));
	wrmsr(select_msr, RETIRED | SELECT_EN | controls);
	wrmsr(counter_msr, value & 0xffffffffffff);
}

static u32 interrupts;
static word interrupted_ip;
static word interrupted_cs;
static u32 lvtpc_seen;

static bool note(struct trap_frame *frame)
{
	if (frame->vector != VECTOR && frame->vector != 2)
		return false;
	interrupts++;
	interrupted_ip = frame->ip;
	interrupted_cs = frame->cs;
	lvtpc_seen = LVTPC;
	if (frame->vector == VECTOR)
		EOI = 0;
	return true;
}

/* --- exact counts and interrupts --- */

extern const char after_third[], user_code[], user_third[], user_rdpmc[];

/* The counter begins behind the first WRMSR, and the last one is the fifth that it counts. */
static void five(void)
{
	__asm__ volatile("wrmsr; nop; nop\n"
			 "nop; after_third: xor %%eax, %%eax; wrmsr"
			 :
			 : "a"(1), "d"(0), "c"(control_msr)
			 : "memory");
}

static void counts(void)
{
	section("SDM 3B:20.2.2 between two writes of the global control");
	program(SELECT_OS, 0);
	five();
	CHECK_EQUAL(rdmsr(counter_msr), 5);
	CHECK_EQUAL(rdmsr(status_msr), 0);
	section("SDM 3B:20.2.1.1 USR does not count at CPL 0");
	program(SELECT_USR, 0);
	five();
	CHECK_EQUAL(rdmsr(counter_msr), 0);
	section("SDM 3B:20.2.2 an overflow without INT sets its status bit and nothing else");
	program(SELECT_OS, -3ul);
	interrupts = 0;
	LVTPC = VECTOR;
	__asm__ volatile("sti" : : : "memory");
	five();
	__asm__ volatile("nop; cli" : : : "memory");
	CHECK_EQUAL(rdmsr(counter_msr), 2);
	CHECK_EQUAL(rdmsr(status_msr), 1);
	CHECK_EQUAL(interrupts, 0);
}

static void overflows(void)
{
	section("SDM 3B:20.6.1 a PMI comes behind the instruction that overflows");
	program(SELECT_OS | SELECT_INT, -3ul);
	interrupts = 0;
	LVTPC = VECTOR;
	__asm__ volatile("sti; nop" : : : "memory");
	five();
	__asm__ volatile("cli" : : : "memory");
	CHECK_EQUAL(interrupts, 1);
	CHECK_EQUAL(interrupted_ip, (word)after_third);
	CHECK_EQUAL(rdmsr(status_msr), 1);
	section("SDM 3A:11.5.1 the LVT entry is masked by the PMI on Intel, APM 2:16.4: not on "
		"AMD");
	CHECK_EQUAL(lvtpc_seen & LVT_MASKED, amd ? 0 : LVT_MASKED);
	section("SDM 3A:11.5.1 delivery mode NMI");
	program(SELECT_OS | SELECT_INT, -3ul);
	interrupts = 0;
	LVTPC = LVT_NMI;
	five();
	CHECK_EQUAL(interrupts, 1);
	CHECK_EQUAL(interrupted_ip, (word)after_third);
	section("SDM 3A:11.5.1 a masked entry delivers nothing");
	program(SELECT_OS | SELECT_INT, -3ul);
	interrupts = 0;
	LVTPC = LVT_NMI | LVT_MASKED;
	five();
	CHECK_EQUAL(interrupts, 0);
	CHECK_EQUAL(rdmsr(status_msr), 1);
}

/* SDM 3B:18.4.7, 20.2.4.1 */
static void freezes(void)
{
	section("SDM 3B:20.2.4.1 a PMI freezes the counters until software clears CTR_Frz");
	program(SELECT_OS | SELECT_INT, -3ul);
	interrupts = 0;
	LVTPC = LVT_NMI;
	wrmsr(0x1d9, 1 << 12);
	five();
	CHECK_EQUAL(interrupts, 1);
	CHECK_EQUAL(rdmsr(status_msr), 1ul << 59 | 1);
	CHECK_EQUAL(rdmsr(counter_msr), 0);
	five();
	CHECK_EQUAL(rdmsr(counter_msr), 0);
	wrmsr(0x390, 1ul << 59 | 1);
	five();
	CHECK_EQUAL(rdmsr(counter_msr), 5);
	wrmsr(0x1d9, 0);
}

/* --- privilege --- */

__asm__("user_code: nop; nop; nop; user_third: nop; ud2\n"
	"user_rdpmc: xor %ecx, %ecx; rdpmc; ud2");

static word user_flags = 2;

static void run_user(void)
{
	enter_user(user_code, user_flags);
}

static void read_in_user(void)
{
	enter_user(user_rdpmc, 2);
}

static void privileges(void)
{
	section("SDM 3B:20.2.1.1 USR counts from the instruction behind IRET to the one that "
		"faults");
	program(SELECT_USR, 0);
	wrmsr(control_msr, 1);
	EXPECT_TRAP(run_user, 6, NO_ERROR);
	wrmsr(control_msr, 0);
	CHECK_EQUAL(rdmsr(counter_msr), 4);
	section("SDM 3B:20.2.1.1 a USR counter overflows at CPL 3, exactly");
	program(SELECT_USR | SELECT_INT, -3ul);
	interrupts = 0;
	LVTPC = VECTOR;
	user_flags = 0x202;
	wrmsr(control_msr, 1);
	EXPECT_TRAP(run_user, 6, NO_ERROR);
	wrmsr(control_msr, 0);
	CHECK_EQUAL(interrupts, 1);
	CHECK_EQUAL(interrupted_ip, (word)user_third);
	CHECK_EQUAL(interrupted_cs & 3, 3);
	CHECK_EQUAL(rdmsr(counter_msr), 1);
}

static void reads(void)
{
	section("SDM 2B RDPMC: CR4.PCE = 0 keeps it from CPL 3");
	program(SELECT_USR, 1234);
	EXPECT_TRAP(read_in_user, 13, 0);
	section("SDM 2B RDPMC: CR4.PCE = 1 lets it");
	WRITE_REGISTER("cr4", READ_REGISTER("cr4") | CR4_PCE);
	wrmsr(counter_msr, 0x123456789abc);
	EXPECT_TRAP(read_in_user, 6, NO_ERROR);
	CHECK_EQUAL(trap.ax, 0x56789abc);
	CHECK_EQUAL(trap.dx, 0x1234);
	WRITE_REGISTER("cr4", READ_REGISTER("cr4") & ~CR4_PCE);
}

void payload(void)
{
	trap_hook = note;
	APIC(0xf0) = 0x1ff; /* software enable */
	APIC(0x80) = 0;
	find_registers();
	counts();
	overflows();
	if (!amd)
		freezes();
	privileges();
	reads();
}
