/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accesses that user space answers (api.rst: KVM_EXIT_IO, KVM_EXIT_MMIO). The instruction has no
 * effect before the last answer, needs as many exits as it has accesses, and retires once.
 */
#include "tests/unit/sim/vm_rig.h"

#define DEVICE 0x40000000 /* no slot */

GUEST_CODE(outs, "mov $0x3f8, %edx\n mov $0x90000, %esi\n mov $3, %ecx\n rep outsb\n hlt\n");
GUEST_CODE(ins, "mov $0x1f0, %edx\n mov $0x90000, %edi\n mov $3, %ecx\n rep insl\n hlt\n");
GUEST_CODE(in_al, "mov $-1, %rax\n in $0x60, %al\n hlt\n");
GUEST_CODE(load, "mov $0x40000010, %ebx\n mov (%rbx), %rax\n hlt\n");
GUEST_CODE(load_crossing, "mov $0x40000ffd, %ebx\n mov (%rbx), %rax\n hlt\n");
GUEST_CODE(store_crossing,
	   "mov $0x40000ffd, %ebx\n mov $0x1122334455667788, %rax\n mov %rax, (%rbx)\n hlt\n");
GUEST_CODE(load_from_memory_end, "mov $0xffffb, %ebx\n mov (%rbx), %rax\n hlt\n");
GUEST_CODE(store_at_memory_end, "mov $0xffffb, %ebx\n mov $-2, %rax\n mov %rax, (%rbx)\n hlt\n");
GUEST_CODE(modify, "mov $0x40000020, %ebx\n mov $5, %eax\n lock xadd %eax, (%rbx)\n hlt\n");
GUEST_CODE(modify_crossing, "mov $0x40000ffe, %ebx\n lock incl (%rbx)\n hlt\n");
GUEST_CODE(push, "mov $0x40000030, %ebx\n push (%rbx)\n hlt\n");
GUEST_CODE(pop, "mov $0x40000030, %ebx\n pushq $0x77\n pop (%rbx)\n hlt\n");
GUEST_CODE(move,
	   "mov $0x40000040, %esi\n mov $0x40000080, %edi\n mov $2, %ecx\n rep movsl\n hlt\n");
GUEST_CODE(call, "mov $0x40000050, %ebx\n call *(%rbx)\n");
GUEST_CODE(vector, "mov $0x40000060, %ebx\n movups (%rbx), %xmm1\n movups %xmm1, 8(%rbx)\n hlt\n");
GUEST_CODE(after_answer, "mov $0x40000010, %ebx\n mov (%rbx), %rax\n mov (%rbx), %rcx\n hlt\n");

/* One exit as it should be; @data is what is written, or the answer. */
struct access {
	u64 address, data;
	u8 size;
	bool write;
};

static void check_access(struct kvm_run *run, const struct access *want)
{
	bool port = run->exit_reason == KVM_EXIT_IO;
	u8 *data = port ? (u8 *)run + run->io.data_offset : run->mmio.data;
	bool write = port ? run->io.direction == KVM_EXIT_IO_OUT : run->mmio.is_write;
	u64 mask = want->size == 8 ? ~UINT64_C(0) : BIT(8 * want->size) - 1, value = 0;

	CU_ASSERT(port || run->exit_reason == KVM_EXIT_MMIO);
	CHECK_EQUAL(port ? run->io.port : run->mmio.phys_addr, want->address);
	CHECK_EQUAL(port ? run->io.size : run->mmio.len, want->size);
	CHECK_EQUAL(write, want->write);
	if (want->write) {
		memcpy(&value, data, want->size);
		CHECK_EQUAL(value, want->data & mask);
	} else {
		memcpy(data, &want->data, want->size);
	}
}

static u64 instructions(struct vm_rig *rig)
{
	struct ls_vcpu_stats stats;

	rig->ext->vcpu_stats(rig->engine, rig->vcpu[0], &stats);
	return stats.instructions;
}

static void open(struct vm_rig *rig, const u8 *code, const u8 *end)
{
	vm_open(rig);
	vm_add_vcpu(rig);
	vm_write(rig, VM_CODE, code, (size_t)(end - code));
	rig->ext->vcpu_run_until(rig->engine, rig->vcpu[0], LS_NEVER - 1);
}
#define OPEN(rig, name) open(rig, name, name##_end)

/* Runs to the HLT through exactly these accesses. @before: instructions retired by the time of
 * the first, @retired: at the HLT. */
