/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LOCKed accesses of two processors, each on a thread (SDM 3A:8.1.2): atomic wherever the operand
 * lies, inside a page, across two, or beside code that both have run.
 */
#include "tests/unit/sim/vm_rig.h"

#define TIMES 30000

/* Both begin at once. */
#define TOGETHER "lock incl 0x90c00\n 9: cmpl $2, 0x90c00\n jne 9b\n"

/* RSI: the operand, RDI: another one for those that use it, RCX: how often. */
GUEST_CODE(increments, TOGETHER "1: lock incq (%rsi)\n dec %rcx\n jnz 1b\n hlt\n");
GUEST_CODE(adds_high, TOGETHER "1: lock addl $1, 4(%rsi)\n dec %rcx\n jnz 1b\n hlt\n");
GUEST_CODE(exchange_adds,
	   TOGETHER "1: mov $3, %eax\n lock xadd %rax, (%rsi)\n dec %rcx\n jnz 1b\n hlt\n");
GUEST_CODE(compares, TOGETHER
	   "1: mov (%rsi), %rax\n 2: lea 1(%rax), %rbx\n lock cmpxchg %rbx, (%rsi)\n jne 2b\n"
	   " dec %rcx\n jnz 1b\n hlt\n");
GUEST_CODE(compares_8b,
	   TOGETHER "mov %rcx, %rbp\n"
		    "1: mov (%rsi), %eax\n mov 4(%rsi), %edx\n"
		    "2: mov %eax, %ebx\n mov %edx, %ecx\n add $1, %ebx\n adc $0, %ecx\n"
		    " lock cmpxchg8b (%rsi)\n jne 2b\n dec %rbp\n jnz 1b\n hlt\n");
/* A spin lock by XCHG, which needs no prefix, around a plain counter. */
GUEST_CODE(spin_lock, TOGETHER "1: mov $1, %eax\n 2: xchg %rax, (%rsi)\n test %eax, %eax\n jnz 2b\n"
			       " incq (%rdi)\n movq $0, (%rsi)\n dec %rcx\n jnz 1b\n hlt\n");

struct thread {
	struct vm_rig *rig;
	unsigned int vcpu;
};

static void *run_thread(void *opaque)
{
	struct thread *thread = opaque;

	vm_run(thread->rig, thread->vcpu);
	return NULL;
}

static void run_both(struct vm_rig *rig)
{
	struct thread thread[VM_VCPUS];
	pthread_t id[VM_VCPUS];

	for (unsigned int n = 0; n < VM_VCPUS; n++) {
		thread[n] = (struct thread){rig, n};
		pthread_create(&id[n], NULL, run_thread, &thread[n]);
	}
	for (unsigned int n = 0; n < VM_VCPUS; n++)
		pthread_join(id[n], NULL);
}

static void put_code(struct vm_rig *rig, unsigned int vcpu, const u8 *code, const u8 *end,
		     u64 operand)
{
	u64 rip = VM_CODE + vcpu * 0x1000;
	struct kvm_regs regs = {.rip = rip,
				.rflags = 2,
				.rsp = VM_STACK - vcpu * 0x1000,
				.rsi = operand,
				.rdi = VM_DATA + 0x800,
				.rcx = TIMES};

	vm_write(rig, rip, code, (size_t)(end - code));
	ls_ioctl_ptr(rig->engine, rig->vcpu[vcpu], KVM_SET_REGS, &regs);
}

static u64 operand_after(struct vm_rig *rig, u64 operand)
{
	u64 value;

	memcpy(&value, rig->memory + operand, 8);
	return value;
}

static void open(struct vm_rig *rig)
{
	vm_open(rig);
	while (rig->vcpus < VM_VCPUS)
		vm_add_vcpu(rig);
}

/* Aligned, across a cache line, across a page, and in the page of vCPU 1's code. */
static const u64 operands[] = {VM_DATA, VM_DATA + 0x3d, VM_DATA + 0xffd, VM_CODE + 0x1800};

static void test_counters(void)
{
	static const struct {
		const u8 *code, *end;
		unsigned int step;
	} row[] = {
		{increments, increments_end, 1},
		{exchange_adds, exchange_adds_end, 3},
		{compares, compares_end, 1},
		{compares_8b, compares_8b_end, 1},
	};

	for (unsigned int n = 0; n < ARRAY_SIZE(row) * ARRAY_SIZE(operands); n++) {
		unsigned int code = n / ARRAY_SIZE(operands), where = n % ARRAY_SIZE(operands);
		struct vm_rig rig;

		/* Plain loads before these are no atomic accesses where they cross a line. */
		if (row[code].code == compares_8b && where)
			continue;
		open(&rig);
		for (unsigned int vcpu = 0; vcpu < VM_VCPUS; vcpu++)
			put_code(&rig, vcpu, row[code].code, row[code].end, operands[where]);
		run_both(&rig);
		CHECK_EQUAL(operand_after(&rig, operands[where]),
			    (u64)row[code].step * VM_VCPUS * TIMES);
		vm_close(&rig);
	}
}

/* One operand is all in the second page, where the other one ends. */
static void test_overlap(void)
{
	const u64 operand = VM_DATA + 0xffc;
	struct vm_rig rig;

	open(&rig);
	put_code(&rig, 0, increments, increments_end, operand);
	put_code(&rig, 1, adds_high, adds_high_end, operand);
	run_both(&rig);
	CHECK_EQUAL(operand_after(&rig, operand), (u64)TIMES << 32 | TIMES);
	vm_close(&rig);
}

static void test_spin_lock(void)
{
	for (unsigned int n = 0; n < ARRAY_SIZE(operands); n++) {
		struct vm_rig rig;

		open(&rig);
		for (unsigned int vcpu = 0; vcpu < VM_VCPUS; vcpu++)
			put_code(&rig, vcpu, spin_lock, spin_lock_end, operands[n]);
		run_both(&rig);
		CHECK_EQUAL(*vm_word(&rig, VM_DATA + 0x800), VM_VCPUS * TIMES);
		vm_close(&rig);
	}
}

static CU_TestInfo tests[] = {
	{"counters", test_counters},
	{"operands that overlap", test_overlap},
	{"a lock by XCHG", test_spin_lock},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.locked", tests)
