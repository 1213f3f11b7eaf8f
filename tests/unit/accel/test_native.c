/* SPDX-License-Identifier: Apache-2.0 */
/* The native engine: code of level 3 runs on the host's processor, an exception of it is the
 * guest's, and nothing of it reaches the host. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/accel/native_rig.h"

#define UD2          0x0f, 0x0b
#define RFLAGS_TF    0x100u
#define RFLAGS_RF    0x10000u
#define AT(distance) (RIG_CODE + (distance))

static struct kvm_sregs sregs_of(struct native_rig *rig)
{
	struct kvm_sregs sregs;

	native_call(rig, KVM_GET_SREGS, &sregs);
	return sregs;
}

/* SDM 3A:6.14.2, 3B:18.3.1.1: the frame of a fault, RF in it; the handler's RFLAGS, CS, SS and RSP.
 */
static void test_fault(void)
{
	struct native_rig rig;
	struct native_frame frame;

	if (!native_open_rig(&rig))
		return;
	native_code(&rig, 0x83, 0xc0, 0xff, UD2); /* add $-1, %eax; ud2 */
	frame = native_run(&rig, false);
	CHECK_EQUAL(frame.vector, 6);
	CHECK_EQUAL(frame.rip, AT(3));
	CHECK_EQUAL(frame.cs, 0x33);
	CHECK_EQUAL(frame.ss, 0x2b);
	CHECK_EQUAL(frame.rsp, RIG_TOP);
	CHECK_EQUAL(frame.rflags, 0x202 | RFLAGS_RF | 0x84); /* SF, PF: 0 - 1 */
	CHECK_EQUAL(native_regs(&rig).rax, 0xffffffff);
	CHECK_EQUAL(native_regs(&rig).rflags, 0x86);
	CHECK_EQUAL(native_regs(&rig).rsp, RIG_STACK0 - 40);
	CHECK_EQUAL(sregs_of(&rig).cs.selector, 0x10);
	CHECK_EQUAL(sregs_of(&rig).ss.selector, 0);
	native_close_rig(&rig);
}

/* SDM 3A:4.7: the page fault's error code; present is what the guest's tables say. */
static void test_page_faults(void)
{
	static const struct {
		uint64_t address;
		bool write;
		uint64_t error;
	} rows[] = {
		{RIG_DATA + 0x1000, false, 4}, {RIG_DATA - 8, true, 6}, {RIG_CODE + 8, true, 7},
		{RIG_GDT, false, 5},           {RIG_TABLES, true, 7},   {0, false, 5},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct native_rig rig;
		struct native_frame frame;
		struct kvm_regs regs;

		if (!native_open_rig(&rig))
			return;
		native_code(&rig, 0x48, rows[i].write ? 0x89 : 0x8b, 0x01); /* mov (%rcx), %rax */
		regs = native_regs(&rig);
		regs.rcx = rows[i].address;
		native_call(&rig, KVM_SET_REGS, &regs);
		frame = native_run(&rig, true);
		CHECK_EQUAL(frame.vector, 14);
		CHECK_EQUAL(frame.error, rows[i].error);
		CHECK_EQUAL(frame.rip, AT(0));
		CHECK_EQUAL(sregs_of(&rig).cr2, rows[i].address);
		native_close_rig(&rig);
	}
}

/* Memory of ours is not in the process: neither the heap, nor the stack, nor code. */
static void test_host_is_not_there(void)
{
	static const char constant[] = "ours";
	int local = 0;
	const uintptr_t ours[] = {(uintptr_t)&local, (uintptr_t)constant, (uintptr_t)test_fault,
				  (uintptr_t)getpid};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		struct native_rig rig;
		struct native_frame frame;
		struct kvm_regs regs;

		if (!native_open_rig(&rig))
			return;
		native_code(&rig, 0x48, 0x8b, 0x01);
		regs = native_regs(&rig);
		regs.rcx = ours[i];
		native_call(&rig, KVM_SET_REGS, &regs);
		frame = native_run(&rig, true);
		CHECK_EQUAL(frame.vector, 14);
		CHECK_EQUAL(frame.error, 4);
		native_close_rig(&rig);
	}
}

/* The process that runs the code: a child of this thread's. 0: the kernel does not tell
 * (CONFIG_PROC_CHILDREN). */
static int child_of_ours(void)
{
	FILE *list = fopen("/proc/thread-self/children", "re");
	int pid = 0;

	if (list && fscanf(list, "%d", &pid) != 1)
		pid = 0;
	if (list)
		fclose(list);
	return pid;
}

/* Nothing is mapped there but the guest's pages and, far above, its own; the kernel's [vsyscall] is
 * everybody's, and a vDSO may be sealed against unmapping. */