static void expect(struct vm_rig *rig, u64 before, const struct access *access, u64 retired)
{
	unsigned int n;

	for (n = 0; access[n].size; n++) {
		vm_run(rig, 0);
		check_access(rig->run[0], &access[n]);
		CHECK_EQUAL(instructions(rig), before);
	}
	CHECK_EQUAL(vm_run(rig, 0), KVM_EXIT_HLT);
	CHECK_EQUAL(instructions(rig), retired);
}
#define EXPECT(rig, before, retired, ...)                                                          \
	expect(rig, before, (const struct access[]){__VA_ARGS__, {0}}, retired)

static void test_ports(void)
{
	struct vm_rig rig;

	OPEN(&rig, in_al);
	EXPECT(&rig, 1, 3, {0x60, 0xab, 1, false});
	CHECK_EQUAL(vm_regs(&rig, 0).rax, 0xffffffffffffffab);
	vm_close(&rig);

	OPEN(&rig, outs);
	memcpy(rig.memory + VM_DATA, "abc", 3);
	EXPECT(&rig, 3, 5, {0x3f8, 'a', 1, true}, {0x3f8, 'b', 1, true}, {0x3f8, 'c', 1, true});
	CHECK_EQUAL(vm_regs(&rig, 0).rcx, 0);
	CHECK_EQUAL(vm_regs(&rig, 0).rsi, VM_DATA + 3);
	vm_close(&rig);

	OPEN(&rig, ins);
	EXPECT(&rig, 3, 5, {0x1f0, 0x11111111, 4, false}, {0x1f0, 0x22222222, 4, false},
	       {0x1f0, 0x33333333, 4, false});
	CHECK_EQUAL(*vm_word(&rig, VM_DATA), 0x2222222211111111);
	CHECK_EQUAL(*vm_word(&rig, VM_DATA + 8), 0x33333333);
	CHECK_EQUAL(vm_regs(&rig, 0).rdi, VM_DATA + 12);
	vm_close(&rig);
}

static void test_loads_and_stores(void)
{
	struct vm_rig rig;

	OPEN(&rig, load);
	EXPECT(&rig, 1, 3, {DEVICE + 0x10, 0x123456789abcdef0, 8, false});
	CHECK_EQUAL(vm_regs(&rig, 0).rax, 0x123456789abcdef0);
	vm_close(&rig);

	/* Answers are not kept for the next instruction. */
	OPEN(&rig, after_answer);
	vm_run(&rig, 0);
	check_access(rig.run[0], &(struct access){DEVICE + 0x10, 1, 8, false});
	vm_run(&rig, 0);
	CHECK_EQUAL(instructions(&rig), 2);
	check_access(rig.run[0], &(struct access){DEVICE + 0x10, 2, 8, false});
	CHECK_EQUAL(vm_run(&rig, 0), KVM_EXIT_HLT);
	CHECK_EQUAL(vm_regs(&rig, 0).rax, 1);
	CHECK_EQUAL(vm_regs(&rig, 0).rcx, 2);
	vm_close(&rig);
}

static void test_page_crossers(void)
{
	struct vm_rig rig;

	OPEN(&rig, load_crossing);
	EXPECT(&rig, 1, 3, {DEVICE + 0xffd, 0x332211, 3, false},
	       {DEVICE + 0x1000, 0x8877665544, 5, false});
	CHECK_EQUAL(vm_regs(&rig, 0).rax, 0x8877665544332211);
	vm_close(&rig);

	OPEN(&rig, store_crossing);
	EXPECT(&rig, 2, 4, {DEVICE + 0xffd, 0x667788, 3, true},
	       {DEVICE + 0x1000, 0x1122334455, 5, true});
	vm_close(&rig);

	/* Half memory, half device. */
	OPEN(&rig, load_from_memory_end);
	memcpy(rig.memory + VM_MEMORY - 5, "\1\2\3\4\5", 5);
	EXPECT(&rig, 1, 3, {VM_MEMORY, 0x080706, 3, false});
	CHECK_EQUAL(vm_regs(&rig, 0).rax, 0x0807060504030201);
	vm_close(&rig);

	OPEN(&rig, store_at_memory_end);
	EXPECT(&rig, 2, 4, {VM_MEMORY, 0xffffff, 3, true});
	CHECK_EQUAL(*vm_word(&rig, VM_MEMORY - 8), 0xfffffffffe000000);
	vm_close(&rig);
}

