/* SPDX-License-Identifier: Apache-2.0 */
/* KVM_GET_DIRTY_LOG (api.rst 4.8): every page that anyone wrote since the last call has its bit
 * set, whatever the TLB holds by then. */
#include "tests/unit/sim/vm_rig.h"

#define PAGES     (VM_MEMORY >> PAGE_SHIFT)
#define PAGE(gpa) ((gpa) >> PAGE_SHIFT)
#define HANDLER   0xa000

GUEST_CODE(store, "movl $1, 0x90000\n hlt\n");
GUEST_CODE(store_crossing, "movl $1, 0x90fff\n hlt\n");
GUEST_CODE(only_loads, "mov 0x90000, %eax\n hlt\n");
GUEST_CODE(locked_add, "lock addl $1, 0x90000\n hlt\n");
GUEST_CODE(fill, "mov $0x90000, %edi\n mov $0x1800, %ecx\n rep stosb\n hlt\n");
GUEST_CODE(push, "push %rax\n hlt\n");
GUEST_CODE(save_x87, "fxsave 0x90000\n hlt\n");
GUEST_CODE(load_ds, "mov $16, %eax\n mov %eax, %ds\n hlt\n");
GUEST_CODE(store_into_gap, "movq $1, 0x93ffc\n hlt\n");
GUEST_CODE(store_before_gap, "movl $1, 0x93000\n hlt\n");
GUEST_CODE(load_far, "mov $0x4000090000, %rax\n mov (%rax), %eax\n hlt\n");
GUEST_CODE(store_far, "mov $0x4000090000, %rbx\n movl $1, (%rbx)\n hlt\n");

static void open(struct vm_rig *rig)
{
	vm_open(rig);
	vm_add_vcpu(rig);
	CHECK_EQUAL(vm_slot(rig, 0, 0, rig->memory, VM_MEMORY, KVM_MEM_LOG_DIRTY_PAGES), 0);
}

static int get_log(struct vm_rig *rig, u64 *bitmap)
{
	struct kvm_dirty_log log = {.slot = 0, .dirty_bitmap = bitmap};

	memset(bitmap, 0xff, PAGES / 8);
	return ls_ioctl_ptr(rig->engine, rig->vm, KVM_GET_DIRTY_LOG, &log);
}

/* The dirty pages are these, and from now on none. */
static void expect_pages(struct vm_rig *rig, const unsigned int *pages, unsigned int count)
{
	u64 got[PAGES / 64], want[PAGES / 64] = {0};

	for (unsigned int n = 0; n < count; n++)
		want[pages[n] / 64] |= BIT(pages[n] % 64);
	CHECK_EQUAL(get_log(rig, got), 0);
	for (unsigned int n = 0; n < PAGES / 64; n++)
		CHECK_EQUAL(got[n], want[n]);
}
#define EXPECT_PAGES(rig, ...)                                                                     \
	expect_pages(rig, (const unsigned int[]){__VA_ARGS__},                                     \
		     sizeof((const unsigned int[]){__VA_ARGS__}) / sizeof(unsigned int))
#define EXPECT_NONE(rig) expect_pages(rig, NULL, 0)

/* A store from a cold and from a warm TLB. */
static void test_stores(void)
{
	static const struct {
		const u8 *code, *end;
		unsigned int count, page[2];
	} row[] = {
		{store, store_end, 1, {PAGE(VM_DATA)}},
		{store_crossing, store_crossing_end, 2, {PAGE(VM_DATA), PAGE(VM_DATA) + 1}},
		{only_loads, only_loads_end, 0, {0}},
		{locked_add, locked_add_end, 1, {PAGE(VM_DATA)}},
		{fill, fill_end, 2, {PAGE(VM_DATA), PAGE(VM_DATA) + 1}},
		{push, push_end, 1, {PAGE(VM_STACK - 8)}},
		{save_x87, save_x87_end, 1, {PAGE(VM_DATA)}},
	};

	for (unsigned int n = 0; n < ARRAY_SIZE(row); n++) {
		struct vm_rig rig;

		open(&rig);
		vm_write(&rig, VM_CODE, row[n].code, (size_t)(row[n].end - row[n].code));
		EXPECT_PAGES(&rig, PAGE(VM_CODE));
		for (unsigned int again = 0; again < 3; again++) {
			vm_run_to_halt(&rig, 0, VM_CODE);
			vm_run_to_halt(&rig, 0, VM_CODE);
			expect_pages(&rig, row[n].page, row[n].count);
		}
		EXPECT_NONE(&rig);
		vm_close(&rig);
	}
}

/* Page 0x94 is not present; #PF goes to a HLT. */
static void map_with_a_gap(struct vm_rig *rig)
{
	enum { TABLE = 0x5000, DIRECTORY = 0x6000, GDT = 0x8000, IDT = 0x9000 };
	struct kvm_sregs sregs;

	for (unsigned int n = 0; n < 512; n++)
		vm_word(rig, TABLE)[n] = n == 0x94 ? 0 : n << PAGE_SHIFT | 0x67;
	vm_word(rig, DIRECTORY)[0] = TABLE | ENTRY_TABLE | 0x20;
	vm_word(rig, VM_PDPT)[0] = DIRECTORY | ENTRY_TABLE | 0x20;
	vm_word(rig, GDT)[1] = 0x00af9b000000ffff;
	vm_word(rig, IDT)[2 * 14] = 0x00008e0000080000 | HANDLER;
	ls_ioctl_ptr(rig->engine, rig->vcpu[0], KVM_GET_SREGS, &sregs);
	sregs.gdt.base = GDT;
	sregs.gdt.limit = 15;
	sregs.idt.base = IDT;
	sregs.idt.limit = 16 * 15 - 1;
	CHECK_EQUAL(ls_ioctl_ptr(rig->engine, rig->vcpu[0], KVM_SET_SREGS, &sregs), 0);
	vm_write(rig, HANDLER, "\xf4", 1);
}

