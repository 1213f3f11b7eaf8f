/* SPDX-License-Identifier: Apache-2.0 */
/* CET: shadow stacks and indirect-branch tracking, SDM 1:17 and the instructions' own pages. */
#include "payload.h"

#define MSR_U_CET     0x6a0
#define MSR_S_CET     0x6a2
#define MSR_PL0_SSP   0x6a4
#define MSR_PL3_SSP   0x6a7
#define MSR_SSP_TABLE 0x6a8
#define SH_STK_EN     1
#define WR_SHSTK_EN   2
#define ENDBR_EN      4
#define NO_TRACK_EN   16
#define TRACKER       0x800
#define CP            21
#define NEAR_RET      1
#define FAR_RET       2
#define ENDBRANCH     3
#define RSTORSSP      4
#define SETSSBSY      5

/* 4 KiB pages at 32 MiB: supervisor and user shadow stacks (present, dirty, not writable), and an
 * ordinary page. The token of each stack lies at the end of its page. */
#define AREA        0x2000000ul
#define KERNEL      (AREA)
#define SECOND      (AREA + 0x1000)
#define USER        (AREA + 0x2000)
#define ORDINARY    (AREA + 0x3000)
#define TOKEN(page) ((page) + 0xff8)
static u64 page_table[512] __attribute__((aligned(4096)));
extern u64 page_directories[];

/* Through the ordinary 2 MiB mapping of the next 2 MiB: the same memory, writable. */
#define ALIAS           0x200000ul
#define SHADOW(address) (*(volatile u64 *)((address) + ALIAS))

static void map(void)
{
	for (unsigned int i = 0; i < 512; i++)
		page_table[i] = (AREA + ALIAS + i * 4096) | 0x67;
	page_table[0] = (KERNEL + ALIAS) | 0x61; /* P, A, D */
	page_table[1] = (SECOND + ALIAS) | 0x61;
	page_table[2] = (USER + ALIAS) | 0x65; /* and U */
	page_directories[AREA >> 21] = (word)page_table | 7;
	WRITE_REGISTER("cr3", READ_REGISTER("cr3"));
}

static void fresh_stacks(void)
{
	SHADOW(TOKEN(KERNEL)) = TOKEN(KERNEL);
	SHADOW(TOKEN(SECOND)) = TOKEN(SECOND);
	wrmsr(MSR_PL0_SSP, TOKEN(KERNEL));
}

static word ssp_in_handler, s_cet_in_handler;

/* The handler runs unprotected. */
static bool switch_off(struct trap_frame *frame)
{
	(void)frame;
	s_cet_in_handler = rdmsr(MSR_S_CET);
	__asm__ volatile("xor %0, %0; rdsspq %0" : "=r"(ssp_in_handler));
	wrmsr(MSR_S_CET, 0);
	return false;
}

/* ON enables shadow stacks at level 0 (SETSSBSY makes the token busy), OFF disables. */
#define SET_S_CET(bits) "mov $0x6a2, %%ecx; xor %%edx, %%edx; mov $" #bits ", %%eax; wrmsr\n"
#define ON              SET_S_CET(1) "setssbsy\n"
#define OFF             SET_S_CET(0)
#define CLOBBERS        "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "memory", "cc"

word ssp_before, ssp_inside, ssp_after, frame_cs, frame_lip, frame_ssp;

static void near_calls(void)
{
	__asm__ volatile(ON "rdsspq %%rsi; mov %%rsi, ssp_before\n"
			    "call 1f; jmp 2f\n"
			    "1: rdsspq %%rsi; mov %%rsi, ssp_inside; ret\n"
			    "2: rdsspq %%rsi; mov %%rsi, ssp_after\n" OFF
			 :
			 :
			 : CLOBBERS);
}

static void changed_return(void)
{
	__asm__ volatile(ON "call 1f\n nop\n 1: addq $1, (%%rsp); ret\n" OFF : : : CLOBBERS);
}

static void interrupted(void)
{
	__asm__ volatile(ON "rdsspq %%rsi; mov %%rsi, ssp_before\n interrupted_at: int $0x60\n"
			 :
			 :
			 : CLOBBERS);
}
extern const char interrupted_at[];

