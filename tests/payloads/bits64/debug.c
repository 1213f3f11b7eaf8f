/* SPDX-License-Identifier: Apache-2.0 */
/* Debug exceptions: SDM 3B:18.2, 18.3; shadows SDM 3A:6.8.3. */
#include "payload.h"

#define DR6_FIXED    0xffff0ff0ul
#define BD           (1ul << 13)
#define BS           (1ul << 14)
#define TF           0x100ul
#define RF           0x10000ul
#define EXECUTE      0ul
#define WRITE        1ul
#define IO           2ul
#define ACCESS       3ul
#define MSR_DEBUGCTL 0x1d9

/* Every #DB is noted and resumed, with TF left as it was. */
static struct hit {
	word ip, dr6, flags, dr7;
} hit[32];
static u32 hits;
static word resume_clears, resume_sets;

static bool note(struct trap_frame *frame)
{
	if (frame->vector != 1 && frame->vector != 0x60)
		return false;
	if (hits < 32)
		hit[hits++] = (struct hit){frame->ip, READ_REGISTER("dr6"), frame->flags,
					   READ_REGISTER("dr7")};
	WRITE_REGISTER("dr6", DR6_FIXED);
	frame->flags = (frame->flags & ~resume_clears) | resume_sets;
	return true;
}

static void start(word dr7)
{
	hits = 0;
	resume_clears = resume_sets = 0;
	WRITE_REGISTER("dr6", DR6_FIXED);
	WRITE_REGISTER("dr7", dr7 | 0x400);
}

static word breakpoint(unsigned int n, word kind, unsigned int bytes)
{
	static const u8 length[] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};

	return 2ul << 2 * n | kind << (16 + 4 * n) | (word)length[bytes] << (18 + 4 * n);
}

#define HIT(n, where, bits)                                                                        \
	do {                                                                                       \
		CHECK_EQUAL(hit[n].ip, (word)(where));                                             \
		CHECK_EQUAL(hit[n].dr6, DR6_FIXED | (bits));                                       \
	} while (0)

extern const char step1[], step2[], step3[], step4[], step5[];

static void single_step(void)
{
	section("SDM 3B:18.3.1.4 TF: a trap after each instruction, not after the POPF that sets "
		"it");
	start(0);
	__asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq\n"
			 "step1: nop\n step2: nop\n step3: pushfq\n"
			 "step4: andl $~0x100, (%%rsp)\n step5: popfq\n nop"
			 :
			 :
			 : "memory", "cc");
	CHECK_EQUAL(hits, 5);
	HIT(0, step2, BS);
	HIT(1, step3, BS);
	HIT(2, step4, BS);
	HIT(3, step5, BS);
	HIT(4, step5 + 1, BS); /* TF was set when the POPF started */
	CHECK_EQUAL(hit[0].flags & (TF | RF), TF);
}

extern const char int_at[], int_after[];

static void step_over_int(void)
{
	section("SDM 3B:18.3.1.4 INT n clears TF: no trap in its handler or after it by itself");
	start(0);
	resume_clears = TF;
	__asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq\n"
			 "int_at: int $0x60\n int_after: nop; nop"
			 :
			 :
			 : "memory", "cc");
	CHECK_EQUAL(hits, 1);
	CHECK_EQUAL(hit[0].ip, (word)int_after);
	CHECK_EQUAL(hit[0].dr6, DR6_FIXED);
	CHECK_EQUAL(hit[0].flags & TF, TF);
}

extern const char icebp_after[], icebp_user[], icebp_user_after[], int_user[];
__asm__("icebp_user: int1\n icebp_user_after: ud2\n int_user: int $1; ud2");

static void icebp_at_level_3(void)
{
	enter_user(icebp_user, 2);
}

static void int_at_level_3(void)
{
	enter_user(int_user, 2);
}

static void icebp_here(void)
{
	__asm__ volatile("int1");
}

