/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the case that the command line names and runs it. */
#include "suite.h"

#define HAS_CMDLINE 4
#define UNKNOWN     3

extern const struct suite_case __start_suite_cases[], __stop_suite_cases[];

u8 scratch[4][4096] __attribute__((aligned(4096)));

/* Multiboot 0.6.96, section 3.3: the image's name, words that say what to leave out, the case. */
static const char *command_line(void)
{
	const u32 *information = (const u32 *)(word)multiboot_information;

	return information[0] & HAS_CMDLINE ? (const char *)(word)information[4] : "";
}

static const char *case_name(void)
{
	const char *text = command_line(), *last = text;

	for (; *text; text++)
		if (*text == ' ')
			last = text + 1;
	return last;
}

/* Up to a space or the end. */
static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (!*a || *a == ' ') && !*b;
}

static bool asked(const char *what)
{
	for (const char *text = command_line(); *text; text++)
		if ((text == command_line() || text[-1] == ' ') && same(text, what))
			return true;
	return false;
}

/* An engine that would differ wherever there is a fault has it left out
 * (tools/diff/expected/quirks.def), and shows in one case of its own that it differs. */
static bool no_rf, no_ist_ss, null_data;

static bool leave_out(struct trap_frame *frame)
{
	if (no_rf)
		trap.flags = frame->flags &= ~(word)FLAG_RF;
	if (no_ist_ss && !(frame->cs & 3))
		trap_ss = 0;
	return false;
}

void payload(void)
{
	const char *name = case_name();
	const struct suite_case *test;

	/* Now: cases about real mode overwrite low memory. */
	no_rf = asked("no-rf");
	no_ist_ss = asked("no-ist-ss");
	null_data = asked("null-data");
	for (test = __start_suite_cases; test < __stop_suite_cases; test++)
		if (*test->name == *name && same(test->name, name)) {
			trap_hook = leave_out;
			/* Caches on, as any kernel has them: KVM watches CR0 closely while they are
			 * off. */
			WRITE_REGISTER("cr0", READ_REGISTER("cr0") & ~(word)0x60000000);
			/* Single steps are compared from here on. */
			outb(START_PORT, 0);
			test->run();
			finish(0);
		}
	finish(UNKNOWN);
}

/* What the instructions of a TRY left. */
struct {
	word ax, dx, flags;
} tried;

#ifdef __x86_64__
__asm__(".globl try_done; try_done: pushfq; pop tried + 16; mov %rax, tried; mov %rdx, tried + 8; "
	"cld; ret");
#else
__asm__(".globl try_done; try_done: pushf; pop tried + 8; mov %eax, tried; mov %edx, tried + 4; "
	"cld; ret");
#endif

/* What a trap's handler left below the stack is nobody's, and an engine may have trapped elsewhere.
 */
static __attribute__((noinline)) void clear_dead_stack(void)
{
	u8 dead[0x200];

	__builtin_memset(dead, 0, sizeof(dead));
	__asm__ volatile("" : : "r"(dead) : "memory");
}

void try_show(void (*body)(void))
{
	bool trapped;

	__builtin_memset(&trap, 0, sizeof(trap));
	__builtin_memset(&tried, 0, sizeof(tried));
	trap_cr2 = 0;
	trapped = attempt(body);
	clear_dead_stack();
	show(trapped ? trap.vector : NO_TRAP);
	show(trap.error);
	show(trap_cr2);
}

static const void *user_code;
static word user_flags;

static void go_user(void)
{
#ifdef __x86_64__
	if (null_data)
		__asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs"
				 :
				 : "r"(0));
#endif
	enter_user(user_code, user_flags);
}

void try_user(const void *code, word flags)
{
	user_code = code;
	user_flags = flags;
	try_show(go_user);
}

#ifdef __x86_64__
extern u64 pml4[512], page_directories[4 * 512];
u64 window[512] __attribute__((aligned(4096)));

/* The upper levels as accessed: whether a walk that faults below sets these bits is left open (SDM
 * 3A:4.8). */
void window_open(u64 rights)
{
	u64 *pointers = (u64 *)(pml4[0] & ~0xffful);

	pointers[WINDOW >> 30] |= PTE_A;
	page_directories[WINDOW >> 21] = (u64)window | rights | (rights & PTE_P ? PTE_A : 0);
	flush();
}
#endif