/* A handler of its own that returns, after WRSS has changed what %rbx points to. */
extern const char tampering_handler[], plain_handler[];
__asm__("plain_handler: endbr64; rdsspq %rsi; mov %rsi, ssp_inside; iretq\n"
	"tampering_handler: endbr64; rdsspq %rsi; add %rbx, %rsi\n"
	"mov $0x1234, %edi; wrssq %rdi, (%rsi); iretq");

static void handler_returns(void)
{
	__asm__ volatile(ON "rdsspq %%rsi; mov %%rsi, ssp_before; int $0x62\n"
			    "rdsspq %%rsi; mov %%rsi, ssp_after\n" OFF
			 :
			 :
			 : CLOBBERS);
}

static word tampered;
static void tampered_frame(void)
{
	__asm__ volatile(SET_S_CET(3) "setssbsy; mov %0, %%rbx; int $0x61\n" OFF
			 :
			 : "m"(tampered)
			 : CLOBBERS);
}

static void busy_twice(void)
{
	__asm__ volatile(ON "setssbsy\n" OFF : : : CLOBBERS);
}

static void clear_busy(void)
{
	__asm__ volatile(ON "clrssbsy %1; setc ssp_inside; rdsspq %%rsi; mov %%rsi, ssp_after\n"
			    "clrssbsy %1; setc ssp_inside + 1\n" OFF
			 : "=m"(ssp_inside)
			 : "m"(*(u64 *)TOKEN(KERNEL))
			 : CLOBBERS);
}

static void increment(void)
{
	__asm__ volatile(ON "call 1f\n 1: call 2f\n 2: rdsspq %%rsi; mov %%rsi, ssp_before\n"
			    "mov $2, %%eax; incsspq %%rax; rdsspq %%rsi; mov %%rsi, ssp_after\n"
			    "add $16, %%rsp\n" OFF
			 :
			 :
			 : CLOBBERS);
}

/* To SECOND by its restore token, saving a restore point, and back. */
static void switch_stacks(void)
{
	__asm__ volatile(ON "rstorssp %0; rdsspq %%rsi; mov %%rsi, ssp_inside\n"
			    "saveprevssp; rdsspq %%rsi; mov %%rsi, ssp_after\n"
			    "rstorssp %1; rdsspq %%rsi; mov %%rsi, ssp_before\n" OFF
			 :
			 : "m"(*(u64 *)(SECOND + 0x800)), "m"(*(u64 *)(TOKEN(KERNEL) - 8))
			 : CLOBBERS);
}

static void write_shadow(void)
{
	__asm__ volatile(ON "wrssq %%rsi, %0\n" OFF : : "m"(*(u64 *)KERNEL) : CLOBBERS);
}

static word write_target;
static void write_shadow_enabled(void)
{
	__asm__ volatile(
		SET_S_CET(3) "setssbsy; mov %0, %%rdi; mov $0x77, %%esi; wrssq %%rsi, (%%rdi)\n" OFF
		:
		: "m"(write_target)
		: CLOBBERS);
}

static void write_user_shadow(void)
{
	__asm__ volatile("mov %0, %%rdi; mov $0x78, %%esi; wrussq %%rsi, (%%rdi)"
			 :
			 : "m"(write_target)
			 : CLOBBERS);
}

static void ordinary_store(void)
{
	*(volatile u64 *)KERNEL = 1;
}

