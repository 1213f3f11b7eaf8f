/* SPDX-License-Identifier: Apache-2.0 */
/* System management mode: SDM 3C:31.3 to 31.5, 31.11; APM 2:10.2, 10.3. */
#include "apic.h"
#include "payload.h"

#define SMI_COMMAND  0x200
#define SMBASE_RESET 0x30000ul
#define SMBASE_NEW   0x60000ul
#define ENTRY        0x8000
#define MAILBOX      0x20000ul

struct mailbox {
	u32 runs, cs, cr0, flags;
};
static volatile struct mailbox *const mailbox = (void *)MAILBOX;

/* 16-bit code with 4 GiB data segments; counts, notes what it finds, returns. */
extern const char handler[], handler_end[];
__asm__(".code16\n"
	"handler: addr32 incl 0x20000; xor %eax, %eax; mov %cs, %ax; addr32 mov %eax, 0x20004\n"
	"mov %cr0, %eax; addr32 mov %eax, 0x20008\n"
	"pushfl; popl %eax; addr32 mov %eax, 0x2000c\n"
	"mov $0x1111, %ebx; mov $0x2222, %ecx; rsm\n"
	"handler_end: .code64");

static void install(word base)
{
	for (word i = 0; i < (word)(handler_end - handler); i++)
		((volatile u8 *)base)[ENTRY + i] = handler[i];
}

static u32 saved(word base, u32 intel, u32 amd)
{
	return *(volatile u32 *)(base + 0x8000 + (vendor_is_amd() ? amd : intel));
}

static void send(void)
{
	APIC(0x310) = APIC(0x20);
	APIC(0x300) = SMI_COMMAND;
	for (int i = 0; i < 100; i++)
		__asm__ volatile("nop");
}

static void resume(void)
{
	__asm__ volatile("rsm");
}

static word seen_rbx, seen_r15, seen_rflags;
static u32 seen_cs, seen_ss;
static void send_with_registers(void)
{
	__asm__ volatile("mov $0x123456789abcdef0, %%rbx; mov %%rbx, %%r15; not %%r15\n"
			 "movl %5, 0x310(%6); movl %7, 0x300(%6)\n"
			 ".fill 32, 1, 0x90\n"
			 "mov %%rbx, %0; mov %%r15, %1; pushfq; pop %2; mov %%cs, %3; mov %%ss, %4"
			 : "=m"(seen_rbx), "=m"(seen_r15), "=m"(seen_rflags), "=m"(seen_cs),
			   "=m"(seen_ss)
			 : "r"(APIC(0x20)), "r"(0xfee00000ul), "r"(SMI_COMMAND)
			 : "rbx", "r15", "memory");
}

static u32 steps;
static word step_ip, step_dr6;
static bool note_step(struct trap_frame *frame)
{
	if (frame->vector != 1)
		return false;
	if (!steps++) {
		step_ip = frame->ip;
		step_dr6 = READ_REGISTER("dr6");
	}
	frame->flags &= ~0x100ul;
	return true;
}

/* TF is set for the store to the ICR alone. */
extern const char after_smi[];
static void step_into_management(void)
{
	APIC(0x310) = APIC(0x20);
	__asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq\n"
			 "movl %0, 0x300(%1)\n after_smi: nop\n .fill 32, 1, 0x90"
			 :
			 : "r"(SMI_COMMAND), "r"(0xfee00000ul)
			 : "memory", "cc");
}

