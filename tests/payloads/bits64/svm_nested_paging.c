/* SPDX-License-Identifier: Apache-2.0 */
/* Nested paging: two modes at once, PDPTEs, faults, GMET (APM 2:15.25). */
#include "svm.h"

#define GUEST(name, code)                                                                          \
	void name(void);                                                                           \
	extern const char name##_at[];                                                             \
	__asm__(".text\n" #name ": " code "\n")

/* The same bytes in 32-bit and 64-bit mode. */
GUEST(load_guest, "vmmcall; load_guest_at: mov (%rbx), %eax; vmmcall");
GUEST(store_guest, "store_guest_at: mov %eax, (%rbx); vmmcall");
GUEST(call_guest, "call_guest_at: call *%rbx; vmmcall");

/* One page that nested tables map by itself: 4 KiB entries of its 2 MiB. */
static u64 table[512] __attribute__((aligned(4096)));
static u8 target[4096] __attribute__((aligned(4096)));

static u64 *entry_of(const void *page)
{
	return &table[(u64)page >> 12 & 511];
}

static void split(void)
{
	u64 start = (u64)target & ~0x1fffffull;

	for (u32 i = 0; i < 512; i++)
		table[i] = (start + 4096ull * i) | 7;
	svm_nested_directory[start >> 21] = (u64)table | 7;
}

static void prepare(void (*code)(void))
{
	svm_prepare_nested(code);
	split();
	svm_guest_registers[3] = (u64)target;
}

static void faults(void)
{
	section("a final address that is not present: error code, bit 32, the address (15.25.6)");
	prepare(store_guest);
	*entry_of(target) = 0;
	CHECK_EQUAL(svm_run(), EXIT_NPF);
	CHECK_EQUAL(vmcb.exit_info1, 0x100000006);
	CHECK_EQUAL(vmcb.exit_info2, (u64)target);
	CHECK_EQUAL(vmcb.rip, (u64)store_guest_at);
	if (svm_features() & SVM_FEATURE_DECODE) {
		section("decode assists: the instruction's bytes (15.8.4)");
		CHECK_EQUAL(vmcb.bytes_fetched, 15);
		CHECK_EQUAL(vmcb.bytes[0] | vmcb.bytes[1] << 8, 0x0389);
	}
	section("the guest's privilege is no matter: every access is a user's (15.25.5)");
	prepare(store_guest);
	*entry_of(target) = (u64)target | 3;
	CHECK_EQUAL(svm_run(), EXIT_NPF);
	CHECK_EQUAL(vmcb.exit_info1, 0x100000007);
	section("a guest's page table in a read-only page: bit 33, a write (15.25.5)");
	prepare(store_guest);
	*entry_of(target) = (u64)target | 5;
	__builtin_memcpy(target, (void *)(READ_REGISTER("cr3") & ~0xfffull), 4096);
	vmcb.cr3 = (u64)target;
	CHECK_EQUAL(svm_run(), EXIT_NPF);
	CHECK_EQUAL(vmcb.exit_info1, 0x200000007);
	CHECK_EQUAL(vmcb.exit_info2 & ~0xfffull, (u64)target);
	__builtin_memset(target, 0, 4096);
}

/* A guest with 32-bit PAE paging under 4-level nested tables; its PDPTEs map the same page
 * directory, or none. */
static void pae(void)
{
	static u64 pointers[4] __attribute__((aligned(32)));
	u64 pdpt = *(u64 *)(READ_REGISTER("cr3") & ~0xfffull) & ~0xfffull;
	u64 directory = (*(u64 *)pdpt & ~0xfffull) | 1;

	section("the nested walk is in the host's mode, whatever the guest's (15.25.3)");
	prepare(load_guest);
	vmcb.efer &= ~0x500ull;
	vmcb.cs.attributes = 0xc9b;
	vmcb.cr3 = (u64)pointers;
	pointers[0] = directory;
	pointers[1] = 0x1e7; /* reserved bits: not looked at before a walk uses it (15.25.10) */
	*(u32 *)target = 0x5678;
	CHECK_EQUAL(svm_run(), EXIT_VMMCALL);
	section("PDPTEs are read by the walk, not kept from when CR3 was loaded (15.25.10)");
	pointers[1] = directory;
	svm_guest_registers[3] = 0x40000000 | (u64)target;
	vmcb.rip += 3;
	vmcb.tlb_control = 0;
	CHECK_EQUAL(svm_run(), EXIT_VMMCALL);
	CHECK_EQUAL(vmcb.rax, 0x5678);
}

static void nx_stack_return(void)
{
	target[0] = 0xc3; /* ret */
}

/* Table 15-21. */
static void execute_trap(void)
{
	if (!(svm_features() & 1u << 17))
		return;
	nx_stack_return();
	section("GMET: code at CPL 0 from a page with U/S=1 faults (15.25.13)");
	prepare(call_guest);
	vmcb.np_control |= 8;
	for (u32 i = 0; i < 512; i++) {
		svm_nested_directory[i] &= ~4ull;
		table[i] &= ~4ull;
	}
	svm_nested_directory[(u64)target >> 21] = (u64)table | 7;
	*entry_of(target) |= 4;
	CHECK_EQUAL(svm_run(), EXIT_NPF);
	CHECK_EQUAL(vmcb.exit_info1, 0x100000011);
	CHECK_EQUAL(vmcb.exit_info2, (u64)target);
	section("from one with U/S=0 it runs; data is read and written either way");
	*entry_of(target) &= ~4ull;
	vmcb.tlb_control = 1;
	vmcb.rip = (u64)call_guest;
	vmcb.rsp = STACK_TOP(other_stack);
	CHECK_EQUAL(svm_run(), EXIT_VMMCALL);
	section("without the bit U/S=0 keeps every access out");
	vmcb.np_control = 1;
	vmcb.rip = (u64)call_guest;
	CHECK_EQUAL(svm_run(), EXIT_NPF);
	CHECK_EQUAL(vmcb.exit_info1 & 5, 5);
}

void payload(void)
{
	wrmsr(0xc0000080, rdmsr(0xc0000080) | 1u << 11); /* NXE, so that fetches are told */
	svm_begin();
	faults();
	pae();
	execute_trap();
}
