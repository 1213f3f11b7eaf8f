/* SPDX-License-Identifier: Apache-2.0 */
/* Injected and virtual events, nested page faults (APM 2:15.7.2, 15.20, 15.21, 15.25). */
#define THEME "svm"
#include "svm_rig.h"

#define VECTOR 0x61

GUEST(event_guest, "mov $0x1111, %eax");
GUEST(sti_guest, "sti; nop; mov $0x2222, %eax");
GUEST(handler_code, "mov $0x3333, %eax");
GUEST(store_guest, "mov $0x4444, %eax; mov %eax, (%rbx)");
GUEST(load_guest, "nop; mov (%rbx), %eax");
GUEST(call_guest, "nop; call *%rbx");

static bool prepare(void (*code)(void))
{
	if (!svm_guest(code))
		return false;
	gate_set(VECTOR, (word)handler_code, GATE_INTERRUPT);
	gate_set(13, (word)handler_code, GATE_INTERRUPT);
	return true;
}

CASE(svm_inject_interrupt, "EVENTINJ of an interrupt: taken before the first instruction")
{
	if (!prepare(event_guest))
		return;
	vmcb.event_inj = SVM_INJECT | VECTOR;
	svm_run_and_show(WITH_STACK | WITH_EVENT);
}

CASE(svm_inject_exception, "EVENTINJ of #GP: its error code is pushed, and no intercept asked")
{
	if (!prepare(event_guest))
		return;
	vmcb.exceptions = ~0u;
	vmcb.event_inj = SVM_INJECT | SVM_INJECT_ERROR | SVM_TYPE(3) | 13 | 0x12ull << 32;
	svm_run_and_show(WITH_STACK | WITH_EVENT);
}

CASE(svm_inject_nmi, "EVENTINJ of an NMI: the vector is ignored")
{
	if (!prepare(event_guest))
		return;
	gate_set(2, (word)handler_code, GATE_INTERRUPT);
	vmcb.event_inj = SVM_INJECT | SVM_TYPE(2) | 0x55;
	svm_run_and_show(WITH_STACK | WITH_EVENT);
}

CASE(svm_event_info, "an exit while an injected event is delivered: EXITINTINFO")
{
	if (!prepare(event_guest))
		return;
	vmcb.idtr.base = 0x140000000; /* not mapped */
	vmcb.exceptions = 1u << 14;
	vmcb.event_inj = SVM_INJECT | VECTOR;
	svm_run_and_show(WITH_INFO1 | WITH_INFO2 | WITH_EVENT);
}

CASE(svm_virtual_interrupt, "V_IRQ is taken once the guest's IF is 1")
{
	if (!prepare(sti_guest))
		return;
	vmcb.v_intr = 1u << 8 | 8u << 16 | 1u << 24 | (u64)VECTOR << 32;
	svm_run_and_show(WITH_STACK);
}

CASE(svm_virtual_interrupt_exit, "VINTR: an exit just before it would be taken")
{
	if (!prepare(sti_guest))
		return;
	vmcb.v_intr = 1u << 8 | 8u << 16 | 1u << 24 | (u64)VECTOR << 32;
	vmcb.intercepts3 = SVM_VINTR;
	svm_run_and_show(0);
}

/* --- nested paging: one page by itself --- */

static u64 table[512] __attribute__((aligned(4096)));

static bool prepare_page(void (*code)(void), u64 rights)
{
	u64 start = (u64)scratch[1] & ~0x1fffffull;

	if (!svm_guest_nested(code))
		return false;
	for (u32 i = 0; i < 512; i++)
		table[i] = (start + 4096ull * i) | 0x67;
	svm_nested_directory[start >> 21] = (u64)table | 0x67;
	for (u32 i = 0; i < 512; i++)
		svm_nested_directory[i] |= 0x60;
	table[(u64)scratch[1] >> 12 & 511] = rights ? (u64)scratch[1] | rights : 0;
	svm_guest_registers[3] = (u64)scratch[1];
	return true;
}

CASE(svm_nested_page, "a guest under nested paging runs")
{
	if (prepare_page(store_guest, 0x67))
		svm_run_and_show(0);
}

CASE(svm_npf_absent, "#VMEXIT(NPF): a page that is not there")
{
	if (prepare_page(load_guest, 0))
		svm_run_and_show(WITH_INFO1 | WITH_INFO2);
}

CASE(svm_npf_write, "#VMEXIT(NPF): a store to a read-only page")
{
	if (prepare_page(store_guest, 0x25))
		svm_run_and_show(WITH_INFO1 | WITH_INFO2);
}

CASE(svm_npf_user, "#VMEXIT(NPF): a supervisor page, whatever the guest's privilege")
{
	if (prepare_page(load_guest, 0x63))
		svm_run_and_show(WITH_INFO1 | WITH_INFO2);
}

CASE(svm_npf_execute, "#VMEXIT(NPF): code from a page with NX")
{
	wrmsr(0xc0000080, rdmsr(0xc0000080) | 1u << 11);
	if (prepare_page(call_guest, 0x67 | PTE_NX))
		svm_run_and_show(WITH_INFO1 | WITH_INFO2);
}

CASE(svm_npf_reserved, "#VMEXIT(NPF): a reserved bit")
{
	if (prepare_page(load_guest, 0x67 | 1ull << 51))
		svm_run_and_show(WITH_INFO1 | WITH_INFO2);
}

CASE(svm_npf_table, "#VMEXIT(NPF): a guest's page table that is not there")
{
	if (!prepare_page(load_guest, 0))
		return;
	vmcb.cr3 = (u64)scratch[1];
	svm_run_and_show(WITH_INFO1 | WITH_INFO2);
}
