/* SPDX-License-Identifier: Apache-2.0 */
/* Hardware task switches: SDM 3A:7.2 to 7.6. */
#include "payload.h"

#define SEL_TASK   SEL_FREE
#define SEL_GATE   (SEL_FREE + 8)
#define SEL_TASK16 (SEL_FREE + 16)
#define SEL_BAD    (SEL_FREE + 24)
#define SEL_LDT    (SEL_FREE + 32)
#define NT         0x4000u
#define RF         0x10000u
#define CR0_TS     8u

struct __attribute__((packed)) tss16 {
	u16 link, sp0, ss0, sp1, ss1, sp2, ss2, ip, flags;
	u16 ax, cx, dx, bx, sp, bp, si, di;
	u16 es, cs, ss, ds, ldt;
};

static struct tss task;
static struct tss16 task16;
u32 seen_eax, seen_flags, seen_tr, seen_cr0, seen_esp, seen_error, seen_runs;
extern const char task_code[], task16_code[], task_error_code[], task_far_back[];

/* Each entry runs the loop once more: a task resumes where it left. */
__asm__("task_code: mov %eax, seen_eax; pushf; pop seen_flags; str %eax; mov %eax, seen_tr\n"
	"mov %cr0, %eax; mov %eax, seen_cr0; mov %esp, seen_esp; incl seen_runs\n"
	"mov $0x600d, %eax; iret; jmp task_code\n"
	"task_error_code: pop seen_error; mov %esp, seen_esp; incl seen_runs\n"
	"addl $2, tss + 32; iret; jmp task_error_code\n" /* over the faulting instruction */
	"task_far_back: incl seen_runs; clts; ljmp $0x40, $0; jmp task_far_back\n"
	"task16_code: incl seen_runs; mov %ax, seen_eax; mov %sp, seen_esp\n"
	"pushf; pop seen_flags; iret; jmp task16_code");

static void reset_tasks(void)
{
	task = (struct tss){
		.eip = (u32)task_code,
		.eflags = 2,
		.esp = STACK_TOP(other_stack),
		.eax = 0x12345678,
		.es = SEL_DATA0,
		.cs = SEL_CODE0,
		.ss = SEL_DATA0,
		.ds = SEL_DATA0,
		.fs = SEL_DATA0,
		.gs = SEL_DATA0,
		.io_map = sizeof(task),
	};
	task16 = (struct tss16){
		.ip = 0,
		.flags = 2,
		.sp = 0x1000,
		.ax = 0xabcd,
		.es = SEL_DATA0,
		.cs = SEL_BAD,
		.ss = SEL_DATA0,
		.ds = SEL_DATA0,
	};
	gdt[SEL_TSS / 8] = descriptor((u32)&tss, sizeof(tss) - 1, 0x89, 0);
	gdt[SEL_TASK / 8] = descriptor((u32)&task, sizeof(task) - 1, 0x89, 0);
	gdt[SEL_TASK16 / 8] = descriptor((u32)&task16, sizeof(task16) - 1, 0x81, 0);
	gdt[SEL_GATE / 8] = (u64)SEL_TASK << 16 | (u64)0x85 << 40;
	__asm__ volatile("ltr %w0; clts" : : "r"(SEL_TSS));
	seen_runs = 0;
}

static u8 type_of(u16 selector)
{
	return gdt[selector / 8] >> 40 & 0x9f;
}

static u16 far_selector;

static void far_call(void)
{
	struct __attribute__((packed)) {
		u32 offset;
		u16 selector;
	} pointer = {0, far_selector};

	__asm__ volatile("mov $0x5a5a5a5a, %%eax; lcall *%0" : : "m"(pointer) : "eax", "memory");
}

static void far_jump(void)
{
	struct __attribute__((packed)) {
		u32 offset;
		u16 selector;
	} pointer = {0, far_selector};

	__asm__ volatile("ljmp *%0" : : "m"(pointer) : "eax", "memory");
}