static void icebp(void)
{
	section("SDM 2A INT1: #DB without a DR6 bit; those that are set stay");
	start(0);
	__asm__ volatile("int1\n icebp_after: nop");
	CHECK_EQUAL(hits, 1);
	HIT(0, icebp_after, 0);
	start(0);
	WRITE_REGISTER("dr6", DR6_FIXED | BS | 2);
	__asm__ volatile("int1");
	CHECK_EQUAL(hit[0].dr6, DR6_FIXED | BS | 2);
	section("SDM 2A INT n: the gate's DPL holds back INT 1 at level 3, not INT1");
	start(0);
	EXPECT_TRAP(icebp_at_level_3, 6, NO_ERROR);
	CHECK_EQUAL(hits, 1);
	HIT(0, icebp_user_after, 0);
	EXPECT_TRAP(int_at_level_3, 13, 1 << 3 | 2);
	section("SDM 3A:6.13 INT1 is no software interrupt: EXT is set where its delivery faults");
	idt[1].type &= 0x7f;
	EXPECT_TRAP(icebp_here, 11, 1 << 3 | 2 | 1);
	gate_reset(1);
}

u64 watched __attribute__((aligned(8)));
extern const char inside_after[], write_after[], read_after[], wide_after[], rep_after[];

static void data_breakpoints(void)
{
	section("SDM 3B:18.2.5 data breakpoints: trap after the access");
	WRITE_REGISTER("dr0", &watched);
	start(breakpoint(0, WRITE, 4));
	__asm__ volatile("movl $1, watched\n write_after: mov watched, %%eax\n"
			 "movl $1, watched + 4"
			 :
			 :
			 : "eax", "memory");
	CHECK_EQUAL(hits, 1);
	HIT(0, write_after, 1);
	CHECK_EQUAL(hit[0].flags & RF, 0);

	section("SDM 3B:18.2.5 a smaller access inside the watched range");
	start(breakpoint(0, WRITE, 4));
	__asm__ volatile("movb $1, watched + 3\n inside_after: movb $1, watched + 4"
			 :
			 :
			 : "memory");
	CHECK_EQUAL(hits, 1);
	HIT(0, inside_after, 1);

	WRITE_REGISTER("dr3", (word)&watched + 2);
	start(breakpoint(3, ACCESS, 2));
	__asm__ volatile("mov watched, %%eax\n read_after: movb watched + 1, %%al\n"
			 "mov watched + 4, %%eax"
			 :
			 :
			 : "eax", "memory");
	CHECK_EQUAL(hits, 1);
	HIT(0, read_after, 8);

	section("SDM 3B:18.2.5 overlap of an access with two breakpoints; unaligned accesses");
	WRITE_REGISTER("dr1", (word)&watched + 7);
	WRITE_REGISTER("dr2", (word)&watched);
	start(breakpoint(1, WRITE, 1) | breakpoint(2, ACCESS, 8));
	__asm__ volatile("movq $1, watched\n wide_after: movb $1, watched + 8" : : : "memory");
	CHECK_EQUAL(hits, 1);
	HIT(0, wide_after, 6);
}

extern const char execute1[], execute2[], execute3[];

static void instruction_breakpoints(void)
{
	section("SDM 3B:18.3.1.1 instruction breakpoints: a fault; RF on the stack lets it go on");
	WRITE_REGISTER("dr0", execute1);
	WRITE_REGISTER("dr1", execute2);
	start(breakpoint(0, EXECUTE, 1) | breakpoint(1, EXECUTE, 1));
	resume_sets = RF;
	__asm__ volatile("nop\n execute1: nop\n nop\n execute2: nop");
	CHECK_EQUAL(hits, 2);
	HIT(0, execute1, 1);
	HIT(1, execute2, 2);
	CHECK_EQUAL(hit[0].flags & RF, 0);
	section("SDM 3B:18.3.1.1 RF holds for one instruction only: it hits at each pass");
	WRITE_REGISTER("dr0", execute3);
	start(breakpoint(0, EXECUTE, 1));
	resume_sets = RF;
	__asm__ volatile("mov $3, %%ecx\n execute3: nop\n loop execute3" : : : "rcx");
	CHECK_EQUAL(hits, 3);
	HIT(2, execute3, 1);
}

