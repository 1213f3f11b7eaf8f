/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the case that the command line names and runs it. */
#include "suite.h"

#define HAS_CMDLINE 4
#define UNKNOWN     3

extern const struct suite_case __start_suite_cases[], __stop_suite_cases[];

u8 scratch[4][4096] __attribute__((aligned(4096)));

/* The command line's last word (Multiboot 0.6.96, section 3.3). */
static const char *case_name(void)
{
	const u32 *information = (const u32 *)(word)multiboot_information;
	const char *text = (const char *)(word)information[4], *last = text;

	if (!(information[0] & HAS_CMDLINE))
		return "";
	for (; *text; text++)
		if (*text == ' ')
			last = text + 1;
	return last;
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* QEMU forgets RF in what a fault pushes (SDM 3B:18.3.1.1), and KVM shows the TF by which it steps;
 * either would differ in every case. The cases about these two have hooks of their own. */
static bool forget_flags(struct trap_frame *frame)
{
	frame->flags &= ~(word)(FLAG_RF | FLAG_TF);
	trap.flags = frame->flags;
	/* Nor does QEMU keep SS where an IST stack is taken at the same level (SDM 3A:6.14.5). */
	if (!(frame->cs & 3))
		trap_ss = 0;
	return false;
}

void payload(void)
{
	const char *name = case_name();
	const struct suite_case *test;

	for (test = __start_suite_cases; test < __stop_suite_cases; test++)
		if (same(test->name, name)) {
			trap_hook = forget_flags;
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

void try_show(void (*body)(void))
{
	__builtin_memset(&trap, 0, sizeof(trap));
	__builtin_memset(&tried, 0, sizeof(tried));
	trap_cr2 = 0;
	show(attempt(body) ? trap.vector : NO_TRAP);
	show(trap.error);
	show(trap_cr2);
}

static const void *user_code;
static word user_flags;

static void go_user(void)
{
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