static void test_mappings(void)
{
	struct native_rig rig;
	char path[64], line[512];
	FILE *maps;

	if (!native_open_rig(&rig))
		return;
	native_code(&rig, UD2);
	CHECK_EQUAL(native_run(&rig, false).vector, 6);
	snprintf(path, sizeof(path), "/proc/%d/maps", child_of_ours());
	maps = child_of_ours() ? fopen(path, "re") : NULL;
	while (maps && fgets(line, sizeof(line), maps)) {
		unsigned long start = strtoul(line, NULL, 16);

		CHECK_ROW(start == RIG_CODE || start == RIG_DATA || start == RIG_STACK ||
				  start >> 20 == 0x6000000 || strstr(line, "[v"),
			  "unexpected: %s", line);
	}
	if (maps)
		fclose(maps);
	native_close_rig(&rig);
}

/* SDM 2A, 2B: an exception of each kind, and where RIP stands. */
static void test_exceptions(void)
{
	static const struct {
		uint8_t code[4];
		unsigned int vector, behind;
		bool with_error;
		uint64_t error;
	} rows[] = {
		{{0x31, 0xc9, 0xf7, 0xf1}, 0, 2, false, 0}, /* xor %ecx, %ecx; div %ecx: a fault */
		{{0xf1}, 1, 1, false, 0},                   /* INT1: a trap */
		{{0xcc}, 3, 1, false, 0},                   /* INT3 */
		{{0xf4}, 13, 0, true, 0},                   /* HLT */
		{{0xcd, 0x21}, 13, 0, true, 0x10a},         /* INT 21H: the gate, IDT bit */
		{{0xcd, 0x80}, 13, 0, true, 0x402},         /* Linux has a gate there */
		{{0x0f, 0x05}, 6, 0, false, 0},             /* SYSCALL without EFER.SCE */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct native_rig rig;
		struct native_frame frame;

		if (!native_open_rig(&rig))
			return;
		memcpy(rig.memory + RIG_CODE, rows[i].code, sizeof(rows[i].code));
		frame = native_run(&rig, rows[i].with_error);
		CHECK_EQUAL(frame.vector, rows[i].vector);
		CHECK_EQUAL(frame.rip, AT(rows[i].behind));
		CHECK_EQUAL(frame.error, rows[i].error);
		native_close_rig(&rig);
	}
}

/* A SYSCALL changes nothing, the registers that it would write included. */
static void test_system_call(void)
{
	struct native_rig rig;
	struct kvm_regs regs;

	if (!native_open_rig(&rig))
		return;
	native_code(&rig, 0xb8, SYS_exit_group, 0, 0, 0, 0x0f, 0x05); /* mov $n, %eax; syscall */
	regs = native_regs(&rig);
	regs.rcx = 0x1111;
	regs.r11 = 0x2222;
	native_call(&rig, KVM_SET_REGS, &regs);
	CHECK_EQUAL(native_run(&rig, false).vector, 6);
	regs = native_regs(&rig);
	CHECK_EQUAL(regs.rax, SYS_exit_group);
	CHECK_EQUAL(regs.rcx, 0x1111);
	CHECK_EQUAL(regs.r11, 0x2222);
	native_close_rig(&rig);
}

/* One that the code makes out of other bytes is stopped, too: the run ends, and nothing was done.
 */
static void test_hidden_system_call(void)
{
	struct native_rig rig;

	if (!native_open_rig(&rig))
		return;
	native_page(&rig, RIG_CODE, RIG_CODE | PTE_USER);
	/* mov $exit_group, %eax; incb 1f(%rip); jmp 1f; 1: 0e 05 */
	native_code(&rig, 0xb8, SYS_exit_group, 0, 0, 0, 0xfe, 0x05, 2, 0, 0, 0, 0xeb, 0, 0x0e,
		    0x05, UD2);
	CHECK_EQUAL(native_call(&rig, KVM_RUN, NULL), 0);
	CHECK_EQUAL(rig.run->exit_reason, KVM_EXIT_INTERNAL_ERROR);
	native_close_rig(&rig);
}

/* By step (KVM_GUESTDBG_SINGLESTEP), PUSHF and POPF know nothing of it, and the guest's own TF
 * does. */