extern const char gd_at[];

static void general_detect(void)
{
	section("SDM 3B:18.2.4 GD: MOV DR faults, GD is cleared for the handler");
	start(0x2000);
	resume_sets = 0;
	__asm__ volatile("gd_at: mov %%dr3, %%rax" : : : "rax");
	CHECK_EQUAL(hits, 1);
	HIT(0, gd_at, BD);
	CHECK_EQUAL(hit[0].dr7, 0x400);
	/* general detect is a fault: RF (SDM 3B:18.3.1.1) */
	CHECK_EQUAL(hit[0].flags & RF, RF);
}

extern const char ss_step[], ss_data[], ss_code[];

static void mov_ss(void)
{
	static u16 selector = SEL_DATA0;

	section("SDM 3A:6.8.3 MOV SS delays debug traps until after the next instruction");
	start(0);
	__asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq\n"
			 "mov %0, %%ss\n nop\n"
			 "ss_step: pushfq; andl $~0x100, (%%rsp); popfq"
			 :
			 : "m"(selector)
			 : "memory");
	CHECK_EQUAL(hits, 4);
	HIT(0, ss_step, BS);

	WRITE_REGISTER("dr0", &selector);
	start(breakpoint(0, ACCESS, 2));
	__asm__ volatile("mov %0, %%ss\n nop\n ss_data: nop" : : "m"(selector) : "memory");
	CHECK_EQUAL(hits, 1);
	HIT(0, ss_data, 1);

	section("SDM 3A:6.8.3 MOV SS suppresses a breakpoint on the next instruction; AMD's don't");
	WRITE_REGISTER("dr0", ss_code);
	start(breakpoint(0, EXECUTE, 1));
	resume_sets = RF;
	__asm__ volatile("mov %0, %%ss\n ss_code: nop\n nop" : : "m"(selector) : "memory");
	if (vendor_is_amd()) {
		CHECK_EQUAL(hits, 1);
		HIT(0, ss_code, 1);
	} else {
		CHECK_EQUAL(hits, 0);
	}
}

static void io_breakpoint(void)
{
	word cr4 = READ_REGISTER("cr4");

	section("SDM 3B:18.2.5 I/O breakpoints with CR4.DE");
	WRITE_REGISTER("cr4", cr4 | 8);
	WRITE_REGISTER("dr2", 0x80);
	start(breakpoint(2, IO, 1));
	outb(0x80, 0);
	outb(0x81, 0);
	CHECK_EQUAL(hits, 1);
	CHECK_EQUAL(hit[0].dr6, DR6_FIXED | 4);
	start(0);
	WRITE_REGISTER("cr4", cr4);
}

extern const char btf_target[];

static void branch_step(void)
{
	section("SDM 3B:18.4.4 BTF: TF traps after taken branches only, and a #DB clears BTF");
	start(0);
	resume_clears = TF;
	wrmsr(MSR_DEBUGCTL, 2);
	__asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq\n"
			 "nop; xor %%eax, %%eax; jnz btf_target; nop; jmp btf_target; nop; nop\n"
			 "btf_target: nop"
			 :
			 :
			 : "rax", "memory", "cc");
	CHECK_EQUAL(hits, 1);
	HIT(0, btf_target, BS);
	CHECK_EQUAL(rdmsr(MSR_DEBUGCTL) & 2, 0);
}

void payload(void)
{
	trap_hook = note;
	single_step();
	step_over_int();
	icebp();
	data_breakpoints();
	instruction_breakpoints();
	general_detect();
	mov_ss();
	io_breakpoint();
	branch_step();
	start(0);
}