static void shadow_stacks(void)
{
	section("SDM 2A CALL, 2B RET: the return address goes on both stacks");
	fresh_stacks();
	EXPECT_NO_TRAP(near_calls);
	CHECK_EQUAL(ssp_before, TOKEN(KERNEL));
	CHECK_EQUAL(ssp_inside, TOKEN(KERNEL) - 8);
	CHECK_EQUAL(ssp_after, TOKEN(KERNEL));
	CHECK_EQUAL(SHADOW(TOKEN(KERNEL)), TOKEN(KERNEL) | 1);
	section("SDM 2B RET: a changed address, #CP(NEAR-RET)");
	fresh_stacks();
	EXPECT_TRAP(changed_return, CP, NEAR_RET);
	section("SDM 2A INT n: CS, LIP and SSP on the shadow stack at the same level");
	fresh_stacks();
	EXPECT_TRAP(interrupted, 0x60, NO_ERROR);
	CHECK_EQUAL(SHADOW(TOKEN(KERNEL) - 8), SEL_CODE0);
	CHECK_EQUAL(SHADOW(TOKEN(KERNEL) - 16), (word)interrupted_at + 2);
	CHECK_EQUAL(SHADOW(TOKEN(KERNEL) - 24), TOKEN(KERNEL));
	section("SDM 2A IRET: restores the SSP");
	gate_set(0x62, (word)plain_handler, GATE_INTERRUPT);
	fresh_stacks();
	EXPECT_NO_TRAP(handler_returns);
	CHECK_EQUAL(ssp_inside, TOKEN(KERNEL) - 24);
	CHECK_EQUAL(ssp_after, ssp_before);
	section("SDM 2A IRET: CS or LIP changed on the shadow stack, #CP(FAR-RET/IRET)");
	gate_set(0x61, (word)tampering_handler, GATE_INTERRUPT);
	for (tampered = 8; tampered <= 16; tampered += 8) {
		fresh_stacks();
		EXPECT_TRAP(tampered_frame, CP, FAR_RET);
	}
	section("SDM 2B SETSSBSY: a busy token, #CP(SETSSBSY); not aligned, #GP(0)");
	fresh_stacks();
	EXPECT_TRAP(busy_twice, CP, SETSSBSY);
	fresh_stacks();
	wrmsr(MSR_PL0_SSP, TOKEN(KERNEL) + 4);
	EXPECT_TRAP(near_calls, 13, 0);
	section("SDM 2A CLRSSBSY: CF tells an invalid token; SSP becomes 0");
	fresh_stacks();
	ssp_inside = 0xffff;
	EXPECT_NO_TRAP(clear_busy);
	CHECK_EQUAL(ssp_inside, 0x0100);
	CHECK_EQUAL(ssp_after, 0);
	CHECK_EQUAL(SHADOW(TOKEN(KERNEL)), TOKEN(KERNEL));
	section("SDM 2A INCSSP");
	fresh_stacks();
	EXPECT_NO_TRAP(increment);
	CHECK_EQUAL(ssp_after - ssp_before, 16);
}

static void switching(void)
{
	section("SDM 1:17.2.4 RSTORSSP and SAVEPREVSSP");
	fresh_stacks();
	SHADOW(SECOND + 0x800) = (SECOND + 0x808) | 1;
	EXPECT_NO_TRAP(switch_stacks);
	CHECK_EQUAL(ssp_inside, SECOND + 0x800);
	CHECK_EQUAL(ssp_after, SECOND + 0x808);
	CHECK_EQUAL(SHADOW(SECOND + 0x800), TOKEN(KERNEL) | 3);
	CHECK_EQUAL(ssp_before, TOKEN(KERNEL) - 8);
	CHECK_EQUAL(SHADOW(TOKEN(KERNEL) - 8), (SECOND + 0x808) | 3);
	section("SDM 2B RSTORSSP: wrong mode, previous-SSP bit, wrong address: #CP(RSTORSSP)");
	fresh_stacks();
	SHADOW(SECOND + 0x800) = SECOND + 0x808;
	EXPECT_TRAP(switch_stacks, CP, RSTORSSP);
	fresh_stacks();
	SHADOW(SECOND + 0x800) = (SECOND + 0x808) | 3;
	EXPECT_TRAP(switch_stacks, CP, RSTORSSP);
	fresh_stacks();
	SHADOW(SECOND + 0x800) = (SECOND + 0x810) | 1;
	EXPECT_TRAP(switch_stacks, CP, RSTORSSP);
}