static void test_read_modify_write(void)
{
	struct vm_rig rig;

	OPEN(&rig, modify);
	EXPECT(&rig, 2, 4, {DEVICE + 0x20, 100, 4, false}, {DEVICE + 0x20, 105, 4, true});
	CHECK_EQUAL(vm_regs(&rig, 0).rax, 100);
	vm_close(&rig);

	OPEN(&rig, modify_crossing);
	EXPECT(&rig, 1, 3, {DEVICE + 0xffe, 0xffff, 2, false}, {DEVICE + 0x1000, 0x0001, 2, false},
	       {DEVICE + 0xffe, 0x0000, 2, true}, {DEVICE + 0x1000, 0x0002, 2, true});
	vm_close(&rig);
}

/* The stack pointer moves once, after the answer. */
static void test_stack(void)
{
	struct vm_rig rig;

	OPEN(&rig, push);
	EXPECT(&rig, 1, 3, {DEVICE + 0x30, 0x1234, 8, false});
	CHECK_EQUAL(vm_regs(&rig, 0).rsp, VM_STACK - 8);
	CHECK_EQUAL(*vm_word(&rig, VM_STACK - 8), 0x1234);
	CHECK_EQUAL(*vm_word(&rig, VM_STACK - 16), 0);
	vm_close(&rig);

	OPEN(&rig, pop);
	EXPECT(&rig, 2, 4, {DEVICE + 0x30, 0x77, 8, true});
	CHECK_EQUAL(vm_regs(&rig, 0).rsp, VM_STACK);
	vm_close(&rig);

	OPEN(&rig, call);
	vm_write(&rig, VM_CODE + 0x100, "\xf4", 1);
	EXPECT(&rig, 1, 3, {DEVICE + 0x50, VM_CODE + 0x100, 8, false});
	CHECK_EQUAL(vm_regs(&rig, 0).rsp, VM_STACK - 8);
	CHECK_EQUAL(*vm_word(&rig, VM_STACK - 8), VM_CODE + (u64)(call_end - call));
	vm_close(&rig);
}

static void test_strings_and_vectors(void)
{
	struct vm_rig rig;

	OPEN(&rig, move);
	EXPECT(&rig, 3, 5, {DEVICE + 0x40, 0xaaaa, 4, false}, {DEVICE + 0x80, 0xaaaa, 4, true},
	       {DEVICE + 0x44, 0xbbbb, 4, false}, {DEVICE + 0x84, 0xbbbb, 4, true});
	CHECK_EQUAL(vm_regs(&rig, 0).rsi, DEVICE + 0x48);
	CHECK_EQUAL(vm_regs(&rig, 0).rcx, 0);
	vm_close(&rig);

	OPEN(&rig, vector);
	vm_run(&rig, 0);
	check_access(rig.run[0], &(struct access){DEVICE + 0x60, 0x1111, 8, false});
	vm_run(&rig, 0);
	check_access(rig.run[0], &(struct access){DEVICE + 0x68, 0x2222, 8, false});
	EXPECT(&rig, 2, 4, {DEVICE + 0x68, 0x1111, 8, true}, {DEVICE + 0x70, 0x2222, 8, true});
	vm_close(&rig);
}

/* api.rst, KVM_RUN: immediate_exit completes what was answered and runs nothing else. */
static void test_immediate_exit(void)
{
	struct vm_rig rig;

	OPEN(&rig, load);
	vm_run(&rig, 0);
	check_access(rig.run[0], &(struct access){DEVICE + 0x10, 77, 8, false});
	rig.run[0]->immediate_exit = 1;
	CHECK_EQUAL(vm_run(&rig, 0), -EINTR);
	CHECK_EQUAL(vm_regs(&rig, 0).rax, 77);
	CHECK_EQUAL(instructions(&rig), 2);
	CHECK_EQUAL(vm_run(&rig, 0), -EINTR);
	CHECK_EQUAL(instructions(&rig), 2);
	vm_close(&rig);
}

static CU_TestInfo tests[] = {
	{"ports", test_ports},
	{"loads and stores", test_loads_and_stores},
	{"accesses across a page boundary", test_page_crossers},
	{"read-modify-write", test_read_modify_write},
	{"the stack moves once", test_stack},
	{"strings and vectors", test_strings_and_vectors},
	{"immediate exit completes the access", test_immediate_exit},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.device_exits", tests)