static void call_and_return(u16 selector)
{
	reset_tasks();
	far_selector = selector;
	EXPECT_NO_TRAP(far_call);
	CHECK_EQUAL(seen_runs, 1);
	CHECK_EQUAL(seen_eax, 0x12345678);
	CHECK_EQUAL(seen_flags, NT | 2);
	CHECK_EQUAL(seen_tr, SEL_TASK);
	CHECK_EQUAL(seen_cr0 & CR0_TS, CR0_TS);
	CHECK_EQUAL(task.link, SEL_TSS);
	CHECK_EQUAL(task.eax, 0x600d);
	CHECK_EQUAL(task.eflags & NT, 0);
	CHECK_EQUAL(tss.eax, 0x5a5a5a5a);
	CHECK_EQUAL(type_of(SEL_TSS), 0x8b);
	CHECK_EQUAL(type_of(SEL_TASK), 0x89);
}

static void jumps(void)
{
	section("SDM 3A:7.3 JMP to a TSS and back: busy bits move, no nesting");
	reset_tasks();
	task.eip = (u32)task_far_back;
	far_selector = SEL_TASK;
	EXPECT_NO_TRAP(far_jump);
	CHECK_EQUAL(seen_runs, 1);
	CHECK_EQUAL(task.link, 0);
	CHECK_EQUAL(type_of(SEL_TSS), 0x8b);
	CHECK_EQUAL(type_of(SEL_TASK), 0x89);
	EXPECT_NO_TRAP(far_jump);
	CHECK_EQUAL(seen_runs, 2);
}

static void software(void)
{
	__asm__ volatile("int $0x60");
}

static void faulting(void)
{
	__asm__ volatile("mov %%eax, %%fs" : : "a"(SEL_BAD));
}

static void interrupts(void)
{
	section("SDM 3A:6.12.2 INT n through a task gate");
	reset_tasks();
	idt[0x60] = gate_make(0, SEL_TASK, 0x85);
	EXPECT_NO_TRAP(software);
	CHECK_EQUAL(seen_runs, 1);
	CHECK_EQUAL(seen_flags, NT | 2);
	section("SDM 3A:6.12.2 an error code goes on the new task's stack");
	reset_tasks();
	gdt[SEL_BAD / 8] = 0;
	task.eip = (u32)task_error_code;
	idt[13] = gate_make(0, SEL_TASK, 0x85);
	EXPECT_NO_TRAP(faulting);
	CHECK_EQUAL(seen_runs, 1);
	CHECK_EQUAL(seen_error, SEL_BAD);
	CHECK_EQUAL(seen_esp, STACK_TOP(other_stack));
	section("SDM 3B:18.3.1.1 the old task's EFLAGS image: RF after a fault, none after INT n");
	CHECK_EQUAL(tss.eflags & RF, RF);
	task.eip = (u32)task_code;
	EXPECT_NO_TRAP(software);
	CHECK_EQUAL(tss.eflags & RF, 0);
	gate_reset(13);
	gate_reset(0x60);
}

static void iret_nested(void)
{
	__asm__ volatile("pushf; orl $0x4000, (%%esp); popf; iret" : : : "memory");
}

static void target_errors(void)
{
	section("SDM 3A:7.3 table 7-1: the incoming TSS, before the switch");
	reset_tasks();
	far_selector = SEL_TSS; /* busy */
	EXPECT_TRAP(far_call, 13, SEL_TSS);
	EXPECT_TRAP(far_jump, 13, SEL_TSS);
	gdt[SEL_TASK / 8] = descriptor((u32)&task, sizeof(task) - 1, 0x09, 0);
	far_selector = SEL_TASK;
	EXPECT_TRAP(far_jump, 11, SEL_TASK);
	gdt[SEL_TASK / 8] = descriptor((u32)&task, 0x66, 0x89, 0);
	EXPECT_TRAP(far_jump, 10, SEL_TASK);
	gdt[SEL_TASK16 / 8] = descriptor((u32)&task16, 0x2a, 0x81, 0);
	far_selector = SEL_TASK16;
	EXPECT_TRAP(far_call, 10, SEL_TASK16);
	section("SDM 3A:7.3 IRET with NT wants a busy TSS: #TS");
	tss.link = SEL_TASK;
	EXPECT_TRAP(iret_nested, 10, SEL_TASK);
	tss.link = SEL_TASK | 4;
	EXPECT_TRAP(iret_nested, 10, SEL_TASK | 4);
	section("SDM 3A:7.2.5 task gates: presence, and a selector in the LDT");
	reset_tasks();
	gdt[SEL_GATE / 8] &= ~(UINT64_C(0x80) << 40);
	far_selector = SEL_GATE;
	EXPECT_TRAP(far_call, 11, SEL_GATE);
	gdt[SEL_GATE / 8] = (u64)(SEL_TASK | 4) << 16 | (u64)0x85 << 40;
	EXPECT_TRAP(far_call, 13, SEL_TASK | 4);
}

