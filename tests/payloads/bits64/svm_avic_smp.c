/* SPDX-License-Identifier: Apache-2.0 */
/* AVIC between two processors: doorbells and interprocessor interrupts reach a guest that runs, and
 * one that waits (APM 2:15.29.6.1, 15.29.8.2). */
#include "apic.h"
#include "avic.h"

#define MSR_EFER     0xc0000080
#define OTHER        1 /* the other processor's APIC ID, and its guest's */

#define START    0x8000ul /* where SIPI starts it, in real mode */
#define VALUES   0x8100ul /* CR4, CR3, EFER, CR0, and what LGDT loads */
#define PATIENCE 1000000u

GUEST(halt, "hlt");
GUEST(spin, "1: pause; jmp 1b");
GUEST(write4, "mov %ecx, (%rsi)");

/* The other's VMCB and page. */
static struct svm_vmcb other_vmcb __attribute__((aligned(4096), used));
static u8 other_page[4096] __attribute__((aligned(4096)));
static u8 other_processor_stack[4096] __attribute__((aligned(16), used));
static volatile u32 entries_asked __attribute__((used)), entries_begun __attribute__((used)),
	exits_made __attribute__((used));
static volatile u64 other_rbp __attribute__((used));

/* Real mode to 64-bit mode at once; then a guest each time it is asked for one. */
extern char start[], start_end[];
__asm__(".text\n.code16\n"
	"start: cli\n\t"
	"mov 0x8100, %eax; mov %eax, %cr4\n\t"
	"mov 0x8104, %eax; mov %eax, %cr3\n\t"
	"mov $0xc0000080, %ecx; mov 0x8108, %eax; xor %edx, %edx; wrmsr\n\t"
	"lgdtl 0x8110\n\t"
	"mov 0x810c, %eax; mov %eax, %cr0\n\t"
	"ljmpl $0x8, $other_processor\n"
	"start_end:\n"
	".code64\n"
	"other_processor: lea other_processor_stack + 4096(%rip), %rsp\n\t"
	"xor %ebx, %ebx\n"
	"1: pause; cmp entries_asked(%rip), %ebx; je 1b\n\t"
	"inc %ebx\n\t"
	"push %rbx\n\t"
	"xor %ebp, %ebp\n\t"
	"clgi\n\t"
	"incl entries_begun(%rip)\n\t"
	"lea other_vmcb(%rip), %rax; vmrun %rax\n\t"
	"stgi\n\t"
	"pop %rbx\n\t"
	"mov %rbp, other_rbp(%rip)\n\t"
	"incl exits_made(%rip)\n\t"
	"jmp 1b\n");

static void ipi(u32 low)
{
	APIC(0x310) = OTHER << 24;
	APIC(0x300) = low;
}

static void start_other(void)
{
	volatile u32 *values = (volatile u32 *)VALUES;

	for (u32 n = 0; start + n < start_end; n++)
		((u8 *)START)[n] = start[n];
	values[0] = READ_REGISTER("cr4");
	values[1] = READ_REGISTER("cr3");
	values[2] = rdmsr(MSR_EFER) & ~0x400ull; /* LMA follows */
	values[3] = READ_REGISTER("cr0");
	values[4] = (u32)(u64)gdt << 16 | (sizeof(gdt) - 1);
	values[5] = (u32)(u64)gdt >> 16;
	ipi(0x4500);
	ipi(0x4600 | START >> 12);
}

static void pause_for(u32 turns)
{
	while (turns--)
		__asm__ volatile("pause" : : : "memory");
}

static bool comes(const volatile u32 *what, u32 wanted)
{
	for (u32 n = 0; n < PATIENCE && *what != wanted; n++)
		__asm__ volatile("pause" : : : "memory");
	return *what == wanted;
}

static volatile u32 *other_word(u32 bank)
{
	return (volatile u32 *)(other_page + bank + VECTOR / 32 * 16);
}

static void request(void)
{
	__atomic_fetch_or(other_word(IRR), 1u << VECTOR % 32, __ATOMIC_SEQ_CST);
}

/* The other's guest runs that, and has begun to. */
static void run_other(char *code)
{
	avic_prepare(code);
	__builtin_memset(other_page, 0, sizeof(other_page));
	vmcb.avic_backing = (u64)other_page;
	vmcb.rsp -= 0x1000;
	vmcb.asid = 2;
	other_vmcb = vmcb;
	entries_asked++;
	CHECK(comes(&entries_begun, entries_asked));
	pause_for(1000);
	CHECK_EQUAL(exits_made + 1, entries_asked);
}

static void expect_other(void)
{
	CHECK(comes(&exits_made, entries_asked));
	CHECK_EQUAL(other_vmcb.exit_code, EXIT_VMMCALL);
	CHECK_EQUAL(other_rbp, VECTOR);
	CHECK(!(*other_word(IRR) >> VECTOR % 32 & 1));
	CHECK(*other_word(ISR) >> VECTOR % 32 & 1);
}

static void doorbells(char *code)
{
	run_other(code);
	request();
	pause_for(1000);
	wrmsr(DOORBELL, 0);
	pause_for(1000);
	wrmsr(DOORBELL, OTHER);
	expect_other();
}

/* From the guest of this processor: it does not exit. */
static void sends(char *code)
{
	run_other(code);
	avic_prepare(write4);
	physical_table[OTHER] = VALID | RUNNING | (u64)other_page | OTHER;
	A(0x310) = OTHER << 24;
	svm_guest_registers[RSI] = (u64)(guest_apic + 0x300);
	svm_guest_registers[RCX] = VECTOR;
	expect_exit(EXIT_VMMCALL, write4_behind);
	expect_other();
}

static void outside(void)
{
	section("a doorbell outside a guest is lost, its request is not: VMRUN finds it "
		"(15.29.8.3)");
	avic_prepare(spin);
	__builtin_memset(other_page, 0, sizeof(other_page));
	request();
	vmcb.avic_backing = (u64)other_page;
	vmcb.rsp -= 0x1000;
	vmcb.asid = 2;
	other_vmcb = vmcb;
	wrmsr(DOORBELL, OTHER);
	entries_asked++;
	expect_other();
}

void payload(void)
{
	if (!avic_begin(SVM_FEATURE_AVIC))
		return;
	start_other();
	section("a doorbell has a running guest's requests looked at (15.29.8.2)");
	doorbells(spin);
	section("and wakes one in HLT");
	doorbells(halt);
	section("an interrupt that another guest sends comes to one that runs (15.29.6.1)");
	sends(spin);
	section("and to one in HLT");
	sends(halt);
	outside();
}
