/* SPDX-License-Identifier: Apache-2.0 */
/* Shadow stacks across hardware task switches: SDM 3A:7.2.1, 7.3. */
#include "payload.h"

#define MSR_U_CET   0x6a0
#define MSR_S_CET   0x6a2
#define MSR_PL0_SSP 0x6a4
#define SH_STK_EN   1
#define ENDBR_EN    4
#define CP          21
#define FAR_RET     2
#define ENDBRANCH   3
#define SEL_TASK    SEL_FREE
#define SEL_TASK16  (SEL_FREE + 8)
#define MAPPED      16 /* 4-MiB pages */

/* Two supervisor shadow stacks at 32 MiB, writable 4 MiB further up. */
#define AREA            0x2000000u
#define KERNEL          AREA
#define OTHER           (AREA + 0x1000)
#define ALIAS           0x400000u
#define TOKEN(page)     ((page) + 0xff8)
#define SHADOW(address) (*(volatile u64 *)((address) + ALIAS))

static u32 directory[1024] __attribute__((aligned(4096)));
static u32 table[1024] __attribute__((aligned(4096)));

static struct __attribute__((packed)) {
	struct tss tss; /* its I/O map starts where SSP lies: none is needed */
} task;
#define TASK_SSP (*(u32 *)((u8 *)&task + 104))

static void map(void)
{
	for (u32 i = 0; i < MAPPED; i++)
		directory[i] = i << 22 | 0xe3; /* 4 MiB, writable, dirty */
	for (u32 i = 0; i < 1024; i++)
		table[i] = (AREA + ALIAS + i * 4096) | 0x61; /* dirty, read-only */
	directory[AREA >> 22] = (u32)table | 3;
	directory[0xfee00000 >> 22] = 0xfec000f3;
	WRITE_REGISTER("cr4", READ_REGISTER("cr4") | 0x10);
	WRITE_REGISTER("cr3", directory);
	WRITE_REGISTER("cr0", READ_REGISTER("cr0") | 0x80010000);
	WRITE_REGISTER("cr4", READ_REGISTER("cr4") | 0x800000);
}

extern const char task_code[], call_return[];
u32 ssp_in_task, ssp_after, frame_cs, frame_lip, frame_ssp, tampers;

/* The task looks at the frame through the writable alias. */
__asm__("task_code: endbr32; rdsspd %eax; mov %eax, ssp_in_task\n"
	"mov 0x400000(%eax), %ebx; mov %ebx, frame_ssp; mov 0x400008(%eax), %ebx\n"
	"mov %ebx, frame_lip; mov 0x400010(%eax), %ebx; mov %ebx, frame_cs\n"
	"mov tampers, %ebx; add %ebx, 0x400008(%eax); iret; jmp task_code");

static void reset(void)
{
	__builtin_memset(&task, 0, sizeof(task));
	task.tss.eip = (u32)task_code;
	task.tss.ss0 = SEL_DATA0;
	task.tss.esp0 = STACK_TOP(user_stack);
	task.tss.eflags = 2;
	task.tss.esp = STACK_TOP(other_stack);
	task.tss.cr3 = (u32)directory;
	task.tss.es = task.tss.ss = task.tss.ds = task.tss.fs = task.tss.gs = SEL_DATA0;
	task.tss.cs = SEL_CODE0;
	TASK_SSP = TOKEN(OTHER);
	tss.cr3 = (u32)directory;
	gdt[SEL_TSS / 8] = descriptor((u32)&tss, sizeof(tss) - 1, 0x89, 0);
	gdt[SEL_TASK / 8] = descriptor((u32)&task, sizeof(task) - 1, 0x89, 0);
	__asm__ volatile("ltr %w0; clts" : : "r"(SEL_TSS));
	SHADOW(TOKEN(KERNEL)) = TOKEN(KERNEL);
	SHADOW(TOKEN(OTHER)) = TOKEN(OTHER);
	wrmsr(MSR_PL0_SSP, TOKEN(KERNEL));
	tampers = 0;
}

static bool switch_off(struct trap_frame *frame)
{
	(void)frame;
	wrmsr(MSR_S_CET, 0);
	wrmsr(MSR_U_CET, 0);
	return false;
}

static struct __attribute__((packed)) {
	u32 offset;
	u16 selector;
} target = {0, SEL_TASK};

/* With shadow stacks on: SETSSBSY takes the token, the call comes 8 bytes below it. */
static void far_call(void)
{
	__asm__ volatile("mov $0x6a2, %%ecx; xor %%edx, %%edx; mov $1, %%eax; wrmsr; setssbsy\n"
			 "lcall *%0\n call_return: rdsspd %%eax; mov %%eax, ssp_after\n"
			 "mov $0x6a2, %%ecx; xor %%edx, %%edx; xor %%eax, %%eax; wrmsr"
			 :
			 : "m"(target)
			 : "eax", "ebx", "ecx", "edx", "memory");
}