static u32 task_register(void)
{
	u32 tr;

	__asm__ volatile("str %0" : "=r"(tr));
	return tr;
}

#define NEW_TASK_FAULT(change, vector, error)                                                      \
	do {                                                                                       \
		reset_tasks();                                                                     \
		far_selector = SEL_TASK;                                                           \
		change;                                                                            \
		EXPECT_TRAP(far_call, vector, error);                                              \
		CHECK_EQUAL(task_register(), SEL_TASK);                                            \
		CHECK_EQUAL(trap.ip, task.eip);                                                    \
		CHECK_EQUAL(type_of(SEL_TASK), 0x8b);                                              \
	} while (0)

static void new_task_errors(void)
{
	section("SDM 3A:7.3 table 7-1: faults past the switch belong to the new task");

	NEW_TASK_FAULT(task.ds = SEL_CODE0 + 1000, 10, (SEL_CODE0 + 1000) & ~3);
	NEW_TASK_FAULT(task.es = SEL_TASK, 10, SEL_TASK);
	gdt[SEL_BAD / 8] = descriptor(0, 0xfffff, ACCESS_DATA0 & 0x7f, 4);
	NEW_TASK_FAULT(task.fs = SEL_BAD, 11, SEL_BAD);
	NEW_TASK_FAULT(task.ldt = SEL_DATA0, 10, SEL_DATA0);
	section("SDM 3A:7.3 EIP beyond the new CS's limit: #GP(0)");
	gdt[SEL_BAD / 8] = descriptor(0, 0x1fffff, ACCESS_CODE0, FLAGS_32);
	NEW_TASK_FAULT(task.cs = SEL_BAD; task.eip = 0x200000, 13, 0);
	reset_tasks();
}

static bool step_hook(struct trap_frame *frame)
{
	if (frame->vector != 1)
		return false;
	seen_error = READ_REGISTER("dr6");
	WRITE_REGISTER("dr6", 0xffff0ff0);
	return true;
}

static void debug_trap(void)
{
	section("SDM 3A:7.2.1 the T flag: #DB with BT before the new task's first instruction");
	reset_tasks();
	task.trap = 1;
	far_selector = SEL_TASK;
	seen_error = 0;
	trap_hook = step_hook;
	trap_count = 0;
	EXPECT_NO_TRAP(far_call);
	CHECK_EQUAL(trap_count, 1);
	CHECK_EQUAL(trap.ip, (u32)task_code);
	CHECK_EQUAL(seen_error, 0xffff8ff0);
	trap_hook = NULL;
	section("SDM 3B:18.2.4 a task switch clears the local breakpoints");
	reset_tasks();
	WRITE_REGISTER("dr0", 0);
	WRITE_REGISTER("dr7", 0xf0703); /* L0, G0 on linear 0, 4 bytes, writes */
	far_selector = SEL_TASK;
	EXPECT_NO_TRAP(far_call);
	CHECK_EQUAL(READ_REGISTER("dr7") & 3, 2);
	WRITE_REGISTER("dr7", 0x400);
}

static void task_16(void)
{
	section("SDM 3A:7.6 a 16-bit TSS");
	reset_tasks();
	gdt[SEL_BAD / 8] = descriptor((u32)task16_code, 0xffff, ACCESS_CODE0, 4);
	far_selector = SEL_TASK16;
	EXPECT_NO_TRAP(far_call);
	CHECK_EQUAL(seen_runs, 1);
	CHECK_EQUAL((u16)seen_eax, 0xabcd);
	CHECK_EQUAL((u16)seen_esp, 0x1000);
	CHECK_EQUAL((u16)seen_flags, NT | 2);
	CHECK_EQUAL(task16.link, SEL_TSS);
	CHECK_EQUAL(type_of(SEL_TASK16), 0x81);
}

void payload(void)
{
	section("SDM 3A:7.3 CALL to a TSS and IRET back");
	call_and_return(SEL_TASK);
	section("SDM 3A:7.2.5 CALL through a task gate");
	call_and_return(SEL_GATE);
	jumps();
	interrupts();
	target_errors();
	new_task_errors();
	debug_trap();
	task_16();
}
