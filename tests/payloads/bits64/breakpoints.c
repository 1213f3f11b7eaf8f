/* SPDX-License-Identifier: Apache-2.0 */
/* Breakpoints and steps on repeated instructions and on stack accesses: SDM 3B:18.2, 18.3. */
#include "payload.h"

#define DR6_FIXED    0xffff0ff0ul
#define BS           (1ul << 14)
#define RF           0x10000ul
#define TF           0x100ul
#define EXECUTE      0ul
#define WRITE        1ul
#define ACCESS       3ul
#define MSR_DEBUGCTL 0x1d9

static struct hit {
	word ip, dr6, flags, count;
} hit[16];
static u32 hits;
static word resume_sets, resume_clears;

static bool note(struct trap_frame *frame)
{
	if (frame->vector != 1)
		return false;
	if (hits < 16)
		hit[hits++] =
			(struct hit){frame->ip, READ_REGISTER("dr6"), frame->flags, frame->cx};
	WRITE_REGISTER("dr6", DR6_FIXED);
	frame->flags = (frame->flags & ~resume_clears) | resume_sets;
	return true;
}

/* Breakpoint 0 with LEN0 as encoded. */
static void start(const void *address, word kind, word length)
{
	hits = 0;
	resume_sets = resume_clears = 0;
	WRITE_REGISTER("dr0", address);
	WRITE_REGISTER("dr6", DR6_FIXED);
	WRITE_REGISTER("dr7", 0x402 | kind << 16 | length << 18);
}

static void stop(void)
{
	WRITE_REGISTER("dr7", 0x400);
}

u8 from[16], to[16];
extern const char rep_at[], rep_after[], rep_data[], rep_data_after[];

static void repeated(void)
{
	section("SDM 3B:18.3.1.1 an instruction breakpoint on REP hits once, not at each element");
	start(rep_at, EXECUTE, 0);
	resume_sets = RF;
	__asm__ volatile("mov $from, %%esi; mov $to, %%edi; mov $5, %%ecx\n"
			 "rep_at: rep movsb\n rep_after: nop"
			 :
			 :
			 : "rsi", "rdi", "rcx", "memory");
	CHECK_EQUAL(hits, 1);
	CHECK_EQUAL(hit[0].ip, (word)rep_at);
	CHECK_EQUAL(hit[0].count, 5);
	CHECK_EQUAL(hit[0].flags & RF, 0);

	section("SDM 3B:18.3.1.1 a trap between two elements pushes RF, one after the last does "
		"not");
	start(to + 1, WRITE, 0);
	__asm__ volatile("mov $from, %%esi; mov $to, %%edi; mov $5, %%ecx\n"
			 "rep_data: rep movsb\n nop"
			 :
			 :
			 : "rsi", "rdi", "rcx", "memory");
	CHECK_EQUAL(hits, 1);
	CHECK_EQUAL(hit[0].ip, (word)rep_data);
	CHECK_EQUAL(hit[0].count, 3);
	CHECK_EQUAL(hit[0].flags & RF, vendor_is_amd() ? 0 : RF);
	start(to + 4, WRITE, 0);
	__asm__ volatile("mov $from, %%esi; mov $to, %%edi; mov $5, %%ecx\n"
			 "rep movsb\n rep_data_after: nop"
			 :
			 :
			 : "rsi", "rdi", "rcx", "memory");
	CHECK_EQUAL(hits, 1);
	CHECK_EQUAL(hit[0].ip, (word)rep_data_after);
	CHECK_EQUAL(hit[0].flags & RF, 0);
	stop();
}

u64 slots[4] __attribute__((aligned(32)));
word old_sp;
extern const char push_after[], pop_after[], pushf_after[], lcall_target[];
struct __attribute__((packed)) far {
	u32 offset;
	u16 selector;
};
struct far far_target;

/* Runs with RSP above slots[2]; the handler takes a stack of its own. */
#define ON_SLOTS(code)                                                                             \
	__asm__ volatile("mov %%rsp, old_sp; mov $slots + 24, %%rsp\n" code "\n mov old_sp, %%rsp" \
			 :                                                                         \
			 :                                                                         \
			 : "rax", "memory", "cc")

static void stack_accesses(void)
{
	struct gate gate = idt[1];

	tss.ist[0] = STACK_TOP(other_stack);
	idt[1].ist = 1;
	section("SDM 3B:18.2.5 data breakpoints see what PUSH, POP, PUSHF and far CALL do to the "
		"stack");
	start(&slots[2], WRITE, 2);
	ON_SLOTS("push %%fs\n push_after: nop");
	CHECK_EQUAL(hits, 1);
	CHECK_EQUAL(hit[0].ip, (word)push_after);
	slots[2] = 0;
	start(&slots[3], ACCESS, 2);
	ON_SLOTS("pop %%fs\n pop_after: nop");
	CHECK_EQUAL(hits, 1);
	CHECK_EQUAL(hit[0].ip, (word)pop_after);
	start(&slots[2], WRITE, 2);
	ON_SLOTS("pushfq\n pushf_after: nop");
	CHECK_EQUAL(hits, 1);
	CHECK_EQUAL(hit[0].ip, (word)pushf_after);
	far_target = (struct far){(u32)(word)lcall_target, SEL_CODE0};
	start((u8 *)slots + 20, WRITE, 3); /* CS, above the return address */
	ON_SLOTS("lcall *far_target\n ud2\n lcall_target: nop");
	CHECK_EQUAL(hits, 1);
	CHECK_EQUAL(hit[0].ip, (word)lcall_target);
	stop();
	idt[1] = gate;
}

extern const char branch_target[];

static void branch_step(void)
{
	section("SDM 3B:18.4.4 BTF: an element of REP is no branch");
	start(0, EXECUTE, 0);
	stop();
	resume_clears = TF;
	wrmsr(MSR_DEBUGCTL, 2);
	__asm__ volatile("mov $from, %%esi; mov $to, %%edi; mov $5, %%ecx\n"
			 "pushfq; orl $0x100, (%%rsp); popfq\n"
			 "rep movsb; jmp branch_target; nop; nop\n branch_target: nop"
			 :
			 :
			 : "rsi", "rdi", "rcx", "memory", "cc");
	CHECK_EQUAL(hits, 1);
	CHECK_EQUAL(hit[0].ip, (word)branch_target);
	CHECK_EQUAL(hit[0].dr6, DR6_FIXED | BS);
}

void payload(void)
{
	trap_hook = note;
	repeated();
	stack_accesses();
	branch_step();
}