void payload(void)
{
	word cr0 = READ_REGISTER("cr0"), cr3 = READ_REGISTER("cr3"), cr4 = READ_REGISTER("cr4");
	u64 efer = rdmsr(0xc0000080);

	APIC(0xf0) = 0x1ff;
	install(SMBASE_RESET);
	install(SMBASE_NEW);
	mailbox->runs = 0;

	section("SDM 3C:31.5.1 an SMI enters at SMBASE + 8000h without paging or protection");
	send_with_registers();
	CHECK_EQUAL(mailbox->runs, 1);
	CHECK_EQUAL(mailbox->cs, SMBASE_RESET >> 4);
	CHECK_EQUAL(mailbox->cr0 & 0x8000000d, 0);
	CHECK_EQUAL(mailbox->flags & 0x246ff, 0x46); /* bit 1, and XOR's ZF and PF */

	section("SDM 3C:31.4.1, APM 2:10.2.3 the state that was saved");
	CHECK_EQUAL(saved(SMBASE_RESET, 0x7ff8, 0x7f58), (u32)cr0);
	CHECK_EQUAL(saved(SMBASE_RESET, 0x7ff0, 0x7f50), (u32)cr3);
	CHECK_EQUAL(saved(SMBASE_RESET, 0x7fe0, 0x7ed0) & 0x500, 0x500);
	CHECK_EQUAL(saved(SMBASE_RESET, 0x7f74, 0x7fe0), 0x9abcdef0);
	CHECK_EQUAL(saved(SMBASE_RESET, 0x7ef8, 0x7f00), SMBASE_RESET);
	CHECK((saved(SMBASE_RESET, 0x7fd8, 0x7f78) ^ (word)send_with_registers) < 0x1000);

	section("SDM 3C:31.4.2 the revision: SMBASE can be moved, I/O is not restarted");
	CHECK_EQUAL(saved(SMBASE_RESET, 0x7efc, 0x7efc) >> 16 & 3, 2);

	section("SDM 3C:31.3.2 RSM brings all of it back");
	CHECK_EQUAL(seen_rbx, 0x123456789abcdef0);
	CHECK_EQUAL(seen_r15, ~0x123456789abcdef0);
	CHECK_EQUAL(seen_cs, SEL_CODE0);
	CHECK_EQUAL(seen_ss, SEL_DATA0);
	CHECK_EQUAL(READ_REGISTER("cr0"), cr0);
	CHECK_EQUAL(READ_REGISTER("cr3"), cr3);
	CHECK_EQUAL(READ_REGISTER("cr4"), cr4);
	CHECK_EQUAL(rdmsr(0xc0000080), efer);
	CHECK_EQUAL(seen_rflags & 0x700, 0);

	section("SDM 3C:31.11 SMBASE relocation by the saved copy");
	/* the handler at the old place writes the new base before its RSM */
	{
		static const u8 relocate[] = {0x67, 0x66, 0xc7,
					      0x05}; /* mov dword [disp32], imm32 */
		volatile u8 *at = (u8 *)SMBASE_RESET + ENTRY + (handler_end - handler) - 2;

		for (int i = 0; i < 4; i++)
			*at++ = relocate[i];
		*(volatile u32 *)at =
			(u32)(SMBASE_RESET + 0x8000 + (vendor_is_amd() ? 0x7f00 : 0x7ef8));
		at += 4;
		*(volatile u32 *)at = (u32)SMBASE_NEW;
		at += 4;
		*at++ = 0x0f;
		*at = 0xaa;
	}
	send();
	CHECK_EQUAL(mailbox->runs, 2);
	CHECK_EQUAL(mailbox->cs, SMBASE_RESET >> 4);
	send();
	CHECK_EQUAL(mailbox->runs, 3);
	CHECK_EQUAL(mailbox->cs, SMBASE_NEW >> 4);

	section("SDM 3A:6.9 table 6-2: the SMI comes before the single-step trap, which waits for "
		"RSM");
	trap_hook = note_step;
	step_into_management();
	CHECK_EQUAL(mailbox->runs, 4);
	CHECK_EQUAL(steps, 1);
	CHECK_EQUAL(step_ip, (word)after_smi);
	CHECK_EQUAL(step_dr6 & 0x4000, 0x4000);
	trap_hook = NULL;

	section("SDM 2B RSM outside SMM: #UD");
	EXPECT_TRAP(resume, 6, NO_ERROR);
}
