/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KVM_SET_USER_MEMORY_REGION (api.rst 4.35) as a guest sees it: read-only slots, holes, memory over
 * 4 GiB, and slots that move, go or come back under a warm TLB and warm traces.
 */
#include "tests/unit/sim/vm_rig.h"

#define HIGH  (UINT64_C(5) << 30)
#define PLACE 0x200000 /* where slot 1 is at first */
#define OTHER 0x300000
#define SIZE  0x2000

GUEST_CODE(load, "mov 0x200000, %rax\n hlt\n");
GUEST_CODE(load_other, "mov 0x300000, %rax\n hlt\n");
GUEST_CODE(store, "movq $7, 0x200000\n hlt\n");
GUEST_CODE(add, "mov $1, %eax\n lock xadd %rax, 0x200000\n hlt\n");
GUEST_CODE(call, "mov $0x200000, %eax\n call *%rax\n hlt\n");
GUEST_CODE(returns_1, "mov $1, %ebx\n ret\n");
GUEST_CODE(returns_2, "mov $2, %ebx\n ret\n");
GUEST_CODE(jump, "mov $0x200000, %eax\n jmp *%rax\n");
GUEST_CODE(load_seam, "mov 0x2ffffc, %rax\n hlt\n");
GUEST_CODE(store_seam, "movabs $0x1111111122222222, %rax\n mov %rax, 0x2ffffc\n hlt\n");
GUEST_CODE(add_seam, "lock incq 0x2ffffc\n hlt\n");
GUEST_CODE(high, "movabs $0x140000000, %rbx\n incl (%rbx)\n mov (%rbx), %eax\n hlt\n");
GUEST_CODE(jump_high, "movabs $0x140001000, %rax\n jmp *%rax\n");

static u8 *open(struct vm_rig *rig, u32 flags)
{
	u8 *pages = vm_pages(SIZE);

	vm_open(rig);
	vm_add_vcpu(rig);
	rig->ext->vcpu_run_until(rig->engine, rig->vcpu[0], LS_NEVER - 1);
	CHECK_EQUAL(vm_slot(rig, 1, PLACE, pages, SIZE, flags), 0);
	return pages;
}

static void close(struct vm_rig *rig, u8 *pages)
{
	vm_close(rig);
	free(pages);
}

/* RAX at the HLT behind @code. */
static u64 result(struct vm_rig *rig, const u8 *code, const u8 *end)
{
	vm_write(rig, VM_CODE, code, (size_t)(end - code));
	vm_run_to_halt(rig, 0, VM_CODE);
	return vm_regs(rig, 0).rax;
}
#define RESULT(rig, name) result(rig, name, name##_end)

/* @code makes one access of 8 bytes to @gpa that no memory answers. A load is given @answer. */
static void expect_mmio(struct vm_rig *rig, const u8 *code, const u8 *end, u64 gpa, bool write,
			u64 answer)
{
	struct kvm_run *run = rig->run[0];

	vm_write(rig, VM_CODE, code, (size_t)(end - code));
	vm_set_rip(rig, 0, VM_CODE);
	CHECK_EQUAL(vm_run(rig, 0), KVM_EXIT_MMIO);
	CHECK_EQUAL(run->mmio.phys_addr, gpa);
	CHECK_EQUAL(run->mmio.is_write, write);
	CHECK_EQUAL(run->mmio.len, 8);
	if (!write)
		memcpy(run->mmio.data, &answer, 8);
	CHECK_EQUAL(vm_run(rig, 0), KVM_EXIT_HLT);
}
#define EXPECT_MMIO(rig, name, gpa, write) expect_mmio(rig, name, name##_end, gpa, write, 0x99)

/* api.rst: reads are memory's, writes are MMIO exits and leave the memory alone. */
static void test_read_only(void)
{
	struct vm_rig rig;
	u8 *pages = open(&rig, KVM_MEM_READONLY);
	u64 *word = (u64 *)pages;

	*word = 41;
	CHECK_EQUAL(RESULT(&rig, load), 41);
	EXPECT_MMIO(&rig, store, PLACE, true);
	CHECK_EQUAL(*(u64 *)rig.run[0]->mmio.data, 7);
	CHECK_EQUAL(*word, 41);
	CHECK_EQUAL(RESULT(&rig, load), 41);
	EXPECT_MMIO(&rig, add, PLACE, true);
	CHECK_EQUAL(*(u64 *)rig.run[0]->mmio.data, 42);
	CHECK_EQUAL(vm_regs(&rig, 0).rax, 41);
	CHECK_EQUAL(*word, 41);
	memcpy(pages, returns_1, (size_t)(returns_1_end - returns_1));
	RESULT(&rig, call);
	CHECK_EQUAL(vm_regs(&rig, 0).rbx, 1);
	close(&rig, pages);
}

