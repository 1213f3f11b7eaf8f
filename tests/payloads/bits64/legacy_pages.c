/* SPDX-License-Identifier: Apache-2.0 */
/* Indirect-branch tracking beside legacy code: the code-page bitmap, SDM 1:17.3.6. */
#include "payload.h"

#define MSR_S_CET    0x6a2
#define ENDBR_EN     4
#define LEG_IW_EN    8
#define SUPPRESS_DIS 0x20
#define SUPPRESS     0x400
#define TRACKER      0x800
#define CP           21
#define ENDBRANCH    3

static u8 bitmap[8192] __attribute__((aligned(4096)));
static u64 control; /* IA32_S_CET while @body runs */
static u64 after, later;

static void mark(const char *code, bool legacy)
{
	u8 *byte = &bitmap[(word)code >> 15], bit = 1 << ((word)code >> 12 & 7);

	*byte = legacy ? *byte | bit : *byte & ~bit;
}

extern const char landing[], second_landing[];
static void jump_plain(void)
{
	wrmsr(MSR_S_CET, control);
	__asm__ volatile("lea landing(%%rip), %%rsi; jmp *%%rsi\n"
			 ".balign 4096\n landing: mov $0x6a2, %%ecx; rdmsr; mov %%eax, %0\n"
			 "lea second_landing(%%rip), %%rsi; jmp *%%rsi; nop\n"
			 ".balign 4096\n second_landing: mov $0x6a2, %%ecx\n endbr64; rdmsr\n"
			 "mov %%eax, %1; xor %%eax, %%eax; xor %%edx, %%edx; wrmsr"
			 : "=m"(after), "=m"(later)
			 :
			 : "rax", "rcx", "rdx", "rsi", "memory");
}

static bool switch_off(struct trap_frame *frame)
{
	(void)frame;
	wrmsr(MSR_S_CET, 0);
	return false;
}

void payload(void)
{
	WRITE_REGISTER("cr0", READ_REGISTER("cr0") | 0x10000);
	WRITE_REGISTER("cr4", READ_REGISTER("cr4") | 0x800000);
	trap_hook = switch_off;
	control = (word)bitmap | ENDBR_EN | LEG_IW_EN;

	section("SDM 1:17.3.6 a clear bit: #CP(ENDBRANCH) as without the bitmap");
	EXPECT_TRAP(jump_plain, CP, ENDBRANCH);
	CHECK_EQUAL(trap.ip, (word)landing);

	section("SDM 1:17.3.6 a set bit: the tracker goes idle and is suppressed to the next "
		"ENDBRANCH");
	mark(landing, true);
	EXPECT_NO_TRAP(jump_plain);
	CHECK_EQUAL(after & (SUPPRESS | TRACKER), SUPPRESS);
	CHECK_EQUAL(later & (SUPPRESS | TRACKER), 0);

	section("SDM 1:17.3.6 SUPPRESS_DIS: it is not suppressed, the next page counts anew");
	control |= SUPPRESS_DIS;
	EXPECT_TRAP(jump_plain, CP, ENDBRANCH);
	CHECK_EQUAL(trap.ip, (word)second_landing);
	CHECK_EQUAL(after & (SUPPRESS | TRACKER), 0);
	mark(second_landing, true);
	EXPECT_NO_TRAP(jump_plain);

	section("SDM 1:17.2.1 without LEG_IW_EN nobody looks at the bitmap");
	control = (word)bitmap | ENDBR_EN;
	EXPECT_TRAP(jump_plain, CP, ENDBRANCH);
}