/* What the first store, which faults on its second page, leaves in the TLB must not hide the next.
 */
static void test_store_after_a_fault(void)
{
	struct vm_rig rig;
	u64 bitmap[PAGES / 64];

	open(&rig);
	map_with_a_gap(&rig);
	vm_put(&rig, VM_CODE, store_into_gap);
	vm_put(&rig, VM_CODE + 0x100, store_before_gap);
	get_log(&rig, bitmap);
	vm_run_to_halt(&rig, 0, VM_CODE);
	CHECK_EQUAL(vm_regs(&rig, 0).rip, HANDLER + 1);
	vm_run_to_halt(&rig, 0, VM_CODE + 0x100);
	CHECK_EQUAL(*vm_word(&rig, 0x93000), 1);
	get_log(&rig, bitmap);
	CHECK_EQUAL(bitmap[0x93 / 64] >> 0x93 % 64 & 1, 1);
	vm_close(&rig);
}

/* Accessed and dirty bits are writes to the tables (SDM 3A:4.8). */
static void test_accessed_and_dirty_bits(void)
{
	enum { TABLES = 0x7000 };
	struct vm_rig rig;

	open(&rig);
	vm_put(&rig, VM_CODE, load_far);
	vm_put(&rig, VM_CODE + 0x100, store_far);
	/* 256 GiB is address 0, through an entry without A and D in a page of its own. */
	*vm_word(&rig, VM_PML4) = VM_PDPT | ENTRY_TABLE | 0x20;
	vm_word(&rig, VM_PDPT)[256] = TABLES | ENTRY_TABLE | 0x20;
	vm_word(&rig, TABLES)[0] = 0x87;
	expect_pages(&rig, (const unsigned int[]){PAGE(VM_CODE)}, 1);
	vm_run_to_halt(&rig, 0, VM_CODE);
	CHECK_EQUAL(vm_word(&rig, TABLES)[0], 0xa7);
	EXPECT_PAGES(&rig, PAGE(TABLES));
	vm_run_to_halt(&rig, 0, VM_CODE);
	EXPECT_NONE(&rig);
	vm_run_to_halt(&rig, 0, VM_CODE + 0x100);
	CHECK_EQUAL(vm_word(&rig, TABLES)[0], 0xe7);
	EXPECT_PAGES(&rig, PAGE(TABLES), PAGE(VM_DATA));
	vm_close(&rig);
}

/* SDM 3A:3.4.5.1: loading a segment register sets the descriptor's accessed bit. */
static void test_descriptor(void)
{
	struct kvm_sregs sregs;
	struct vm_rig rig;

	open(&rig);
	vm_put(&rig, VM_CODE, load_ds);
	*vm_word(&rig, 0x8010) = 0x00cf92000000ffff;
	ls_ioctl_ptr(rig.engine, rig.vcpu[0], KVM_GET_SREGS, &sregs);
	sregs.gdt.base = 0x8000;
	sregs.gdt.limit = 23;
	CHECK_EQUAL(ls_ioctl_ptr(rig.engine, rig.vcpu[0], KVM_SET_SREGS, &sregs), 0);
	EXPECT_PAGES(&rig, PAGE(VM_CODE));
	vm_run_to_halt(&rig, 0, VM_CODE);
	CHECK_EQUAL(*vm_word(&rig, 0x8010), 0x00cf93000000ffff);
	EXPECT_PAGES(&rig, PAGE(0x8000));
	vm_close(&rig);
}

static void test_machine_writes(void)
{
	struct vm_rig rig;

	open(&rig);
	vm_write(&rig, VM_DATA + 0xfff, "ab", 2);
	EXPECT_PAGES(&rig, PAGE(VM_DATA), PAGE(VM_DATA) + 1);
	rig.ext->memory_written(rig.engine, rig.vm, VM_DATA, 0);
	EXPECT_NONE(&rig);
	vm_close(&rig);
}

/* api.rst 4.8: -ENOENT without a log, and logging may start and end under a warm TLB. */
static void test_switching(void)
{
	u64 bitmap[PAGES / 64];
	struct vm_rig rig;

	vm_open(&rig);
	vm_add_vcpu(&rig);
	CHECK_EQUAL(get_log(&rig, bitmap), -ENOENT);
	vm_put(&rig, VM_CODE, store);
	vm_run_to_halt(&rig, 0, VM_CODE);
	CHECK_EQUAL(vm_slot(&rig, 0, 0, rig.memory, VM_MEMORY, KVM_MEM_LOG_DIRTY_PAGES), 0);
	EXPECT_NONE(&rig);
	vm_run_to_halt(&rig, 0, VM_CODE);
	EXPECT_PAGES(&rig, PAGE(VM_DATA));
	CHECK_EQUAL(vm_slot(&rig, 0, 0, rig.memory, VM_MEMORY, 0), 0);
	vm_run_to_halt(&rig, 0, VM_CODE);
	CHECK_EQUAL(get_log(&rig, bitmap), -ENOENT);
	vm_close(&rig);
}

static CU_TestInfo tests[] = {
	{"stores of every kind", test_stores},
	{"a store after one that faulted", test_store_after_a_fault},
	{"accessed and dirty bits", test_accessed_and_dirty_bits},
	{"a descriptor's accessed bit", test_descriptor},
	{"what the machine wrote", test_machine_writes},
	{"logging starts and ends", test_switching},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.dirty_log", tests)