static void test_steps(void)
{
	const struct kvm_guest_debug debug = {.control = KVM_GUESTDBG_ENABLE |
							 KVM_GUESTDBG_SINGLESTEP};
	struct native_rig rig;

	if (!native_open_rig(&rig))
		return;
	/* pushf; popf; push $0x302; popf; nop */
	native_code(&rig, 0x9c, 0x9d, 0x68, 0x02, 0x03, 0, 0, 0x9d, 0x90, UD2);
	native_call(&rig, KVM_SET_GUEST_DEBUG, &debug);
	for (unsigned int i = 0; i < 4; i++) {
		static const unsigned int ends[] = {1, 2, 7, 8};

		CHECK_EQUAL(native_call(&rig, KVM_RUN, NULL), 0);
		CHECK_EQUAL(rig.run->exit_reason, KVM_EXIT_DEBUG);
		CHECK_EQUAL(native_regs(&rig).rip, AT(ends[i]));
		CHECK_EQUAL(native_regs(&rig).rflags, i < 3 ? 0x202 : 0x302);
		if (!i)
			CHECK_EQUAL(native_word(&rig, RIG_TOP - 8), 0x202);
	}
	native_close_rig(&rig);
}

/* SDM 3B:18.3.1.4: #DB behind the instruction that follows the one that sets TF. */
static void test_trap_flag(void)
{
	struct kvm_debugregs debug;
	struct native_frame frame;
	struct native_rig rig;

	if (!native_open_rig(&rig))
		return;
	native_code(&rig, 0x68, 0x02, 0x03, 0, 0, 0x9d, 0x90, 0x90, UD2);
	frame = native_run(&rig, false);
	CHECK_EQUAL(frame.vector, 1);
	CHECK_EQUAL(frame.rip, AT(7));
	CHECK_EQUAL(frame.rflags, 0x202 | RFLAGS_TF);
	CHECK_EQUAL(native_regs(&rig).rflags, 2);
	native_call(&rig, KVM_GET_DEBUGREGS, &debug);
	CHECK_EQUAL(debug.dr6, 0xffff4ff0);
	native_close_rig(&rig);
}

/* KVM_SET_XSAVE, KVM_GET_XSAVE: all of a YMM register, and MXCSR. */
static void test_vectors(void)
{
	struct kvm_xsave xsave = {0};
	uint8_t *area = (uint8_t *)xsave.region;
	struct native_rig rig;

	if (!native_open_rig(&rig))
		return;
	native_code(&rig, 0xc5, 0xfd, 0xfe, 0xc8, UD2); /* vpaddd %ymm0, %ymm0, %ymm1 */
	area[0] = 0x7f;
	area[1] = 3;
	area[24] = 0x80;
	area[25] = 0x1f;
	area[160] = 5; /* XMM0 */
	area[576] = 9; /* upper half of YMM0 */
	area[512] = 7;
	CHECK_EQUAL(native_call(&rig, KVM_SET_XSAVE, &xsave), 0);
	CHECK_EQUAL(native_run(&rig, false).vector, 6);
	CHECK_EQUAL(native_call(&rig, KVM_GET_XSAVE, &xsave), 0);
	CHECK_EQUAL(area[176], 10);
	CHECK_EQUAL(area[592], 18);
	CHECK_EQUAL(area[24] | area[25] << 8, 0x1f80);
	native_close_rig(&rig);
}

/* api.rst, KVM_SET_CPUID2: CPUID is the caller's; OSXSAVE follows CR4. */
static void test_cpuid(void)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entry;
	} cpuid = {{.nent = 1}, {.function = 1, .eax = 0x1234, .ecx = 1}};
	struct native_rig rig;

	if (!native_open_rig(&rig))
		return;
	native_code(&rig, 0xb8, 1, 0, 0, 0, 0x0f, 0xa2, UD2); /* mov $1, %eax; cpuid */
	CHECK_EQUAL(native_call(&rig, KVM_SET_CPUID2, &cpuid), 0);
	CHECK_EQUAL(native_run(&rig, false).vector, 6);
	CHECK_EQUAL(native_regs(&rig).rax, 0x1234);
	CHECK_EQUAL(native_regs(&rig).rcx, 0x08000001);
	native_close_rig(&rig);
}

/* SDM 2A DAA: an instruction of compatibility mode. */
static void test_compatibility(void)
{
	struct native_rig rig;

	if (!native_open_rig(&rig))
		return;
	native_set_state(&rig, false);
	native_code(&rig, 0xb0, 0x79, 0x04, 0x35, 0x27,
		    UD2); /* mov $0x79, %al; add $0x35, %al; daa */
	CHECK_EQUAL(native_run(&rig, false).cs, 0x23);
	CHECK_EQUAL(native_regs(&rig).rax, 0x14);
	native_close_rig(&rig);
}

struct kick {
	struct native_rig *rig;
	unsigned int after; /* microseconds */
};

static void *kick_later(void *opaque)
{
	const struct kick *kick = opaque;

	usleep(kick->after);
	kick->rig->engine->ops->kick(kick->rig->engine, kick->rig->vcpu);
	return NULL;
}

/* engine.h: a kick ends the run, and only that one; also while the process is still being set up.
 */