static void far_call_tracked(void)
{
	__asm__ volatile("mov $0x6a2, %%ecx; xor %%edx, %%edx; mov $4, %%eax; wrmsr\n lcall *%0\n"
			 "mov $0x6a2, %%ecx; xor %%edx, %%edx; xor %%eax, %%eax; wrmsr"
			 :
			 : "m"(target)
			 : "eax", "ebx", "ecx", "edx", "memory");
}

static void calls(void)
{
	section("SDM 3A:7.3 CALL: the TSS's SSP, its token busy, CS, LIP and SSP on it; IRET back");
	reset();
	EXPECT_NO_TRAP(far_call);
	CHECK_EQUAL(ssp_in_task, TOKEN(OTHER) - 24);
	CHECK_EQUAL(frame_cs, SEL_CODE0);
	CHECK_EQUAL(frame_lip, (u32)call_return);
	CHECK_EQUAL(frame_ssp, TOKEN(KERNEL));
	CHECK_EQUAL(ssp_after, TOKEN(KERNEL));
	CHECK_EQUAL(SHADOW(TOKEN(OTHER)), TOKEN(OTHER)); /* free again */
	section("SDM 3A:7.3 IRET holds the frame against CS and LIP: #CP(FAR-RET/IRET)");
	reset();
	tampers = 2;
	EXPECT_TRAP(far_call, CP, FAR_RET);
	CHECK_EQUAL(trap.ip, (u32)call_return);
}

static void errors(void)
{
	section("SDM 3A:7.2.1, 7.3 with CR4.CET a TSS has SSP: limit 6BH, no 16-bit TSS");
	reset();
	gdt[SEL_TASK / 8] = descriptor((u32)&task, 0x6a, 0x89, 0);
	EXPECT_TRAP(far_call, 10, SEL_TASK);
	gdt[SEL_TASK / 8] = descriptor((u32)&task, 0x6b, 0x89, 0);
	SHADOW(TOKEN(KERNEL)) = TOKEN(KERNEL);
	EXPECT_NO_TRAP(far_call);
	reset();
	gdt[SEL_TASK16 / 8] = descriptor((u32)&task, 0xff, 0x81, 0);
	target.selector = SEL_TASK16;
	EXPECT_TRAP(far_call, 10, SEL_TASK16);
	target.selector = SEL_TASK;
	section("SDM 3A:7.3 an SSP that is not aligned: #TS in the new task");
	reset();
	TASK_SSP = TOKEN(OTHER) + 4;
	EXPECT_TRAP(far_call, 10, SEL_TASK);
	CHECK_EQUAL(trap.ip, (u32)task_code);
	section("SDM 3A:7.3 a busy token");
	reset();
	SHADOW(TOKEN(OTHER)) |= 1;
	EXPECT_TRAP(far_call, 13, 0);
	CHECK_EQUAL(trap.ip, (u32)task_code);
	section("SDM 3A:7.3 no virtual-8086 task where level 3 has CET");
	reset();
	task.tss.eflags = 0x20002;
	wrmsr(MSR_U_CET, ENDBR_EN);
	EXPECT_TRAP(far_call_tracked, 10, SEL_TASK);
	wrmsr(MSR_U_CET, 0);
}

static void return_to_v86(void)
{
	__asm__ volatile("push $0; push $0; push $0; push $0; push $0; push $0x1000\n"
			 "push $0x20002; push $0; push $0x1000; iret");
}

static void virtual_8086(void)
{
	section("SDM 2A IRET to virtual-8086 mode where level 3 has CET: #GP(0)");
	reset();
	wrmsr(MSR_U_CET, ENDBR_EN);
	EXPECT_TRAP(return_to_v86, 13, 0);
	CHECK_EQUAL(trap.cs, SEL_CODE0);
	CHECK_EQUAL(trap.flags & 0x20000, 0);
	wrmsr(MSR_U_CET, 0);
}

static void tracker(void)
{
	section("SDM 3A:7.3 the new task has to begin with ENDBR32");
	reset();
	TASK_SSP = 0;
	ssp_in_task = 0;
	EXPECT_NO_TRAP(far_call_tracked);
	reset();
	task.tss.eip = (u32)task_code + 4;
	EXPECT_TRAP(far_call_tracked, CP, ENDBRANCH);
	CHECK_EQUAL(trap.ip, (u32)task_code + 4);
}

void payload(void)
{
	map();
	trap_hook = switch_off;
	calls();
	errors();
	tracker();
	virtual_8086();
}