static void writes(void)
{
	section("SDM 2C WRSS: #UD unless enabled; WRSS and WRUSS reach shadow stacks only");
	fresh_stacks();
	EXPECT_TRAP(write_shadow, 6, NO_ERROR);
	fresh_stacks();
	write_target = SECOND;
	EXPECT_NO_TRAP(write_shadow_enabled);
	CHECK_EQUAL(SHADOW(SECOND), 0x77);
	fresh_stacks();
	write_target = SECOND + 4;
	EXPECT_TRAP(write_shadow_enabled, 13, 0);
	fresh_stacks();
	write_target = ORDINARY;
	EXPECT_TRAP(write_shadow_enabled, 14, 0x43); /* P, W, SS */
	CHECK_EQUAL(trap_cr2, ORDINARY);
	write_target = USER;
	EXPECT_NO_TRAP(write_user_shadow);
	CHECK_EQUAL(SHADOW(USER), 0x78);
	write_target = SECOND;
	EXPECT_TRAP(write_user_shadow, 14, 0x47); /* a user access to a supervisor page */
	section("SDM 3A:4.6.1 ordinary stores to a shadow stack: #PF without the SS bit");
	EXPECT_TRAP(ordinary_store, 14, 3);
}

extern const char user_int[], user_bad[];
__asm__("user_int: int $0x63; ud2\n"
	"user_bad: call 1f; ud2; 1: addq $2, (%rsp); ret");
static void from_user(void)
{
	__asm__ volatile(SET_S_CET(1) : : : CLOBBERS);
	enter_user(user_int, 0);
}

static void from_user_changed(void)
{
	__asm__ volatile(SET_S_CET(1) : : : CLOBBERS);
	enter_user(user_bad, 0);
}

static word table[8];

static void levels(void)
{
	section("SDM 3A:6.14.6 from level 3: PL3_SSP saved, PL0_SSP's token made busy");
	idt[0x63].type |= GATE_USER;
	fresh_stacks();
	wrmsr(MSR_U_CET, SH_STK_EN);
	wrmsr(MSR_PL3_SSP, USER + 0x800);
	/* The IRET to level 3 itself needs an aligned SSP at level 0. */
	EXPECT_TRAP(from_user, 0x63, NO_ERROR);
	CHECK_EQUAL(ssp_in_handler, TOKEN(KERNEL) - 16); /* two calls deep */
	CHECK_EQUAL(rdmsr(MSR_PL3_SSP), USER + 0x800);
	CHECK_EQUAL(SHADOW(TOKEN(KERNEL)), TOKEN(KERNEL) | 1);
	section("SDM 3A:6.14.6 a busy token: #GP(0), itself through an IST with a free one");
	tss.ist[2] = STACK_TOP(other_stack);
	idt[13].ist = 3;
	table[3] = TOKEN(SECOND);
	wrmsr(MSR_SSP_TABLE, (word)table);
	EXPECT_TRAP(from_user, 13, 0);
	CHECK_EQUAL(trap.cs, SEL_CODE3 | 3);
	CHECK_EQUAL(SHADOW(TOKEN(SECOND)), TOKEN(SECOND) | 1);
	gate_reset(13);
	section("SDM 2B RET at level 3");
	fresh_stacks();
	EXPECT_TRAP(from_user_changed, CP, NEAR_RET);
	CHECK_EQUAL(trap.cs & 3, 3);
	wrmsr(MSR_U_CET, 0);
}

static void interrupt_stacks(void)
{
	section("SDM 3A:6.14.6 IST: the shadow stack from IA32_INTERRUPT_SSP_TABLE, freed by IRET");
	fresh_stacks();
	tss.ist[2] = STACK_TOP(other_stack);
	idt[0x62].ist = 3;
	table[3] = TOKEN(SECOND);
	wrmsr(MSR_SSP_TABLE, (word)table);
	EXPECT_NO_TRAP(handler_returns);
	CHECK_EQUAL(ssp_inside, TOKEN(SECOND) - 24);
	CHECK_EQUAL(ssp_after, TOKEN(KERNEL));
	CHECK_EQUAL(SHADOW(TOKEN(SECOND)), TOKEN(SECOND));
	section("SDM 1:17.2.3 token and frame in one 32-byte block: #GP(0) else");
	fresh_stacks();
	SHADOW(SECOND + 0xff0) = SECOND + 0xff0;
	table[3] = SECOND + 0xff0;
	EXPECT_TRAP(handler_returns, 13, 0);
	idt[0x62].ist = 0;
}