static void test_kick(void)
{
	for (unsigned int n = 0; n < 20; n++) {
		struct native_rig rig;
		struct kick kick = {&rig, n * 200};
		struct kvm_regs regs;
		pthread_t thread;

		if (!native_open_rig(&rig))
			return;
		native_code(&rig, 0xff, 0xc0, 0xeb, 0xfc, UD2); /* inc %eax; jmp .-2 */
		CHECK_EQUAL(pthread_create(&thread, NULL, kick_later, &kick), 0);
		CHECK_EQUAL(native_call(&rig, KVM_RUN, NULL), -EINTR);
		pthread_join(thread, NULL);
		regs = native_regs(&rig);
		CU_ASSERT_TRUE(regs.rip == AT(0) || regs.rip == AT(2));
		regs.rip = AT(4);
		native_call(&rig, KVM_SET_REGS, &regs);
		CHECK_EQUAL(native_run(&rig, false).vector, 6);
		native_close_rig(&rig);
	}
}

static void *run_there(void *opaque)
{
	CHECK_EQUAL(native_run(opaque, false).vector, 6);
	return NULL;
}

/* Only the thread that started a process may trace it: another one's run goes on with the same
 * state. */
static void test_threads(void)
{
	const struct kvm_guest_debug step = {.control =
						     KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP};
	const struct kvm_guest_debug none = {0};
	struct native_rig rig;
	pthread_t thread;

	if (!native_open_rig(&rig))
		return;
	native_code(&rig, 0xff, 0xc0, 0xff, 0xc0, UD2);
	native_call(&rig, KVM_SET_GUEST_DEBUG, &step);
	CHECK_EQUAL(native_call(&rig, KVM_RUN, NULL), 0);
	native_call(&rig, KVM_SET_GUEST_DEBUG, &none);
	CHECK_EQUAL(pthread_create(&thread, NULL, run_there, &rig), 0);
	pthread_join(thread, NULL);
	CHECK_EQUAL(native_regs(&rig).rax, 2);
	native_close_rig(&rig);
}

/* It offers what it has: no interrupts, no level 0. */
static void test_bounds(void)
{
	static const unsigned long absent[] = {KVM_CAP_IRQCHIP,    KVM_CAP_SPLIT_IRQCHIP,
					       KVM_CAP_SIGNAL_MSI, KVM_CAP_IRQ_ROUTING,
					       KVM_CAP_PIT2,       KVM_CAP_MCE};
	struct native_rig rig;
	struct kvm_sregs sregs;
	struct kvm_xcrs xcrs = {.nr_xcrs = 1, .xcrs[0].value = 3};

	if (!native_open_rig(&rig))
		return;
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		CHECK_EQUAL(ls_ioctl(rig.engine, LS_SYSTEM, KVM_CHECK_EXTENSION, absent[i]), 0);
	CU_ASSERT_TRUE(rig.engine->ext->user_only);
	CHECK_EQUAL(native_call(&rig, KVM_SET_XCRS, &xcrs), -EINVAL);
	CHECK_EQUAL(ls_ioctl(rig.engine, rig.vm, KVM_CREATE_IRQCHIP, 0), -EINVAL);
	sregs = sregs_of(&rig);
	sregs.cs.selector = 0x3b; /* no selector by which the host runs code */
	native_call(&rig, KVM_SET_SREGS, &sregs);
	CHECK_EQUAL(native_call(&rig, KVM_RUN, NULL), -ENOTSUP);
	native_close_rig(&rig);
}

/* A host, or its container, that lets no process be traced says so in one line. */
static void test_no_ptrace(void)
{
	const struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	const struct sock_fprog filter = {4, (struct sock_filter *)program};
	pid_t child = fork();
	int status = 0;

	if (!child) {
		struct ls_error err = {0};

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
			_exit(2);
		_exit(!ls_engine_native.open(&err) && err.code == -EPERM &&
				      strstr(err.text, "ptrace") && !strchr(err.text, '\n')
			      ? 0
			      : 1);
	}
	CHECK_EQUAL(waitpid(child, &status, 0), child);
	CHECK_EQUAL(status, 0);
}

static CU_TestInfo tests[] = {
	{"a fault's frame", test_fault},
	{"page faults", test_page_faults},
	{"the host's memory is not there", test_host_is_not_there},
	{"nothing else is mapped", test_mappings},
	{"exceptions", test_exceptions},
	{"a system call is not made", test_system_call},
	{"one that was hidden neither", test_hidden_system_call},
	{"single steps", test_steps},
	{"the guest's TF", test_trap_flag},
	{"vector registers", test_vectors},
	{"CPUID", test_cpuid},
	{"compatibility mode", test_compatibility},
	{"a kick", test_kick},
	{"another thread", test_threads},
	{"what it does not offer", test_bounds},
	{"a host without ptrace", test_no_ptrace},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("accel/native", tests)
