/* SPDX-License-Identifier: Apache-2.0 */
/* The last branch's records, and guests with their own (APM 2:13.1.6.1, 15.23.1). */
#include "svm.h"

#define DEBUGCTL         0x1d9
#define LAST_BRANCH_FROM 0x1db
#define LAST_BRANCH_TO   0x1dc
#define LAST_INT_FROM    0x1dd
#define LAST_INT_TO      0x1de
#define LBR              1

extern const char first_from[], first_to[], second_from[], second_to[], fault_at[], fault_next[];
extern const char guest_from[], guest_to[], not_taken[], debug_at[];
static word handler_ip;

static bool go_on(struct trap_frame *frame)
{
	if (frame->vector != 13 && frame->vector != 1)
		return false;
	wrmsr(DEBUGCTL, 0);
	if (frame->vector == 13)
		frame->ip = (word)fault_next;
	frame->flags &= ~0x100ull;
	handler_ip = frame->ip;
	return true;
}

static void branches(void)
{
	section("a taken branch is recorded, one that is not taken is not (13.1.6.1)");
	__asm__ volatile("wrmsr; xor %%ebx, %%ebx; first_from: jz first_to; nop; first_to: nop\n"
			 "not_taken: jnz 1f; 1: nop; xor %%eax, %%eax; wrmsr"
			 :
			 : "c"(DEBUGCTL), "a"(LBR), "d"(0)
			 : "rbx", "cc");
	CHECK_EQUAL(rdmsr(LAST_BRANCH_FROM), (u64)first_from);
	CHECK_EQUAL(rdmsr(LAST_BRANCH_TO), (u64)first_to);
	CHECK_EQUAL(rdmsr(DEBUGCTL), 0);
	section("while LBR is 0 the records stay");
	__asm__ volatile("jmp 1f; nop; 1:");
	CHECK_EQUAL(rdmsr(LAST_BRANCH_FROM), (u64)first_from);
}

/* #GP of a null DS' kin: a load through a non-canonical address. */
static void exceptions(void)
{
	section("an exception: its records take over the last branch's (13.1.6.1)");
	__asm__ volatile("wrmsr; second_from: jmp second_to; nop; second_to: nop\n"
			 "fault_at: mov (%%rbx), %%eax; fault_next: nop"
			 : "=b"(handler_ip)
			 : "c"(DEBUGCTL), "a"(LBR), "d"(0), "b"(1ull << 63)
			 : "memory");
	CHECK_EQUAL(rdmsr(LAST_INT_FROM), (u64)second_from);
	CHECK_EQUAL(rdmsr(LAST_INT_TO), (u64)second_to);
	section("#DB turns LBR off and leaves the records");
	wrmsr(DEBUGCTL, 0);
	__asm__ volatile("wrmsr; jmp 1f; nop; 1: pushf; orl $0x100, (%%rsp); popf\n"
			 "nop; debug_at: nop"
			 :
			 : "c"(DEBUGCTL), "a"(LBR), "d"(0)
			 : "memory", "cc");
	CHECK_EQUAL(handler_ip, (word)debug_at);
	CHECK_EQUAL(rdmsr(LAST_INT_FROM), (u64)second_from);
	section("they are read-only: #GP(0)");
}

static void write_record(void)
{
	wrmsr(LAST_BRANCH_FROM, 1);
}

static void guest(void)
{
	__asm__ volatile("guest_from: jmp guest_to; nop; guest_to: vmmcall");
}

static void run(u64 virtual, u64 debugctl)
{
	svm_prepare(guest);
	vmcb.virt_ext = virtual;
	vmcb.dbgctl = debugctl;
	vmcb.br_from = 0x1234;
	CHECK_EQUAL(svm_run(), EXIT_VMMCALL);
}

static void guests(void)
{
	svm_begin();
	section("without LBR virtualization a guest's branches are the processor's");
	wrmsr(DEBUGCTL, LBR);
	run(0, 0);
	wrmsr(DEBUGCTL, 0);
	section("with it VMRUN takes them from the VMCB, and #VMEXIT back there (15.23.1)");
	run(1, LBR);
	CHECK_EQUAL(vmcb.br_from, (u64)guest_from);
	CHECK_EQUAL(vmcb.br_to, (u64)guest_to);
	CHECK_EQUAL(vmcb.dbgctl, LBR);
	CHECK_EQUAL(rdmsr(DEBUGCTL), 0);
	run(1, 0);
	CHECK_EQUAL(vmcb.br_from, 0x1234);
	CHECK(rdmsr(LAST_BRANCH_FROM) != 0x1234);
}

void payload(void)
{
	trap_hook = go_on;
	branches();
	exceptions();
	trap_hook = NULL;
	EXPECT_TRAP(write_record, 13, 0);
	guests();
}