static void jump_plain(void)
{
	__asm__ volatile(
		SET_S_CET(4) "lea 1f(%%rip), %%rsi; jmp *%%rsi\n no_endbranch: 1: nop\n" OFF
		:
		:
		: CLOBBERS);
}
extern const char no_endbranch[];

static void jump_endbranch(void)
{
	__asm__ volatile(SET_S_CET(4) "lea 1f(%%rip), %%rsi; jmp *%%rsi\n 1: endbr64\n"
				      "lea 2f(%%rip), %%rsi; call *%%rsi; jmp 3f\n"
				      "2: endbr64; ret\n 3:\n" OFF
			 :
			 :
			 : CLOBBERS);
}

static void jump_endbranch32(void)
{
	__asm__ volatile(SET_S_CET(4) "lea 1f(%%rip), %%rsi; jmp *%%rsi\n 1: endbr32\n" OFF
			 :
			 :
			 : CLOBBERS);
}

static void jump_untracked(void)
{
	__asm__ volatile(SET_S_CET(0x14) "lea 1f(%%rip), %%rsi; notrack jmp *%%rsi\n 1: nop\n" OFF
			 :
			 :
			 : CLOBBERS);
}

static void jump_untracked_disabled(void)
{
	__asm__ volatile(SET_S_CET(4) "lea 1f(%%rip), %%rsi; notrack jmp *%%rsi\n 1: nop\n" OFF
			 :
			 :
			 : CLOBBERS);
}

static void jump_int3(void)
{
	__asm__ volatile(SET_S_CET(4) "lea 1f(%%rip), %%rsi; jmp *%%rsi\n 1: int3\n" OFF
			 :
			 :
			 : CLOBBERS);
}

static void jump_undefined(void)
{
	__asm__ volatile(SET_S_CET(4) "lea 1f(%%rip), %%rsi; jmp *%%rsi\n 1: ud2\n" OFF
			 :
			 :
			 : CLOBBERS);
}

extern const char bare_handler[];
__asm__("bare_handler: iretq");
static void bare_interrupt(void)
{
	__asm__ volatile(SET_S_CET(4) "int $0x64\n" OFF : : : CLOBBERS);
}

static void tracking(void)
{
	section("SDM 1:17.3 indirect branches want ENDBR64: #CP(ENDBRANCH) at the target");
	EXPECT_NO_TRAP(jump_endbranch);
	EXPECT_TRAP(jump_plain, CP, ENDBRANCH);
	CHECK_EQUAL(trap.ip, (word)no_endbranch);
	EXPECT_TRAP(jump_endbranch32, CP, ENDBRANCH);
	section("SDM 1:17.3.1 NOTRACK counts with NO_TRACK_EN");
	EXPECT_NO_TRAP(jump_untracked);
	EXPECT_TRAP(jump_untracked_disabled, CP, ENDBRANCH);
	section("SDM 1:17.3.4 INT3 is let through; #CP goes before #UD");
	EXPECT_TRAP(jump_int3, 3, NO_ERROR);
	EXPECT_TRAP(jump_undefined, CP, ENDBRANCH);
	section("SDM 2A INT n: a handler has to begin with ENDBR64");
	gate_set(0x64, (word)bare_handler, GATE_INTERRUPT);
	EXPECT_TRAP(bare_interrupt, CP, ENDBRANCH);
	CHECK_EQUAL(trap.ip, (word)bare_handler);
	gate_reset(0x64);
}

void payload(void)
{
	map();
	WRITE_REGISTER("cr0", READ_REGISTER("cr0") | 0x10000);
	WRITE_REGISTER("cr4", READ_REGISTER("cr4") | 0x800000);
	trap_hook = switch_off;
	shadow_stacks();
	switching();
	writes();
	levels();
	interrupt_stacks();
	tracking();
}
