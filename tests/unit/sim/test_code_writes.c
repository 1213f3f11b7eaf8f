/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Code that is written after it has run: by itself, by another processor and by the machine. SDM
 * 3A:8.1.3, 3A:11.6: a processor sees its own stores at once, those of another one after the two
 * have agreed and it has serialised.
 */
#include "tests/unit/sim/vm_rig.h"

#define ALIAS UINT64_C(0x8000000000) /* 512 GiB: the same memory once more */

GUEST_CODE(patches_next,
	   "movb $2, patched_1+1-patches_next+0x10000\n patched_1: mov $1, %bl\n hlt\n");
GUEST_CODE(patches_far, "mov $1, %al\n"
			"1: movb $2, patched_2+1-patches_far+0x10000\n"
			".rept 60\n nop\n .endr\n patched_2: mov $1, %bl\n hlt\n");
GUEST_CODE(patches_loop, "mov $5, %ecx\n xor %ebx, %ebx\n"
			 "1: incl patched_3+2-patches_loop+0x10000\n"
			 "patched_3: add $0, %ebx\n dec %ecx\n jnz 1b\n hlt\n");
GUEST_CODE(patches_by_string,
	   "mov $0x90000, %esi\n mov $patched_4-patches_by_string+0x10000, %edi\n"
	   "mov $2, %ecx\n rep movsb\n patched_4: mov $1, %bl\n hlt\n");
GUEST_CODE(patches_alias, "movabs $0x8000010000+patched_5+1-patches_alias, %rax\n movb $2, (%rax)\n"
			  "patched_5: mov $1, %bl\n hlt\n");
GUEST_CODE(calls, "mov $0x20000, %eax\n call *%rax\n hlt\n");
GUEST_CODE(returns_1, "mov $1, %ebx\n ret\n");
GUEST_CODE(patches_other, "movb $2, 0x20001\n hlt\n");
GUEST_CODE(straddles, "mov $0x10111213, %ebx\n hlt\n");

/* Two stores to the page that this runs from, by another address; then that one leads elsewhere. */
GUEST_CODE(remaps, "mov $0x40000800, %edi\n movb $1, (%rdi)\n movb $3, 1(%rdi)\n"
		   "movq $0x90067, 0x4000\n invlpg (%rdi)\n movb $2, (%rdi)\n movb $4, 1(%rdi)\n"
		   "mov %cr3, %rax\n movq $0x10067, 0x4000\n mov %rax, %cr3\n movb $5, (%rdi)\n"
		   "movb $6, 2(%rdi)\n hlt\n");

static void open(struct vm_rig *rig, unsigned int vcpus)
{
	vm_open(rig);
	while (rig->vcpus < vcpus)
		vm_add_vcpu(rig);
	*vm_word(rig, VM_PML4 + 8) = VM_PDPT | ENTRY_TABLE | 0x20;
}

/* SDM 3A:4.10.4.1: what INVLPG and MOV to CR3 drop, stores to a page with code do not use. */
static void test_remapped(void)
{
	struct vm_rig rig;
	u64 page_table = 0x4000, page_directory = 0x3000;

	open(&rig, 1);
	vm_word(&rig, VM_PDPT)[1] = page_directory | ENTRY_TABLE | 0x20;
	*vm_word(&rig, page_directory) = page_table | ENTRY_TABLE | 0x20;
	*vm_word(&rig, page_table) = VM_CODE | ENTRY_TABLE | 0x60;
	vm_put(&rig, VM_CODE, remaps);
	vm_run_to_halt(&rig, 0, VM_CODE);
	CHECK_EQUAL(rig.memory[VM_CODE + 0x800], 5);
	CHECK_EQUAL(rig.memory[VM_CODE + 0x801], 3);
	CHECK_EQUAL(rig.memory[VM_CODE + 0x802], 6);
	CHECK_EQUAL(rig.memory[VM_DATA + 0x800], 2);
	CHECK_EQUAL(rig.memory[VM_DATA + 0x801], 4);
	vm_close(&rig);
}

/* SDM 3A:11.6: on P6 and later the processor that stores sees it in the next instruction. */
static void test_own_stores(void)
{
	static const struct {
		const u8 *code, *end;
		u8 result;
	} row[] = {
		{patches_next, patches_next_end, 2},
		{patches_far, patches_far_end, 2},
		{patches_loop, patches_loop_end, 1 + 2 + 3 + 4 + 5},
		{patches_by_string, patches_by_string_end, 2},
		{patches_alias, patches_alias_end, 2},
	};

	for (unsigned int n = 0; n < ARRAY_SIZE(row); n++) {
		struct vm_rig rig;

		open(&rig, 1);
		memcpy(rig.memory + VM_DATA, "\xb3\x02", 2); /* mov $2, %bl */
		for (unsigned int again = 0; again < 3; again++) {
			vm_write(&rig, VM_CODE, row[n].code, (size_t)(row[n].end - row[n].code));
			vm_run_to_halt(&rig, 0, VM_CODE);
			CHECK_EQUAL(vm_regs(&rig, 0).rbx, row[n].result);
		}
		vm_close(&rig);
	}
}

