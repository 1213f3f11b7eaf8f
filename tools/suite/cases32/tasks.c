/* SPDX-License-Identifier: Apache-2.0 */
/* Hardware task switches: SDM 3A chapter 7. */
#define THEME "tasks"
#include "suite.h"

#define SEL_TASK SEL_FREE
#define SEL_GATE (SEL_FREE + 8)

static struct tss task;
extern const char task_entry[];
u32 task_runs;
__asm__("task_entry: incl task_runs; mov %eax, task_saw; pushf; pop task_saw + 4; str task_saw + 8;"
	"mov %cr0, %eax; mov %eax, task_saw + 12; mov %esp, task_saw + 16; iret; jmp task_entry");
u32 task_saw[8];

static void task_make(void)
{
	/* One by one: its I/O bitmap would take thousands of steps to clear. */
	task.eip = (u32)task_entry;
	task.eflags = 2;
	task.esp = STACK_TOP(other_stack);
	task.eax = 0x12345678;
	task.es = task.ss = task.ds = task.fs = task.gs = SEL_DATA0;
	task.cs = SEL_CODE0;
	task.io_map = sizeof(task);
	gdt[SEL_TASK / 8] = descriptor((u32)&task, sizeof(task) - 1, 0x89, 0);
	gdt[SEL_GATE / 8] = (u64)SEL_TASK << 16 | (u64)0x85 << 40;
}

static void task_report(void)
{
	for (int n = 0; n < 5; n++)
		show(task_saw[n]);
	show(task_runs);
	show((u32)(gdt[SEL_TASK / 8] >> 32));
	show((u32)(gdt[SEL_TSS / 8] >> 32));
}

CASE(task_call, "a far call to a TSS nests: link, NT, busy bits, CR0.TS; IRET goes back")
{
	task_make();
	TRY("lcall $0x50, $0");
	task_report();
}

CASE(task_gate_call, "so does one to a task gate")
{
	task_make();
	TRY("lcall $0x58, $0");
	task_report();
}

CASE(task_interrupt, "a task gate in the IDT: the interrupted task is saved in its TSS")
{
	task_make();
	idt[0x60] = (struct gate){.selector = SEL_TASK, .type = 0x85};
	TRY("mov $0x77, %ecx; int $0x60");
	task_report();
	show(tss.ecx);
}

CASE(task_twice, "a task that is entered again goes on where it left")
{
	task_make();
	TRY("lcall $0x50, $0; lcall $0x50, $0");
	task_report();
}

CASE(task_busy, "a far call to a busy TSS is #GP with its selector")
{
	task_make();
	TRY("lcall $0x40, $0");
}

CASE(task_absent, "a TSS that is not present is #NP")
{
	task_make();
	gdt[SEL_TASK / 8] &= ~(0x80ull << 40);
	TRY("lcall $0x50, $0");
}

CASE(task_small, "a TSS whose limit is below 67H is #TS")
{
	task_make();
	gdt[SEL_TASK / 8] = descriptor((u32)&task, 0x66, 0x89, 0);
	TRY("lcall $0x50, $0");
}

CASE(task_gate_dpl, "a task gate's DPL, the TSS's does not count behind it")
{
	task_make();
	gdt[SEL_GATE / 8] = (u64)SEL_TASK << 16 | (u64)0xe5 << 40;
	TRY_USER("lcall $0x53, $0");
	TRY_USER("lcall $0x5b, $0");
	task_report();
}

CASE(iret_without_link, "IRET with NT set and a link to a TSS that is not busy is #TS")
{
	tss.link = SEL_TASK;
	task_make();
	TRY("pushf; orl $0x4000, (%esp); popf; iret");
	TRY("pushf; andl $~0x4000, (%esp); popf");
}