static void test_hole(void)
{
	struct vm_rig rig;
	u8 *pages = open(&rig, 0);

	EXPECT_MMIO(&rig, load_other, OTHER, false);
	CHECK_EQUAL(vm_regs(&rig, 0).rax, 0x99);
	/* Instructions from nowhere read as ones: FF FF is #UD, and there is no IDT. */
	CHECK_EQUAL(vm_slot(&rig, 1, PLACE, pages, 0, 0), 0);
	vm_put(&rig, VM_CODE, jump);
	vm_set_rip(&rig, 0, VM_CODE);
	CHECK_EQUAL(vm_run(&rig, 0), KVM_EXIT_SHUTDOWN);
	close(&rig, pages);
}

static void test_move(void)
{
	struct vm_rig rig;
	u8 *pages = open(&rig, 0);

	*(u64 *)pages = 41;
	CHECK_EQUAL(RESULT(&rig, load), 41);
	RESULT(&rig, store);
	CHECK_EQUAL(vm_slot(&rig, 1, OTHER, pages, SIZE, 0), 0);
	EXPECT_MMIO(&rig, load, PLACE, false);
	EXPECT_MMIO(&rig, store, PLACE, true);
	CHECK_EQUAL(RESULT(&rig, load_other), 7);
	close(&rig, pages);
}

/* Other memory in the same place: neither its data nor its code may be remembered. */
static void test_replace(void)
{
	struct vm_rig rig;
	u8 *first = open(&rig, 0), *second = vm_pages(SIZE);

	memcpy(first, returns_1, (size_t)(returns_1_end - returns_1));
	memcpy(second, returns_2, (size_t)(returns_2_end - returns_2));
	RESULT(&rig, load);
	for (unsigned int n = 0; n < 3; n++)
		RESULT(&rig, call);
	CHECK_EQUAL(vm_regs(&rig, 0).rbx, 1);
	CHECK_EQUAL(vm_slot(&rig, 1, PLACE, first, 0, 0), 0);
	EXPECT_MMIO(&rig, load, PLACE, false);
	CHECK_EQUAL(vm_slot(&rig, 2, PLACE, second, SIZE, 0), 0);
	CHECK_EQUAL(RESULT(&rig, load), *(u64 *)second);
	RESULT(&rig, call);
	CHECK_EQUAL(vm_regs(&rig, 0).rbx, 2);
	free(second);
	close(&rig, first);
}

/* Two slots side by side whose host memory is not: accesses may cross from one to the other. */
static void test_seam(void)
{
	struct vm_rig rig;
	u8 *low = open(&rig, 0), *high = vm_pages(SIZE);

	CHECK_EQUAL(vm_slot(&rig, 1, OTHER - SIZE, low, SIZE, 0), 0);
	CHECK_EQUAL(vm_slot(&rig, 2, OTHER, high, SIZE, 0), 0);
	*(u32 *)(low + SIZE - 4) = 0xffffffff;
	*(u32 *)high = 0x44;
	CHECK_EQUAL(RESULT(&rig, load_seam), 0x44ffffffff);
	RESULT(&rig, add_seam);
	CHECK_EQUAL(*(u32 *)(low + SIZE - 4), 0);
	CHECK_EQUAL(*(u32 *)high, 0x45);
	RESULT(&rig, store_seam);
	CHECK_EQUAL(*(u32 *)(low + SIZE - 4), 0x22222222);
	CHECK_EQUAL(*(u32 *)high, 0x11111111);
	free(high);
	close(&rig, low);
}

static void test_over_4g(void)
{
	struct kvm_dirty_log log = {.slot = 2};
	struct vm_rig rig;
	u8 *pages = open(&rig, 0), *memory = vm_pages(SIZE);
	u64 bitmap[1];

	log.dirty_bitmap = bitmap;
	CHECK_EQUAL(vm_slot(&rig, 2, HIGH, memory, SIZE, KVM_MEM_LOG_DIRTY_PAGES), 0);
	*(u32 *)memory = 41;
	CHECK_EQUAL(RESULT(&rig, high), 42);
	CHECK_EQUAL(*(u32 *)memory, 42);
	CHECK_EQUAL(ls_ioctl_ptr(rig.engine, rig.vm, KVM_GET_DIRTY_LOG, &log), 0);
	CHECK_EQUAL(bitmap[0], 1);
	/* Not the address modulo 4 GiB. */
	CHECK_EQUAL(*vm_word(&rig, 0), 0);
	memcpy(memory + 0x1000, high, (size_t)(high_end - high));
	rig.ext->memory_written(rig.engine, rig.vm, HIGH + 0x1000, 0x100);
	CHECK_EQUAL(RESULT(&rig, jump_high), 43);
	free(memory);
	close(&rig, pages);
}

static CU_TestInfo tests[] = {
	{"a read-only slot", test_read_only},
	{"a hole", test_hole},
	{"a slot that moves", test_move},
	{"other memory in the same place", test_replace},
	{"accesses across two slots", test_seam},
	{"memory over 4 GiB", test_over_4g},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.memory_slots", tests)