/* An instruction on two pages follows the bytes of both. */
static void test_instruction_on_two_pages(void)
{
	const u64 start = 0x20ffe;
	struct vm_rig rig;

	open(&rig, 1);
	vm_put(&rig, start, straddles);
	vm_run_to_halt(&rig, 0, start);
	CHECK_EQUAL(vm_regs(&rig, 0).rbx, 0x10111213);
	vm_write(&rig, 0x21001, "\x22", 1);
	vm_run_to_halt(&rig, 0, start);
	CHECK_EQUAL(vm_regs(&rig, 0).rbx, 0x10221213);
	vm_write(&rig, 0x20fff, "\x33", 1);
	vm_run_to_halt(&rig, 0, start);
	CHECK_EQUAL(vm_regs(&rig, 0).rbx, 0x10221233);
	vm_close(&rig);
}

/* DMA over code that has run, also where it is the second page of a transfer. */
static void test_machine_writes(void)
{
	u8 buffer[0x1001] = {0};
	struct vm_rig rig;

	open(&rig, 2);
	vm_put(&rig, VM_CODE, calls);
	vm_put(&rig, 0x20000, returns_1);
	for (unsigned int n = 0; n < 2; n++) {
		vm_run_to_halt(&rig, n, VM_CODE);
		CHECK_EQUAL(vm_regs(&rig, n).rbx, 1);
	}
	vm_write(&rig, 0x20001, "\x02", 1);
	for (unsigned int n = 0; n < 2; n++) {
		vm_run_to_halt(&rig, n, VM_CODE);
		CHECK_EQUAL(vm_regs(&rig, n).rbx, 2);
	}
	memcpy(buffer, rig.memory + 0x1f001, sizeof(buffer));
	buffer[0x1000] = 3;
	vm_write(&rig, 0x1f001, buffer, sizeof(buffer));
	for (unsigned int n = 0; n < 2; n++) {
		vm_run_to_halt(&rig, n, VM_CODE);
		CHECK_EQUAL(vm_regs(&rig, n).rbx, 3);
	}
	vm_close(&rig);
}

/* Two processors on one thread, as the round-robin schedule runs them. */
static void test_other_processor(void)
{
	struct vm_rig rig;

	open(&rig, 2);
	vm_put(&rig, VM_CODE, calls);
	vm_put(&rig, 0x20000, returns_1);
	vm_put(&rig, 0x30000, patches_other);
	vm_run_to_halt(&rig, 1, VM_CODE);
	CHECK_EQUAL(vm_regs(&rig, 1).rbx, 1);
	vm_run_to_halt(&rig, 0, 0x30000);
	vm_run_to_halt(&rig, 1, VM_CODE);
	CHECK_EQUAL(vm_regs(&rig, 1).rbx, 2);
	vm_close(&rig);
}

/* --- two threads, by the protocol of SDM 3A:8.1.3 --- */

/*
 * vCPU 1 enters page R15 for the first time when told so, waits there for the flag in RDI,
 * serialises and executes what vCPU 0, which has just been writing to that page, put behind it.
 */
GUEST_CODE(executes, "1: mov (%rsi), %eax\n test %eax, %eax\n jz 1b\n jmp *%r15\n");
GUEST_CODE(patched_page, "1: mov (%rdi), %eax\n test %eax, %eax\n jz 1b\n cpuid\n"
			 "patched_6: mov $1, %r14d\n hlt\n");
GUEST_CODE(patches_page, "movl $0, 0x800(%r15)\n" /* its TLB may write there now */
			 "movl $1, (%rsi)\n"
			 "1: dec %rcx\n jnz 1b\n"
			 "movb $2, patched_6+2-patched_page(%r15)\n movl $1, (%rdi)\n hlt\n");

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

static void set_patch_regs(struct vm_rig *rig, unsigned int vcpu, u64 rip, u64 page, u64 delay)
{
	struct kvm_regs regs = {.rip = rip,
				.rflags = 2,
				.rsp = VM_STACK,
				.r15 = page,
				.rcx = delay,
				.rsi = VM_DATA,
				.rdi = VM_DATA + 0x1000};

	ls_ioctl_ptr(rig->engine, rig->vcpu[vcpu], KVM_SET_REGS, &regs);
}

static void test_other_thread(void)
{
	struct vm_rig rig;
	struct thread thread[2] = {{&rig, 0}, {&rig, 1}};
	unsigned int stale = 0;

	open(&rig, 2);
	vm_put(&rig, VM_CODE, executes);
	vm_put(&rig, VM_CODE + 0x1000, patches_page);
	for (unsigned int n = 0; n < 1500; n++) {
		u64 page = 0xa0000 + n % 64 * 0x1000;
		pthread_t id[2];

		vm_put(&rig, page, patched_page);
		*vm_word(&rig, VM_DATA) = *vm_word(&rig, VM_DATA + 0x1000) = 0;
		set_patch_regs(&rig, 1, VM_CODE, page, 0);
		set_patch_regs(&rig, 0, VM_CODE + 0x1000, page, 1 + n * 7 % 400);
		for (unsigned int i = 0; i < 2; i++)
			pthread_create(&id[i], NULL, run_thread, &thread[i]);
		for (unsigned int i = 0; i < 2; i++)
			pthread_join(id[i], NULL);
		stale += vm_regs(&rig, 1).r14 != 2;
	}
	CHECK_EQUAL(stale, 0);
	vm_close(&rig);
}

static CU_TestInfo tests[] = {
	{"a processor's own stores", test_own_stores},
	{"an instruction on two pages", test_instruction_on_two_pages},
	{"DMA over code", test_machine_writes},
	{"a page that moves", test_remapped},
	{"another processor's stores", test_other_processor},
	{"another thread's stores", test_other_thread},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.code_writes", tests)
