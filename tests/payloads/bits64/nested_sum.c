/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hypervisor whose guest, behind a second stage of its own, computes what the same code computes
 * outside. The guest writes to a port in each round and calls its host in every eighth, which
 * answers with an interrupt: whoever moves this machine between engines finds it now in the guest,
 * now outside, now with an event under way, and may not be noticed.
 */
#include "svm.h"
#include "vmx.h"

#define ROUNDS      1600
#define CALL_EVERY  8
#define VECTOR      0x40
#define TSC_AHEAD   (1ull << 40)
#define TIMER_TICKS 4000 /* of the VMX-preemption timer */

static u32 memory[0x1000];
static volatile u32 interrupts;
static u64 guest_sum, last_tsc;
static bool amd, tsc_fell_back;

/* --- the work --- */

static u32 mix(u32 sum, u32 value)
{
	return ((sum ^ value) * 0x01000193u) + (sum >> 27);
}

static u32 compute_round(u32 round, u32 sum)
{
	for (u32 n = 0; n < 64; n++) {
		u32 *at = &memory[(round * 64 + n) % 0x1000];

		sum = mix(sum, *at);
		*at = sum;
	}
	return sum;
}

static void fill(void)
{
	for (u32 n = 0; n < 0x1000; n++)
		memory[n] = n * 2654435761u;
}

static u32 wanted_sum(void)
{
	u32 sum = 1;

	fill();
	for (u32 round = 0; round < ROUNDS; round++)
		sum = compute_round(round, sum);
	return sum;
}

/* --- the guest --- */

void interrupt_entry(void);
__asm__(".text\n"
	"interrupt_entry:\n\t"
	"lock incl interrupts(%rip)\n\t"
	"iretq\n");

static u64 rdtsc(void)
{
	u32 low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (u64)high << 32 | low;
}

static void call_host(void)
{
	if (amd)
		__asm__ volatile("vmmcall" : : : "memory");
	else
		__asm__ volatile("vmcall" : : : "memory");
}

static void guest(void)
{
	u32 sum = 1;

	for (u32 round = 0; round < ROUNDS; round++) {
		u64 tsc = rdtsc();

		tsc_fell_back |= tsc < last_tsc;
		last_tsc = tsc;
		sum = compute_round(round, sum);
		outb(0x80, (u8)round);
		if (round % CALL_EVERY == CALL_EVERY - 1)
			call_host();
	}
	guest_sum = sum;
	for (;;)
		call_host();
}

/* --- its host on either vendor's processor: true for a call --- */

static u64 ept_pml4[512] __attribute__((aligned(4096)));
static u64 ept_pdpt[512] __attribute__((aligned(4096)));
static u64 ept_directory[512] __attribute__((aligned(4096)));

#define SECONDARY_EPT (1u << 1)
#define PIN_TIMER     (1u << 6)
#define USE_TSC       (1u << 3)
#define TIMER_VALUE   0x482e
#define REASON_VMCALL 18
#define REASON_TIMER  52

static void vmx_start(void)
{
	vmx_begin();
	vmx_prepare(guest);
	vmx_set_pin(PIN_TIMER);
	vmx_set_primary(PRIMARY_SECONDARY | USE_TSC);
	vmwrite(TSC_OFFSET, TSC_AHEAD);
	vmwrite(TIMER_VALUE, TIMER_TICKS);
	ept_pml4[0] = (u64)ept_pdpt | 7;
	ept_pdpt[0] = (u64)ept_directory | 7;
	for (u32 n = 0; n < 512; n++)
		ept_directory[n] = (u64)n << 21 | 0xb7; /* write-back, 2 MiB */
	vmwrite(EPTP, (u64)ept_pml4 | 3 << 3 | 6);
	vmx_set_secondary(SECONDARY_EPT);
	vmwrite(GUEST_RFLAGS, 0x202);
}

static bool vmx_exited(enum vmx_outcome outcome)
{
	u64 reason = vmread(EXIT_REASON);

	CHECK_EQUAL(outcome, SUCCEED);
	while (reason == REASON_TIMER) {
		vmwrite(TIMER_VALUE, TIMER_TICKS);
		vmx_resume();
		reason = vmread(EXIT_REASON);
	}
	CHECK_EQUAL(reason, REASON_VMCALL);
	return reason == REASON_VMCALL;
}

static bool vmx_step(bool first, bool interrupt)
{
	if (first)
		return vmx_exited(vmx_launch());
	vmwrite(ENTRY_INFO, interrupt ? 1u << 31 | VECTOR : 0);
	return vmx_exited(vmx_continue());
}

static void svm_start(void)
{
	svm_begin();
	svm_prepare_nested(guest);
	vmcb.tsc_offset = TSC_AHEAD;
	vmcb.rflags = 0x202;
}

static bool svm_step(bool first, bool interrupt)
{
	u64 code;

	if (!first)
		vmcb.rip += 3; /* VMMCALL */
	vmcb.event_inj = interrupt ? SVM_INJECT | VECTOR : 0;
	code = svm_run();
	CHECK_EQUAL(code, EXIT_VMMCALL);
	return code == EXIT_VMMCALL;
}

static bool step(bool first, bool interrupt)
{
	return amd ? svm_step(first, interrupt) : vmx_step(first, interrupt);
}

void payload(void)
{
	u32 wanted = wanted_sum(), calls = 1;

	fill();
	amd = vendor_is_amd();
	gate_set(VECTOR, (word)interrupt_entry, GATE_INTERRUPT);
	if (amd)
		svm_start();
	else
		vmx_start();
	section("a guest computes as its host does");
	if (!step(true, false))
		return;
	while (!guest_sum && step(false, true))
		calls++;
	CHECK_EQUAL(guest_sum, wanted);
	section("each interrupt that an entry brought came once");
	CHECK_EQUAL(interrupts, ROUNDS / CALL_EVERY);
	CHECK_EQUAL(calls, ROUNDS / CALL_EVERY + 1);
	section("its TSC is the host's with the offset, and never goes back");
	CHECK(!tsc_fell_back);
	CHECK(last_tsc > TSC_AHEAD && last_tsc - TSC_AHEAD < rdtsc());
}
